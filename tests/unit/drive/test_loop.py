"""The loop drives a route to its end in a world that moves the car as it is told, and tells whose fault a failure is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drive_agent.drive.env import Ground
from drive_agent.drive.loop import AGENT_CRASHED, SIMULATION_CRASHED, STOP, AgentError, run_episode, status_of
from drive_agent.log.schema import Outcome, ScenarioEvent
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.types import (
    Briefing,
    Command,
    ControlTerms,
    Decision,
    Maneuver,
    SensorPacket,
    Truth,
)
from scenarios.routes import RouteSpec
from tests.worlds import EGO_LANE_Y, TICK_US, header, straight_route, street, truth

ROUTE, MAP = straight_route(60), street(200)
SPEC = RouteSpec("7", "Street", ROUTE.points[[0, -1]], (), ())
TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)


class Street:
    """A car on a straight lane: full throttle is 10 m/s at once. `breaks_at` ends the simulation in that tick."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self._breaks_at = breaks_at
        self.applied: list[Command] = []

    def reset(self, spec: RouteSpec, seed: int) -> tuple[Briefing, Ground]:
        self.seed, self._tick, self._x_m, self._speed_mps = seed, 1, 0.0, 0.0
        briefing = Briefing(np.array([[49.0, 8.0], [49.0, 8.001]]), (Maneuver.LANE_FOLLOW,) * 2)
        return briefing, Ground(MAP, ROUTE)

    def observe(self) -> SensorPacket:
        return SensorPacket(self._tick * TICK_US, 49.0, 8.0, 0.0, 0.0, 0.0, self._speed_mps, {})

    def scenario_events(self) -> tuple[ScenarioEvent, ...]:
        return ()

    def truth(self) -> Truth:
        return truth(self._tick, self._x_m, EGO_LANE_Y, speed_mps=self._speed_mps)

    def apply(self, command: Command) -> None:
        self.applied.append(command)
        if self._tick == self._breaks_at:
            raise RuntimeError("time-out of 10000ms\nwhile waiting for the simulator")
        self._tick += 1
        self._speed_mps = 10.0 * command.throttle
        self._x_m += self._speed_mps * TICK_US / 1e6


class FullThrottle:
    """Drives straight on. `fails_at` is the tick in which it raises; 0 means when it is briefed."""

    def __init__(self, fails_at: int | None = None) -> None:
        self._fails_at = fails_at

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        if self._fails_at == 0:
            raise KeyError("no such camera")

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        assert packet.time_us == truth.time_us
        if packet.time_us == (self._fails_at or 0) * TICK_US:
            raise ZeroDivisionError("division\nby zero")
        return Decision(Command(1.0, 0.0, 0.0), TERMS, TERMS, "", None)


class Witness:
    """Keeps what listeners are told."""

    def __init__(self) -> None:
        self.percents: list[float] = []

    def tick(self, truth: Truth, decision: Decision, completion_percent: float) -> None:
        self.percents.append(completion_percent)


def drive(folder: Path, env: Street, driver: FullThrottle, witness: Witness | None = None) -> Outcome:
    def open_log(briefing: Briefing, ground: Ground) -> EpisodeWriter:
        return EpisodeWriter(folder / "log.mcap", header(ground.route), ground.road_map)

    return run_episode(env, driver, SPEC, 5, open_log, [witness] if witness else [])


def test_a_route_is_driven_to_its_end_and_logged_tick_by_tick(tmp_path):
    env, witness = Street(), Witness()
    outcome = drive(tmp_path, env, FullThrottle(), witness)
    assert outcome.status == "Completed" and env.seed == 5
    assert witness.percents == sorted(witness.percents) and witness.percents[-1] == 100
    with Episode.open(tmp_path / "log.mcap") as episode:
        truths, ticks = list(episode.truths()), list(episode.ticks())
        assert episode.outcome == outcome and episode.truncated is None
    assert len(truths) == len(ticks) == len(witness.percents)
    assert len(env.applied) == len(truths) - 1  # the last decision is not driven
    assert outcome.simulated_s == pytest.approx(len(truths) * TICK_US / 1e6)
    assert truths[-1].ego[0] == pytest.approx(60.0, abs=10.0)


@pytest.mark.parametrize(
    ("fails_at", "reason", "ticks"),
    [(0, "KeyError: 'no such camera'", 0), (7, "ZeroDivisionError: division by zero", 8)],
)
def test_what_the_driver_raises_is_the_drivers_fault_and_the_car_is_stopped(
    tmp_path, fails_at, reason, ticks
):
    env = Street()
    with pytest.raises(AgentError) as caught:
        drive(tmp_path, env, FullThrottle(fails_at))
    assert status_of(caught.value) == AGENT_CRASHED
    if fails_at:
        assert env.applied[-1] == STOP.command and env.truth().ego[5] == 0.0
    with Episode.open(tmp_path / "log.mcap") as episode:
        assert episode.outcome is not None
        assert (episode.outcome.status, episode.outcome.reason) == (AGENT_CRASHED, reason)
        assert len(list(episode.truths())) == ticks


def test_what_the_world_raises_is_the_simulations_fault(tmp_path):
    with pytest.raises(RuntimeError, match="time-out") as caught:
        drive(tmp_path, Street(breaks_at=4), FullThrottle())
    assert status_of(caught.value) == SIMULATION_CRASHED
    with Episode.open(tmp_path / "log.mcap") as episode:
        assert episode.outcome is not None and episode.outcome.status == SIMULATION_CRASHED
        assert episode.outcome.reason == "time-out of 10000ms while waiting for the simulator"
        assert len(list(episode.truths())) == 4


def test_time_that_stands_still_is_the_simulations_fault(tmp_path):
    class Frozen(Street):
        def truth(self) -> Truth:
            return truth(3, self._x_m, EGO_LANE_Y, speed_mps=self._speed_mps)

    env, driver = Frozen(), FullThrottle()
    env.observe = lambda: SensorPacket(3 * TICK_US, 49.0, 8.0, 0.0, 0.0, 0.0, 0.0, {})
    with pytest.raises(RuntimeError, match="simulated time stands still at 150000 us"):
        drive(tmp_path, env, driver)
