"""Sensors that cast rays into the world's meshes: lidar, semantic lidar, radar, obstacle detector. Bodies of their messages.

Rays meet what cameras see, the carrier of the sensor included, as in CARLA; the obstacle detector alone ignores it.
"""

import math

import numpy as np

from drive_agent.sim import wire
from drive_agent.sim.actors import Actor
from drive_agent.sim.appearance import solid_actors
from drive_agent.sim.motion import velocity_of_sensor
from drive_agent.sim.poses import rotation_matrix
from drive_agent.sim.raycast import Moment, Scan
from drive_agent.sim.scenery import encode_label_as_actor
from drive_agent.sim.wire import Encoded
from drive_agent.sim.world import World

SEMANTIC_POINT = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("cos", "<f4"), ("object", "<u4"), ("tag", "<u4")]
)


def surroundings(world: World) -> Moment:
    """What rays can meet now."""
    return world.geometry.at(solid_actors(world), world.scene.hidden_objects)


def actor_ids(world: World, targets: np.ndarray) -> np.ndarray:
    """Ids of actors for the targets of a scan, uint32 (n,): traffic lights are actors too; 0 for what is none."""
    numbers = {light.signal_id: light.object_id for light in world.scene.scenery.lights}
    ids = np.zeros(1 - min(0, int(targets.min(initial=0))), np.uint32)
    for site, actor in zip(world.signals.lights, world.light_actors, strict=True):
        number = numbers.get(site.signal_id, 0)
        if -len(ids) < number < 0:
            ids[-number] = actor.id
    return np.where(targets > 0, targets, ids[np.maximum(-targets, 0)]).astype(np.uint32)


def _cast(moment: Moment, sensor: Actor, directions: np.ndarray, reach_m: float) -> Scan:
    """Cast unit directions (n, 3) in the sensor's axes from where it is."""
    rotation = np.array(rotation_matrix(*sensor.pose[3:]), np.float32)
    return moment.cast(sensor.pose[:3], directions @ rotation.T, reach_m)


# ---- lidar -----------------------------------------------------------------------------------------------------------


