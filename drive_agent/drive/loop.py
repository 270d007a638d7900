"""The closed loop, whole: observe, decide, apply, log, judge, until the judge ends the route."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from drive_agent.drive.env import Driver, Env, Ground, Listener
from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.judge import RouteJudge
from drive_agent.types import Briefing
from scenarios.routes import RouteSpec

STATUS = {  # the Leaderboard's wording of how a route ended
    "completed": "Completed",
    "route_deviation": "Failed - Agent deviated from the route",
    "blocked": "Failed - Agent got blocked",
    "timeout": "Failed - Agent timed out",
}


def run_episode(
    env: Env,
    driver: Driver,
    spec: RouteSpec,
    seed: int,
    open_log: Callable[[Briefing, Ground], EpisodeWriter],
    listeners: Sequence[Listener] = (),
) -> Outcome:
    """Drive one route to its end and log every tick. Exceptions of env or driver are the caller's to judge."""
    briefing, ground = env.reset(spec, seed)
    driver.brief(briefing, ground)
    judge = RouteJudge(ground.route, ground.road_map)
    with open_log(briefing, ground) as log:
        started, first_us = time.perf_counter(), None
        while True:
            packet, truth = env.observe(), env.truth()
            first_us = truth.time_us if first_us is None else first_us
            decision = driver.step(packet, truth)
            log.write(truth, decision)
            judge.update(truth)
            for listener in listeners:
                listener.tick(truth, decision, judge.completion_percent)
            if judge.ended is not None:
                break
            env.apply(decision.command)
        wall_s = time.perf_counter() - started
        outcome = Outcome(STATUS[judge.ended], "", wall_s, (truth.time_us - first_us) / 1e6)
        log.finish(outcome)
    return outcome
