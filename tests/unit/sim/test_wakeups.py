"""A traffic manager that sleeps through a tick is woken on its own port; one that is awake is left alone."""

from __future__ import annotations

import socket

import msgpack
import pytest

from drive_agent.sim.process import ServerProcess
from tests.conformance.raw import RawClient


@pytest.fixture
def manager() -> socket.socket:
    """The port of a traffic manager, on which calls can be read."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    listening.settimeout(15.0)
    return listening


def calls(manager: socket.socket, count: int) -> list[tuple[str, list]]:
    connection, _ = manager.accept()
    connection.settimeout(15.0)
    unpacker, received = msgpack.Unpacker(), []
    while len(received) < count:
        unpacker.feed(connection.recv(4096))
        for _, number, method, arguments in unpacker:
            received.append((method, arguments))
            connection.sendall(msgpack.packb([1, number, None, None]))
    connection.close()
    return received


def register(client: RawClient, manager: socket.socket) -> None:
    assert client.call("add_traffic_manager_running", ["10.0.0.1", manager.getsockname()[1]]) == [[1, True]]


def step(client: RawClient) -> None:
    """What a traffic manager asks for in a step."""
    client.call("get_vehicle_light_states")
    client.call("apply_batch", [], False)


def test_a_sleeper_is_woken_once(server: ServerProcess, manager: socket.socket) -> None:
    client = RawClient(server)
    register(client, manager)
    client.call("tick_cue")
    step(client)
    client.call("tick_cue")
    assert calls(manager, 2) == [("set_synchronous_mode", [False]), ("set_synchronous_mode", [True])]
    step(client)
    manager.settimeout(2.5)
    with pytest.raises(TimeoutError):
        manager.accept()


def test_who_steps_or_never_stepped_is_left_alone(server: ServerProcess, manager: socket.socket) -> None:
    client = RawClient(server)
    register(client, manager)
    for _ in range(3):
        client.call("tick_cue")
    client.call("tick_cue")
    step(client)
    client.call("tick_cue")
    step(client)
    manager.settimeout(2.5)
    with pytest.raises(TimeoutError):
        manager.accept()