class Sweep:
    """The turning head of a lidar: which directions a tick covers. Its phase goes on from tick to tick."""

    def __init__(self, numbers: dict[str, float]) -> None:
        self.channels = int(numbers["channels"])
        self._points_per_second = numbers["points_per_second"]
        self._frequency_hz = numbers["rotation_frequency"]
        self._fov_rad = math.radians(numbers["horizontal_fov"])
        upper, lower = math.radians(numbers["upper_fov"]), math.radians(numbers["lower_fov"])
        self._elevations = np.linspace(upper, lower, self.channels)
        self.angle_rad = 0.0

    def advance(self, delta_s: float) -> np.ndarray:
        """Unit directions float32 (channels * points, 3), those of one channel together, the top channel first."""
        count = math.floor(self._points_per_second * delta_s / self.channels + 0.5)
        turned = self._frequency_hz * self._fov_rad * delta_s
        azimuths = (
            self.angle_rad + turned / max(count, 1) * np.arange(count)
        ) % self._fov_rad - self._fov_rad / 2
        self.angle_rad = (self.angle_rad + turned) % self._fov_rad
        directions = np.empty((self.channels, count, 3), np.float32)
        directions[..., 0] = np.outer(np.cos(self._elevations), np.cos(azimuths))
        directions[..., 1] = np.outer(np.cos(self._elevations), np.sin(azimuths))
        directions[..., 2] = np.sin(self._elevations)[:, None]
        return directions.reshape(-1, 3)

    def per_channel(self, rays: np.ndarray, total: int) -> np.ndarray:
        """How many of the rays with these indices, of `total`, belong to each channel."""
        return np.bincount(rays * self.channels // max(total, 1), minlength=self.channels)


def lidar_body(
    world: World, moment: Moment, sensor: Actor, sweep: Sweep, numbers: dict[str, float], random: np.random.Generator
) -> bytes:  # fmt: skip
    """Points of this tick with intensity; lost and noisy as the attributes say (CARLA's documented model)."""
    directions = sweep.advance(world.delta_s)
    chances = random.random((2, len(directions)), np.float32)
    shot = np.nonzero(chances[0] >= numbers["dropoff_general_rate"])[0]
    scan = _cast(moment, sensor, directions.take(shot, axis=0), numbers["range"])
    intensity = np.exp(np.float32(-numbers["atmosphere_attenuation_rate"]) * scan.distance_m)
    limit, zero = numbers["dropoff_intensity_limit"], numbers["dropoff_zero_intensity"]
    chance = np.float32(1.0 - zero) + np.float32(zero / max(limit, 1e-9)) * intensity
    kept = np.nonzero(scan.met & ((intensity > limit) | (chances[1, shot] < chance)))[0]
    rays, distance = shot[kept], scan.distance_m[kept]
    if numbers["noise_stddev"] > 0.0:
        distance += random.normal(0.0, numbers["noise_stddev"], len(rays)).astype(np.float32)
    points = np.empty((len(rays), 4), "<f4")
    np.multiply(directions.take(rays, axis=0), distance[:, None], out=points[:, :3])
    points[:, 3] = intensity[kept]
    return wire.lidar_header(sweep.angle_rad, sweep.per_channel(rays, len(directions))) + points.tobytes()


def semantic_lidar_body(
    world: World, moment: Moment, sensor: Actor, sweep: Sweep, numbers: dict[str, float]
) -> bytes:
    """Points of this tick with label, actor id and cosine of incidence; no noise."""
    directions = sweep.advance(world.delta_s)
    scan = _cast(moment, sensor, directions, numbers["range"])
    rays = np.nonzero(scan.met)[0]
    points = np.zeros(len(rays), SEMANTIC_POINT)
    points["x"], points["y"], points["z"] = (directions.take(rays, axis=0) * scan.distance_m[rays, None]).T
    points["cos"], points["tag"] = scan.cos_incidence[rays], scan.tag[rays]
    points["object"] = actor_ids(world, scan.target[rays])
    return wire.lidar_header(sweep.angle_rad, sweep.per_channel(rays, len(directions))) + points.tobytes()


# ---- radar and obstacles ---------------------------------------------------------------------------------------------


def radar_body(
    world: World, moment: Moment, sensor: Actor, numbers: dict[str, float], random: np.random.Generator
) -> bytes:
    """Detections `velocity, azimuth, altitude, depth`: m/s (away is positive), rad, rad, m.

    Rays are scattered over an ellipse, denser in the middle, as CARLA does.
    """
    count = math.floor(numbers["points_per_second"] * world.delta_s + 1e-6)
    radius, angle = random.random(count), random.random(count) * 2 * math.pi
    aside = math.tan(math.radians(numbers["horizontal_fov"]) / 2) * radius * np.cos(angle)
    above = math.tan(math.radians(numbers["vertical_fov"]) / 2) * radius * np.sin(angle)
    directions = np.column_stack([np.ones(count), aside, above])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    scan = _cast(moment, sensor, directions, numbers["range"])
    outward = directions @ np.array(rotation_matrix(*sensor.pose[3:])).T
    relative = _velocities(world, scan.target) - velocity_of_sensor(world, sensor)
    azimuth, altitude = np.arctan2(directions[:, 1], directions[:, 0]), np.arcsin(directions[:, 2])
    rows = np.column_stack([np.einsum("ij,ij->i", relative, outward), azimuth, altitude, scan.distance_m])
    return rows[scan.met].astype("<f4").tobytes()


def _velocities(world: World, targets: np.ndarray) -> np.ndarray:
    """World velocity of each target, float64 (n, 3); what is no actor stands still."""
    records = world.actors.records  # in the order of the ids
    rows = np.minimum(np.searchsorted(records["id"], np.maximum(targets, 0)), len(records) - 1)
    return np.where((targets > 0)[:, None], records["velocity"][rows].astype(np.float64), 0.0)


def obstacle_ahead(
    world: World, moment: Moment, sensor: Actor, numbers: dict[str, float]
) -> tuple[Encoded, float] | None:
    """What a sphere of `hit_radius` first touches ahead of the sensor and how far it gets, m; None if nothing."""
    only_dynamics = sensor.attributes["only_dynamics"].lower() in ("true", "1")
    touch = moment.sweep(
        np.array(sensor.pose[:3]), np.array(rotation_matrix(*sensor.pose[3:]))[:, 0], numbers["hit_radius"],
        numbers["distance"], ignored=(sensor.parent_id,), town=not only_dynamics,
    )  # fmt: skip
    if touch is None:
        return None
    actor = world.actors.find(int(actor_ids(world, np.array([touch.target]))[0]))
    if actor is not None:
        return actor.encode(world.stream_port), touch.distance_m
    return encode_label_as_actor(touch.tag), touch.distance_m
