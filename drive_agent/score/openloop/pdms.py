"""Sub-scores of a plan in the style of NAVSIM's PDM score, and their product: also the reward of reinforcement learning.

PDMS = NC * DAC * (5 EP + 5 TTC + 2 C) / 12 (NAVSIM v1, arXiv 2406.15349; docs/metrics.md and pdm_scorer.py of
autonomousvision/navsim). What differs there, and why the result is called `pdms_style`:

* the plan is taken as driven exactly, 3 s instead of 4 s, where NAVSIM tracks it with a controller and a bicycle model;
* progress is measured against the recorded drive; NAVSIM's divisor is the better of the plan and its rule-based planner;
* in several lanes at once, or in junctions, fault is judged as elsewhere; NAVSIM counts side hits there as at fault.

Frame: ego of now. All agents follow what was recorded. Knows nothing of maps: who asks brings `is_drivable`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import arc_length, project
from drive_agent.score.openloop.cases import STEP_S, box_rings
from drive_agent.score.openloop.rectangles import overlap

STANDING_MPS = 0.005
SHORT_M = 5.0  # with less than that to drive, progress is no merit
TTC_S = (0.0, 0.3, 0.6, 0.9)
STOPPED_TRACK_MPS = 0.05
LON_ACCEL_MPS2 = (-4.05, 2.40)
LAT_ACCEL_MPS2 = 4.89
JERK_MPS3 = 8.37
LON_JERK_MPS3 = 4.13
YAW_ACCEL_RADPS2 = 1.93
YAW_RATE_RADPS = 0.95
WEIGHTS = {"progress": 5.0, "time_to_collision": 5.0, "comfort": 2.0}

Drivable = Callable[[np.ndarray], np.ndarray]  # points (n, 2) -> bool (n,)


@dataclass(frozen=True)
class Setting:
    """What a plan is judged against: the recorded drive and the recorded agents, at now and every half second after."""

    driven: np.ndarray  # (t + 1, 3) recorded x, y, yaw of the ego frame; the first is now, zeros
    speed_mps: float  # of the ego now
    agents: np.ndarray  # (t + 1, a, 5) centre x, y, width, length, yaw
    there: np.ndarray  # (t + 1, a) bool
    is_static: np.ndarray  # (a,) bool: a thing, not a road user
    ego_size: tuple[float, float] = (1.85, 4.084)  # width, length
    ego_ahead_m: float = 1.44  # box centre before the rear axle
    is_drivable: Drivable | None = None  # None: nobody knows, the term is 1


@dataclass(frozen=True)
class SubScores:
    """Each in [0, 1]."""

    no_collision: float
    drivable_area: float
    progress: float
    time_to_collision: float
    comfort: float

    @property
    def pdms_style(self) -> float:
        """The two that must not fail times the weighted mean of the others."""
        mean = sum(weight * getattr(self, name) for name, weight in WEIGHTS.items()) / sum(WEIGHTS.values())
        return self.no_collision * self.drivable_area * mean


def score_plan(poses: np.ndarray, setting: Setting) -> SubScores:
    """Judge planned poses (t, 3) x, y, yaw of the ego frame, every half second from 0.5 s on.

    Raises ValueError when plan and recording are not of the same length.
    """
    if poses.shape != setting.driven[1:].shape:
        raise ValueError(f"plan {poses.shape} does not fit the recorded poses {setting.driven[1:].shape}")
    path = np.concatenate([np.zeros((1, 3)), poses])
    boxes = _ego_boxes(path, setting)
    return SubScores(
        _no_collision(path, boxes, setting),
        _drivable_area(boxes, setting),
        _progress(path, setting),
        _time_to_collision(path, boxes, setting),
        _comfort(path, setting.speed_mps),
    )


def _ego_boxes(path: np.ndarray, setting: Setting) -> np.ndarray:
    yaw = path[:, 2]
    ahead = setting.ego_ahead_m * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
    sizes = np.broadcast_to(setting.ego_size, (len(path), 2))
    return np.concatenate([path[:, :2] + ahead, sizes, yaw[:, None]], axis=-1)


def _no_collision(path: np.ndarray, boxes: np.ndarray, setting: Setting) -> float:
    """0 for an at-fault collision with a road user, 0.5 with a thing; only an agent's first contact is judged."""
    hits = overlap(boxes[:, None], setting.agents) & setting.there
    worst = 1.0
    for agent in np.flatnonzero(
        hits[1:].any(axis=0) & ~hits[0]
    ):  # who is touched now already is no merit of the plan
        step = int(np.argmax(hits[1:, agent])) + 1
        if _at_fault(path, boxes, setting, agent, step):
            worst = min(worst, 0.5 if setting.is_static[agent] else 0.0)
        if worst == 0.0:
            break
    return worst


