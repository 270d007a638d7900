"""What of a busy tick is the server's own work, in process: with warm caches, and with cold ones as the client leaves them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import cast

import msgpack
import numpy as np
from rich.table import Table

from drive_agent.sim.batch_controls import METHOD, read_batch
from drive_agent.sim.maps import load_town
from drive_agent.sim.world import World
from tests.bench.loads import TOWN

_CARS, _ROUNDS = 50, 150
_MODEL = "vehicle.tesla.model3"
_OTHER_DATA = np.ones(3_000_000)  # more than the caches of a core hold


def bench_server(table: Table) -> None:
    """A step of the world and a batch of controls, with 50 cars that drive."""
    world = World(load_town(TOWN), seed=0)
    places = world.town.spawn_points
    cars = [world.spawn(_MODEL, [0, _MODEL, []], place) for place in places[:: len(places) // _CARS][:_CARS]]
    controls = [[[2, [car.id, [0.4, 0.0, 0.0, False, False, False, 0]]]] for car in cars]
    request = msgpack.packb([0, 1, METHOD, [[False], controls, False]], use_single_float=True)

    def batch() -> None:
        read = read_batch(cast(bytes, request))
        assert read is not None
        assert read.apply(world) is not None

    batch()
    for _ in range(20):
        world.step(0.05)
    driving = world.vehicles.rows.copy()

    def step() -> None:
        world.vehicles.rows[:] = driving
        world.step(0.05)

    for name, call in (("step of the world", step), ("batch of controls", batch)):
        cold = f"{_spent_us(call, _OTHER_DATA.sum):.0f} µs with cold caches"
        table.add_row(f"{name}, {len(cars)} cars", f"{_spent_us(call, call):.0f} µs", cold)


def _spent_us(call: Callable[[], object], before: Callable[[], object]) -> float:
    spent = []
    for _ in range(_ROUNDS):
        before()
        start = time.perf_counter()
        call()
        spent.append((time.perf_counter() - start) * 1e6)
    return statistics.quantiles(spent, n=10)[0]  # others use the machine too
