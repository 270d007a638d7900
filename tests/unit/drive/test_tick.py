"""A tick that the traffic manager sleeps through is ended; a slow server and a quick tick are left alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from drive_agent.drive.tick import WatchedTicks


@dataclass(frozen=True)
class Snapshot:
    frame: int


class World:
    """Its frame comes at once unless the server is slow; its tick returns when `awake` is set."""

    def __init__(self, awake: threading.Event, *, frame_comes: bool = True) -> None:
        self._awake, self._frame_comes, self._frame = awake, frame_comes, 7

    def get_snapshot(self) -> Snapshot:
        return Snapshot(self._frame)

    def tick(self) -> int:
        self._frame += self._frame_comes
        if not self._awake.wait(0.2 if not self._frame_comes else 20.0):
            raise RuntimeError("time-out while waiting for the simulator")
        return self._frame


class Manager:
    def __init__(self, awake: threading.Event) -> None:
        self._awake, self.modes = awake, []

    def set_synchronous_mode(self, mode: bool, /) -> None:
        self.modes.append(mode)
        if len(self.modes) == 2:
            self._awake.set()


def test_a_sleeper_is_woken_and_stays_synchronous():
    awake = threading.Event()
    manager = Manager(awake)
    ticks = WatchedTicks(World(awake), manager, silence_s=0.02)
    assert ticks.tick() == 8
    ticks.close()
    assert manager.modes[:2] == [False, True] and manager.modes[-1]


def test_a_quick_tick_wakes_nobody():
    awake = threading.Event()
    awake.set()
    manager = Manager(awake)
    ticks = WatchedTicks(World(awake), manager, silence_s=5.0)
    assert [ticks.tick() for _ in range(3)] == [8, 9, 10]
    ticks.close()
    assert manager.modes == []


def test_a_server_that_has_not_ticked_yet_is_waited_for():
    manager = Manager(awake := threading.Event())
    ticks = WatchedTicks(World(awake, frame_comes=False), manager, silence_s=0.02)
    with pytest.raises(RuntimeError, match="time-out"):
        ticks.tick()
    ticks.close()
    assert manager.modes == []


def test_a_pause_between_ticks_is_nobodys_sleep():
    awake = threading.Event()
    awake.set()
    manager = Manager(awake)
    ticks = WatchedTicks(World(awake), manager, silence_s=0.02)
    ticks.tick()
    threading.Event().wait(0.1)
    ticks.close()
    assert manager.modes == []


def test_no_watcher_outlives_its_ticks():
    before = threading.active_count()
    ticks = WatchedTicks(World(threading.Event()), Manager(threading.Event()))
    assert threading.active_count() == before + 1
    ticks.close()
    assert threading.active_count() == before
