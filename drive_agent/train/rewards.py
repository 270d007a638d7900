"""Rewards by rule, all in [0, 1]: exact match, order, overlap of boxes, points in regions, form, and plans as driven.

Knows rows of the training data and choices of wordings, nothing of networks.
"""

from __future__ import annotations

import functools

import numpy as np

from drive_agent.agent.plan_arrays import SPEED_TIMES_S, speed_profile
from drive_agent.agent.quiz_text import STEP_PX, Question, Reward
from drive_agent.agent.rationale_text import action_of, choose, read_rationale
from drive_agent.data.drivable import is_drivable
from drive_agent.geometry import resample
from drive_agent.rig import CameraMount
from drive_agent.score.openloop.pdms import Setting, SubScores, score_plan
from drive_agent.train.answers import SPARE_PX, Row, answer_of, rationale_of, region
from drive_agent.types import LightState, ObjectKind

EGO_SIZE = (1.84, 4.89)  # width and length of vehicle.lincoln.mkz_2020
EGO_AHEAD_M = 1.42  # its box's centre before the rear axle
FRONT_M = EGO_AHEAD_M + EGO_SIZE[1] / 2
OVER_LINE_M = 0.5  # a bumper this far over the line has run the light
FORM = 0.1  # share of a text's reward that its form alone earns
_FINE_M = 0.5


# ---- plans -------------------------------------------------------------------------------------------------------


def driven_poses(path: np.ndarray, speed_mps: float, target_mps: float) -> np.ndarray:
    """Poses (6, 3) every half second of a car that follows a path (n, 2) on its way to a target speed."""
    speeds = np.concatenate([[speed_mps], speed_profile(speed_mps, target_mps)])
    steps = np.diff(SPEED_TIMES_S, prepend=0.0)
    along = np.cumsum((speeds[1:] + speeds[:-1]) / 2 * steps)
    line = np.concatenate([np.zeros((1, 2)), path])
    at, beyond = resample(line, along), resample(line, along + _FINE_M)
    course = beyond - at
    return np.column_stack([at, np.arctan2(course[:, 1], course[:, 0])])


def setting_of(row: Row) -> Setting:
    """What a plan of this row is judged against."""
    agents = np.asarray(row["agents"], dtype=float)
    return Setting(
        driven=np.asarray(row["driven"], dtype=float),
        speed_mps=float(row["speed_mps"]),
        agents=agents,
        there=agents[..., 2] > 0,
        is_static=np.asarray(row["is_thing"], dtype=bool),
        ego_size=EGO_SIZE,
        ego_ahead_m=EGO_AHEAD_M,
        is_drivable=functools.partial(is_drivable, row["drivable"]),
    )


def plan_scores(poses: np.ndarray, row: Row) -> tuple[SubScores, float]:
    """Sub-scores in PDM style of poses (6, 3), and whether they respect a red light: 1 or 0."""
    return score_plan(poses, setting_of(row)), respects_light(poses, row)


def plan_reward(poses: np.ndarray, row: Row) -> float:
    """PDM-style score of poses (6, 3), nothing for who runs a red light."""
    scores, lawful = plan_scores(poses, row)
    return scores.pdms_style * lawful


def respects_light(poses: np.ndarray, row: Row) -> float:
    """0 for a plan that takes the front bumper over the line of a light that is red."""
    if int(row["light"]) != LightState.RED or float(row["light_m"]) < 0.0:
        return 1.0
    way = np.linalg.norm(np.diff(np.concatenate([np.zeros((1, 2)), poses[:, :2]]), axis=0), axis=1).sum()
    return float(way < float(row["light_m"]) + OVER_LINE_M)


def ordered(told: np.ndarray, right: float, scale: float) -> np.ndarray:
    """1 at the right value, falling to 0 at a distance of `scale`."""
    return np.clip(1.0 - np.abs(told - right) / scale, 0.0, 1.0)


# ---- words -------------------------------------------------------------------------------------------------------


def answer_reward(question: Question, text: str, row: Row, camera: CameraMount) -> float:
    """Of an answer in words: a little for its form, the rest for what it says."""
    choice = question.answers.read(text)
    right = answer_of(question.name, row, camera)
    if choice is None or right is None:
        return 0.0
    return FORM + (1.0 - FORM) * _quality(question, choice, right, row, camera)


def _quality(
    question: Question, choice: tuple[int, ...], right: tuple[int, ...], row: Row, camera: CameraMount
) -> float:
    if question.reward is Reward.EXACT:
        return float(choice == right)
    if question.reward is Reward.ORDERED:
        return float(ordered(np.array(choice[0]), right[0], 4.0))
    if question.reward is Reward.BOX:
        return overlap(np.array(choice[1:]), np.array(right[1:]))
    seen = region(row, (ObjectKind.WALKER,), camera)
    return 0.0 if seen is None else inside(np.array(choice[1:]) * STEP_PX, seen, SPARE_PX)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = float(np.prod(np.maximum(high - low, 0)))
    either = float(np.prod(np.maximum(a[2:] - a[:2], 0)) + np.prod(np.maximum(b[2:] - b[:2], 0))) - both
    return both / either if either > 0 else 0.0


def inside(point: np.ndarray, box: np.ndarray, spare: float = 0.0) -> float:
    """1 for a point in a box (left, top, right, bottom), `spare` around it included, else 0."""
    return float((point >= box[:2] - spare).all() and (point <= box[2:] + spare).all())


def rationale_reward(text: str, row: Row, target_mps: float) -> float:
    """Of a rationale: its form, how much of it is right, and whether it decides what the plan does (`target_mps`)."""
    told = read_rationale(text)
    if told is None:
        return 0.0
    right, said = choose(rationale_of(row)), choose(told)
    share = float(np.mean([a == b for a, b in zip(said, right, strict=True)]))
    fits = float(told.action == action_of(float(row["speed_mps"]), target_mps))
    return FORM + (1.0 - FORM) * (share + fits) / 2
