"""The server as a process: starts, says where, ends with its parent or when told, and explains wrong calls in one line."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import time

import pytest

from drive_agent.sim.process import ServerError, ServerProcess
from tests.client.conftest import TOWN


def serve(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "drive_agent.sim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def gone(pid: int, patience_s: float = 20.0) -> bool:
    """Whether a process that is not our child has ended within some time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


def test_stops_when_told_and_leaves_the_ports_free() -> None:
    with ServerProcess(TOWN, rendering=False) as server:
        assert server.alive
        port = server.port
    assert not server.alive
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_an_unknown_town_is_a_wrong_call() -> None:
    result = serve("--port", "0", "--town", "Brokfield")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Brookfield" in result.stderr
    assert result.stdout == ""


def test_a_taken_port_is_a_wrong_call() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = serve("--port", str(port), "--town", TOWN, "--no-rendering")
    assert result.returncode == 2
    assert f"port {port} is in use" in result.stderr
    assert result.stdout == ""


def test_a_server_that_does_not_come_up_is_explained() -> None:
    with pytest.raises(ServerError, match=r"status 2:\n.*Brookfield"):
        ServerProcess("Brokfield")


def test_ends_with_its_parent() -> None:
    script = textwrap.dedent(f"""
        import os
        from drive_agent.sim.process import ServerProcess
        server = ServerProcess({TOWN!r}, rendering=False)
        print(server.pid, flush=True)
        os._exit(0)  # no clean-up
    """)
    parent = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert gone(int(parent.stdout))
