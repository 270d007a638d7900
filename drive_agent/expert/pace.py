"""When the own car would be where if it went now: the time that a gap in the traffic has to last.

Knows the way ahead and the own speed, nothing of others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.corridor import Corridor

GO_MPS2 = 3.0  # what the car does from standstill, measured, a little less
EASE_MPS2 = 2.0  # braking down to the speed of a curve
START_S = 0.4  # from standstill, until it moves
STANDING_MPS = 0.5


@dataclass(frozen=True)
class Pace:
    """A free run along the corridor. Arrays have a row a metre."""

    times_s: np.ndarray  # (n,) from now
    speeds_mps: np.ndarray  # (n,)

    @classmethod
    def along(cls, corridor: Corridor, speed_mps: float) -> Pace:
        """As fast as curves and limits allow."""
        speeds = [speed_mps]
        for cruise_mps in corridor.cruise_mps[1:]:
            faster = np.sqrt(speeds[-1] ** 2 + 2.0 * GO_MPS2)
            slower = np.sqrt(max(speeds[-1] ** 2 - 2.0 * EASE_MPS2, 0.0))
            speeds.append(float(np.clip(cruise_mps, slower, faster)))
        speeds_mps = np.maximum(np.array(speeds), 1e-3)
        steps_s = 2.0 / (speeds_mps[:-1] + speeds_mps[1:])
        lag_s = START_S if speed_mps < STANDING_MPS else 0.0
        return cls(np.concatenate([[0.0], lag_s + np.cumsum(steps_s)]), speeds_mps)

    def time_for(self, way_m: np.ndarray) -> np.ndarray:
        """Seconds until so many metres are driven, 0 for those behind."""
        beyond_s = np.maximum(way_m - (len(self.times_s) - 1), 0.0) / self.speeds_mps[-1]
        return np.interp(way_m, np.arange(len(self.times_s)), self.times_s) + beyond_s

    def way_at(self, time_s: np.ndarray) -> np.ndarray:
        """Metres driven after so many seconds."""
        beyond_m = np.maximum(time_s - self.times_s[-1], 0.0) * self.speeds_mps[-1]
        return np.interp(time_s, self.times_s, np.arange(len(self.times_s))) + beyond_m
