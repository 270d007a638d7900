"""Ticks of others are taken as they come: the newest, or the newest on which the cameras deliver."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from drive_agent.drive.guest_ticks import OthersTicks, OwnTicks


@dataclass
class Settings:
    synchronous_mode: bool = False
    fixed_delta_seconds: float | None = None


@dataclass(frozen=True)
class Snapshot:
    frame: int


@dataclass
class World:
    """Settings that are kept, and somebody who listens."""

    settings: Settings = field(default_factory=Settings)
    frame: int = 0
    listeners: dict = field(default_factory=dict)

    def get_settings(self) -> Settings:
        return Settings(self.settings.synchronous_mode, self.settings.fixed_delta_seconds)

    def apply_settings(self, settings: Settings) -> None:
        self.settings = settings

    def tick(self) -> None:
        self.frame += 1

    def get_snapshot(self) -> Snapshot:
        return Snapshot(self.frame)

    def on_tick(self, callback) -> int:
        self.listeners[7] = callback
        return 7

    def remove_on_tick(self, number: int) -> None:
        del self.listeners[number]

    def others_tick(self, *frames: int) -> None:
        for frame in frames:
            self.listeners[7](Snapshot(frame))


def stay() -> None:
    """Nobody wants to leave."""


def others(world: World, leave=stay, patience_s: float = 5.0) -> OthersTicks:
    world.settings = Settings(synchronous_mode=True, fixed_delta_seconds=0.05000000074505806)
    ticks = OthersTicks(world, leave, patience_s)
    ticks.start()
    return ticks


def test_of_several_ticks_the_newest_is_taken_unless_an_earlier_one_has_pictures():
    world = World()
    ticks = others(world)
    assert ticks.tick_s == 0.05
    world.others_tick(4, 5, 6)
    assert ticks.advance().frame == 6
    world.others_tick(7, 8, 9, 10, 11, 12)
    assert ticks.advance(lambda frame: frame % 5 == 0).frame == 10
    assert ticks.advance(lambda frame: frame % 5 == 0).frame == 12
    ticks.close()
    assert world.listeners == {}


def test_who_waits_for_others_may_leave_and_does_not_wait_for_ever():
    def leave() -> None:
        raise KeyError("told to go")

    with pytest.raises(KeyError):
        others(World(), leave).advance()
    with pytest.raises(RuntimeError, match="nobody ticked this world for 0 s; let its other client go on"):
        others(World(), patience_s=0.01).advance()


def test_a_step_that_varies_is_refused():
    with pytest.raises(ValueError, match="this world's step varies"):
        OthersTicks(World(), stay, 1.0)


@pytest.mark.parametrize("before", [Settings(), Settings(synchronous_mode=True, fixed_delta_seconds=0.1)])
def test_who_ticks_gives_the_time_back_as_it_was(before):
    world = World(before)
    ticks = OwnTicks(world, 0.05)
    ticks.start()
    assert world.settings == Settings(synchronous_mode=True, fixed_delta_seconds=0.05)
    assert [ticks.advance().frame for _ in range(3)] == [1, 2, 3]
    ticks.close()
    assert world.settings == before
