"""Our own protocol: the ego's true box, turned as the path turns, against true boxes, without a raster.

Differences from the published ones: exact rectangles instead of cells; heading from the path (held while it stands);
every annotated vehicle and human of each step; a step that a scene does not reach is left out of numerator and
divisor instead of counting as 0. A box that the recorded path itself touches at that step is taken out (annotation
noise), the others still count. L2 at a step; collision is any one up to a step, over samples that reach it.
"""

from __future__ import annotations

import numpy as np

from drive_agent.score.openloop.cases import STEPS, Cases, Paths
from drive_agent.score.openloop.classes import road_users
from drive_agent.score.openloop.rasters import EGO_CENTER_AHEAD_M, EGO_LENGTH_M, EGO_WIDTH_M
from drive_agent.score.openloop.rectangles import overlap
from drive_agent.score.openloop.steps import StepVectors

_HEADING_STEP_M = 0.5  # shorter steps say nothing about a heading


def judge(cases: Cases) -> list[StepVectors]:
    """L2 and collisions of every step, with the steps that count, plan by plan."""
    there = cases.box_ok[..., 1:] & cases.is_class(road_users(cases.class_names))[..., None]
    boxes = np.moveaxis(cases.boxes[:, :, 1:], 1, 2)  # (N, 6, A, 5)
    present = np.moveaxis(there, 1, 2)
    truth = overlap(true_boxes(cases)[:, :, None], boxes) & present
    truth_collided = truth.any(axis=2) & cases.mask
    found = []
    for plan in cases.plans:
        touched = overlap(planned_boxes(cases, plan)[:, :, None], boxes) & present
        l2_m = np.linalg.norm(plan.lidar - cases.gt_lidar, axis=-1) * cases.mask
        collided = (touched & ~truth).any(axis=2) & cases.mask
        found.append(StepVectors(cases.mask.any(axis=1), cases.mask, l2_m, collided, truth_collided))
    return found


def true_boxes(cases: Cases) -> np.ndarray:
    """Ego boxes (N, 6, 5) of the recorded path, in ego."""
    yaw = cases.ego_pose[:, 1:, 2]
    lidar = cases.lidar2ego_t[:, None, 0] + EGO_CENTER_AHEAD_M
    ahead = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1) * lidar[..., None]
    return _boxes(cases.ego_pose[:, 1:, :2] + ahead, yaw)


def planned_boxes(cases: Cases, plan: Paths) -> np.ndarray:
    """Ego boxes (N, 6, 5) of a plan, in ego."""
    if plan.ego is not None:
        yaw = plan.ego[..., 2]
        reach = cases.lidar2ego_t[:, None, 0] + EGO_CENTER_AHEAD_M
        points = plan.ego[..., :2]
    else:
        points = cases.turned_to_ego(plan.lidar) + cases.lidar2ego_t[:, None, :2]
        yaw = headings(points, cases.lidar2ego_t[:, :2])
        reach = np.full((len(cases), 1), EGO_CENTER_AHEAD_M)
    ahead = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1) * reach[..., None]
    return _boxes(points + ahead, yaw)


def headings(path: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Direction (N, 6) of a path (N, 6, 2) from `start` (N, 2); a short step keeps the one before, at first 0."""
    steps = np.diff(path, axis=1, prepend=start[:, None])
    yaw = np.zeros(path.shape[:2])
    for k in range(path.shape[1]):
        moved = np.linalg.norm(steps[:, k], axis=-1) >= _HEADING_STEP_M
        before = yaw[:, k - 1] if k else np.zeros(len(path))
        yaw[:, k] = np.where(moved, np.arctan2(steps[:, k, 1], steps[:, k, 0]), before)
    return yaw


def _boxes(centers: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    sizes = np.broadcast_to([EGO_WIDTH_M, EGO_LENGTH_M], (len(centers), STEPS, 2))
    return np.concatenate([centers, sizes, yaw[..., None]], axis=-1)
