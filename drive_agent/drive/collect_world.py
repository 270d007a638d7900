"""A collection world: a town with several expert-driven cars, traffic and people, through the carla client.

Everything random in it follows from one seed. Knows nothing of shards beyond the writer that it hands on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import carla
import numpy as np

from drive_agent.data.shards import ShardWriter
from drive_agent.drive.carla import EGO_BLUEPRINT
from drive_agent.drive.carla_axes import transform, vehicle_control
from drive_agent.drive.carla_map import build_road_map
from drive_agent.drive.carla_truth import LIGHTS, actor_info, actor_row
from drive_agent.drive.chauffeur import Chauffeur
from drive_agent.drive.demonstrator import PERIOD_S, Demonstrator
from drive_agent.drive.drivable import DrivableDrawer
from drive_agent.drive.label_cameras import LabelCameras
from drive_agent.drive.random_routes import RandomRoutes
from drive_agent.drive.traffic import EVERYONE, Traffic
from drive_agent.drive.walkers import Walkers
from drive_agent.rig import front_rig
from drive_agent.routing import Route
from drive_agent.types import ActorInfo, LightState, Truth

TICK_S = 0.05
TIMEOUT_S = 60.0
SUBSCRIBED_S = 0.2  # wall time in which a stream's connection is made
WEATHER_S = 12.0
STUCK_US, STUCK_AT_RED_US = 20_000_000, 70_000_000
ROUTE_END_M = 45.0  # a path label reaches this far
OFFSET_M, HEADING_RAD = 0.3, 0.04  # spread of the pose at a route's start


@dataclass(frozen=True)
class FreeConfig:
    """Driving about in a town, without scenarios."""

    cars: int = 8  # with cameras, driven by the expert
    traffic: int = 35
    walkers: int = 20
    slower_percent: tuple[float, float] = (25.0, 55.0)  # traffic below the limit
    threads: int = 1


class Scene:
    """One world with its traffic, as arrays: what all cars' truths are made of."""

    def __init__(self, world: carla.World) -> None:
        self._world = world
        self._infos: dict[int, ActorInfo] = {}
        self._ids: tuple[int, ...] = ()
        self._signals = {a.get_opendrive_id(): a for a in world.get_actors().filter("traffic.traffic_light*")}

    def meet(self, ids: list[int]) -> None:
        """Know these actors from now on."""
        self._infos |= {actor.id: actor_info(actor) for actor in self._world.get_actors(ids)}
        self._ids += tuple(ids)

    def read(self) -> Truth:
        """The truth of the current tick, in order of acquaintance; see `seen_by`."""
        snapshot = self._world.get_snapshot()
        # the TrafficManager removes cars that have long been stuck
        self._ids = tuple(k for k in self._ids if snapshot.has_actor(k))
        rows = np.array([actor_row(snapshot.find(k)) for k in self._ids])
        lights = {key: LIGHTS.get(actor.get_state(), LightState.NONE) for key, actor in self._signals.items()}
        time_us = round(snapshot.timestamp.elapsed_seconds * 1e6)
        return Truth(time_us, snapshot.frame, self._ids, rows, lights, self._infos, ())


def seen_by(truth: Truth, actor_id: int) -> Truth:
    """The same truth with another actor as the ego, so in the first row."""
    k = truth.ids.index(actor_id)
    ids = (actor_id, *truth.ids[:k], *truth.ids[k + 1 :])
    rows = np.concatenate([truth.actors[k : k + 1], truth.actors[:k], truth.actors[k + 1 :]])
    return Truth(truth.time_us, truth.frame_id, ids, rows, truth.lights, truth.infos, ())


