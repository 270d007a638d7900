"""Traps in the own lane: a car that brakes hard, a road that is dirty."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.geometry import project
from scenarios.checks import plan, trigger_m
from scenarios.library.braking import DEBRIS
from tests.loop.scenarios.families import PASSED, Case, Drive, assert_charged, assert_passed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]
CASES = {"HardBreakRoute": Case("Highmoor", "collisions_vehicle"), "ControlLoss": Case("Highmoor", "")}
WINDOW_M = 8.0
KICK_RAD, STEADY_RAD = 0.01, 0.006


@pytest.mark.parametrize("name", CASES)
def test_the_expert_drives_on(name, expert):
    assert_passed(expert[name])


def test_a_blind_driver_runs_into_the_car_that_brakes(blind):
    assert_charged(blind["HardBreakRoute"], [CASES["HardBreakRoute"].charge])


def test_dirt_turns_the_car_and_a_driver_who_steers_back_stays_in_the_lane(blind):
    drive = blind["ControlLoss"]
    assert drive.status in PASSED and "outside_route_lanes" not in drive.infractions
    gone_m, turned_rad = _way(drive)
    for way_m in DEBRIS:
        near = (gone_m > way_m - 1.0) & (gone_m < way_m + WINDOW_M)
        before = (gone_m > way_m - WINDOW_M - 3.0) & (gone_m < way_m - 3.0)
        assert np.ptp(turned_rad[near]) > KICK_RAD
        assert np.ptp(turned_rad[before]) < np.ptp(turned_rad[near]) - STEADY_RAD


def _way(drive: Drive) -> tuple[np.ndarray, np.ndarray]:
    """Metres after the trigger, and how far the car is turned against its route there."""
    spec = drive.spec
    route = plan(spec, offline_road_map(spec.town))
    begun_m = trigger_m(spec, spec.scenarios[0], route)
    rows = [truth.ego[:4] for truth in drive.episode().truths()]
    gone_m = np.array([project(route.points[:, :2], row[:2])[0] for row in rows])
    stations_m = np.arange(len(route.points))
    heading = np.interp(gone_m, stations_m, np.unwrap(route.headings))
    return gone_m - begun_m, np.unwrap(np.array([row[3] for row in rows]) - heading)
