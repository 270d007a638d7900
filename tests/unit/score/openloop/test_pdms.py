from dataclasses import replace

import numpy as np
import pytest

from drive_agent.score.openloop.pdms import Setting, SubScores, score_plan

TIMES = np.arange(7) * 0.5


def straight(speed):
    return np.stack([speed * TIMES, np.zeros(7), np.zeros(7)], axis=-1)


def setting(*agents, **changes):
    """Recorded at 6 m/s straight on; agents as (x, y, speed along x, yaw), 2 x 4 m."""
    boxes = np.zeros((7, len(agents), 5))
    for k, (x, y, speed, yaw) in enumerate(agents):
        boxes[:, k] = [x, y, 2.0, 4.0, yaw]
        boxes[:, k, 0] += speed * TIMES
    there, static = np.ones((7, len(agents)), bool), np.zeros(len(agents), bool)
    return Setting(straight(6.0), 6.0, boxes, there, static, **changes)


def judged(plan, what):
    return score_plan(plan[1:], what)


def test_going_on_as_recorded_is_perfect():
    assert judged(straight(6.0), setting()) == SubScores(1.0, 1.0, 1.0, 1.0, 1.0)
    assert judged(straight(6.0), setting()).pdms_style == 1.0


def test_half_the_way_is_half_the_progress():
    slower = straight(6.0)
    slower[:, 0] = [0, 2.6, 4.8, 6.4, 7.6, 8.4, 9.0]  # braking gently to 9 of 18 m
    scores = judged(slower, setting())
    assert scores.progress == pytest.approx(0.5)
    assert scores.comfort == 1.0
    assert scores.pdms_style == pytest.approx((5 * 0.5 + 5 + 2) / 12)


def test_driving_into_a_standing_car_is_ones_own_fault():
    """Its rear is at 14 m, the own front 1.44 + 2.042 m before the rear axle: touched on the way from 9 to 12 m."""
    scores = judged(straight(6.0), setting((16.0, 0.0, 0.0, 0.0)))
    assert scores.no_collision == 0.0
    assert scores.time_to_collision == 0.0
    assert scores.pdms_style == 0.0


def test_a_thing_costs_half():
    thing = replace(setting((16.0, 0.0, 0.0, 0.0)), is_static=np.ones(1, bool))
    assert judged(straight(6.0), thing).no_collision == 0.5


def test_being_hit_from_behind_is_not_ones_fault():
    fast = setting((-12.0, 0.0, 14.0, 0.0))
    assert judged(straight(6.0), fast).no_collision == 1.0
    assert judged(straight(6.0), fast).time_to_collision == 1.0  # only what is ahead


def test_a_walker_who_is_under_the_bumper_between_two_looks_was_hit_by_the_front():
    """At 10 m/s the bumper goes from 13.5 to 18.5 m, where a walker crosses at 15 m: seen next beneath the middle."""
    walker = setting((15.0, 0.0, 0.0, np.pi / 2))
    walker.agents[:, 0, 2:4] = 0.6
    walker.agents[:, 0, 1] = 1.2 * (TIMES - 1.5)
    assert judged(straight(10.0), walker).no_collision == 0.0
    aside = replace(walker, there=np.arange(7)[:, None] >= 3)  # nobody knows where it came from
    assert judged(straight(10.0), aside).no_collision == 1.0


def test_who_stands_is_never_at_fault():
    still = straight(0.0)
    assert judged(still, setting((12.0, 0.0, -8.0, 0.0))).no_collision == 1.0


def test_near_behind_a_slower_car_is_a_warning_before_a_collision():
    """At 3 s the own front is at 21.48 m, its rear at 22.5 m and 4 m/s slower: touched in 0.26 s."""
    scores = judged(straight(6.0), setting((18.5, 0.0, 2.0, 0.0)))
    assert scores.no_collision == 1.0
    assert scores.time_to_collision == 0.0


def test_a_corner_off_the_road():
    def left_of_2(points):
        return np.abs(points[:, 1]) < 2.0

    road = setting(is_drivable=left_of_2)
    assert judged(straight(6.0), road).drivable_area == 1.0
    aside = straight(6.0)
    aside[-1, 1] = 1.2
    assert judged(aside, road).drivable_area == 0.0


def test_hard_braking_and_jerks_are_uncomfortable():
    braked = straight(6.0)
    braked[:, 0] = [0, 3.0, 6.0, 7.5, 7.5, 7.5, 7.5]  # from 6 to 3 to 0 m/s within a second
    assert judged(braked, setting()).comfort == 0.0


def test_lengths_must_fit():
    with pytest.raises(ValueError, match="does not fit"):
        score_plan(np.zeros((5, 3)), setting())
