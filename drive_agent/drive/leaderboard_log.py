"""Logs of routes that the Leaderboard's evaluator drives: our run folder, one log per route, judged as it is written.

Knows nothing of sensors, and of the evaluator only what `EvaluatedRoute` tells.
"""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from drive_agent.config import DriveConfig
from drive_agent.drive.env import Ground
from drive_agent.drive.leaderboard_route import EvaluatedRoute
from drive_agent.drive.loop import AGENT_CRASHED, SIMULATION_CRASHED, STATUS, reason_of
from drive_agent.drive.provenance import run_header, write_config
from drive_agent.log.schema import Outcome, ScenarioEvent
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.formula import score
from drive_agent.score.judge import RouteJudge
from drive_agent.score.judged import judge_log
from drive_agent.types import Decision, Truth


class RunLog:
    """The run folder of one evaluation: config.yaml and a log per route and repetition."""

    def __init__(self, config: DriveConfig, console: Console) -> None:
        name = config.out or f"runs/{time.strftime('%Y%m%d-%H%M%S')}_leaderboard_{config.model.kind}"
        self.folder = Path(name).resolve()
        self._config = config
        self._console = console
        self.folder.mkdir(parents=True, exist_ok=True)
        write_config(self.folder / "config.yaml", config)

    def begin(self, route: EvaluatedRoute, ground: Ground) -> RouteLog:
        """Open the log of a route; one of an earlier attempt is replaced."""
        header = run_header(
            route.id,
            route.repetition,
            ground.road_map.name,
            self._config.seed,
            ground,
            self._config,
            route.scenario_types,
        )
        path = self.folder / "routes" / f"{route.id}_rep{route.repetition}" / "log.mcap"
        return RouteLog(EpisodeWriter(path, header, ground.road_map), path, route, ground, self._console)


class RouteLog:
    """One route's log and judge. `close` writes how it ended; with an error, that the agent failed."""

    def __init__(
        self, writer: EpisodeWriter, path: Path, route: EvaluatedRoute, ground: Ground, console: Console
    ) -> None:
        self._writer = writer.__enter__()
        self._path = path
        self._route = route
        self._console = console
        self._judge = RouteJudge(ground.route, ground.road_map)
        self._began_s = time.perf_counter()
        self._last_us: int | None = None
        self._closed = False

    @property
    def ended(self) -> bool:
        """Has our judge seen the end of the route."""
        return self._judge.ended is not None

    def write(self, truth: Truth, decision: Decision) -> None:
        """Append and judge one tick; when our judge is done before the evaluator, the rest is only logged.

        The evaluator ticks its scenarios after the agent: what they did is seen one call later, and logged at its time.
        """
        events = self._news()
        self._writer.write(truth, decision, events)
        self._last_us = truth.time_us
        if not self.ended:
            self._judge.update(truth, events)

    def close(self, error: Exception | None = None) -> None:
        """End the log; harmless when it has ended already."""
        if self._closed:
            return
        self._closed = True
        self._writer.note(self._news())
        wall_s = time.perf_counter() - self._began_s
        self._writer.finish(Outcome(*self._status(error), wall_s, self._judge.simulated_s))
        self._writer.__exit__(None, None, None)
        judged = judge_log(self._path)
        scores = score("2.1", judged.completion_percent, judged.events)
        self._console.print(
            f"{self._path}: {judged.status}, completion {scores.completion:.2f} %, penalty {scores.penalty:.3f}, "
            f"driving score {scores.driving:.2f} (formula 2.1, our judge)",
            soft_wrap=True,
        )

    def _news(self) -> tuple[ScenarioEvent, ...]:
        return () if self._last_us is None else self._route.scenario_events(self._last_us)

    def _status(self, error: Exception | None) -> tuple[str, str]:
        """Status and reason for the log's outcome."""
        if error is not None:
            return AGENT_CRASHED, reason_of(error)
        if self._judge.ended is not None:
            return STATUS[self._judge.ended], ""
        return SIMULATION_CRASHED, "the evaluator ended the route before our judge did"
