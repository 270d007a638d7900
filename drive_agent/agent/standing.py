"""How long the own car has been standing. Knows nothing of why."""

from __future__ import annotations

from drive_agent.agent.bounds import STANDING_MPS
from drive_agent.types import EgoState


class Standing:
    """Remembers since when."""

    def __init__(self) -> None:
        self._since_us: int | None = None

    def for_s(self, ego: EgoState) -> float:
        """Seconds, 0 for who moves; call with every look."""
        if ego.speed_mps >= STANDING_MPS:
            self._since_us = None
            return 0.0
        if self._since_us is None or self._since_us > ego.time_us:  # or: another route
            self._since_us = ego.time_us
        return (ego.time_us - self._since_us) * 1e-6
