"""ST-P3's protocol: means over the steps up to a horizon; occupancy drawn in each step's own ego frame, then warped.

Vehicles and humans; now only those seen better than 40 %, later only those seen until now. The warp to the frame of
now (nearest cell, single precision) is asked for the ego's cells only. Samples without two earlier key frames or with
less than 3 s of future are dropped. Source: OpenDriveLab/ST-P3, metrics.py, NuscenesData.py, geometry.py.
"""

from __future__ import annotations

import numpy as np

from drive_agent.score.openloop import coarse
from drive_agent.score.openloop.cases import STEPS, Cases, box_rings
from drive_agent.score.openloop.classes import road_users
from drive_agent.score.openloop.rasters import collisions
from drive_agent.score.openloop.steps import StepVectors, single_distance


def judge(cases: Cases) -> list[StepVectors]:
    """L2 and collisions of every step by ST-P3's rules, plan by plan."""
    rings = coarse.rounded_rings(box_rings(_in_own_ego_frame(cases)))[..., ::-1]  # columns left, rows forward
    seen = cases.seen_before | (cases.box_ok[..., 0] & (cases.box_visibility[..., 0] != 1))
    there = cases.box_ok[..., 1:] & (seen & cases.is_class(road_users(cases.class_names)))[..., None]
    truth, *hits = _hits(rings, there, cases.paths_lidar, _warps(cases))
    used = cases.is_complete & cases.has_history
    return [
        StepVectors(used, cases.mask, single_distance(plan.lidar, cases.gt_lidar), hit & ~truth, truth)
        for plan, hit in zip(cases.plans, hits, strict=True)
    ]


def _in_own_ego_frame(cases: Cases) -> np.ndarray:
    """Boxes (N, A, 6, 5) of the steps 1 to 6, each in the ego frame of its step."""
    boxes, pose = cases.boxes[:, :, 1:], cases.ego_pose[:, None, 1:]
    cos, sin = np.cos(pose[..., 2]), np.sin(pose[..., 2])
    dx, dy = boxes[..., 0] - pose[..., 0], boxes[..., 1] - pose[..., 1]
    own = np.stack([cos * dx + sin * dy, cos * dy - sin * dx], axis=-1)
    return np.concatenate([own, boxes[..., 2:4], boxes[..., 4:] - pose[..., 2:3]], axis=-1)


def _hits(rings: np.ndarray, there: np.ndarray, paths: np.ndarray, warp: np.ndarray) -> np.ndarray:
    cells = coarse.on_map(coarse.footprint_at(np.stack([paths[..., 1], -paths[..., 0]], axis=-1)))
    rows, columns = _sources(cells, warp)
    inside = (rows >= 0) & (rows < coarse.SIZE) & (columns >= 0) & (columns < coarse.SIZE)
    spans = (coarse.span(rows), coarse.span(columns))

    def lookup(*at: int) -> tuple[np.ndarray, np.ndarray]:
        return rows[at][inside[at]], columns[at][inside[at]]

    return collisions(rings, there, spans, coarse.SIZE, lookup)


def _sources(cells: np.ndarray, warp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (K, N, 6, c) in a step's own map that the warp reads for cells (K, N, 6, c, 2) of now's map."""
    size = np.float32(coarse.SIZE)
    steps = np.linspace(-1, 1, coarse.SIZE, dtype=np.float32) * ((size - 1) / size)
    down, across = steps[cells[..., 0]], steps[cells[..., 1]]
    cos, sin, forward, left = (warp[..., k, None] for k in range(4))
    to_column = cos * across - sin * down + left
    to_row = sin * across + cos * down - forward
    back = [np.rint(((value + 1) * size - 1) / 2).astype(np.int64) for value in (to_row, to_column)]
    return back[0], back[1]


def _warps(cases: Cases) -> np.ndarray:
    """float32 (N, 6, 4): cosine, sine, and shift forward and left in half maps, of each step's pose in now's frame.

    The chain of single-precision products of differences between global poses is the published one: a kilometre from
    the origin its rounding is a tenth of a millimetre.
    """
    poses = _matrices(_global_poses(cases))
    chain = np.broadcast_to(np.eye(3, dtype=np.float32), (len(cases), 3, 3))
    warps = np.empty((len(cases), STEPS, 4), np.float32)
    for step in range(STEPS):
        motion = _inverse(poses[:, step + 1]) @ poses[:, step]
        yaw = np.arctan2(-motion[:, 0, 1], motion[:, 0, 0])
        chain = chain @ _inverse(_rigid(np.cos(yaw), np.sin(yaw), motion[:, 0, 2], motion[:, 1, 2]))
        yaw = np.arctan2(-chain[:, 0, 1], chain[:, 0, 0])
        half = np.float32(coarse.HALF_M)
        warps[:, step] = np.stack(
            [np.cos(yaw), np.sin(yaw), chain[:, 0, 2] / half, chain[:, 1, 2] / half], axis=-1
        )
    return warps


def _global_poses(cases: Cases) -> np.ndarray:
    """x, y, yaw (N, 7, 3) of the ego frame in the world."""
    x, y, yaw = (cases.global_pose[:, None, k] for k in range(3))
    pose = cases.ego_pose
    return np.stack(
        [
            x + np.cos(yaw) * pose[..., 0] - np.sin(yaw) * pose[..., 1],
            y + np.sin(yaw) * pose[..., 0] + np.cos(yaw) * pose[..., 1],
            yaw + pose[..., 2],
        ],
        axis=-1,
    )


def _matrices(poses: np.ndarray) -> np.ndarray:
    return _rigid(np.cos(poses[..., 2]), np.sin(poses[..., 2]), poses[..., 0], poses[..., 1])


def _rigid(cos: np.ndarray, sin: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float32 (..., 3, 3) transforms in the plane."""
    matrix = np.zeros((*cos.shape, 3, 3), np.float32)
    matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2] = cos, -sin, x
    matrix[..., 1, 0], matrix[..., 1, 1], matrix[..., 1, 2] = sin, cos, y
    matrix[..., 2, 2] = 1
    return matrix


def _inverse(matrix: np.ndarray) -> np.ndarray:
    turn = np.swapaxes(matrix[..., :2, :2], -1, -2)
    inverse = np.zeros_like(matrix)
    inverse[..., :2, :2] = turn
    inverse[..., :2, 2:] = np.negative(turn @ matrix[..., :2, 2:])
    inverse[..., 2, 2] = 1
    return inverse
