"""Who comes out of a bay, a queue or a parked car is given room by the expert, and hit by a blind driver."""

from __future__ import annotations

import pytest

from tests.loop.scenarios.families import Case, assert_charged, assert_passed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]
CASES = {
    "ParkingCutIn": Case("Fairmont", "collisions_vehicle"),
    "ParkingExit": Case("Fairmont", "collisions_vehicle"),
    "StaticCutIn": Case("Longmere", "collisions_vehicle"),
    "VehicleOpensDoorTwoWays": Case("Maplewood", "collisions_vehicle"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_expert_gives_room(name, expert):
    assert_passed(expert[name])


@pytest.mark.parametrize("name", CASES)
def test_a_blind_driver_hits_them(name, blind):
    assert_charged(blind[name], [CASES[name].charge])
