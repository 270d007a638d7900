"""Whatever comes over the wire, the server answers with a typed error or hangs up, and goes on serving others."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

import msgpack
import pytest

from drive_agent.sim.process import ServerProcess
from drive_agent.sim.server import all_methods
from tests.client.conftest import Session, connect
from tests.conformance.raw import RawClient

JUNK = [
    None,
    True,
    -1,
    2**40,
    1.5,
    float("nan"),
    "x",
    b"\0" * 24,
    [],
    [1],
    [[]],
    {"a": 1},
    [[1, 2, 3], ["a"]],
    [None] * 14,
]
CHANGES_THE_EPISODE = {"load_new_episode"}


@pytest.fixture
def raw(server: ServerProcess) -> RawClient:
    return RawClient(server)


@pytest.fixture(autouse=True)
def _still_serves(server: ServerProcess) -> Iterator[None]:
    yield
    assert server.alive
    assert RawClient(server).call("version") == [[1, "0.9.16"]]


@pytest.mark.parametrize("method", sorted(set(all_methods().methods) - CHANGES_THE_EPISODE))
def test_any_method_survives_any_argument(raw: RawClient, method: str) -> None:
    chance = random.Random(method)
    for count in range(6):
        for _ in range(8):
            result = raw.call(method, *(chance.choice(JUNK) for _ in range(count)))
            assert isinstance(result, list)


def test_commands_of_a_batch_fail_one_by_one(raw: RawClient) -> None:
    commands = [[[index, junk]] for index in (*range(-1, 24), 10**6) for junk in JUNK] + JUNK
    results = raw.call("apply_batch", commands, False)
    assert len(results) == len(commands)
    assert all(len(result[0]) == 2 for result in results)


def test_the_world_still_ticks_after_the_storm(server: ServerProcess) -> None:
    session: Session = connect(server)
    vehicle = session.spawn("vehicle.tesla.model3", session.world.get_map().get_spawn_points()[0])
    session.tick(5)
    assert vehicle.get_location().z == pytest.approx(
        session.world.get_map().get_spawn_points()[0].location.z, abs=0.5
    )
    session.forget()


@pytest.mark.parametrize(
    "data", [b"\xc1" * 10, msgpack.packb([9, 9]), msgpack.packb("hello"), msgpack.packb([0, 1, 2, 3])]
)
def test_what_is_no_request_ends_the_connection(raw: RawClient, data: bytes) -> None:
    raw.send(data)
    assert raw.hung_up()


def test_a_client_that_vanishes_takes_its_traffic_manager_along(
    raw: RawClient, server: ServerProcess
) -> None:
    assert raw.call("add_traffic_manager_running", ["10.0.0.1", 8123]) == [[1, True]]
    assert raw.call("is_traffic_manager_running", 8123) == [[1, True]]
    raw.close()
    other = RawClient(server)
    for _ in range(100):
        if other.call("is_traffic_manager_running", 8123) == [[1, False]]:
            break
    assert other.call("get_traffic_manager_running", 8123) == [[1, ["", 0]]]


def test_a_stream_without_a_sensor_and_half_an_id_do_no_harm(server: ServerProcess) -> None:
    for data in (struct.pack("<I", 12345), b"\1\0", b""):
        with socket.create_connection((server.host, server.port + 1), timeout=10.0) as stream:
            stream.sendall(data)
