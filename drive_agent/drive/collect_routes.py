"""Demonstrations on routes with scenarios: one car, one route after the other, through the environment that drives.

Knows nothing of shards beyond the writer that it hands on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from drive_agent.data.shards import ShardWriter
from drive_agent.drive.carla import CarlaEnv, CarlaSettings
from drive_agent.drive.carla_sensors import SensorSettings
from drive_agent.drive.chauffeur import Chauffeur
from drive_agent.drive.collect_world import (
    ROUTE_END_M,
    STUCK_AT_RED_US,
    SUBSCRIBED_S,
    TICK_S,
    TIMEOUT_S,
)
from drive_agent.drive.demonstrator import PERIOD_S, Demonstrator
from drive_agent.drive.drivable import DrivableDrawer
from drive_agent.drive.label_cameras import LabelCameras
from drive_agent.rig import front_rig
from drive_agent.types import Command
from scenarios.routes import RouteSpec

VEHICLES, WALKERS = 15, 8
LIMIT_S = 150.0  # simulated; a route takes half a minute


def collect_routes(
    host: str,
    port: int,
    specs: Sequence[RouteSpec],
    writer: ShardWriter,
    seed: int,
    chauffeur: Chauffeur | None,
    progress: Callable[[int], None],
) -> Counter[str]:
    """Drive the routes and add their frames; how they ended. `progress` is told every tick how many rows there are."""
    sensors = SensorSettings(front_rig(), PERIOD_S, TICK_S, TIMEOUT_S, cameras_on=False)
    env = CarlaEnv(CarlaSettings(host, port, TICK_S, TIMEOUT_S, VEHICLES, WALKERS, 0), sensors)
    drawers: dict[str, DrivableDrawer] = {}
    ends: Counter[str] = Counter()
    for done, spec in enumerate(specs):
        _, ground = env.reset(spec, seed + done)
        drawer = drawers.setdefault(spec.town, DrivableDrawer(ground.road_map))
        cameras = LabelCameras(env.world, env.ego, sensors.rig.cameras, PERIOD_S, TIMEOUT_S)
        time.sleep(SUBSCRIBED_S)
        rng = np.random.default_rng([seed, done])
        car = Demonstrator(env.ego, cameras, ground.road_map, writer, rng, TICK_S, drawer, chauffeur)
        car.begin(ground.route)
        env.apply(Command(0.0, 0.0, 1.0))  # cameras deliver from the tick after their spawn on
        ends[_drive(env, car, lambda: progress(len(writer)))] += 1
        cameras.destroy()
    env.close()
    return ends


def _drive(env: CarlaEnv, car: Demonstrator, beat: Callable[[], None]) -> str:
    """One route; how it ended."""
    for _ in range(round(LIMIT_S / TICK_S)):
        beat()
        truth = env.truth()
        if truth.collisions:
            return "collisions"
        if car.standing_us > STUCK_AT_RED_US:
            return "stuck"
        command = car.step(truth)
        if car.is_lost:
            return "lost"
        if car.left_m < ROUTE_END_M:
            return "driven"
        env.apply(command)
    return "late"
