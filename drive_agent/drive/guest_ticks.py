"""Who moves time on in a world that already runs: we, until we leave, or another client, all along.

A world's settings belong to everybody in it. They are changed only where we tick, and given back by `close`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import carla

_KEPT = 1024  # ticks of others that we have not come to yet
_LOOK_S = 0.1  # how long a wait for somebody else's tick lasts before one looks whether to leave


class Ticks(Protocol):
    """Time of a world. `tick_s` is its step."""

    tick_s: float

    def start(self) -> None:
        """Take hold of the world's time, where it is ours to take."""
        ...

    def advance(self, due: Callable[[int], bool] | None = None) -> carla.WorldSnapshot:
        """The next tick to act on; where several have passed, the newest one that is `due`, else the newest."""
        ...

    def close(self) -> None:
        """Give the world's time back as it was."""
        ...


class OwnTicks:
    """The world waits for us while we are here, and goes on at the clock's pace at most: others' drivers live by it."""

    def __init__(self, world: carla.World, tick_s: float) -> None:
        self.tick_s = tick_s
        self._world = world
        before = world.get_settings()
        self._before = before.synchronous_mode, before.fixed_delta_seconds
        self._next_s = 0.0

    def start(self) -> None:
        self._set(synchronous=True, step_s=self.tick_s)

    def advance(self, due: Callable[[int], bool] | None = None) -> carla.WorldSnapshot:
        del due  # every tick is acted on
        time.sleep(max(self._next_s - time.monotonic(), 0.0))
        self._next_s = time.monotonic() + self.tick_s
        self._world.tick()
        return self._world.get_snapshot()

    def close(self) -> None:
        synchronous, step_s = self._before
        self._set(synchronous=synchronous, step_s=step_s)

    def _set(self, *, synchronous: bool, step_s: float | None) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = synchronous, step_s
        self._world.apply_settings(settings)


class OthersTicks:
    """Another client ticks, or the server by itself: we listen. Raises ValueError for a world whose step varies."""

    def __init__(self, world: carla.World, leave: Callable[[], None], patience_s: float) -> None:
        """`leave` is called while waiting, and raises when it is time to go."""
        step_s = world.get_settings().fixed_delta_seconds
        if not step_s:
            raise ValueError(
                "guest.ticks=others: this world's step varies (fixed_delta_seconds is 0), expected a fixed one; "
                "have it set by whoever ticks, or give guest.ticks=own"
            )
        self.tick_s = round(step_s, 6)  # told in single precision
        self._world, self._leave, self._patience_s = world, leave, patience_s
        self._passed: deque[carla.WorldSnapshot] = deque(maxlen=_KEPT)
        self._news = threading.Condition()
        self._listening: int | None = None

    def start(self) -> None:
        self._listening = self._world.on_tick(self._put)

    def advance(self, due: Callable[[int], bool] | None = None) -> carla.WorldSnapshot:
        with self._news:
            self._await_tick()
            passed = self._passed
            chosen = next((s for s in reversed(passed) if due is not None and due(s.frame)), passed[-1])
            while passed and passed[0].frame <= chosen.frame:
                passed.popleft()
        return chosen

    def close(self) -> None:
        if self._listening is not None:
            self._world.remove_on_tick(self._listening)

    def _await_tick(self) -> None:
        until = time.monotonic() + self._patience_s
        while not self._passed:
            self._leave()
            self._news.wait(_LOOK_S)
            if time.monotonic() > until:
                raise RuntimeError(
                    f"nobody ticked this world for {self._patience_s:.0f} s; let its other client go on, or give "
                    "guest.ticks=own to tick it from here"
                )

    def _put(self, snapshot: carla.WorldSnapshot) -> None:
        """Called by the client's thread."""
        with self._news:
            self._passed.append(snapshot)
            self._news.notify()
