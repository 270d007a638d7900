"""A plan as something to draw: points along its path with the colour of the speed planned there."""

from __future__ import annotations

import numpy as np

from drive_agent.geometry import arc_length, resample
from drive_agent.types import Plan
from replay.palette import Color, speed_colors

MAX_LENGTH_M = 60.0
STANDING_MPS = 0.3


def stops(plan: Plan) -> bool:
    """Does the profile end in standing still?"""
    return bool(plan.speeds_mps[-1] < STANDING_MPS)


def planned_speeds(plan: Plan, stations_m: np.ndarray) -> tuple[np.ndarray, float]:
    """Speeds (n,) planned at distances along the path, and how far the profile takes the car, metres."""
    times = np.concatenate([[0.0], plan.speed_times_s])
    speeds = np.concatenate([plan.speeds_mps[:1], plan.speeds_mps])
    distances = np.concatenate([[0.0], np.cumsum(np.diff(times) * (speeds[1:] + speeds[:-1]) / 2)])
    return np.interp(stations_m, distances, speeds), float(distances[-1])


def colored_path(plan: Plan, step_m: float) -> tuple[np.ndarray, list[Color], int]:
    """Path points (n, 2) in the plan's frame `step_m` apart, a colour each, and how many of them the car will reach."""
    length = min(float(arc_length(plan.path_ego)[-1]), MAX_LENGTH_M)
    stations = np.linspace(0.0, length, max(round(length / step_m), 1) + 1)
    speeds, reach_m = planned_speeds(plan, stations)
    return resample(plan.path_ego, stations), speed_colors(speeds), int(np.searchsorted(stations, reach_m))
