"""The client's traffic manager drives in the server, and drives the same way twice, whatever else the machine does."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

_BUSY_LOOP = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


def run(vehicles: int, ticks: int, seed: int, *more: str) -> dict:
    numbers = [str(vehicles), str(ticks), str(seed)]
    command = [sys.executable, "-m", "tests.unit.sim.traffic_run", *numbers, *more]
    child = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    lines = [line for line in child.stdout.splitlines() if line.startswith("{")]
    assert lines, f"status {child.returncode}:\n{child.stdout}\n{child.stderr}"
    return json.loads(lines[-1])


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Two processes more than there are processors compute beside."""
    hogs = [
        subprocess.Popen([sys.executable, "-c", _BUSY_LOOP]) for _ in range(len(os.sched_getaffinity(0)) + 2)
    ]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


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


def test_the_same_seed_gives_the_same_measurements_and_another_seed_others() -> None:
    first, second, other = (run(6, 25, seed, "--sensors") for seed in (7, 7, 8))
    assert first["hash"] == second["hash"]
    assert first["pictures"] == second["pictures"]
    assert first["pictures"] != other["pictures"]


@pytest.mark.slow
@pytest.mark.parametrize(("vehicles", "ticks"), [(0, 4000), (1, 4000), (5, 4000), (20, 3000), (50, 2000)])
def test_a_busy_machine_changes_no_byte(vehicles: int, ticks: int) -> None:
    """Calls that the client's threads miss are made again: a tick never hangs, and no step is made twice or left out."""
    with busy_machine():
        disturbed = run(vehicles, ticks, 5)
    quiet = run(vehicles, ticks, 5)
    assert quiet["hash"] == disturbed["hash"]
