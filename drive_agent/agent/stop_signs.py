"""What a driver keeps in mind of a stop sign: where its line is, and whether the car has stood before it.

A model that looks at two pictures tells a sign with certainty until the car is slow and near, then takes slowness for
a stop made. The own odometry knows better. Knows nothing of models.
"""

from __future__ import annotations

import math

from drive_agent.types import EgoState

ZONE_M = 2.2  # who has stood this near to the line has obeyed its sign
NEAR_M = 8.0  # a sign that is not told again from farther away was none
FIRST_M = 4.0  # nor is what appears from nowhere nearer than this, often where a light goes out of sight
PASSED_M = -1.0
FORGET_US = 1_000_000  # between two looks; another route begins at another time


class StopSigns:
    """The line of the last told stop sign, until the car has stood before it or has passed it."""

    def __init__(self) -> None:
        self._last: tuple[float, EgoState] | None = None

    def way_m(self, told_m: float | None, ego: EgoState) -> float | None:
        """From the front of the car to the line that is still to be obeyed, where a model tells one `told_m` ahead."""
        way_m = self._remembered_m(ego)
        if told_m is not None and (way_m is not None or told_m > FIRST_M):
            way_m = told_m
        if way_m is not None and way_m + ego.since_stop_m < ZONE_M:
            way_m = None
        self._last = None if way_m is None else (way_m, ego)
        return way_m

    def _remembered_m(self, ego: EgoState) -> float | None:
        if self._last is None:
            return None
        way_m, then = self._last
        if not 0 < ego.time_us - then.time_us <= FORGET_US:
            return None
        way_m -= math.hypot(ego.x_m - then.x_m, ego.y_m - then.y_m)
        return way_m if PASSED_M < way_m < NEAR_M else None
