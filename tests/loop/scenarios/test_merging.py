"""Where roads join, fork and cross at speed the expert finds a gap; a blind driver drives into somebody."""

from __future__ import annotations

import pytest

from tests.loop.scenarios.families import Case, assert_charged, assert_passed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2_400)]
CASES = {
    "InterurbanActorFlow": Case("Highmoor", "collisions_vehicle"),
    "InterurbanAdvancedActorFlow": Case("Highmoor", "collisions_vehicle"),
    "EnterActorFlow": Case("Crossley", "collisions_vehicle"),
    "MergerIntoSlowTraffic": Case("Crossley", "collisions_vehicle"),
    "MergerIntoSlowTrafficV2": Case("Crossley", "collisions_vehicle"),
    "HighwayCutIn": Case("Crossley", "collisions_vehicle"),
    "HighwayExit": Case("Longmere", "collisions_vehicle"),
}
CROWDS = {"SequentialLaneChange": Case("Brookfield", "")}  # what it meets is the traffic of the town
CASES |= CROWDS


@pytest.mark.parametrize("name", CASES)
def test_the_expert_finds_its_gap(name, expert):
    assert_passed(expert[name])


@pytest.mark.parametrize("name", [name for name in CASES if name not in CROWDS])
def test_a_blind_driver_hits_somebody(name, blind):
    assert_charged(blind[name], [CASES[name].charge])
