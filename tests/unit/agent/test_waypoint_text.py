"""Waypoints in the published wording: a drive at the plan's speeds, and back."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.agent.waypoint_text import (
    REACH_M,
    TIMES_S,
    WAYPOINTS_PATTERN,
    read_waypoints,
    write_waypoints,
)
from drive_agent.geometry import arc_length
from drive_agent.types import Plan, PlanError


def plan(speed_mps: float, bend: float) -> Plan:
    angle = np.arange(2.0, 42.0, 2.0) * bend + 1e-9
    path = np.column_stack([np.sin(angle), 1 - np.cos(angle)]) / (bend + 1e-9 / 2)
    return Plan(3, path, TIMES_S, np.full(8, speed_mps))


@given(st.floats(1.0, 9.0), st.floats(0.001, 0.05))
def test_path_and_speed_survive(speed_mps, bend):
    text = write_waypoints(plan(speed_mps, bend))
    assert re.fullmatch(WAYPOINTS_PATTERN, text)
    again = read_waypoints(text, 3)
    assert isinstance(again, Plan) and again.time_us == 3
    np.testing.assert_allclose(again.speeds_mps, speed_mps, atol=0.05)
    radius = np.hypot(again.path_ego[:, 0], again.path_ego[:, 1] - 1 / bend)
    on_arc = arc_length(again.path_ego) <= 4.0 * speed_mps
    np.testing.assert_allclose(radius[on_arc], 1 / bend, rtol=0.02)


def test_a_standing_car_still_has_somewhere_to_look():
    still = read_waypoints(write_waypoints(plan(0.0, 0.01)), 0)
    assert isinstance(still, Plan) and not still.speeds_mps.any()
    assert arc_length(still.path_ego)[-1] >= REACH_M - 1e-6
    np.testing.assert_allclose(still.path_ego[:, 1], 0.0, atol=0.01)


def test_the_way_on_does_not_follow_a_tremble():
    text = "[PT, (+0.05, +0.05, +0.00)" + ", (+0.05, +0.10, +0.00)" * 7 + "]"
    trembling = read_waypoints(text, 0)
    assert isinstance(trembling, Plan) and abs(trembling.path_ego[-1, 1]) < 1e-6


def test_freely_worded_answers_are_read_too():
    points = ", ".join(f"({2 * k}, 0.1)" for k in range(1, 10))
    free = read_waypoints(f"I keep my lane. Here is it: [PT, {points}] and so on", 0)
    assert isinstance(free, Plan) and len(free.speeds_mps) == 8
    np.testing.assert_allclose(free.speeds_mps[1:], 4.0)


@settings(max_examples=50)
@given(st.from_regex(WAYPOINTS_PATTERN, fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_whatever_the_pattern_allows_is_a_plan_or_too_fast(text):
    read = read_waypoints(text, 0)
    assert isinstance(read, Plan) or "expected at most 40" in read.reason


@given(st.text())
def test_any_text_is_told_in_one_line(text):
    read = read_waypoints(text, 0)
    assert isinstance(read, PlanError) and "\n" not in read.reason


def test_waypoints_that_no_car_can_drive_are_refused():
    text = "[PT" + "".join(f", ({60 * (k % 2)}, 0)" for k in range(8)) + "]"
    read = read_waypoints(text, 0)
    assert isinstance(read, PlanError) and "waypoint 2 needs 120 m/s" in read.reason
