"""The client's traffic drives a minute through every town: it keeps to its lanes and nobody blocks a junction for good."""

import json
import subprocess
import sys

import numpy as np
import pytest

from scenarios import towns

CARS, SECONDS = 40, 60.0
LOOK_S = 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", towns.names())
def test_traffic_flows(name):
    command = [sys.executable, "-m", "tests.unit.scenarios.town_traffic", name, str(CARS), str(SECONDS)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert child.returncode == 0, child.stderr[-2_000:]
    report = json.loads(child.stdout.splitlines()[-1])
    assert report["cars"] == CARS and {len(row) for row in report["speeds"]} == {CARS}
    assert np.max(report["outside"]) < 0.3, "a car's middle left its lane"
    speeds_mps = np.array(report["speeds"])
    travelled_m = speeds_mps.sum(0) * LOOK_S
    assert (travelled_m > 40.0).mean() >= 0.9, "a light holds a car for up to 50 s, but nobody for good"
    assert speeds_mps.mean() > 3.0
