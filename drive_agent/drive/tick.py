"""Ticks of a synchronous world whose client runs a traffic manager, without sleeping for ever.

The client (LibCarla 0.9.16, `TrafficManagerLocal`) hands over between `world.tick()` and its traffic manager with flags
that are set and notified without holding the mutex, in both directions. When the waiting thread is just between testing
its flag and falling asleep, the call is lost and the tick never returns; a timeout does not cover this wait. The embedded
server times its replies so that this cannot happen (`drive_agent/sim/client_threads.py`); CARLA's own server does not.
Leaving synchronous mode notifies the manager, whose step then notifies the tick.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

log = logging.getLogger("drive_agent.drive")

SILENCE_S = 3.0  # longer than the step of a traffic manager ever takes
_LOOKS = 4  # in SILENCE_S


class Snapshot(Protocol):
    @property
    def frame(self) -> int: ...


class World(Protocol):
    """`carla.World`, as far as it matters here."""

    def tick(self) -> int: ...

    def get_snapshot(self) -> Snapshot: ...


class Manager(Protocol):
    """`carla.TrafficManager`, as far as it matters here."""

    def set_synchronous_mode(self, mode: bool, /) -> None: ...  # noqa: FBT001 - carla names it so


class WatchedTicks:
    """Ticks, and a thread that wakes the manager when a tick's frame has come and the tick has still not returned."""

    def __init__(self, world: World, manager: Manager, silence_s: float = SILENCE_S) -> None:
        self._world, self._manager, self._silence_s = world, manager, silence_s
        self._under_way: int | None = None  # frame before the tick
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="tick watcher", daemon=True)
        self._watcher.start()

    def tick(self) -> int:
        """Advance the world by one tick; returns its frame."""
        self._under_way = self._world.get_snapshot().frame
        try:
            return self._world.tick()
        finally:
            self._under_way = None

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._watcher.join()

    def _watch(self) -> None:
        """The silence counts from when a frame was seen: a slow server alone must not wake a manager that will step."""
        sleeping, looks = None, 0
        while not self._closed.wait(self._silence_s / _LOOKS):
            before = self._under_way
            if before is None or self._world.get_snapshot().frame == before:
                sleeping, looks = None, 0
                continue
            looks = looks + 1 if sleeping == before else 1
            sleeping = before
            if looks > _LOOKS:
                log.warning("the traffic manager sleeps through frame %d: waking it", before + 1)
                self._manager.set_synchronous_mode(False)
                self._manager.set_synchronous_mode(True)
                looks = 0
