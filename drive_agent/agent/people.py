"""People who were told, followed from look to look: where they walk, and whether that is into the own way.

A model tells where a person is by the bearing well and by the range badly, now and then not at all, and hardly how they
move; several looks and the own odometry tell it better. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import from_frame, resample, to_frame
from drive_agent.rig import FRONT_M
from drive_agent.types import EgoState

# errors of told places, along and across the line of sight
RANGE_SHARE, BEARING_SHARE, BEARING_M = 0.15, 0.04, 0.15
PACE_MPS, PUSH_MPS2 = 2.0, 2.0  # spread of a person's velocity before it is known, and of its changes
GATE = 3.0  # standard deviations within which a told place belongs to somebody known
FORGET_US = 1_000_000
SIGHTINGS, SURE = 2, 0.7  # so many looks, or one so sure, before anybody counts
AHEAD_S = np.arange(0.0, 2.1, 0.5)
IN_THE_WAY_M = 0.92 + 0.3  # half the car and a little
REACH_M = 40.0
CAMERA_M = 1.4  # rear axle to the camera
BESIDE_M = 2.5  # who is not so far before the rear axle is beside the car


@dataclass
class _Person:
    mean: np.ndarray  # (4,) place and velocity in the world
    spread: np.ndarray  # (4, 4) their covariance
    looks: int
    score: float
    seen_us: int


class People:
    """Call `way_m` with every look."""

    def __init__(self) -> None:
        self._people: list[_Person] = []
        self._last_us = 0

    def way_m(self, told: np.ndarray, path_ego: np.ndarray, ego: EgoState) -> float | None:
        """Free way from the front bumper to whoever is or soon will be on the path (n, 2); None where nobody is.

        `told` (m, 3): x_m, y_m in the ego frame and score of the people whom a model tells.
        """
        self._move_on(ego.time_us)
        self._meet(told[np.abs(told[:, :2]).max(1) < REACH_M], ego)
        if not self._people:
            return None
        line = resample(np.vstack([np.zeros((1, 2)), path_ego]), np.arange(0.0, REACH_M, 0.5))
        ways_m = [
            self._way_m(one, line, ego) for one in self._people if one.looks >= SIGHTINGS or one.score >= SURE
        ]
        nearest_m = min(ways_m, default=np.inf)
        return None if np.isinf(nearest_m) else max(nearest_m, 0.0)

    def _move_on(self, time_us: int) -> None:
        """Everyone to where they should be by now."""
        step_s = (time_us - self._last_us) * 1e-6
        self._last_us = time_us
        self._people = [one for one in self._people if 0 < time_us - one.seen_us <= FORGET_US]
        step = np.eye(4)
        step[0, 2] = step[1, 3] = step_s
        push = np.vstack([np.eye(2) * step_s**2 / 2, np.eye(2) * step_s])
        for one in self._people:
            one.mean = step @ one.mean
            one.spread = step @ one.spread @ step.T + PUSH_MPS2**2 * push @ push.T

    def _meet(self, told: np.ndarray, ego: EgoState) -> None:
        """Each told place goes to the likeliest person who has none yet, or to somebody new (Kalman's update)."""
        free = list(self._people)
        places = from_frame(told[:, :2], ego.x_m, ego.y_m, ego.yaw_rad)
        for place, (x_m, y_m, score) in zip(places, told, strict=True):
            error = _error(float(x_m), float(y_m), ego.yaw_rad)
            known = [(_distance(one, place, error), k) for k, one in enumerate(free)]
            distance, k = min(known, default=(np.inf, -1))
            if distance < GATE:
                _update(free.pop(k), place, error, float(score), ego.time_us)
                continue
            spread = np.zeros((4, 4))
            spread[:2, :2], spread[2:, 2:] = error, np.eye(2) * PACE_MPS**2
            self._people.append(_Person(np.array([*place, 0.0, 0.0]), spread, 1, float(score), ego.time_us))

    @staticmethod
    def _way_m(one: _Person, line: np.ndarray, ego: EgoState) -> float:
        places = to_frame(one.mean[:2] + AHEAD_S[:, None] * one.mean[2:], ego.x_m, ego.y_m, ego.yaw_rad)
        gaps_m = np.linalg.norm(places[:, None] - line, axis=2)
        inside = (gaps_m.min(1) < IN_THE_WAY_M) & (places[:, 0] > BESIDE_M)
        return float(0.5 * gaps_m.argmin(1)[inside].min() - FRONT_M) if inside.any() else np.inf


def _error(x_m: float, y_m: float, yaw_rad: float) -> np.ndarray:
    """Covariance (2, 2) in the world of a place that is told at x_m, y_m in the ego frame."""
    range_m, bearing = np.hypot(x_m - CAMERA_M, y_m), yaw_rad + np.arctan2(y_m, x_m - CAMERA_M)
    along = np.array([np.cos(bearing), np.sin(bearing)])
    across = np.array([-along[1], along[0]])
    return (RANGE_SHARE * range_m) ** 2 * np.outer(along, along) + (
        BEARING_SHARE * range_m + BEARING_M
    ) ** 2 * np.outer(across, across)


def _distance(one: _Person, place: np.ndarray, error: np.ndarray) -> float:
    """Mahalanobis distance of a told place."""
    gap = place - one.mean[:2]
    return float(np.sqrt(gap @ np.linalg.solve(one.spread[:2, :2] + error, gap)))


def _update(one: _Person, place: np.ndarray, error: np.ndarray, score: float, time_us: int) -> None:
    gain = np.linalg.solve(one.spread[:2, :2] + error, one.spread[:2]).T
    one.mean = one.mean + gain @ (place - one.mean[:2])
    one.spread = one.spread - gain @ one.spread[:2]
    one.looks, one.score, one.seen_us = one.looks + 1, max(one.score, score), time_us
