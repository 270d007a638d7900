"""One tick of a synchronous world whose client runs a traffic manager, without sleeping for ever.

The client (LibCarla 0.9.16, `TrafficManagerLocal`) signals between `world.tick()` and its traffic manager with flags that
are set and notified without holding the mutex, in both directions. When the waiting thread is just between testing its
flag and falling asleep, the signal is lost and the tick never returns; a timeout does not cover this wait. Leaving
synchronous mode notifies the manager, whose step then notifies the tick.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

log = logging.getLogger("drive_agent.drive")

SILENCE_S = 3.0  # longer than the embedded server needs to notice a manager that has not begun its step


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


def tick(world: World, manager: Manager, silence_s: float = SILENCE_S) -> int:
    """Advance the world by one tick; returns its frame.

    Once the frame has come and the tick has still not returned after `silence_s`, the manager is woken.
    """
    before = world.get_snapshot().frame
    done = threading.Event()

    def watch() -> None:
        while not done.wait(silence_s):
            if world.get_snapshot().frame != before:
                log.warning("the traffic manager sleeps through frame %d: waking it", before + 1)
                manager.set_synchronous_mode(False)
                manager.set_synchronous_mode(True)

    watcher = threading.Thread(target=watch, name="tick watcher", daemon=True)
    watcher.start()
    try:
        return world.tick()
    finally:
        done.set()
        watcher.join()
