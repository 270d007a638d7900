"""Sensors that cast rays: lidar, semantic lidar, radar, obstacle detector. They see boxes and the ground, not meshes."""

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.sim import wire
from drive_agent.sim.actors import Actor
from drive_agent.sim.collision import LARGEST_INFLATION_M
from drive_agent.sim.poses import rotation_matrix
from drive_agent.sim.raycast import GROUND, HIT, NOTHING, cast_rays
from drive_agent.sim.render import labels
from drive_agent.sim.wire import Encoded
from drive_agent.sim.world import World

SEMANTIC_POINT = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("cos", "<f4"), ("object", "<u4"), ("tag", "<u4")]
)


@dataclass(frozen=True)
class Scan:
    """Rays and what they met: directions float64 (n, 3) in the sensor's axes, hits HIT (n,), channels int64 (n,)."""

    directions: np.ndarray
    hits: np.ndarray

    @property
    def met(self) -> np.ndarray:
        """bool (n,): the rays that met something."""
        return self.hits["target"] != NOTHING


def cast(
    world: World, sensor: Actor, directions: np.ndarray, reach_m: float, *, inflate_m: float = 0.0, ground: bool = True,
    static: bool = True,
) -> Scan:  # fmt: skip
    """Cast unit directions (n, 3) in the sensor's axes from where it is; its parent is not seen."""
    rotation = np.array(rotation_matrix(*sensor.pose[3:]))
    parent = world.actors.find(sensor.parent_id)
    skip = world.body_index(parent) if parent is not None else -1
    hits = np.zeros(len(directions), HIT)
    cast_rays(
        np.array(sensor.pose[:3]), np.ascontiguousarray(directions @ rotation.T), reach_m, world.bodies, skip,
        world.scene.grid, world.town.ground, ground, static, inflate_m, hits,
    )  # fmt: skip
    return Scan(directions, hits)


