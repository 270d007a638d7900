"""Collects demonstrations: several expert-driven cars at once in one world, their frames as shards of training data.

    python -m drive_agent.drive.collect --towns random:1 random:2 --rows 4000 --out DIR --seed 0

One shard a town and seed, written whole or not at all; shards that exist are skipped, so a run can be resumed. Two
processes on different towns use two cores.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import carla
import numpy as np

from drive_agent.data.shards import ShardWriter
from drive_agent.drive.carla import EGO_BLUEPRINT, LIGHTS, actor_info
from drive_agent.drive.carla_axes import pose, transform
from drive_agent.drive.carla_map import build_road_map
from drive_agent.drive.demonstrator import PERIOD_S, Demonstrator, LabelCameras
from drive_agent.drive.walkers import Walkers
from drive_agent.rig import front_rig
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, plan_route
from drive_agent.sim.process import ServerProcess
from drive_agent.types import ActorInfo, Command, LightState, Truth

TICK_S = 0.05
TIMEOUT_S = 60.0
SUBSCRIBED_S = 0.2  # wall time in which a stream's connection is made
WEATHER_S = 12.0
STUCK_US, STUCK_AT_RED_US = 20_000_000, 70_000_000
ROUTE_M = (250.0, 900.0)
ROUTE_END_M = 45.0  # a path label reaches this far
CLEAR_AHEAD = 18  # points of a lane before the next junction where no route starts
FREE_M = 14.0  # to the next car where a route starts
OFFSET_M, HEADING_RAD = 0.3, 0.04  # spread of the pose at a route's start


@dataclass(frozen=True)
class CollectConfig:
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
        if not all(
            snapshot.has_actor(k) for k in self._ids
        ):  # the TrafficManager removes cars that are stuck
            self._ids = tuple(k for k in self._ids if snapshot.has_actor(k))
        rows = np.array([_row(snapshot.find(k)) for k in self._ids])
        lights = {key: LIGHTS.get(actor.get_state(), LightState.NONE) for key, actor in self._signals.items()}
        time_us = round(snapshot.timestamp.elapsed_seconds * 1e6)
        return Truth(time_us, snapshot.frame, self._ids, rows, lights, self._infos, ())


def _row(actor: carla.ActorSnapshot) -> tuple[float, ...]:
    x, y, z, yaw, pitch = pose(actor.get_transform())
    velocity, turn, accel = actor.get_velocity(), actor.get_angular_velocity(), actor.get_acceleration()
    return x, y, z, yaw, pitch, velocity.x, -velocity.y, -np.radians(turn.z), accel.x, -accel.y


def seen_by(truth: Truth, actor_id: int) -> Truth:
    """The same truth with another actor as the ego, so in the first row."""
    k = truth.ids.index(actor_id)
    ids = (actor_id, *truth.ids[:k], *truth.ids[k + 1 :])
    rows = np.concatenate([truth.actors[k : k + 1], truth.actors[:k], truth.actors[k + 1 :]])
    return Truth(truth.time_us, truth.frame_id, ids, rows, truth.lights, truth.infos, ())


class RandomRoutes:
    """Random routes through a town, from places where no car is near."""

    def __init__(self, road_map: RoadMap, rng: np.random.Generator) -> None:
        self._road_map = road_map
        self._rng = rng
        self._lanes = [
            lane
            for lane in road_map.lanes
            if lane.kind == "driving" and not lane.is_junction and lane.length_m > 2 * CLEAR_AHEAD
        ]
        self._weights = np.array([lane.length_m for lane in self._lanes]) / sum(
            lane.length_m for lane in self._lanes
        )

    def draw(self, cars: np.ndarray) -> Route:
        """A route that starts `FREE_M` from all cars (n, 2)."""
        for _ in range(200):
            keypoints = np.array([self._place() for _ in range(3)])
            if len(cars) and np.linalg.norm(cars - keypoints[0, :2], axis=1).min() < FREE_M:
                continue
            try:
                route = plan_route(self._road_map, keypoints)
            except ValueError:  # no way between these places: draw others
                continue
            if route.length_m > ROUTE_M[0]:
                return _shortened(route, self._rng.uniform(*ROUTE_M))
        raise RuntimeError(
            f"no random route of {ROUTE_M[0]:.0f} m found in {self._road_map.name!r} in 200 tries"
        )

    def _place(self) -> np.ndarray:
        lane = self._lanes[self._rng.choice(len(self._lanes), p=self._weights)]
        return lane.center[self._rng.integers(3, len(lane.center) - CLEAR_AHEAD)]


def _shortened(route: Route, length_m: float) -> Route:
    n = min(int(length_m), len(route.points))
    return Route(route.points[:n], route.headings[:n], route.maneuvers[:n], route.lanes[:n])


class CollectWorld:
    """A town on a server with demonstrators, traffic and people; `run` until the writer has its rows."""

    def __init__(self, server: ServerProcess, config: CollectConfig, writer: ShardWriter, seed: int) -> None:
        self._config = config
        self._writer = writer
        self._rng = np.random.default_rng(seed)
        self._seed = seed
        self._client = carla.Client(server.host, server.port)
        self._client.set_timeout(TIMEOUT_S)
        self._world = self._client.get_world()
        self._settings = self._world.get_settings()
        self._synchronise()
        self._map = self._world.get_map()
        self._road_map = build_road_map(self._map, self._map.to_opendrive())
        self._routes = RandomRoutes(self._road_map, self._rng)
        self._scene = Scene(self._world)
        self._collisions: list[tuple[int, int]] = []
        self._cars: list[Demonstrator] = []
        self._cameras: list[LabelCameras] = []
        self._sensors: list[carla.Actor] = []
        self.counts = {"routes": 0, "collisions": 0, "stuck": 0}
        self._start_traffic()
        self._walkers = Walkers(self._client, self._world, self._road_map, config.walkers, seed)
        self._world.tick()
        self._scene.meet([*self._traffic, *self._walkers.ids])
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
        self._manager.set_synchronous_mode(False)
        self._manager.shut_down()
        self._walkers.destroy()
        ids = [*self._traffic, *(car.vehicle.id for car in self._cars)]
        self._client.apply_batch([carla.command.DestroyActor(k) for k in ids])
        self._world.apply_settings(self._settings)

    def _synchronise(self) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode = True
        settings.fixed_delta_seconds = TICK_S
        self._world.apply_settings(settings)

    def _start_traffic(self) -> None:
        self._manager = manager = self._client.get_trafficmanager(free_port())
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(self._seed)
        manager.set_global_distance_to_leading_vehicle(2.5)
        library = self._world.get_blueprint_library()
        looks = sorted((b for b in library.filter("vehicle.*")), key=lambda b: b.id)
        places = self._map.get_spawn_points()
        batch = []
        for k in self._rng.permutation(len(places))[: self._config.traffic]:
            car = looks[self._rng.integers(len(looks))]
            car.set_attribute("role_name", "background")
            if car.has_attribute("color"):
                colors = car.get_attribute("color").recommended_values
                car.set_attribute("color", colors[self._rng.integers(len(colors))])
            spawn = carla.command.SpawnActor(car, places[k])
            drive = carla.command.SetAutopilot(carla.command.FutureActor, True, manager.get_port())
            batch.append(spawn.then(drive))
        answers = self._client.apply_batch_sync(batch, True)
        self._traffic = [answer.actor_id for answer in answers if not answer.error]
        for actor in self._world.get_actors(self._traffic):
            manager.vehicle_percentage_speed_difference(
                actor, self._rng.uniform(*self._config.slower_percent)
            )

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
            self._world.tick()
            self._scene.meet([vehicle.id])
            cameras = LabelCameras(self._world, vehicle, front_rig().cameras, TIMEOUT_S)
            time.sleep(SUBSCRIBED_S)
            self._cameras.append(cameras)
            rng = np.random.default_rng(self._rng.integers(2**63))
            car = Demonstrator(vehicle, cameras, self._road_map, self._writer, rng, TICK_S)
            car.begin(route)
            self._cars.append(car)
            for _ in range(apart):
                self._step()

    def _step(self) -> None:
        """One tick: everyone's control, then the world, then new routes for who needs one."""
        self._world.tick()
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
            if car.left_m > ROUTE_END_M and not stuck and not crashed:
                continue
            self.counts["routes"] += 1
            self.counts["collisions"] += crashed
            self.counts["stuck"] += stuck
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


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def vehicle_control(command: Command) -> carla.VehicleControl:
    """CARLA's right is positive."""
    return carla.VehicleControl(throttle=command.throttle, steer=-command.steer, brake=command.brake)


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


