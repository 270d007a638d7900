"""Ten simulated minutes of the traffic that CARLA's `generate_traffic` makes: nothing fails, nothing piles up."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

VEHICLES, WALKERS, TICKS = 80, 40, 12_000
FLAT = 0.05  # share by which the server's memory may change once everything has been used


@pytest.mark.slow
def test_eighty_vehicles_and_forty_walkers_for_ten_minutes() -> None:
    numbers = [str(number) for number in (VEHICLES, WALKERS, TICKS)]
    command = [sys.executable, "-m", "tests.unit.sim.load_run", *numbers]
    child = subprocess.run(command, capture_output=True, text=True, timeout=3000, check=False)
    lines = [line for line in child.stdout.splitlines() if line.startswith("{")]
    assert lines, f"status {child.returncode}:\n{child.stdout}\n{child.stderr}"
    report = json.loads(lines[-1])
    assert report["errors"] == []
    assert [line for line in report["log"].splitlines() if not line.startswith("INFO")] == []
    assert report["elapsed_s"] >= TICKS * 0.05
    # walkers cross wherever they like, and the traffic manager itself takes away who has stood for too long
    assert VEHICLES * 0.5 <= report["vehicles"] <= VEHICLES
    assert report["moving"] > 0
    assert report["walkers"] == WALKERS
    settled = report["memory_mb"][len(report["memory_mb"]) // 4 :]
    assert max(settled) < min(settled) * (1.0 + FLAT)