def labels_and_ids(world: World, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Semantic label and actor id (0: none) of each target, uint32 (n,)."""
    owners = world.body_owners
    tags = np.zeros(len(owners) + len(world.scene.labels) + 2, np.uint32)
    ids = np.zeros(len(tags), np.uint32)
    tags[: len(owners)] = [owner.tags[0] for owner in owners]
    ids[: len(owners)] = [owner.id for owner in owners]
    tags[len(owners) : len(tags) - 2] = world.scene.labels
    tags[GROUND] = labels.ROADS  # the last but one; the last stands for nothing
    return tags[targets], ids[targets]


# ---- lidar -----------------------------------------------------------------------------------------------------------


class Sweep:
    """The turning head of a lidar: which directions a tick covers."""

    def __init__(self, numbers: dict[str, float]) -> None:
        self.channels = max(1, int(numbers["channels"]))
        self._points_per_second = numbers["points_per_second"]
        self._frequency_hz = numbers["rotation_frequency"]
        self._fov_rad = math.radians(numbers["horizontal_fov"])
        upper, lower = math.radians(numbers["upper_fov"]), math.radians(numbers["lower_fov"])
        self._elevations = np.linspace(upper, lower, self.channels)
        self.angle_rad = 0.0

    def advance(self, delta_s: float) -> np.ndarray:
        """Unit directions (channels * points, 3), those of one channel together, the top channel first."""
        count = max(1, round(self._points_per_second * delta_s / self.channels))
        turned = min(self._frequency_hz * self._fov_rad * delta_s, self._fov_rad)
        azimuths = (self.angle_rad + turned / count * np.arange(count)) % self._fov_rad - self._fov_rad / 2
        self.angle_rad = (self.angle_rad + turned) % self._fov_rad
        azimuth, elevation = np.tile(azimuths, self.channels), np.repeat(self._elevations, count)
        level = np.cos(elevation)
        return np.column_stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])


def lidar_body(
    world: World, sensor: Actor, sweep: Sweep, numbers: dict[str, float], random: np.random.Generator
) -> bytes:
    """Points of this tick with intensity; lost and noisy as the attributes say (CARLA's documented model)."""
    scan = cast(world, sensor, sweep.advance(world.delta_s), numbers["range"])
    distance = scan.hits["distance"]
    intensity = np.exp(-numbers["atmosphere_attenuation_rate"] * distance)
    limit, zero = numbers["dropoff_intensity_limit"], numbers["dropoff_zero_intensity"]
    kept = scan.met & (random.random(len(distance)) >= numbers["dropoff_general_rate"])
    chance = (1.0 - zero) + zero * intensity / max(limit, 1e-9)
    kept &= (intensity > limit) | (random.random(len(distance)) < chance)
    if numbers["noise_stddev"] > 0.0:
        distance = distance + random.normal(0.0, numbers["noise_stddev"], len(distance))
    points = np.column_stack([scan.directions * distance[:, None], intensity])[kept].astype("<f4")
    return wire.lidar_header(sweep.angle_rad, _per_channel(kept, sweep.channels)) + points.tobytes()


def semantic_lidar_body(world: World, sensor: Actor, sweep: Sweep, numbers: dict[str, float]) -> bytes:
    """Points of this tick with label, object id and cosine of incidence; no noise."""
    scan = cast(world, sensor, sweep.advance(world.delta_s), numbers["range"])
    hits = scan.hits[scan.met]
    points = np.zeros(len(hits), SEMANTIC_POINT)
    places = scan.directions[scan.met] * hits["distance"][:, None]
    points["x"], points["y"], points["z"] = places.T
    points["cos"] = hits["cos_incidence"]
    points["tag"], points["object"] = labels_and_ids(world, hits["target"])
    return wire.lidar_header(sweep.angle_rad, _per_channel(scan.met, sweep.channels)) + points.tobytes()


def _per_channel(kept: np.ndarray, channels: int) -> np.ndarray:
    return kept.reshape(channels, -1).sum(axis=1)


# ---- radar and obstacles ---------------------------------------------------------------------------------------------


def radar_body(world: World, sensor: Actor, numbers: dict[str, float], random: np.random.Generator) -> bytes:
    """Detections `velocity, azimuth, altitude, depth`: m/s (away is positive), rad, rad, m; scattered over an ellipse."""
    count = max(1, round(numbers["points_per_second"] * world.delta_s))
    radius, angle = random.random(count), random.random(count) * 2 * math.pi
    azimuth = radius * np.cos(angle) * math.radians(numbers["horizontal_fov"]) / 2
    altitude = radius * np.sin(angle) * math.radians(numbers["vertical_fov"]) / 2
    level = np.cos(altitude)
    directions = np.column_stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(altitude)])
    scan = cast(world, sensor, directions, numbers["range"])
    parent = world.actors.find(sensor.parent_id)
    own = world.velocity_of(parent) if parent is not None else (0.0, 0.0, 0.0)
    velocities = np.zeros((len(world.body_owners) + len(world.scene.labels) + 2, 3))
    for index, owner in enumerate(world.body_owners):
        velocities[index] = world.velocity_of(owner)
    outward = directions @ np.array(rotation_matrix(*sensor.pose[3:])).T
    relative = np.einsum("ij,ij->i", velocities[scan.hits["target"]] - own, outward)
    rows = np.column_stack([relative, azimuth, altitude, scan.hits["distance"]])
    return rows[scan.met].astype("<f4").tobytes()


def obstacle_ahead(world: World, sensor: Actor, numbers: dict[str, float]) -> tuple[Encoded, float] | None:
    """The nearest thing ahead of the sensor in a beam `hit_radius` (at most 1 m) wide, and its distance in m; or None."""
    only_dynamics = sensor.attributes["only_dynamics"].lower() in ("true", "1")
    scan = cast(
        world, sensor, np.array([[1.0, 0.0, 0.0]]), numbers["distance"], inflate_m=min(LARGEST_INFLATION_M, numbers["hit_radius"]), ground=False,
        static=not only_dynamics,
    )  # fmt: skip
    target, distance = int(scan.hits["target"][0]), float(scan.hits["distance"][0])
    if target == NOTHING:
        return None
    owners = world.body_owners
    if target < len(owners):
        return owners[target].encode(world.stream_port), distance
    return world.scene.encode_box_as_actor(target - len(owners)), distance
