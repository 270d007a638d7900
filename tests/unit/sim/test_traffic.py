"""The client's traffic manager drives in the server, and drives the same way twice."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def run(vehicles: int, ticks: int, seed: int) -> dict:
    command = [
        sys.executable,
        "-m",
        "tests.unit.sim.traffic_run",
        str(vehicles),
        str(ticks),
        str(seed),
        str(free_port()),
    ]
    child = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    lines = [line for line in child.stdout.splitlines() if line.startswith("{")]
    assert lines, f"status {child.returncode}:\n{child.stdout}\n{child.stderr}"
    return json.loads(lines[-1])


@pytest.fixture(scope="module")
def twins() -> list[dict]:
    """Two runs with the same seed at the same time, each with a server and a traffic manager of its own."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda _: run(20, 300, 11), range(2)))


def test_twenty_vehicles_drive_on_their_lanes_without_crashing(twins: list[dict]) -> None:
    report = twins[0]
    assert report["crashes"] == []
    assert sum(distance > 20.0 for distance in report["moved"]) >= 15
    assert max(report["off_road"]) < 3.0
    assert set(report["limits"]) <= {30.0, 40.0, 50.0}


def test_the_same_seed_gives_the_same_bytes(twins: list[dict]) -> None:
    assert twins[0]["snapshots"] > 300
    assert twins[0]["hash"] == twins[1]["hash"]
