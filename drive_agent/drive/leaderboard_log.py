"""Logs of routes that the Leaderboard's evaluator drives: our run folder, one log per route, judged as it is written.

The evaluator does not tell an agent which route it drives: it is found among the configured routes by where it begins and
ends. Knows nothing of sensors.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from rich.console import Console

from drive_agent.config import DriveConfig
from drive_agent.drive.env import Ground
from drive_agent.drive.loop import AGENT_CRASHED, STATUS, reason_of
from drive_agent.drive.provenance import run_header, write_config
from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.score.formula import score
from drive_agent.score.judge import RouteJudge
from drive_agent.types import Decision, Truth
from scenarios.routes import RouteSpec, route_set

ENDED_BY_EVALUATOR = "Failed - Simulation crashed"
NEAR_M = 5.0  # between a route's keypoints and the lane that the evaluator starts or ends it on


class RunLog:
    """The run folder of one evaluation: config.yaml and a log per route and repetition."""

    def __init__(self, config: DriveConfig, console: Console) -> None:
        name = config.out or f"runs/{time.strftime('%Y%m%d-%H%M%S')}_leaderboard_{config.model.kind}"
        self.folder = Path(name).resolve()
        self._config = config
        self._console = console
        self._specs = route_set(config.routes)
        self._unknown = 0
        self.folder.mkdir(parents=True, exist_ok=True)
        write_config(self.folder / "config.yaml", config)

    def begin(self, town: str, ground: Ground) -> RouteLog:
        """Open the log of a route. A finished log is kept: the next repetition begins."""
        route_id = route_id_of(self._specs, town, ground.route.points)
        if route_id is None:
            route_id, self._unknown = f"unknown{self._unknown}", self._unknown + 1
            self._console.print(
                f"this route through {town} is not in routes={self._config.routes}: logged as {route_id}; "
                "give the evaluator's file as routes= to drive-agent config"
            )
        repetition = 0
        while is_finished(log := self.folder / "routes" / f"{route_id}_rep{repetition}" / "log.mcap"):
            repetition += 1
        header = run_header(route_id, repetition, town, self._config.seed, ground, self._config)
        return RouteLog(EpisodeWriter(log, header, ground.road_map), log, ground, self._console)


class RouteLog:
    """One route's log and judge. `close` writes how it ended; with an error, that the agent failed."""

    def __init__(self, writer: EpisodeWriter, path: Path, ground: Ground, console: Console) -> None:
        self._writer = writer.__enter__()
        self._path = path
        self._console = console
        self._judge = RouteJudge(ground.route, ground.road_map)
        self._began_s = time.perf_counter()
        self._closed = False

    @property
    def ended(self) -> bool:
        """Has our judge seen the end of the route."""
        return self._judge.ended is not None

    def write(self, truth: Truth, decision: Decision) -> None:
        """Append and judge one tick; when our judge is done before the evaluator, the rest is only logged."""
        self._writer.write(truth, decision)
        if not self.ended:
            self._judge.update(truth)

    def close(self, error: Exception | None = None) -> None:
        """End the log; harmless when it has ended already."""
        if self._closed:
            return
        self._closed = True
        judge, wall_s = self._judge, time.perf_counter() - self._began_s
        judge.finish()
        if error is not None:
            status, reason = AGENT_CRASHED, reason_of(error)
        elif judge.ended is not None:
            status, reason = STATUS[judge.ended], ""
        else:
            status, reason = ENDED_BY_EVALUATOR, "the evaluator ended the route before our judge did"
        self._writer.finish(Outcome(status, reason, wall_s, judge.simulated_s))
        self._writer.__exit__(None, None, None)
        scores = score("2.1", judge.completion_percent, judge.events)
        self._console.print(
            f"{self._path}: {status}, completion {scores.completion:.2f} %, penalty {scores.penalty:.3f}, "
            f"driving score {scores.driving:.2f} (formula 2.1, our judge)",
            soft_wrap=True,
        )


def route_id_of(specs: tuple[RouteSpec, ...], town: str, points: np.ndarray) -> str | None:
    """Id of the route of a town that begins and ends where the points (n, 3) do, None where there is none."""
    for spec in specs:
        ends_m = np.linalg.norm(points[[0, -1], :2] - spec.keypoints[[0, -1], :2], axis=1)
        if spec.town == town and ends_m.max() < NEAR_M:
            return spec.id
    return None


def is_finished(log: Path) -> bool:
    """Is there a log that says how its drive ended."""
    if not log.exists() or not log.stat().st_size:
        return False
    with Episode.open(log) as episode:
        return episode.outcome is not None
