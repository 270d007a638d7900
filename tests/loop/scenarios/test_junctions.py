"""At junctions the expert waits for its gap, its light and its turn; a blind driver does not."""

from __future__ import annotations

import pytest

from tests.loop.scenarios.families import Case, assert_charged, assert_passed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2_400)]
CASES = {
    "SignalizedJunctionLeftTurn": Case("Fairmont", "collisions_vehicle"),
    "SignalizedJunctionRightTurn": Case("Fairmont", "collisions_vehicle"),
    "SignalizedJunctionLeftTurnEnterFlow": Case("Fairmont", "collisions_vehicle"),
    "NonSignalizedJunctionLeftTurn": Case("Maplewood", "collisions_vehicle"),
    "NonSignalizedJunctionRightTurn": Case("Maplewood", "collisions_vehicle"),
    "NonSignalizedJunctionLeftTurnEnterFlow": Case("Maplewood", "collisions_vehicle"),
    "OppositeVehicleTakingPriority": Case("Maplewood", "collisions_vehicle"),
    "OppositeVehicleRunningRedLight": Case("Fairmont", "collisions_vehicle"),
    "VanillaSignalizedTurnEncounterGreenLight": Case("Fairmont", "red_light"),
    "VanillaSignalizedTurnEncounterRedLight": Case("Fairmont", "red_light"),
    "VanillaNonSignalizedTurnEncounterStopsign": Case("Maplewood", "stop_infraction"),
    "BlockedIntersection": Case("Fairmont", "collisions_vehicle"),
    "CrossingBicycleFlow": Case("Maplewood", "collisions_vehicle"),
}
HARMLESS_TURNS = ("VanillaNonSignalizedTurn", "T_Junction")  # nobody comes, so that nobody is hit
CASES |= dict.fromkeys(HARMLESS_TURNS, Case("Maplewood", ""))


@pytest.mark.parametrize("name", CASES)
def test_the_expert_waits_for_its_turn(name, expert):
    assert_passed(expert[name])


@pytest.mark.parametrize("name", [name for name in CASES if name not in HARMLESS_TURNS])
def test_a_blind_driver_does_not(name, blind):
    assert_charged(
        blind[name], [CASES[name].charge, "red_light"] if "Signalized" in name else [CASES[name].charge]
    )
