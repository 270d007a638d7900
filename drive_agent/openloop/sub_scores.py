"""Sub-scores in NAVSIM's style for the plans of a scene: the arrays of open loop as settings of `score.openloop.pdms`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, fields

import numpy as np

from drive_agent.data.clips import KEY_FRAME_S
from drive_agent.geometry import from_frame
from drive_agent.openloop.planned import Planned, poses_of
from drive_agent.score.openloop.classes import road_users
from drive_agent.score.openloop.pdms import Drivable, Setting, SubScores, score_plan

NAMES = (*(f.name for f in fields(SubScores)), "pdms_style")
REACH_M = 80.0  # who stays further off all the time can neither be hit nor be near


def sub_scores(truth: Mapping[str, np.ndarray], planned: Planned, is_drivable: Drivable | None) -> np.ndarray:
    """`NAMES` (n, 6) of the plans whose 3 s were recorded; none without what tells of world points (n, 2) where one may drive."""
    whole = np.flatnonzero(truth["mask"][planned.rows].all(axis=1))
    if is_drivable is None:
        return np.empty((0, len(NAMES)))
    poses = poses_of(truth, planned)
    is_user = road_users([str(name) for name in truth["class_names"]])
    found = np.empty((len(whole), len(NAMES)))
    for row, k in enumerate(whole):
        judged = score_plan(poses[k], _setting(truth, int(planned.rows[k]), is_user, is_drivable))
        found[row] = (*astuple(judged), judged.pdms_style)
    return found


def _setting(truth: Mapping[str, np.ndarray], k: int, is_user: np.ndarray, is_drivable: Drivable) -> Setting:
    last = truth["past_pose"][k, -1] if truth["past_ok"][k, -1] else truth["ego_pose"][k, 1]
    boxes, there = truth["boxes"][k], truth["box_ok"][k]
    near = (there & (np.abs(boxes[..., :2]).max(axis=-1) < REACH_M)).any(axis=1)
    x_m, y_m, yaw_rad = truth["global_pose"][k]
    return Setting(
        driven=truth["ego_pose"][k],
        speed_mps=float(np.hypot(last[0], last[1])) / KEY_FRAME_S,
        agents=boxes[near].transpose(1, 0, 2),
        there=there[near].T,
        is_static=~is_user[truth["box_class"][k][near]],
        is_drivable=lambda points: is_drivable(from_frame(points, x_m, y_m, yaw_rad)),
    )
