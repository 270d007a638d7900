"""Rewards of answers and plans whose worth is known, and rows put into words."""

import numpy as np
import pytest

from drive_agent.agent.quiz_text import QUESTIONS, STEP_PX, question
from drive_agent.agent.rationale_text import write_rationale
from drive_agent.data.drivable import ASIDE_M, BEHIND_M, CELL_M, COLUMNS, ROWS, is_drivable, pack
from drive_agent.data.shards import NONE_M
from drive_agent.rig import front_rig
from drive_agent.train.answers import answer_of, rationale_of
from drive_agent.train.rewards import (
    answer_reward,
    driven_poses,
    inside,
    overlap,
    plan_reward,
    plan_scores,
    rationale_reward,
)
from drive_agent.types import PATH_STATIONS_M, Action, Cause, LightState, ObjectKind
from tests.unit.train.shards import frame

WIDE = front_rig().cameras[0]
STRAIGHT = np.stack([PATH_STATIONS_M, np.zeros_like(PATH_STATIONS_M)], -1).astype(float)


def row(gap: float = NONE_M, light: int = 0, **changes) -> dict:
    """A frame whose gap and light are as told."""
    rng = np.random.default_rng(0)
    while True:
        found = {name: np.asarray(value) for name, value in frame(rng).items()}
        if float(found["gap_m"]) == gap and int(found["light"]) == light:
            return {**found, **changes}


def test_a_car_that_keeps_its_speed_is_where_it_should_be() -> None:
    poses = driven_poses(STRAIGHT, 8.0, 8.0)
    np.testing.assert_allclose(poses[:, 0], np.arange(1, 7) * 4.0, atol=1e-6)
    np.testing.assert_allclose(poses[:, 1:], 0, atol=1e-6)


def test_plans_are_rewarded_as_they_deserve() -> None:
    behind = row(gap=5.0, speed_mps=4.0)  # a car 11 m ahead drives 4 m/s, and so did the recorded drive
    assert plan_reward(driven_poses(STRAIGHT, 4.0, 4.0), behind) == pytest.approx(1.0)
    hit = plan_scores(driven_poses(STRAIGHT, 15.0, 15.0), {**behind, "speed_mps": 15.0})[0]
    assert hit.no_collision == 0.0
    assert (
        0.0 < plan_reward(driven_poses(STRAIGHT, 4.0, 0.0), behind) < 1.0
    )  # stands without need: no progress
    nowhere = {**behind, "drivable": pack(np.zeros((ROWS, COLUMNS), bool))}
    assert plan_reward(driven_poses(STRAIGHT, 4.0, 4.0), nowhere) == 0.0


def test_a_red_light_must_not_be_run() -> None:
    red = row(light=LightState.RED, light_m=5.0, speed_mps=4.0)
    assert plan_reward(driven_poses(STRAIGHT, 4.0, 4.0), red) == 0.0
    assert plan_reward(driven_poses(STRAIGHT, 4.0, 0.0), red) > 0.0
    assert plan_reward(driven_poses(STRAIGHT, 4.0, 4.0), {**red, "light": LightState.GREEN}) == pytest.approx(
        1.0
    )


def test_where_one_may_drive_is_looked_up_where_it_was_drawn() -> None:
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[int((10 + BEHIND_M) / CELL_M), int((-3 + ASIDE_M) / CELL_M)] = True
    told = is_drivable(pack(mask), np.array([[10.2, -2.8], [10.7, -2.8], [-2.2, 2.8], [200.0, 0.0]]))
    assert told.tolist() == [True, False, False, True]


def test_boxes_and_points() -> None:
    assert overlap(np.array([0, 0, 2, 2]), np.array([1, 0, 3, 2])) == pytest.approx(1 / 3)
    assert overlap(np.array([0, 0, 1, 1]), np.array([2, 2, 3, 3])) == 0.0
    assert inside(np.array([5, 5]), np.array([0, 0, 4, 9])) == 0.0
    assert inside(np.array([5, 5]), np.array([0, 0, 4, 9]), spare=1.0) == 1.0


@pytest.mark.parametrize("one", QUESTIONS, ids=lambda one: one.name)
def test_right_answers_earn_all_and_wrong_forms_nothing(one) -> None:
    walker = np.array(row(gap=15.0)["objects"])
    walker[1] = (ObjectKind.WALKER, 12, 2, 0, 1, 0.3, 0.3, *[0] * 6)
    busy = row(gap=15.0, light=LightState.RED, objects=walker)
    right = answer_of(one.name, busy, WIDE)
    assert right is not None
    assert answer_reward(one, one.answers.write(right), busy, WIDE) == pytest.approx(1.0)
    assert answer_reward(one, "I do not know", busy, WIDE) == 0.0
    wrong = tuple((k + 1) % len(slot) for k, slot in zip(right, one.answers.phrases, strict=True))
    assert 0.1 <= answer_reward(one, one.answers.write(wrong), busy, WIDE) < 1.0


def test_the_box_of_a_car_straight_ahead_is_in_the_middle() -> None:
    choice = answer_of("box", row(gap=15.0), WIDE)
    assert choice is not None
    _, left, _, right, bottom = choice
    assert left * STEP_PX <= WIDE.width / 2 <= right * STEP_PX and bottom * STEP_PX > WIDE.height / 2
    assert answer_of("box", row(), WIDE) is None and answer_of("point", row(), WIDE) is None
    assert question("free").answers.write(answer_of("free", row(gap=15.0), WIDE)) == "no"


def test_a_row_is_explained() -> None:
    red = row(light=LightState.RED, light_m=10.0, speed_mps=6.0, target_speed_mps=1.0, cause=Cause.RED_LIGHT)
    told = rationale_of(red)
    assert (told.light, told.going_on, told.action) == (LightState.RED, Cause.RED_LIGHT, Action.STOP)
    text = write_rationale(told)
    assert rationale_reward(text, red, target_mps=1.0) == pytest.approx(1.0)
    assert rationale_reward(text, red, target_mps=6.0) == pytest.approx(0.55)  # says stop and drives on
    assert rationale_reward("stop!", red, target_mps=1.0) == 0.0
