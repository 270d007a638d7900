"""Worlds under load, with the genuine client, and the times of what is called in them."""

from __future__ import annotations

import os
import queue
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import carla
import numpy as np

from drive_agent.drive.carla_axes import camera_transform
from drive_agent.drive.traffic import free_port
from drive_agent.rig import CameraMount

TOWN = "Brookfield"
SEED = 11
WARM_TICKS = 60
_CAR = "vehicle.tesla.model3"
_EGO = "vehicle.lincoln.mkz_2020"


class Address(Protocol):
    """A server that runs."""

    host: str
    port: int

    @property
    def pid(self) -> int: ...


@dataclass(frozen=True)
class Pace:
    """Times of the ticks of one run."""

    cars: int
    spent_ms: list[float]
    server_cpu_ms: float  # per tick

    @property
    def median_ms(self) -> float:
        return statistics.median(self.spent_ms)

    @property
    def per_second(self) -> float:
        """Ticks in a second of wall time: stalls count."""
        return 1e3 / statistics.mean(self.spent_ms)


def timed(call: Callable[[], object], repeats: int, warm: int = 2) -> list[float]:
    """Milliseconds of each of `repeats` calls, after some that do not count."""
    for _ in range(warm):
        call()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        spent.append((time.perf_counter() - start) * 1e3)
    return spent


def synchronous(server: Address) -> tuple[carla.Client, carla.World]:
    """A connected client whose world ticks at 20 Hz on demand."""
    client = carla.Client(server.host, server.port)
    client.set_timeout(60.0)
    world = client.get_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    return client, world


def pace_of_traffic(server: Address, cars: int, ticks: int) -> Pace:
    """`cars` that a traffic manager drives, the same way every time."""
    client, world = synchronous(server)
    manager = client.get_trafficmanager(free_port())
    manager.set_synchronous_mode(True)
    manager.set_random_device_seed(SEED)
    blueprint = world.get_blueprint_library().find(_CAR)
    auto = carla.command.SetAutopilot(carla.command.FutureActor, True, manager.get_port())
    batch = [carla.command.SpawnActor(blueprint, place).then(auto) for place in _places(world, cars)]
    got = sum(not answer.has_error() for answer in client.apply_batch_sync(batch, False))
    pace = _pace(server, world.tick, got, ticks)
    manager.set_synchronous_mode(False)
    manager.shut_down()
    return pace


def pace_of_parked(server: Address, cars: int, ticks: int) -> Pace:
    """`cars` that nobody drives, no traffic manager, no sensor."""
    _, world = synchronous(server)
    blueprint = world.get_blueprint_library().find(_CAR)
    spawned = [world.try_spawn_actor(blueprint, place) for place in _places(world, cars)]
    return _pace(server, world.tick, sum(car is not None for car in spawned), ticks)


def pace_of_cameras(
    server: Address, mounts: tuple[CameraMount, ...], ticks: int, *, rain: bool = False
) -> Pace:
    """A set of RGB cameras on one car, every picture awaited; at a clear noon, or in hard rain on wet roads."""
    _, world = synchronous(server)
    if rain:
        world.set_weather(carla.WeatherParameters.HardRainNoon)
    library = world.get_blueprint_library()
    ego = world.spawn_actor(library.find(_EGO), world.get_map().get_spawn_points()[0])
    boxes, cameras = [], []
    for mount in mounts:
        blueprint = library.find("sensor.camera.rgb")
        size = {"image_size_x": mount.width, "image_size_y": mount.height, "fov": np.degrees(mount.fov_rad)}
        for key, value in size.items():
            blueprint.set_attribute(key, str(value))
        box: queue.Queue = queue.Queue()
        camera = world.spawn_actor(blueprint, camera_transform(mount), attach_to=ego)
        camera.listen(box.put)
        boxes.append(box)
        cameras.append(camera)  # the client stops a stream whose sensor nobody holds

    def tick() -> None:
        world.tick()
        assert len(cameras) == len(boxes)
        for box in boxes:
            box.get(timeout=30)

    return _pace(server, tick, 1, ticks, warm=3)


def _places(world: carla.World, count: int) -> list[carla.Transform]:
    places = world.get_map().get_spawn_points()
    return places[:: max(len(places) // max(count, 1), 1)][:count]


def _pace(server: Address, tick: Callable[[], object], cars: int, ticks: int, warm: int = WARM_TICKS) -> Pace:
    timed(tick, 0, warm)
    start_s = cpu_s(server.pid)
    spent = timed(tick, ticks, 0)
    return Pace(cars, spent, (cpu_s(server.pid) - start_s) * 1e3 / ticks)


def cpu_s(process: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
