"""What blocks the lane, drives: the expert gets round it, a blind driver at constant speed does not."""

from __future__ import annotations

import pytest

from tests.loop.scenarios.families import Case, assert_charged, assert_passed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]
CASES = {
    "AccidentTwoWays": Case("Highmoor", "collisions_vehicle"),
    "ParkedObstacleTwoWays": Case("Highmoor", "collisions_vehicle"),
    "ConstructionObstacleTwoWays": Case("Highmoor", "collisions_layout"),
    "HazardAtSideLaneTwoWays": Case("Highmoor", "collisions_vehicle"),
    "InvadingTurn": Case("Highmoor", "collisions_vehicle"),
    "Accident": Case("Fairmont", "collisions_vehicle"),
    "ParkedObstacle": Case("Fairmont", "collisions_vehicle"),
    "ConstructionObstacle": Case("Fairmont", "collisions_layout"),
    "HazardAtSideLane": Case("Fairmont", "collisions_vehicle"),
    "YieldToEmergencyVehicle": Case("Fairmont", "yield_emergency_vehicle_infractions"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_expert_gets_past(name, expert):
    assert_passed(expert[name])


@pytest.mark.parametrize("name", CASES)
def test_a_blind_driver_does_not(name, blind):
    assert_charged(blind[name], [CASES[name].charge])
