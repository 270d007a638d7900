"""What a driving process shows of itself while it drives: a few numbers in memory that its supervisor reads.

Written on every tick, at no cost; told apart are whose turn it is and how far the simulation has come. A process that
is stuck in a foreign library shows its last state, which is the point.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext

_STAGE, _TIME = 0, 1


class Stage(enum.IntEnum):
    """Whose turn it is."""

    IDLE = 0
    SIMULATOR = 1
    DRIVER = 2
    JUDGE = 3


class Pulse:
    """Shared between two processes: one sets, the other reads."""

    def __init__(self, context: SpawnContext) -> None:
        self._values = context.RawArray("d", 2)

    @property
    def stage(self) -> Stage:
        return Stage(int(self._values[_STAGE]))

    @property
    def simulated_us(self) -> float:
        return self._values[_TIME]

    def beat(self, simulated_us: int) -> None:
        """The simulation has come so far."""
        self._values[_TIME] = simulated_us

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """It is somebody's turn until the block ends."""
        before = self._values[_STAGE]
        self._values[_STAGE] = stage
        try:
            yield
        finally:
            self._values[_STAGE] = before


class Watch:
    """The supervisor's side: for how long nothing has moved."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._seen = self._now()
        self._since = time.monotonic()

    def still_s(self) -> float:
        """Seconds since simulated time advanced, or since driving or judging began."""
        now = self._now()
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        return time.monotonic() - self._since

    def _now(self) -> tuple[bool, float]:
        return self._pulse.stage in (Stage.SIMULATOR, Stage.DRIVER), self._pulse.simulated_us
