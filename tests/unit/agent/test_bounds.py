"""A plan stops before what it tells, in comfort where it can, and nothing holds it that is not there."""

import numpy as np
import pytest

from drive_agent.agent.bounds import (
    DECEL_MPS2,
    EMERGENCY_MPS2,
    Ahead,
    hardest_brake_mps2,
    speed_before_person,
    speed_behind_lead,
    speed_to_light,
    speed_to_stop_sign,
    top_speed,
)
from drive_agent.agent.stop_signs import ZONE_M
from drive_agent.types import LightState

FREE = Ahead(LightState.NONE, 0.0, None, None, 0.0)


def _stops_within(speed_at, start_m: float, speed_mps: float) -> float:
    """Way left to the line where a car stands that follows the speeds it is allowed, braking with 4 m/s2 at most."""
    way_m, step_s = start_m, 0.05
    for _ in range(2000):
        speed_mps = max(speed_mps - 4.0 * step_s, min(speed_mps, speed_at(way_m, speed_mps)))
        if speed_mps < 0.05:
            return way_m
        way_m -= speed_mps * step_s
    raise AssertionError("never stood")


@pytest.mark.parametrize("state", [LightState.RED, LightState.YELLOW])
@pytest.mark.parametrize("speed_mps", [1.0, 8.0, 14.0])
def test_a_car_stops_before_a_light(state, speed_mps):
    left_m = _stops_within(lambda way_m, mps: speed_to_light(state, max(way_m, 0.0), mps), 40.0, speed_mps)
    assert 0.5 < left_m < 4.0


def test_a_light_that_one_cannot_stop_at_any_more_is_driven_past_and_green_binds_nobody():
    assert speed_to_light(LightState.YELLOW, 4.0, 6.5) == np.inf
    assert speed_to_light(LightState.YELLOW, 4.0, 4.0) < 4.0
    assert speed_to_light(LightState.GREEN, 4.0, 4.0) == np.inf


def test_who_stands_at_a_red_light_stays():
    assert speed_to_light(LightState.RED, 2.5, 0.2) == 0.0 < speed_to_light(LightState.RED, 2.5, 1.0)


@pytest.mark.parametrize("speed_mps", [2.0, 8.0])
def test_a_car_stops_at_a_sign_where_that_counts(speed_mps):
    assert 1.0 < _stops_within(speed_to_stop_sign, 30.0, speed_mps) < ZONE_M
    assert speed_to_stop_sign(None, 5.0) == speed_to_stop_sign(1.0, 8.0) == np.inf


@pytest.mark.parametrize("speed_mps", [3.0, 9.0])
def test_a_car_stops_behind_a_standing_lead(speed_mps):
    left_m = _stops_within(lambda way_m, mps: speed_behind_lead(way_m, 0.0, max(mps, 0.7)), 30.0, speed_mps)
    assert 1.0 < left_m < 4.0


def test_a_lead_binds_only_who_moves_too_fast_for_it():
    assert speed_behind_lead(10.0, 6.0, 6.0) > 6.0 > speed_behind_lead(10.0, 0.0, 6.0)
    assert speed_behind_lead(10.0, 6.0, 0.2) == speed_behind_lead(None, 0.0, 6.0) == np.inf


def test_who_has_just_stopped_close_behind_somebody_waits_but_not_for_ever():
    assert speed_behind_lead(3.0, 4.0, 0.2, stood_s=1.0) == 0.0
    assert (
        speed_behind_lead(3.0, 4.0, 0.2, stood_s=4.0)
        == speed_behind_lead(5.0, 0.0, 0.2, stood_s=1.0)
        == np.inf
    )


def test_a_car_stops_before_a_person_and_waits_but_not_for_ever():
    left_m = _stops_within(lambda way_m, mps: speed_before_person(way_m, max(mps, 0.7)), 30.0, 8.0)
    assert 1.0 < left_m < 4.0
    assert speed_before_person(4.0, 0.1, stood_s=5.0) == 0.0
    assert speed_before_person(4.0, 0.1, stood_s=9.0) == speed_before_person(None, 8.0) == np.inf
    assert (
        hardest_brake_mps2(Ahead(LightState.NONE, 0.0, None, None, 0.0, person_m=4.0), 7.0) == EMERGENCY_MPS2
    )


def test_only_a_lead_that_is_too_near_is_braked_for_with_all_there_is():
    def brakes(gap_m: float | None, lead_mps: float, speed_mps: float) -> float:
        return hardest_brake_mps2(Ahead(LightState.NONE, 0.0, None, gap_m, lead_mps), speed_mps)

    assert brakes(10.0, 0.0, 9.0) == EMERGENCY_MPS2
    assert brakes(10.0, 0.0, 7.0) == brakes(10.0, 8.0, 9.0) == brakes(None, 0.0, 20.0) == DECEL_MPS2
    assert brakes(0.5, 5.0, 4.0) == DECEL_MPS2  # it drives away


def test_the_lowest_of_all_counts():
    assert top_speed(FREE, 8.0) == np.inf
    whole = Ahead(LightState.RED, 30.0, 20.0, 10.0, 0.0)
    assert top_speed(whole, 8.0) == speed_behind_lead(10.0, 0.0, 8.0)
