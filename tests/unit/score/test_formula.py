"""Scores that can be checked by hand."""

import pytest

from drive_agent.score import events as kinds
from drive_agent.score.events import Event
from drive_agent.score.formula import VERSIONS, is_success, penalty, score


def event(kind: str, value: float = 0.0) -> Event:
    return Event(kind, 0, 0.0, 0.0, 0.0, "", value)


VEHICLE, RED, STOP_SIGN, PEDESTRIAN = map(
    event, (kinds.COLLISION_VEHICLE, kinds.RED_LIGHT, kinds.STOP, kinds.COLLISION_PEDESTRIAN)
)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clean_complete_route_scores_100(version):
    assert score(version, 100.0, ()).driving == 100.0


@pytest.mark.parametrize(
    ("version", "completion", "events", "driving"),
    [
        ("1.0", 80, [VEHICLE, RED], 33.6),
        ("2.0", 80, [VEHICLE, RED], 33.6),
        ("bench2drive", 80, [VEHICLE, RED], 33.6),
        ("2.1", 80, [VEHICLE, RED], 38.095238),
        ("1.0", 100, [event(kinds.OUTSIDE_LANES, 10), STOP_SIGN], 72.0),
        ("2.0", 100, [event(kinds.OUTSIDE_LANES, 10), STOP_SIGN], 72.0),
        ("2.1", 100, [event(kinds.OUTSIDE_LANES, 10), STOP_SIGN], 72.0),
        ("1.0", 100, [event(kinds.MIN_SPEED, 60)], 100.0),
        ("2.0", 100, [event(kinds.MIN_SPEED, 60)], 88.0),
        ("2.1", 100, [event(kinds.MIN_SPEED, 60)], 86.206897),
        ("bench2drive", 100, [event(kinds.MIN_SPEED, 60)], 100.0),
        ("2.0", 100, [PEDESTRIAN] * 2, 25.0),
        ("2.1", 100, [PEDESTRIAN] * 2, 33.333333),
        ("2.1", 100, [VEHICLE], 58.823529),
        ("2.1", 100, [VEHICLE] * 3, 32.258065),
        ("2.0", 100, [VEHICLE] * 3, 21.6),
        ("1.0", 100, [event(kinds.SCENARIO_TIMEOUT)], 100.0),
        ("2.0", 100, [event(kinds.SCENARIO_TIMEOUT), event(kinds.YIELD)], 49.0),
        ("2.1", 100, [event(kinds.SCENARIO_TIMEOUT), event(kinds.YIELD)], 55.555556),
        ("2.1", 100, [event(kinds.COLLISION_LAYOUT)], 62.5),
        ("2.0", 100, [event(kinds.COLLISION_LAYOUT)], 65.0),
        ("2.1", 42.5, [event(kinds.BLOCKED)], 42.5),
        ("2.1", 42.5, [event(kinds.ROUTE_DEVIATION), event(kinds.ROUTE_TIMEOUT)], 42.5),
    ],
)
def test_scores_by_hand(version, completion, events, driving):
    assert score(version, completion, events).driving == driving


@pytest.mark.parametrize("version", VERSIONS)
def test_driving_faster_than_the_traffic_is_no_bonus(version):
    assert penalty(version, [event(kinds.MIN_SPEED, 180.0)]) == 1.0


def test_a_route_all_outside_its_lanes_scores_0():
    assert score("2.1", 100.0, [event(kinds.OUTSIDE_LANES, 100.0)]).driving == 0.0


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match=r"version=3.0: expected one of 1.0, 2.0, 2.1, bench2drive"):
        penalty("3.0", ())


def test_success_forgives_slow_driving_only():
    slow = event(kinds.MIN_SPEED, 20.0)
    assert is_success("Completed", [slow]) and is_success("Perfect", [])
    assert not is_success("Completed", [slow, event(kinds.OUTSIDE_LANES, 0.1)])
    assert not is_success("Failed - Agent timed out", [])
