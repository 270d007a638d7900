"""Who was just ahead and near is still there a moment later, told again or not.

A model that looks at two pictures loses a person or a car that comes very near, for a moment; the own odometry keeps
it. Knows nothing of models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from drive_agent.types import EgoState

NEAR_M = 12.0  # farther leads come and go as they are told
JUMP_M = 3.0  # a gap that grows by more than this from one look to the next has lost somebody
KEEP_US = 800_000  # who is not told again for so long is gone


@dataclass(frozen=True)
class _Lead:
    gap_m: float
    speed_mps: float
    seen: EgoState  # the own state when it was told
    then: EgoState  # the own state that `gap_m` belongs to


class Leads:
    """The free way to the last told lead."""

    def __init__(self) -> None:
        self._last: _Lead | None = None

    def ahead(self, told_m: float | None, speed_mps: float, ego: EgoState) -> tuple[float | None, float]:
        """Free way and the lead's speed, where a model tells a lead `told_m` ahead that drives at `speed_mps`."""
        kept = self._kept(ego)
        if kept is None or (told_m is not None and told_m < kept.gap_m + JUMP_M):
            self._last = None if told_m is None else _Lead(told_m, speed_mps, ego, ego)
            return told_m, speed_mps
        self._last = kept
        return kept.gap_m, kept.speed_mps

    def _kept(self, ego: EgoState) -> _Lead | None:
        """The last lead where it should be by now, None when it is far or has not been told for long."""
        last = self._last
        if last is None or not 0 < ego.time_us - last.seen.time_us <= KEEP_US:
            return None
        own_m = math.hypot(ego.x_m - last.then.x_m, ego.y_m - last.then.y_m)
        gap_m = last.gap_m - own_m + last.speed_mps * (ego.time_us - last.then.time_us) * 1e-6
        return _Lead(max(gap_m, 0.0), last.speed_mps, last.seen, ego) if gap_m < NEAR_M else None