def collect_town(town: str, rows: int, folder: Path, seed: int, config: CollectConfig) -> dict[str, float]:
    """One shard. Returns what happened on the way."""
    writer = ShardWriter(folder)
    started = time.perf_counter()
    with ServerProcess(town, port=0, seed=seed, threads=config.threads) as server:
        world = CollectWorld(server, config, writer, seed)
        begun, cpu = time.perf_counter(), time.process_time()
        show = Progress(town, rows)
        world.run(rows, show)
        wall_s = time.perf_counter() - begun
        facts = world.counts | {
            "wall_s": round(wall_s, 1),
            "set_up_s": round(begun - started, 1),
            "client_cpu_s": round(time.process_time() - cpu, 1),
            "rows_per_s": round(len(writer) / wall_s, 1),
        }
        world.close()
    writer.close(town=town, seed=seed, period_s=PERIOD_S, **facts)
    return facts


class Progress:
    """A line every ten seconds."""

    def __init__(self, town: str, rows: int) -> None:
        self._town, self._rows = town, rows
        self._started = self._shown = time.perf_counter()

    def __call__(self, done: int) -> None:
        now = time.perf_counter()
        if now - self._shown > 10.0:
            self._shown = now
            rate = done / (now - self._started)
            left_s = (self._rows - done) / max(rate, 1e-6)
            say(f"{self._town}: {done}/{self._rows} rows, {rate:.1f} rows/s, {left_s:.0f} s to go")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and collect."""
    parser = argparse.ArgumentParser(description="Collect demonstrations of the expert as shards of training data.")
    parser.add_argument("--towns", nargs="+", required=True, help="e.g. Brookfield random:1 random:2")
    parser.add_argument("--rows", type=int, required=True, help="rows of each town")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cars", type=int, default=CollectConfig.cars)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for town in options.towns:
        folder = options.out / f"{town.replace(':', '')}_seed{options.seed}"
        if folder.exists():
            say(f"{folder} exists, skipped")
            continue
        facts = collect_town(town, options.rows, folder, options.seed, CollectConfig(cars=options.cars))
        say(f"{folder}: {facts}")


if __name__ == "__main__":
    main()
