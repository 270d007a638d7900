"""What of a busy tick is the server's own work, in process: with warm caches, and with cold ones as the client leaves them."""

from __future__ import annotations

import statistics
import time
from asyncio import Transport
from collections.abc import Callable
from typing import cast

import msgpack
import numpy as np
from rich.table import Table

from drive_agent.sim.batch_controls import METHOD
from drive_agent.sim.maps import load_town
from drive_agent.sim.server import Server
from tests.bench.loads import TOWN

_CARS, _ROUNDS = 50, 150
_MODEL = "vehicle.tesla.model3"
_OTHER_DATA = np.ones(3_000_000)  # more than the caches of a core hold


class _Nowhere(Transport):
    """Takes answers as a socket does whose other end keeps up."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: object) -> None:
        """Nobody reads it."""


def bench_server(table: Table) -> None:
    """A step of the world and the requests of a tick, from their bytes to their answers, with 50 cars that drive."""
    server = Server(load_town(TOWN), 0, 1, rendering=True, synchronous=True)
    world, connection = server.world, server.new_connection()
    connection._transport = _Nowhere()
    places = world.town.spawn_points
    cars = [world.spawn(_MODEL, [0, _MODEL, []], place) for place in places[:: len(places) // _CARS][:_CARS]]
    controls = [[[2, [car.id, [0.4, 0.0, 0.0, False, False, False, 0]]]] for car in cars]

    def request(method: str, *arguments: object) -> Callable[[], None]:
        data = msgpack.packb([0, 70_000, method, [[False], *arguments]], use_single_float=True)

        def ask() -> None:
            connection.get_buffer(-1)[: len(data)] = cast(bytes, data)
            connection.buffer_updated(len(data))

        return ask

    def step() -> None:
        world.vehicles.rows[:] = driving
        world.step(0.05)

    batch = request(METHOD, controls, False)
    batch()
    for _ in range(20):
        world.step(0.05)
    driving = world.vehicles.rows.copy()
    for name, call in (
        (f"step of the world, {len(cars)} cars", step),
        (f"batch of controls, {len(cars)} cars", batch),
        (f"light states, {len(cars)} cars", request("get_vehicle_light_states")),
        ("any small request", request("get_weather_parameters")),
    ):
        cold = f"{_spent_us(call, _OTHER_DATA.sum):.0f} µs with cold caches"
        table.add_row(name, f"{_spent_us(call, call):.0f} µs", cold)


def _spent_us(call: Callable[[], object], before: Callable[[], object]) -> float:
    spent = []
    for _ in range(_ROUNDS):
        before()
        start = time.perf_counter()
        call()
        spent.append((time.perf_counter() - start) * 1e6)
    return statistics.quantiles(spent, n=10)[0]  # others use the machine too
