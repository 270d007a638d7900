"""A sideways detour from the route as one value: how far aside, from where, until where. Knows nothing of its causes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LATERAL_ACCEL_MPS2 = 2.5
TURN_RADIUS_M = 6.5  # what the car turns in, with something in hand


@dataclass(frozen=True)
class Shift:
    """Stations are the route's, of the rear axle; a smooth step leads out and one back."""

    left_m: float  # positive to the left
    begin_m: float
    ramp_m: float  # length of the way out
    until_m: float = math.inf  # where the way back begins
    back_m: float = 10.0  # its length

    @property
    def end_m(self) -> float:
        return self.until_m + self.back_m

    def left_at(self, stations_m: np.ndarray) -> np.ndarray:
        """How far left of the route the path is at each station, (n,)."""
        out = _smooth((stations_m - self.begin_m) / max(self.ramp_m, 1e-3))
        return self.left_m * out * (1.0 - _smooth((stations_m - self.until_m) / self.back_m))

    def speeds_mps(self, stations_m: np.ndarray) -> np.ndarray:
        """The speed at each station (n,) at which changing sides is comfortable, inf on the straight pieces."""
        steering_out = (stations_m > self.begin_m) & (stations_m < self.begin_m + self.ramp_m)
        steering_back = (stations_m > self.until_m) & (stations_m < self.end_m)
        speeds = np.full(len(stations_m), np.inf)
        speeds[steering_out] = ramp_speed_mps(self.left_m, self.ramp_m)
        speeds[steering_back] = ramp_speed_mps(self.left_m, self.back_m)
        return speeds


AHEAD = Shift(0.0, -1e6, 1.0)  # along the route


def ramp_length_m(aside_m: float, speed_mps: float) -> float:
    """The way over which to move aside: comfortable at that speed, and no tighter than the car turns.

    A smooth step of height d over a length L has the curvature 6 d / L^2 at its ends; two arcs of radius R that touch
    move a car by d over sqrt(4 R d - d^2).
    """
    aside_m = abs(aside_m)
    arcs_m = math.sqrt(max(4.0 * TURN_RADIUS_M * aside_m - aside_m**2, 1.0))
    return max(arcs_m, speed_mps * math.sqrt(6.0 * aside_m / LATERAL_ACCEL_MPS2))


def ramp_speed_mps(aside_m: float, length_m: float) -> float:
    """Inverse of `ramp_length_m` for the comfortable speed, at least a walking pace."""
    return max(length_m * math.sqrt(LATERAL_ACCEL_MPS2 / max(6.0 * abs(aside_m), 1e-3)), 2.0)


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0.0, 1.0)
    return t**2 * (3.0 - 2.0 * t)
