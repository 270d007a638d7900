"""Made-up cases of every kind that trips open-loop scorers: turns, short futures, off-map plans, agents that come and go."""

from __future__ import annotations

from typing import Any

import numpy as np

CLASS_NAMES = (
    "car",
    "truck",
    "construction_vehicle",
    "bus",
    "trailer",
    "barrier",
    "motorcycle",
    "bicycle",
    "pedestrian",
    "traffic_cone",
)
LIDAR_T = np.array([0.943713, 0.0, 1.84023])  # a real calibration of nuScenes, tilt and all
LIDAR_Q = np.array([0.7077955119163518, -0.006492242056004365, 0.010646214713995808, -0.7063073142877817])


def rotation(q: np.ndarray) -> np.ndarray:
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
        ]
    )


def drive(speed: float, acceleration: float, curvature: float) -> np.ndarray:
    """x, y, yaw (7, 3) every 0.5 s."""
    poses, state = [np.zeros(3)], np.zeros(3)
    for _ in range(6):
        for _ in range(10):
            speed = max(0.0, speed + acceleration * 0.05)
            state = state + 0.05 * speed * np.array([np.cos(state[2]), np.sin(state[2]), curvature])
        poses.append(state)
    return np.array(poses)


def path_of_lidar(poses: np.ndarray) -> np.ndarray:
    """Where LIDAR_TOP's origin goes (6, 2), in its frame of now."""
    points = []
    for x, y, yaw in poses[1:]:
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        points.append(rotation(LIDAR_Q).T @ (turn @ LIDAR_T + [x, y, 0] - LIDAR_T))
    return np.array(points)[:, :2]


def make_cases(count: int, agents: int, seed: int) -> dict[str, Any]:
    """The mapping that `score_plans` takes."""
    draw = np.random.default_rng(seed)
    cases: dict[str, Any] = {
        "class_names": CLASS_NAMES,
        "lidar2ego_t": LIDAR_T,
        "lidar2ego_q": LIDAR_Q,
        "global_pose": np.c_[draw.uniform(200, 2000, (count, 2)), draw.uniform(-3, 3, count)],
        "box_class": draw.integers(0, len(CLASS_NAMES), (count, agents)),
        "box_visibility": draw.integers(1, 5, (count, agents, 7)),
    }
    rows = [_case(draw, agents) for _ in range(count)]
    return cases | {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _case(draw: np.random.Generator, agents: int) -> dict[str, np.ndarray]:
    speed, acceleration, curvature = draw.uniform(-3, 18), draw.normal(0, 1.5), draw.normal(0, 0.04)
    truth = drive(max(speed, 0.0), acceleration, curvature)
    plan = drive(
        max(speed + draw.normal(0, 2), 0.0),
        acceleration + draw.normal(0, 1.5),
        curvature + draw.normal(0, 0.03),
    )
    mask = np.ones(6, bool)
    if draw.random() < 0.15:
        mask[draw.integers(0, 6) :] = False
    stretch = 3.0 if draw.random() < 0.05 else 1.0  # a plan that leaves the map
    boxes, there = zip(*(_agent(draw, truth, plan) for _ in range(agents)), strict=True)
    there = np.array(there)
    there[:, 1:] &= mask
    return {
        "ego_pose": truth,
        "gt_lidar": path_of_lidar(truth) * mask[:, None],
        "pred_lidar": path_of_lidar(plan) * stretch,
        "mask": mask,
        "boxes": np.array(boxes),
        "box_ok": there,
    }


def _agent(draw: np.random.Generator, truth: np.ndarray, plan: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (7, 5) and where they are annotated (7,)."""
    near = (truth if draw.random() < 0.5 else plan)[draw.integers(1, 7), :2] + draw.normal(0, 3.5, 2)
    center = near if draw.random() < 0.5 else draw.uniform(-60, 60, 2)
    yaw, speed = draw.uniform(-3.2, 3.2), max(draw.uniform(-10, 10), 0.0)
    width, length = draw.uniform(0.5, 2.6), draw.uniform(0.5, 9)
    times = (np.arange(7) - 3) * 0.5
    x, y = center[0] + speed * np.cos(yaw) * times, center[1] + speed * np.sin(yaw) * times
    first, last = (0, 7) if draw.random() < 0.6 else sorted(draw.integers(0, 8, 2))
    there = np.zeros(7, bool)
    there[first:last] = True
    yaws = yaw + draw.normal(0, 0.02, 7)
    return np.stack([x, y, np.full(7, width), np.full(7, length), yaws], axis=-1), there
