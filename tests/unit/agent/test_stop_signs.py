"""A stop sign stays in mind until the car has stood before its line, and no longer."""

from dataclasses import replace

from drive_agent.agent.stop_signs import StopSigns
from drive_agent.types import EgoState

START = EgoState(0, 10.0, 5.0, 0.0, 3.0, 0.0, 0.0, 50.0)


def after(moved_m: float, time_us: int = 250_000, since_stop_m: float = 50.0) -> EgoState:
    return replace(START, time_us=time_us, x_m=START.x_m + moved_m, since_stop_m=since_stop_m)


def told(way_m: float = 5.0) -> StopSigns:
    signs = StopSigns()
    assert signs.way_m(way_m, START) == way_m
    return signs


def test_a_sign_that_is_no_longer_told_is_where_it_was():
    signs = told()
    assert signs.way_m(None, after(1.0)) == 4.0
    assert signs.way_m(None, after(1.5, 500_000)) == 3.5
    assert signs.way_m(3.0, after(1.6, 750_000)) == 3.0  # told again: the newer word counts


def test_who_has_stood_near_the_line_has_obeyed():
    signs = told()
    assert signs.way_m(None, after(3.0, since_stop_m=0.0)) is None
    assert signs.way_m(1.5, after(3.5, 500_000, since_stop_m=0.5)) is None
    assert signs.way_m(None, after(3.6, 750_000, since_stop_m=50.0)) is None  # forgotten for good


def test_who_stood_in_the_queue_has_not():
    assert told(6.0).way_m(None, after(1.0, since_stop_m=0.0)) == 5.0


def test_what_is_passed_or_far_or_of_another_time_is_forgotten():
    assert told().way_m(None, after(6.5)) is None
    assert told(20.0).way_m(None, after(1.0)) is None
    assert told().way_m(None, after(1.0, 2_000_000)) is None
    assert told().way_m(None, after(1.0, -250_000)) is None
    assert StopSigns().way_m(None, START) is None


def test_what_appears_just_before_the_car_was_no_sign():
    assert StopSigns().way_m(2.0, START) is None
    assert told().way_m(2.0, after(1.0)) == 2.0
