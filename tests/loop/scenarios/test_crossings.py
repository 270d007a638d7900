"""Who comes into the way from the side is let pass by the expert, and hit by a blind driver."""

from __future__ import annotations

import pytest

from tests.loop.scenarios.families import Case, assert_charged, assert_passed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]
CASES = {
    "DynamicObjectCrossing": Case("Brookfield", "collisions_pedestrian"),
    "PedestrianCrossing": Case("Maplewood", "collisions_pedestrian"),
    "ParkingCrossingPedestrian": Case("Maplewood", "collisions_pedestrian"),
    "VehicleTurningRoute": Case("Maplewood", "collisions_vehicle"),
    "VehicleTurningRoutePedestrian": Case("Oldbridge", "collisions_pedestrian"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_expert_lets_them_pass(name, expert):
    assert_passed(expert[name])


@pytest.mark.parametrize("name", CASES)
def test_a_blind_driver_hits_them(name, blind):
    assert_charged(blind[name], [CASES[name].charge])
