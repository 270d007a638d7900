"""Threads of another process are seen asleep or awake; the server answers who is about to sleep before it ticks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgpack
import pytest

from drive_agent.sim import client_threads
from drive_agent.sim.client_threads import ManagerThreads, Threads, process_of
from drive_agent.sim.process import ServerProcess
from tests.conformance.raw import RawClient

_OBEYS = """
import sys, threading, time
for order in sys.stdin:
    if order == "thread\\n":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    else:
        end = time.monotonic() + float(order)
        while time.monotonic() < end:
            pass
"""


def _pack(request: list) -> bytes:
    packed = msgpack.packb(request)
    assert packed is not None
    return packed


def wait_until(condition: Callable[[], bool], patience_s: float = 20.0) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """A process that computes for as many seconds as it is told, or starts a thread that sleeps; now it sleeps."""
    process = subprocess.Popen([sys.executable, "-c", _OBEYS], stdin=subprocess.PIPE, text=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_threads, "PATIENCE_S", 60.0)
        wait_until(Threads(process.pid).sleep)
    yield process
    process.kill()
    process.wait()


def tell(child: subprocess.Popen[str], order: str) -> None:
    assert child.stdin is not None
    child.stdin.write(order + "\n")
    child.stdin.flush()


def test_a_process_is_awake_while_it_computes(
    child: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_threads, "PATIENCE_S", 60.0)
    threads = Threads(child.pid)
    assert threads.sleep()
    tell(child, "0.5")
    wait_until(lambda: not threads.sleep())
    wait_until(threads.sleep)


def test_who_is_busy_for_long_is_not_waited_for(child: subprocess.Popen[str]) -> None:
    threads = Threads(child.pid)
    tell(child, "60")
    wait_until(lambda: not threads.sleep())
    wait_until(threads.sleep)


def test_threads_come_and_processes_go(child: subprocess.Popen[str]) -> None:
    threads = Threads(child.pid)
    wait_until(threads.sleep)
    for count in (2, 3):
        tell(child, "thread")
        wait_until(lambda: len(os.listdir(f"/proc/{child.pid}/task")) == count)  # noqa: B023 - called at once
        wait_until(threads.sleep)
    child.kill()
    child.wait()
    assert threads.sleep()


def test_a_socket_leads_to_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = (
            "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.recv(1)"
        )
        child = subprocess.Popen([sys.executable, "-c", command, str(listening.getsockname()[1])])
        connection, address = listening.accept()
        assert process_of(address) == child.pid
        managers = {8000: ("127.0.0.1", 7)}
        threads = ManagerThreads(managers)
        threads.connected(7, connection)
        wait_until(threads.sleep)
        connection.close()
        child.wait()
        assert process_of(address) is None


def test_what_a_sleeper_has_asked_is_read_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        connection, _ = listening.accept()
        assert client_threads.unread_bytes(connection) == 0
        client.sendall(b"asked")
        wait_until(lambda: client_threads.unread_bytes(connection) == 5)
        client.close()
        connection.close()


def test_a_manager_that_is_about_to_sleep_is_answered_before_the_tick(server: ServerProcess) -> None:
    client = RawClient(server)
    frame = client.call("tick_cue")[0][1]
    client.call("add_traffic_manager_running", ["127.0.0.1", 1])
    requests = [[0, 101, "tick_cue", [[False]]], [0, 102, "get_episode_settings", [[False]]]]
    client.send(b"".join(_pack(request) for request in requests))
    assert client.receive()[0] == 102
    assert client.receive() == (101, [[1, frame + 1]])
    client.call("destroy_traffic_manager", 1)


def test_who_asks_on_and_on_is_not_waited_for(server: ServerProcess) -> None:
    client = RawClient(server)
    client.call("add_traffic_manager_running", ["127.0.0.1", 1])
    ask = _pack([0, 500, "get_episode_settings", [[False]]])
    with ThreadPoolExecutor(1) as pool:
        client.send(_pack([0, 400, "tick_cue", [[False]]]) + ask)
        ticked = pool.submit(
            lambda: next(number for number, _ in iter(client.receive, None) if number == 400)
        )
        end = time.monotonic() + 15.0
        while not ticked.done():
            assert time.monotonic() < end
            client.send(ask)
            time.sleep(0.0002)
    client.call("destroy_traffic_manager", 1)
