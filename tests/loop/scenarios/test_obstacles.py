"""What blocks the lane, drives: the expert gets round it, a blind driver at constant speed does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.loop.conftest import drive_agent

HARMLESS = {"min_speed_infractions"}
CASES = {  # type -> town, and what the blind driver is charged with
    "AccidentTwoWays": ("Highmoor", "collisions_vehicle"),
    "ParkedObstacleTwoWays": ("Highmoor", "collisions_vehicle"),
    "ConstructionObstacleTwoWays": ("Highmoor", "collisions_layout"),
    "HazardAtSideLaneTwoWays": ("Highmoor", "collisions_vehicle"),
    "InvadingTurn": ("Highmoor", "collisions_vehicle"),
    "Accident": ("Fairmont", "collisions_vehicle"),
    "ConstructionObstacle": ("Fairmont", "collisions_layout"),
    "HazardAtSideLane": ("Fairmont", "collisions_vehicle"),
    "YieldToEmergencyVehicle": ("Fairmont", "yield_emergency_vehicle_infractions"),
}


@pytest.fixture(scope="module")
def route_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A route for every type."""
    folder, files = tmp_path_factory.mktemp("routes"), {}
    for name, (town, _) in CASES.items():
        files[name] = folder / f"{name}.xml"
        words = (f"types={name}", f"towns={town}", "each=1", "seed=1", f"out={files[name]}")
        made = drive_agent("scenarios", "make", *words, timeout_s=280.0)
        assert made.returncode == 0, made.stderr
    return files


def infractions(model: str, routes: Path, out: Path) -> tuple[str, set[str]]:
    """How the drive ended, and the kinds of its infractions."""
    words = (f"routes={routes}", f"model={model}", f"out={out}", "video=false", "traffic.vehicles=6")
    done = drive_agent("drive", *words, timeout_s=280.0)
    assert (out / "results.json").exists(), done.stderr
    record = json.loads((out / "results.json").read_text())["_checkpoint"]["records"][0]
    return record["status"], {kind for kind, found in record["infractions"].items() if found}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_expert_gets_past(name, route_files, tmp_path):
    status, found = infractions("expert", route_files[name], tmp_path / "run")
    assert status in ("Completed", "Perfect")
    assert found <= HARMLESS


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_blind_driver_does_not(name, route_files, tmp_path):
    _, found = infractions("scripted", route_files[name], tmp_path / "run")
    assert CASES[name][1] in found
