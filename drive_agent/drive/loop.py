"""The closed loop, whole: observe, decide, apply, log, judge, until the judge ends the route."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from drive_agent.drive.env import Driver, Env, Ground, Listener
from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.judge import RouteJudge
from drive_agent.types import Briefing, Command, ControlTerms, Decision, Truth
from scenarios.routes import RouteSpec

Answer = TypeVar("Answer")
STATUS = {  # the Leaderboard's wording of how a route ended
    "completed": "Completed",
    "route_deviation": "Failed - Agent deviated from the route",
    "blocked": "Failed - Agent got blocked",
    "timeout": "Failed - Agent timed out",
}
_IDLE = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
STOP = Decision(
    Command(0.0, 0.0, 1.0), _IDLE, _IDLE, "the driver failed", None
)  # brought to a stand without it
STANDING_MPS = 0.1
STOPPED_US = 10_000_000  # simulated; on a slope, or pushed, it may never stand

SIMULATION_CRASHED = "Failed - Simulation crashed"
AGENT_CRASHED = "Failed - Agent crashed"
STOPPED = "Stopped"


class StoppedError(Exception):
    """Whoever called does not want to go on: no failure."""


class AgentError(Exception):
    """The driver raised: the route has failed, the simulation goes on. The text names the cause."""


def run_episode(
    env: Env,
    driver: Driver,
    spec: RouteSpec,
    seed: int,
    open_log: Callable[[Briefing, Ground], EpisodeWriter],
    listeners: Sequence[Listener] = (),
) -> Outcome:
    """Drive one route to its end and log every tick.

    Raises AgentError for whatever the driver raises, once the car stands, and what the environment raises as it is; the log then ends with
    the failure.
    """
    briefing, ground = env.reset(spec, seed)
    started = time.perf_counter()
    with open_log(briefing, ground) as log:
        try:
            simulated_s, ended = _drive(env, driver, briefing, ground, log, listeners)
        except Exception as error:
            log.finish(Outcome(status_of(error), reason_of(error), time.perf_counter() - started, 0.0))
            raise
        outcome = Outcome(STATUS[ended], "", time.perf_counter() - started, simulated_s)
        log.finish(outcome)
    return outcome


def _drive(
    env: Env,
    driver: Driver,
    briefing: Briefing,
    ground: Ground,
    log: EpisodeWriter,
    listeners: Sequence[Listener],
) -> tuple[float, str]:
    """Tick until the judge ends the route; simulated seconds and how it ended. A driver that fails is braked for."""
    judge = RouteJudge(ground.route, ground.road_map)
    _asked(driver.brief, briefing, ground)
    failure: AgentError | None = None
    failed_us = last_us = -1
    while True:
        packet, truth, events = env.observe(), env.truth(), env.scenario_events()
        if truth.time_us <= last_us:
            raise RuntimeError(f"simulated time stands still at {last_us} us: a tick did not advance it")
        last_us = truth.time_us
        decision = STOP
        if failure is None:
            try:
                decision = _asked(driver.step, packet, truth)
            except AgentError as error:
                failure, failed_us = error, truth.time_us
        log.write(truth, decision, events)
        judge.update(truth, events)
        for listener in listeners:
            listener.tick(truth, decision, judge.completion_percent)
        if failure is not None and (_stands(truth) or truth.time_us - failed_us > STOPPED_US):
            raise failure
        if judge.ended is not None:
            return judge.simulated_s, judge.ended
        env.apply(decision.command)


def _asked(call: Callable[..., Answer], *arguments: object) -> Answer:
    """Call the driver; what it raises is its own fault, not the simulation's."""
    try:
        return call(*arguments)
    except Exception as error:
        raise AgentError(f"{type(error).__name__}: {error}") from error


def _stands(truth: Truth) -> bool:
    return math.hypot(truth.ego[5], truth.ego[6]) < STANDING_MPS


def status_of(error: Exception) -> str:
    """The Leaderboard's status for an error out of `run_episode`; its own for a drive that was stopped."""
    if isinstance(error, StoppedError):
        return STOPPED
    return AGENT_CRASHED if isinstance(error, AgentError) else SIMULATION_CRASHED


def reason_of(error: Exception) -> str:
    """An error as one line."""
    return " ".join(str(error).split())
