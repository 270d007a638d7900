"""Scores of answers that are known to be right or wrong in a known way."""

import numpy as np
import pytest

from drive_agent.rig import front_rig
from drive_agent.train.evaluate import Predictions, object_scores, plan_scores, table
from drive_agent.types import PATH_STATIONS_M

CAMERAS = front_rig().cameras


def labels(n: int = 4) -> dict[str, np.ndarray]:
    return {
        "path": np.repeat(np.stack([PATH_STATIONS_M, 0 * PATH_STATIONS_M], -1)[None], n, 0),
        "target_speed_mps": np.array([0.0, 2.0, 8.0, 10.0]),
        "light": np.array([1, 1, 0, 3]),
        "light_m": np.array([10.0, 50.0, 99.0, 10.0]),
        "light_in_view": np.array([False, True, False, True]),
        "gap_m": np.array([10.0, 99.0, 20.0, 99.0]),
        "lead_kind": np.array([0, -1, 2, -1]),
        "maneuver": np.array([4, 1, 4, 1]),
        "maneuver_m": np.array([60.0, 10.0, 60.0, 50.0]),
    }


def right(labels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        "path": labels["path"].copy(),
        "speed_mps": labels["target_speed_mps"].copy(),
        "light": labels["light"].copy(),
        "lead_prob": (labels["gap_m"] < 40).astype(float),
        "gap_m": labels["gap_m"].copy(),
        "objects": [],
    }


def test_right_answers_score_full() -> None:
    scores = plan_scores(Predictions(**right(labels())), labels())
    for name in ("light_accuracy", "light_lit", "light_balanced", "lead_accuracy", "lead_f1", "slow_recall"):
        assert scores[name] == 1.0
    for name in (
        "path_ade_m",
        "path_ade_turns_m",
        "speed_mae_mps",
        "slow_false",
        "red_as_green",
        "lead_mae_m",
        "lead_relative",
    ):
        assert scores[name] == 0.0


def test_each_fault_is_counted_where_it_belongs() -> None:
    wrong = right(labels())
    wrong["path"][1] += (0.0, 2.0)  # the only turn
    wrong["light"] = np.array([3, 0, 0, 3])  # a near red as green, a far red missed
    wrong["speed_mps"] = np.array([5.0, 2.0, 8.0, 10.0])
    wrong["lead_prob"] = np.array([1.0, 1.0, 0.0, 0.0])
    wrong["gap_m"] = np.array([12.0, 30.0, 25.0, 99.0])
    scores = plan_scores(Predictions(**wrong), labels())
    assert (scores["lead_mae_m"], scores["lead_relative"]) == (
        3.5,
        pytest.approx(0.2),
    )  # found is the first alone
    assert scores["path_ade_turns_m"] == pytest.approx(2.0)
    assert scores["path_ade_m"] == pytest.approx(0.5)
    assert (scores["light_accuracy"], scores["light_lit"]) == (0.5, pytest.approx(1 / 3))
    assert (scores["red_as_green"], scores["light_red"], scores["light_green"]) == (1.0, 0.0, 1.0)
    assert scores["light_balanced"] == pytest.approx(
        2 / 3
    )  # red 0, green 1, none 1: the far red does not count
    assert scores["light_seen_balanced"] == 1.0  # nor, here, the near one behind a truck
    assert (scores["slow_recall"], scores["slow_false"]) == (0.5, 0.0)
    assert (scores["lead_accuracy"], scores["lead_f1"]) == (0.5, 0.5)
    assert scores["lead_vehicle_f1"] == pytest.approx(2 / 3)  # without the person who was missed


def test_objects_are_matched_once_and_compared_with_constant_velocity() -> None:
    label = np.zeros((1, 16, 13), dtype=np.float32)
    label[..., 0] = -1
    label[0, 0] = (0, 20, 0, 0, 5, 2.3, 0.9, 5, 0, 9, 1, 12, 3)
    label[0, 1] = (2, 15, 5, 1, 1, 0.3, 0.3, 0, 1, 0, 2, 0, 3)
    label[0, 2] = (0, -10, 0, 0, 5, 2.3, 0.9, 5, 0, 9, 1, 12, 3)  # behind: nobody can see it
    seen = np.array(
        [
            (0, 0.9, 21, 0, 0, 5, 2.3, 0.9, 5, 0, 9, 1, 12, 3),
            (0, 0.8, 20, 0.5, 0, 5, 2.3, 0.9, 0, 0, 0, 0, 0, 0),  # the same car again
        ]
    )
    scores = object_scores([seen], label, CAMERAS)
    assert (scores["object_recall"], scores["object_precision"]) == (0.5, 0.5)
    assert scores["object_place_m"] == pytest.approx(1.0)
    assert scores["motion_3s_m"] == pytest.approx(0.0)
    assert scores["motion_3s_constant_velocity_m"] == pytest.approx(np.hypot(3, 3))
    assert scores["motion_1s_standing_m"] == pytest.approx(5.0)


def test_a_table_has_a_column_for_every_run() -> None:
    text = table({"a": {"x": 1.0}, "b": {"x": 2.0, "y": 3.0}})
    assert text.splitlines() == ["| | a | b |", "|---|---|---|", "| x | 1 | 2 |", "| y | - | 3 |"]