class CollectWorld:
    """A town on a server with demonstrators, traffic and people; `run` until the writer has its rows."""

    def __init__(
        self,
        host: str,
        port: int,
        config: FreeConfig,
        writer: ShardWriter,
        seed: int,
        chauffeur: Chauffeur | None = None,
    ) -> None:
        self._config = config
        self._writer = writer
        self._rng = np.random.default_rng(seed)
        self._seed = seed
        self._client = carla.Client(host, port)
        self._client.set_timeout(TIMEOUT_S)
        self._world = self._client.get_world()
        self._settings = self._world.get_settings()
        self._synchronise()
        self._map = self._world.get_map()
        self._road_map = build_road_map(self._map, self._map.to_opendrive())
        self._drawer = DrivableDrawer(self._road_map)
        self._chauffeur = chauffeur
        self._routes = RandomRoutes(self._road_map, self._rng)
        self._scene = Scene(self._world)
        self._collisions: list[tuple[int, int]] = []
        self._cars: list[Demonstrator] = []
        self._cameras: list[LabelCameras] = []
        self._sensors: list[carla.Actor] = []
        self.counts = {"routes": 0, "collisions": 0, "stuck": 0, "lost": 0}
        places = self._map.get_spawn_points()
        chosen = [places[k] for k in self._rng.permutation(len(places))[: config.traffic]]
        self._traffic = Traffic(
            self._client, self._world, chosen, config.slower_percent, seed, base_types=EVERYONE
        )
        self._walkers = Walkers(self._client, self._world, self._road_map, config.walkers, seed)
        self._traffic.tick()
        self._scene.meet([*self._traffic.ids, *self._walkers.ids])
        self._start_cars()

    def run(self, rows: int, progress: Callable[[int], None]) -> None:
        """Drive until `rows` rows are written."""
        tick = 0
        while len(self._writer) < rows:
            if tick % round(WEATHER_S / TICK_S) == 0:
                self._world.set_weather(random_weather(self._rng))
            self._step()
            tick += 1
            progress(len(self._writer))

    def close(self) -> None:
        """Orderly: sensors, TrafficManager, then the rest."""
        for cameras in self._cameras:
            cameras.destroy()
        for sensor in self._sensors:
            sensor.stop()
            sensor.destroy()
        self._traffic.close()
        self._walkers.destroy()
        ids = [car.vehicle.id for car in self._cars]
        self._client.apply_batch([carla.command.DestroyActor(k) for k in ids])
        self._world.apply_settings(self._settings)

    def _synchronise(self) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode = True
        settings.fixed_delta_seconds = TICK_S
        self._world.apply_settings(settings)

    def _start_cars(self) -> None:
        """Cars one after another and some ticks apart, so that their cameras are not all due at the same tick."""
        library = self._world.get_blueprint_library()
        apart = max(round(PERIOD_S / TICK_S / self._config.cars), 1)
        for _ in range(self._config.cars):
            route = self._routes.draw(self._scene.read().actors[:, :2])
            vehicle = self._world.spawn_actor(library.find(EGO_BLUEPRINT), self._start_pose(route))
            bumper = self._world.spawn_actor(
                library.find("sensor.other.collision"), carla.Transform(), attach_to=vehicle
            )
            bumper.listen(lambda event: self._collisions.append((event.actor.id, event.other_actor.id)))
            self._sensors.append(bumper)
            self._traffic.tick()
            self._scene.meet([vehicle.id])
            cameras = LabelCameras(self._world, vehicle, front_rig().cameras, PERIOD_S, TIMEOUT_S)
            time.sleep(SUBSCRIBED_S)
            self._cameras.append(cameras)
            rng = np.random.default_rng(self._rng.integers(2**63))
            car = Demonstrator(
                vehicle, cameras, self._road_map, self._writer, rng, TICK_S, self._drawer, self._chauffeur
            )
            car.begin(route)
            self._cars.append(car)
            for _ in range(apart):
                self._step()

    def _step(self) -> None:
        """One tick: everyone's control, then the world, then new routes for who needs one."""
        self._traffic.tick()
        truth = self._scene.read()
        batch = []
        for car in self._cars:
            command = car.step(seen_by(truth, car.vehicle.id))
            batch.append(carla.command.ApplyVehicleControl(car.vehicle.id, vehicle_control(command)))
        self._client.apply_batch(batch)
        focus = np.array([truth.actors[truth.ids.index(car.vehicle.id), :2] for car in self._cars])
        self._walkers.step(truth, focus)
        self._restart(truth)

    def _restart(self, truth: Truth) -> None:
        """New routes: at the end of one, after a collision, or when nothing moves any more."""
        hit = {own for own, _ in self._collisions}
        self._collisions.clear()
        for car in self._cars:
            stuck = car.standing_us > (STUCK_AT_RED_US if car.at_red else STUCK_US)
            crashed = car.vehicle.id in hit
            if car.left_m > ROUTE_END_M and not (stuck or crashed or car.is_lost):
                continue
            self.counts["routes"] += 1
            self.counts["collisions"] += crashed
            self.counts["stuck"] += stuck
            self.counts["lost"] += car.is_lost
            route = self._routes.draw(truth.actors[:, :2])
            car.vehicle.set_transform(self._start_pose(route))
            car.vehicle.set_target_velocity(carla.Vector3D())
            car.begin(route)

    def _start_pose(self, route: Route) -> carla.Transform:
        """Near the route's first points, a bit beside and askew."""
        x, y, z = route.points[2]
        heading = float(route.headings[2])
        side = float(np.clip(self._rng.normal(0.0, OFFSET_M), -0.8, 0.8))
        askew = heading + float(self._rng.normal(0.0, HEADING_RAD))
        return transform(x - side * np.sin(heading), y + side * np.cos(heading), z + 0.3, askew)


def random_weather(rng: np.random.Generator) -> carla.WeatherParameters:
    """Sun, clouds, fog, wet roads and now and then dusk or night."""
    night = rng.random() < 0.12
    wet = 100.0 * rng.uniform(0.3, 1.0) if rng.random() < 0.3 else 0.0
    return carla.WeatherParameters(
        cloudiness=rng.uniform(0.0, 100.0),
        precipitation=wet * rng.uniform(0.0, 0.6),
        precipitation_deposits=wet,
        wetness=wet,
        fog_density=rng.uniform(0.0, 25.0) if rng.random() < 0.35 else 0.0,
        sun_azimuth_angle=rng.uniform(0.0, 360.0),
        sun_altitude_angle=rng.uniform(-25.0, 4.0) if night else rng.uniform(8.0, 80.0),
    )
