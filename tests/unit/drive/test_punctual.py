"""Whose turn it is shows from outside, and who is late has failed."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

from drive_agent.drive import pulse as pulses
from drive_agent.drive.env import Ground
from drive_agent.drive.pulse import Pulse, Stage, Watch
from drive_agent.drive.punctual import PunctualDriver
from drive_agent.types import Briefing, Command, ControlTerms, Decision, SensorPacket, Truth
from tests.worlds import truth

TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
DECISION = Decision(Command(0.1, 0.0, 0.0), TERMS, TERMS, "", None)
PACKET = SensorPacket(0, 49.0, 8.0, 0.0, 0.0, 0.0, 0.0, {})


class Sleeper:
    """A driver that answers when it is let."""

    def __init__(self, pulse: Pulse) -> None:
        self.let, self._pulse = threading.Event(), pulse
        self.stages: list[Stage] = []

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        raise KeyError("no such town")

    def step(self, packet: SensorPacket, now: Truth) -> Decision:
        self.stages.append(self._pulse.stage)
        self.let.wait(30.0)
        return DECISION


@pytest.fixture
def pulse() -> Pulse:
    return Pulse(multiprocessing.get_context("spawn"))


def test_an_answer_in_time_is_the_drivers(pulse):
    sleeper = Sleeper(pulse)
    sleeper.let.set()
    driver = PunctualDriver(sleeper, 10.0, pulse)
    with pulse.during(Stage.SIMULATOR):
        assert driver.step(PACKET, truth(0, 0.0)) is DECISION
        assert sleeper.stages == [Stage.DRIVER] and pulse.stage is Stage.SIMULATOR
    assert pulse.stage is Stage.IDLE and not driver.stuck
    with pytest.raises(KeyError, match="no such town"):
        driver.brief(None, None)  # pyright: ignore[reportArgumentType]


def test_a_late_driver_has_failed_and_is_stuck(pulse):
    sleeper = Sleeper(pulse)
    driver = PunctualDriver(sleeper, 0.05, pulse)
    with pytest.raises(TimeoutError, match=r"took longer than 0.05 s for one decision \(runner.answer_s\)"):
        driver.step(PACKET, truth(0, 0.0))
    assert driver.stuck
    sleeper.let.set()


def test_stillness_counts_from_the_last_move(pulse, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(pulses.time, "monotonic", lambda: clock[0])
    watch = Watch(pulse)
    clock[0] = 103.0
    assert watch.still_s() == 3.0
    with pulse.during(Stage.SIMULATOR):
        assert watch.still_s() == 0.0  # driving began
        clock[0] = 110.0
        with pulse.during(Stage.DRIVER):
            assert watch.still_s() == 7.0  # the two take turns: only time that advances is a move
        pulse.beat(50_000)
        assert watch.still_s() == 0.0
