"""Who walks into the way is told in time, who walks along it is not, and nobody is kept for long."""

import numpy as np
import pytest

from drive_agent.agent.people import FORGET_US, People
from drive_agent.types import EgoState

LOOK_US = 250_000
PATH = np.column_stack([np.arange(4.0, 44.0, 4.0), np.zeros(10)])
NOBODY = np.zeros((0, 3))


def ego(look: int, speed_mps: float = 0.0) -> EgoState:
    return EgoState(
        look * LOOK_US, 100.0, 50.0 + speed_mps * look * 0.25, np.pi / 2, speed_mps, 0.0, 0.0, 50.0
    )


def told(x_m: float, y_m: float, score: float = 0.5) -> np.ndarray:
    return np.array([[x_m, y_m, score]])


def test_who_walks_towards_the_path_is_foreseen():
    people, ways = People(), []
    for look in range(8):  # 1.6 m/s from the left, seen from a car at 4 m/s
        place = told(20.0 - look * 1.0, 5.0 - look * 0.4)
        ways.append(people.way_m(place, PATH, ego(look, 4.0)))
    assert ways[0] is None
    assert ways[-1] == pytest.approx(20.0 - 7.0 - 3.8, abs=0.8)


def test_who_walks_along_the_pavement_is_not_in_the_way():
    people = People()
    for look in range(12):
        assert people.way_m(told(18.0 - look * 1.4, 3.5, 0.9), PATH, ego(look, 4.0)) is None


def test_one_doubtful_look_is_none_and_a_sure_one_counts_at_once():
    assert People().way_m(told(10.0, 0.0), PATH, ego(0)) is None
    assert People().way_m(told(10.0, 0.0, 0.9), PATH, ego(0)) == pytest.approx(6.2, abs=0.3)


def test_who_is_lost_from_sight_is_kept_for_a_moment():
    people = People()
    people.way_m(told(10.0, 0.5, 0.9), PATH, ego(0))
    looks = FORGET_US // LOOK_US
    assert people.way_m(NOBODY, PATH, ego(looks)) is not None
    assert people.way_m(NOBODY, PATH, ego(looks + 1)) is None


def test_who_is_beside_or_behind_the_car_does_not_hold_it():
    assert People().way_m(told(1.5, 0.5, 0.9), PATH, ego(0)) is None
    assert People().way_m(NOBODY, PATH, ego(0)) is None


def test_a_bent_path_leads_past_who_stands_straight_ahead():
    bent = np.column_stack([np.arange(4.0, 44.0, 4.0), np.arange(10) ** 2 * 0.5])
    assert People().way_m(told(24.0, 0.0, 0.9), bent, ego(0)) is None
    assert People().way_m(told(24.0, 12.5, 0.9), bent, ego(0)) is not None


def test_what_is_told_from_another_world_is_nobody():
    assert People().way_m(told(1e300, -1e300, 0.9), PATH, ego(0)) is None


def test_another_route_begins_with_nobody():
    people = People()
    people.way_m(told(10.0, 0.0, 0.9), PATH, ego(8))
    assert people.way_m(NOBODY, PATH, ego(0)) is None
