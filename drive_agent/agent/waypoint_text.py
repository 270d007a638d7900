"""Waypoints as text, in the wording of published planners: eight points (x, y, heading) in 4 s, at 2 Hz.

    Here is the planning trajectory [PT, (+2.51, +0.00, +0.00), (+5.03, +0.02, +0.01), ...].

The wording is that of the ReCogDrive family (arXiv 2506.08052), metres and radians in the ego frame of the pictures' time.
It tells where and how fast in one: a car that stands has no path, so reading goes on straight beyond the last point.
Knows nothing of models.
"""

from __future__ import annotations

import re

import numpy as np

from drive_agent.agent.plan_text import MAX_SPEED_MPS
from drive_agent.geometry import arc_length, resample
from drive_agent.types import Plan, PlanError

STEP_S = 0.5
POINTS = 8
TIMES_S = STEP_S * np.arange(1, POINTS + 1)
REACH_M = 12.0  # length of the path at least, for a controller that looks ahead of a standing car
MOVED_M = 0.2  # less than this between two points has no direction

_NUMBER = r"[+-][0-9]{1,2}\.[0-9][0-9]"
_LOOSE = r"\(\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*,\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*(?:,\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*)?\)"
WAYPOINTS_PATTERN = (
    rf"Here is the planning trajectory \[PT(?:, \({_NUMBER}, {_NUMBER}, {_NUMBER}\)){{{POINTS}}}\]\."
)


def write_waypoints(plan: Plan) -> str:
    """The sentence of a plan: its path driven at its speeds. Speeds beyond the last told time stay as they are."""
    path = np.vstack([[0.0, 0.0], plan.path_ego])
    path = path[np.append(True, np.linalg.norm(np.diff(path, axis=0), axis=1) > 1e-6)]
    fine_s = np.arange(0.0, TIMES_S[-1] + 0.01, 0.05)
    speeds = np.interp(fine_s, plan.speed_times_s, plan.speeds_mps)
    driven = np.concatenate([[0.0], np.cumsum(0.05 * (speeds[1:] + speeds[:-1]) / 2)])
    stations = np.interp(TIMES_S, fine_s, driven)
    points, ahead = resample(path, stations), resample(path, stations + 0.5)
    headings = np.arctan2(*(ahead - points).T[::-1])
    rows = np.column_stack([points, headings])
    return f"Here is the planning trajectory [PT, {', '.join(_row(row) for row in rows)}]."


def read_waypoints(text: str, time_us: int) -> Plan | PlanError:
    """The plan in a text: the first eight points after `[PT`, headings optional, made from pictures of `time_us`."""
    _, mark, told = text.partition("[PT")
    found = re.findall(_LOOSE, told)[:POINTS]
    if not mark or len(found) < POINTS:
        return PlanError(
            f"{len(found)} waypoints in {text[-80:]!r}, expected {POINTS} as '[PT, (+x.xx, +y.yy, +h.hh), ...]'"
        )
    points = np.vstack([[0.0, 0.0], [(float(x), float(y)) for x, y, _ in found]])
    speeds = np.linalg.norm(np.diff(points, axis=0), axis=1) / STEP_S
    if speeds.max() > MAX_SPEED_MPS:
        worst = int(np.argmax(speeds))
        return PlanError(
            f"waypoint {worst + 1} needs {speeds[worst]:.0f} m/s from the one before, expected at most "
            f"{MAX_SPEED_MPS:g}"
        )
    return Plan(time_us, _path(points), TIMES_S - STEP_S / 2, speeds)


def _path(points: np.ndarray) -> np.ndarray:
    """Waypoints without those that hardly move, then straight on until the path is long enough."""
    kept = [points[0]]
    for point in points[1:]:
        if np.linalg.norm(point - kept[-1]) > MOVED_M:
            kept.append(point)
    if len(kept) == 1:
        kept.append(kept[0] + (MOVED_M, 0.0))
    path = np.array(kept)
    length = arc_length(path)[-1]
    if length >= REACH_M:
        return path
    return np.vstack([path, resample(path, np.array([REACH_M]))])


def _row(row: np.ndarray) -> str:
    x, y, heading = (round(min(max(float(value), -99.0), 99.0), 2) + 0.0 for value in row)
    return f"({x:+.2f}, {y:+.2f}, {heading:+.2f})"
