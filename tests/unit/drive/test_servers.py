"""Servers are asked whether they are well; commands end with everything that they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drive_agent.config import DriveConfig, build, compose
from drive_agent.drive.kept import KeptProcess
from drive_agent.drive.servers import (
    LaunchedServer,
    RunningServer,
    answers,
    ended_text,
    free_port,
    start_server,
)
from drive_agent.sim.process import ServerError, ServerProcess

SIM = f"{sys.executable} -m drive_agent.sim --town Brookfield --no-rendering --port {{port}}"
# a program that starts another one in a session of its own, as launchers of simulators do, and tells its process id
WITH_CHILD = (
    "import subprocess, sys, time; c = subprocess.Popen(['sleep', '600'], start_new_session=True); "
    "open(sys.argv[1], 'w').write(str(c.pid)); time.sleep(600)"
)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def await_(found, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_that_is_stopped_does_not_answer():
    with ServerProcess("Brookfield", rendering=False) as server:
        assert answers(server.host, server.port, 30.0)
        os.kill(server.pid, signal.SIGSTOP)
        assert not answers(server.host, server.port, 0.3)
        os.kill(server.pid, signal.SIGCONT)
    assert not answers(server.host, server.port, 0.3)


def test_what_is_no_server_does_not_answer():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not answers("127.0.0.1", other.getsockname()[1], 0.2)
    with pytest.raises(ServerError, match="no CARLA server answers at 127.0.0.1:1 within 0 s"):
        RunningServer("127.0.0.1", 1, 0.1)


def test_a_launched_server_answers_and_ends():
    server = LaunchedServer(SIM, "127.0.0.1", free_port(23000), 0, patience_s=120.0)
    assert server.ended() is None and answers(server.host, server.port, 30.0)
    server.stop()
    assert not answers(server.host, server.port, 0.3)


def test_a_command_that_fails_says_so():
    with pytest.raises(ServerError, match="ended with status 127: '/no/such/CarlaUE4.sh' cannot be started"):
        LaunchedServer("/no/such/CarlaUE4.sh -p {port}", "127.0.0.1", 23100, 0, patience_s=60.0)


def test_the_configuration_names_the_server_of_each_worker():
    with ServerProcess("Brookfield", rendering=False) as server:
        words = ["carla=remote", f"carla.servers=[127.0.0.1:1,127.0.0.1:{server.port}]", "workers=2"]
        config = build(DriveConfig, compose("drive", words))
        found = start_server(config.carla, config.runner, 1, "Brookfield", 0)
        assert (found.host, found.port) == ("127.0.0.1", server.port)


def test_all_that_a_command_started_ends_with_it(tmp_path):
    note = tmp_path / "pid"
    process = KeptProcess([sys.executable, "-c", WITH_CHILD, str(note)])
    await_(lambda: note.exists() and note.read_text())
    child = int(note.read_text())
    assert alive(child)
    process.stop()
    await_(lambda: not alive(child))


def test_all_that_a_command_started_ends_with_its_caller(tmp_path):
    note = tmp_path / "pid"
    caller = (
        "import sys, time; from drive_agent.drive.kept import KeptProcess; "
        f"p = KeptProcess([sys.executable, '-c', {WITH_CHILD!r}, sys.argv[1]]); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", caller, str(note)])
    await_(lambda: note.exists() and note.read_text())
    process.kill()
    process.wait()
    await_(lambda: not alive(int(note.read_text())))


def test_ends_are_told_in_words():
    assert ended_text("the server", -9) == "the server was ended by signal 9 (SIGKILL)"
    assert ended_text("the server", 3, "no GPU") == "the server ended with status 3: no GPU"
