"""What one planner planned for one scene, in every frame that a protocol asks for. Knows nothing of planners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drive_agent.data.rigid import rotation_matrix
from drive_agent.score.openloop.cases import STEPS, Cases, Paths
from drive_agent.score.openloop.labels import BESIDE
from drive_agent.score.openloop.steps import StepVectors
from drive_agent.score.openloop.table import step_vectors


@dataclass(frozen=True)
class Planned:
    """Plans of the samples `rows` of a scene; `poses` where the planner tells headings or they follow from its path."""

    planner: str
    rows: np.ndarray  # (n,) index of the sample in its scene
    path_lidar: np.ndarray  # (n, 6, 2)
    poses: np.ndarray | None  # (n, 6, 3) x, y, yaw in ego
    failed: np.ndarray  # (n,) bool: no usable answer, counted as standing still


def from_poses(planner: str, truth: Mapping[str, np.ndarray], poses: np.ndarray, rows: np.ndarray | None = None,
               failed: np.ndarray | None = None) -> Planned:  # fmt: skip
    """Plans told as poses (n, 6, 3) of the ego frame."""
    rows = np.arange(len(truth["mask"])) if rows is None else rows
    failed = np.zeros(len(rows), bool) if failed is None else failed
    return Planned(planner, rows, lidar_path(truth, poses, rows), poses, failed)


def from_file(
    planner: str, truth: Mapping[str, np.ndarray], plans: Mapping[str, np.ndarray], frame: str
) -> Planned:
    """The plans of a file for a scene's samples; those without one are left out. `frame` is "lidar" or "ego"."""
    tokens = truth["tokens"].tolist()
    rows = np.array([k for k, token in enumerate(tokens) if token in plans], int)
    paths = np.array([plans[tokens[k]] for k in rows]).reshape(-1, STEPS, 2)
    if frame == "lidar":
        return Planned(planner, rows, paths, None, np.zeros(len(rows), bool))
    return from_poses(planner, truth, _with_headings(paths), rows)


def poses_of(truth: Mapping[str, np.ndarray], planned: Planned) -> np.ndarray:
    """Poses (n, 6, 3) of the ego frame; where the planner told the path of LIDAR_TOP, headings are guessed from it."""
    if planned.poses is not None:
        return planned.poses
    mount, turn = _mount(truth, planned.rows)
    flat = np.concatenate([planned.path_lidar, np.zeros((len(planned.rows), STEPS, 1))], axis=-1)
    moved = (turn @ flat[..., None])[..., :2, 0]
    poses = _with_headings(moved)
    cos, sin = np.cos(poses[..., 2]), np.sin(poses[..., 2])
    poses[..., 0] += mount[..., 0] - cos * mount[..., 0] + sin * mount[..., 1]
    poses[..., 1] += mount[..., 1] - sin * mount[..., 0] - cos * mount[..., 1]
    return poses


def _with_headings(paths: np.ndarray) -> np.ndarray:
    """Paths (n, 6, 2) as poses (n, 6, 3): the heading of each step; a short one keeps that of the step before."""
    steps = np.diff(paths, axis=1, prepend=0.0)
    poses = np.concatenate([paths, np.zeros((len(paths), STEPS, 1))], axis=-1)
    for k in range(STEPS):
        moved = np.linalg.norm(steps[:, k], axis=-1) >= 0.5
        held = poses[:, k - 1, 2] if k else 0.0
        poses[:, k, 2] = np.where(moved, np.arctan2(steps[:, k, 1], steps[:, k, 0]), held)
    return poses


def _mount(truth: Mapping[str, np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where LIDAR_TOP sits in ego: places (n, 1, 3) and rotations (n, 1, 3, 3)."""
    turn = np.array([rotation_matrix(q) for q in truth["lidar2ego_q"][rows]]).reshape(-1, 1, 3, 3)
    return truth["lidar2ego_t"][rows][:, None], turn


def lidar_path(truth: Mapping[str, np.ndarray], poses: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Where LIDAR_TOP's origin goes (n, 6, 2), in its frame of now, while the ego frame takes poses (n, 6, 3)."""
    mount, turn = _mount(truth, rows)
    cos, sin = np.cos(poses[..., 2]), np.sin(poses[..., 2])
    moved = np.stack(
        [
            poses[..., 0] + cos * mount[..., 0] - sin * mount[..., 1] - mount[..., 0],
            poses[..., 1] + sin * mount[..., 0] + cos * mount[..., 1] - mount[..., 1],
            np.zeros_like(cos),
        ],
        axis=-1,
    )
    return (moved[..., None, :] @ turn)[..., 0, :2]


def judge(truth: Mapping[str, np.ndarray], planned: Sequence[Planned]) -> list[dict[str, StepVectors]]:
    """What every protocol finds in the plans of each planner for a scene."""
    values: dict[str, Any] = {name: array for name, array in truth.items() if name not in BESIDE}
    cases = Cases.from_mapping(values | {"pred_lidar": truth["gt_lidar"]})
    found = step_vectors(replace(cases, plans=tuple(_paths(one, len(cases)) for one in planned)))
    return [
        {protocol: vectors.of(one.rows) for protocol, vectors in verdicts.items()}
        for one, verdicts in zip(planned, found, strict=True)
    ]


def _paths(planned: Planned, samples: int) -> Paths:
    """A planner's plans for all samples of a scene; standing still where it has none."""
    lidar, poses = np.zeros((samples, STEPS, 2)), np.zeros((samples, STEPS, 3))
    lidar[planned.rows] = planned.path_lidar
    if planned.poses is None:
        return Paths(lidar, None)
    poses[planned.rows] = planned.poses
    return Paths(lidar, poses)
