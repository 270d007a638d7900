"""BEV-Planner's protocol: any collision up to a horizon, ego box turned with the path, 1000 x 1000 cells of 0.1 m.

Also CCR, the curb collision rate: the same box against the map's boundaries, drawn as lines of one cell. Paths are
those of the ego frame; a path told for LIDAR_TOP is turned into ego's axes, as displacements. The occupancy's classes
hang on the order of labels, see `classes`. Source: NVlabs/BEV-Planner, metric_stp3.py and pipelines/loading.py.
"""

from __future__ import annotations

import cv2
import numpy as np

from drive_agent.score.openloop.cases import STEPS, Cases, box_rings
from drive_agent.score.openloop.classes import BEV_PLANNER, of_detection_classes
from drive_agent.score.openloop.rasters import LIDAR_AHEAD_OF_EGO_M, clipped, collisions, footprint_cells
from drive_agent.score.openloop.steps import StepVectors

SIZE = 1000
_CELL_M = np.float32(0.1)
_FIRST_CENTER_M = np.float32(-49.95)
_MIDDLE = np.float32(_FIRST_CENTER_M / _CELL_M)
_FOOTPRINT = footprint_cells(0.1, -49.95, LIDAR_AHEAD_OF_EGO_M)  # (738, 2) along, across
_REACH = 40  # cells; no part of the footprint is further from the path's point
_SLOW_STEP_M = 1.0  # shorter steps leave the box unturned


def judge(cases: Cases, classes: frozenset[str] = BEV_PLANNER) -> list[StepVectors]:
    """L2, collisions and, where boundaries are known, curb touches of every step by BEV-Planner's rules, plan by plan."""
    rings = _cells_of_corners(box_rings(cases.boxes[:, :, 1:]))
    there = cases.box_ok[..., 1:] & (cases.box_points[..., 1:] > 0)
    there &= cases.is_class(of_detection_classes(cases.class_names, classes))[..., None]
    paths = _paths(cases)
    hits = _hits(rings, there, paths)
    touches = None if cases.boundaries is None else [_curb_touches(cases, path) for path in paths]
    found = []
    for own, plan in enumerate(cases.plans, start=2):
        true = 0 if plan.ego is not None else 1
        curb = None if touches is None else touches[own] & ~touches[true]
        l2_m = np.linalg.norm(paths[own] - paths[true], axis=-1)
        found.append(
            StepVectors(cases.is_complete, cases.mask, l2_m, hits[own] & ~hits[true], hits[true], curb)
        )
    return found


def _paths(cases: Cases) -> np.ndarray:
    """Paths (2 + P, N, 6, 2) of the ego frame: the true one exactly, for plans that tell theirs so; the true one from
    the lidar's, for plans that tell the lidar's; and the plans'."""
    exact = cases.ego_pose[:, 1:, :2] * cases.mask[..., None]
    plans = (cases.turned_to_ego(p.lidar) if p.ego is None else p.ego[..., :2] for p in cases.plans)
    return np.stack([exact, cases.turned_to_ego(cases.gt_lidar), *plans])


def _cells_of_corners(corners: np.ndarray) -> np.ndarray:
    return ((corners.astype(np.float32) - _FIRST_CENTER_M) / _CELL_M).astype(np.int32)


def _hits(rings: np.ndarray, there: np.ndarray, paths: np.ndarray) -> np.ndarray:
    middle = paths.astype(np.float32) / _CELL_M - _MIDDLE
    near = np.stack([middle - _REACH, middle + _REACH], axis=-1)
    spans = clipped(near, SIZE)  # (K, N, 6, 2, 2)
    yaw = np.stack([_headings(path) for path in paths])
    cells = (spans[..., 1, :], spans[..., 0, :])
    return collisions(rings, there, cells, SIZE, lambda *at: _footprint(paths[at], yaw[at]))


def _headings(path: np.ndarray) -> np.ndarray:
    """float32 (N, 6): direction of each step, 0 for a short one."""
    steps = np.diff(path.astype(np.float32), axis=1, prepend=np.float32(0))
    yaw = np.arctan2(steps[..., 1], steps[..., 0])
    return np.where(np.linalg.norm(steps, axis=-1) < _SLOW_STEP_M, np.float32(0), yaw)


def _footprint(position: np.ndarray, yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (left) and columns (forward) of the ego box at a position (2,) with a yaw ()."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)
    turned = np.rint((_FOOTPRINT + _MIDDLE) @ turn - _MIDDLE).astype(np.int64)
    cells = clipped(position.astype(np.float32) / _CELL_M + turned, SIZE)
    return cells[:, 1], cells[:, 0]


def _curb_touches(cases: Cases, path: np.ndarray) -> np.ndarray:
    """Bool (N, 6): does the ego box hold a cell of a boundary line."""
    touches = np.zeros((len(cases), STEPS), bool)
    yaw = _headings(path)
    for sample, lines in enumerate(cases.boundaries or ()):
        if not cases.is_complete[sample]:
            continue
        curbs = np.zeros((SIZE, SIZE), np.uint8)
        for line in lines:
            scaled = (line.astype(np.float32) - _FIRST_CENTER_M) / _CELL_M
            points = np.clip(scaled, 0, SIZE - 1).astype(np.int32)
            for start, end in zip(points[:-1], points[1:], strict=True):
                cv2.line(curbs, start.tolist(), end.tolist(), color=(1,), thickness=1)
        for step in range(STEPS):
            touches[sample, step] = curbs[_footprint(path[sample, step], yaw[sample, step])].any()
    return touches
