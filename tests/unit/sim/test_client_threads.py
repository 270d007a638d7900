"""Threads of another process are seen asleep or awake; the server answers who is about to sleep before it ticks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

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
    wait_until(lambda: not Threads(process.pid).awake())
    yield process
    process.kill()
    process.wait()


def tell(child: subprocess.Popen[str], order: str) -> None:
    assert child.stdin is not None
    child.stdin.write(order + "\n")
    child.stdin.flush()


def test_a_process_is_awake_while_it_computes(child: subprocess.Popen[str]) -> None:
    threads = Threads(child.pid)
    assert threads.awake() == set()
    tell(child, "0.5")
    wait_until(lambda: threads.awake() == {str(child.pid)})
    wait_until(lambda: threads.awake() == set())


def test_threads_come_and_processes_go(child: subprocess.Popen[str]) -> None:
    threads = Threads(child.pid)
    for count in (2, 3):
        tell(child, "thread")
        wait_until(lambda: len(os.listdir(f"/proc/{child.pid}/task")) == count)  # noqa: B023 - called at once
        wait_until(lambda: not threads.awake())
    child.kill()
    child.wait()
    assert threads.awake() == set()
    threads.let_ticking_sleep()


def test_the_thread_that_ticks_is_learnt_and_waited_for(
    child: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_threads, "_LESSONS", 2)
    monkeypatch.setattr(client_threads, "_PATIENCE_S", 20.0)
    threads = Threads(child.pid)
    for _ in range(2):
        assert not threads.know_ticking
        tell(child, "0.3")
        wait_until(lambda: bool(threads.awake()))
        threads.snapshot_leaves()
        wait_until(lambda: not threads.awake())
        threads.let_ticking_sleep()
    assert threads.know_ticking
    tell(child, "0.3")
    wait_until(lambda: bool(threads.awake()))
    threads.let_ticking_sleep()
    assert threads.awake() == set()


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
        threads.forget(7)
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


def test_a_tick_waits_for_the_question_that_ends_a_step(server: ServerProcess) -> None:
    client = RawClient(server)
    client.call("add_traffic_manager_running", ["127.0.0.1", 1])
    client.call("tick_cue")
    client.call("get_vehicle_light_states")
    client.call("apply_batch", [], False)
    client.send(_pack([0, 101, "tick_cue", [[False]]]))
    client.send(_pack([0, 102, "get_episode_settings", [[False]]]))
    assert [client.receive()[0] for _ in range(2)] == [102, 101]
    client.call("get_vehicle_light_states")
    client.call("apply_batch", [], False)
    client.call("tick_cue")  # the question never comes
    client.call("destroy_traffic_manager", 1)
