"""Bench2Drive's comfort ("driving smoothness"): the share of one-second pieces of a drive that stay within six bounds.

Source: Thinklab-SJTU/Bench2Drive, tools/efficiency_smoothness_benchmark.py. Two figures come out: the official one, with
its quirks (the yaw rate in deg/s against bounds in rad/s, no derivative taken for the yaw acceleration, a step of 0.1 s
for samples 0.05 s apart), and one with units and derivatives as the bounds mean them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from drive_agent.types import Truth

PIECE = 20  # samples
WINDOW, ORDER = 7, 2  # of the Savitzky-Golay filter
OFFICIAL_STEP_S = 0.1
LON_ACCEL_MPS2 = (-4.05, 2.40)
LAT_ACCEL_MPS2 = 4.89
JERK_MPS3, LON_JERK_MPS3 = 8.37, 4.13
YAW_ACCEL_RADPS2, YAW_RATE_RADPS = 1.93, 0.95


@dataclass(frozen=True)
class Comfort:
    """Shares in [0, 1]."""

    official: float
    corrected: float


class MotionTrace:
    """Collects the ego's motion tick by tick."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float]] = []
        self._times_us: list[int] = []

    def add(self, truth: Truth) -> None:
        """Take one tick."""
        yaw_rad, yaw_rate, ax, ay = (float(truth.ego[k]) for k in (3, 7, 8, 9))
        cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
        self._rows.append((ax * cos + ay * sin, ay * cos - ax * sin, math.hypot(ax, ay), yaw_rate))
        self._times_us.append(truth.time_us)

    def comfort(self) -> Comfort | None:
        """None for a drive too short to be filtered."""
        if len(self._rows) <= ORDER:
            return None
        motion = np.array(self._rows).T
        step_s = float(np.diff(self._times_us).mean()) * 1e-6
        pieces = _pieces(motion)
        return Comfort(
            official=float(np.mean([_is_comfortable_officially(piece) for piece in pieces])),
            corrected=float(np.mean([_is_comfortable(piece, step_s) for piece in pieces])),
        )


def _pieces(motion: np.ndarray) -> list[np.ndarray]:
    """(4, 20) each; an incomplete last one is dropped, a drive of no more than one piece is taken whole."""
    count = motion.shape[1]
    if count <= PIECE:
        return [motion]
    return [motion[:, k : k + PIECE] for k in range(0, count - PIECE + 1, PIECE)]


def _is_comfortable_officially(piece: np.ndarray) -> bool:
    yaw_rate_degps = smooth(unwrapped(np.degrees(piece[3])))
    return _accelerations_fit(piece, OFFICIAL_STEP_S) and bool(
        (np.abs(yaw_rate_degps) < YAW_RATE_RADPS).all() and (np.abs(yaw_rate_degps) < YAW_ACCEL_RADPS2).all()
    )


def _is_comfortable(piece: np.ndarray, step_s: float) -> bool:
    yaw_rate = smooth(piece[3])
    yaw_accel = smooth(yaw_rate, step_s)
    return _accelerations_fit(piece, step_s) and bool(
        (np.abs(yaw_rate) < YAW_RATE_RADPS).all() and (np.abs(yaw_accel) < YAW_ACCEL_RADPS2).all()
    )


def _accelerations_fit(piece: np.ndarray, step_s: float) -> bool:
    lon, lat, magnitude = (smooth(row) for row in piece[:3])
    return bool(
        (lon > LON_ACCEL_MPS2[0]).all()
        and (lon < LON_ACCEL_MPS2[1]).all()
        and (np.abs(lat) < LAT_ACCEL_MPS2).all()
        and (np.abs(smooth(magnitude, step_s)) < JERK_MPS3).all()
        and (np.abs(smooth(lon, step_s)) < LON_JERK_MPS3).all()
    )


def smooth(values: np.ndarray, derivative_step_s: float | None = None) -> np.ndarray:
    """Savitzky-Golay filter (window 7, order 2) of (n,) values, or its first derivative for samples so far apart.

    The first and last samples are read off the polynomials of the first and last windows.
    """
    operator = _operator(len(values), derivative_step_s is not None)
    return operator @ values / (derivative_step_s or 1.0)


def unwrapped(values: np.ndarray) -> np.ndarray:
    """Jumps of more than half a turn taken out, by the official rule (values are taken for radians)."""
    turns = np.concatenate([[0.0], np.cumsum(np.round(np.diff(values) / (2 * np.pi)))])
    return values - 2 * np.pi * turns


@cache
def _operator(count: int, is_derivative: bool) -> np.ndarray:  # noqa: FBT001 - the key of a cache
    """The filter of so many samples as a matrix (count, count)."""
    window = min(WINDOW, count)
    offsets = np.arange(window) - (window - 1) / 2
    fit = np.linalg.pinv(
        np.vander(offsets, ORDER + 1, increasing=True)
    )  # (order + 1, window): a window's polynomial
    matrix = np.zeros((count, count))
    for k in range(count):
        first = min(max(k - window // 2, 0), count - window)
        at = k - first - (window - 1) / 2
        read = (0.0, 1.0, 2 * at) if is_derivative else (1.0, at, at**2)
        matrix[k, first : first + window] = np.array(read) @ fit
    return matrix