def _at_fault(path: np.ndarray, boxes: np.ndarray, setting: Setting, agent: int, step: int) -> bool:
    """Whoever drives into something standing, or hits an agent with the front; never who stands."""
    if _speeds(path)[step - 1] < STANDING_MPS:
        return False
    if setting.is_static[agent] or _agent_speed(setting, agent, step) < STOPPED_TRACK_MPS:
        return True
    forward, aside = _corners_in(boxes[step], setting.agents[step, agent])
    length, width = boxes[step, 3], boxes[step, 2]
    # reaches before the bumper, between the sides: a front hit
    if forward.max() > length / 2 and aside.min() < width / 2 and aside.max() > -width / 2:
        return True
    # was all before the bumper half a second ago: hit by the front in between
    before, _ = _corners_in(boxes[step - 1], setting.agents[step - 1, agent])
    return bool(setting.there[step - 1, agent] and before.min() > length / 2)


def _corners_in(box: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far ahead of a box's centre, and how far to its left, the corners (4,) of another box lie."""
    gap, yaw = box_rings(other) - box[:2], box[4]
    return gap @ (np.cos(yaw), np.sin(yaw)), gap @ (-np.sin(yaw), np.cos(yaw))


def _agent_speed(setting: Setting, agent: int, step: int) -> float:
    if not setting.there[step - 1, agent]:
        return float("inf")
    moved = setting.agents[step, agent, :2] - setting.agents[step - 1, agent, :2]
    return float(np.hypot(*moved)) / STEP_S


def _drivable_area(boxes: np.ndarray, setting: Setting) -> float:
    if setting.is_drivable is None:
        return 1.0
    return float(setting.is_drivable(box_rings(boxes).reshape(-1, 2)).all())


def _progress(path: np.ndarray, setting: Setting) -> float:
    """Way along the recorded track, as a share of the recorded one; a plan that gets further gets 1."""
    track = setting.driven[:, :2]
    recorded_m = float(arc_length(track)[-1])
    if recorded_m < SHORT_M:
        return 1.0
    beyond = track[-1] + (track[-1] - track[-2]) * 10  # so that who drives further is measured further
    made_m, _ = project(np.concatenate([track, beyond[None]]), path[-1, :2])
    return float(np.clip(made_m / recorded_m, 0.0, 1.0))


def _time_to_collision(path: np.ndarray, boxes: np.ndarray, setting: Setting) -> float:
    """0 if going on straight from any step would hit an agent ahead within 0.9 s; who was touched already is left out."""
    touched = np.logical_or.accumulate(overlap(boxes[:, None], setting.agents) & setting.there)
    speeds = np.concatenate([[setting.speed_mps], _speeds(path)])
    seconds = np.array(TTC_S)[:, None, None]
    for step in range(1, len(path)):
        if speeds[step] < STANDING_MPS:
            continue
        yaw = boxes[step, 4]
        direction = np.array([np.cos(yaw), np.sin(yaw)])
        agents, there = setting.agents[step], setting.there[step] & ~touched[step]
        motion = (agents[:, :2] - setting.agents[step - 1, :, :2]) / STEP_S * setting.there[step - 1][:, None]
        asked = there & ((agents[:, :2] - boxes[step, :2]) @ direction > 0)
        ego = np.repeat(boxes[step][None, None], len(TTC_S), axis=0)  # (times, 1, 5)
        ego[..., :2] += direction * speeds[step] * seconds
        others = np.repeat(agents[None, asked], len(TTC_S), axis=0)  # (times, agents, 5)
        others[..., :2] += motion[asked] * seconds
        if overlap(ego, others).any():
            return 0.0
    return 1.0


def _comfort(path: np.ndarray, speed_mps: float) -> float:
    """1 if all six bounds hold at every step."""
    speeds = np.concatenate([[speed_mps], _speeds(path)])
    yaw_rates = np.diff(np.unwrap(path[:, 2])) / STEP_S
    lon_accels = np.diff(speeds) / STEP_S
    lat_accels = speeds[1:] * yaw_rates
    lon_jerks = np.diff(lon_accels) / STEP_S
    jerks = np.hypot(lon_jerks, np.diff(lat_accels) / STEP_S)
    bounds = [
        (lon_accels, *LON_ACCEL_MPS2),
        (lat_accels, -LAT_ACCEL_MPS2, LAT_ACCEL_MPS2),
        (jerks, -JERK_MPS3, JERK_MPS3),
        (lon_jerks, -LON_JERK_MPS3, LON_JERK_MPS3),
        (np.diff(yaw_rates) / STEP_S, -YAW_ACCEL_RADPS2, YAW_ACCEL_RADPS2),
        (yaw_rates, -YAW_RATE_RADPS, YAW_RATE_RADPS),
    ]
    return float(all((low <= values).all() and (values <= high).all() for values, low, high in bounds))


def _speeds(path: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(path[:, :2], axis=0), axis=1) / STEP_S
