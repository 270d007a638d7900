"""One judged route: what the scores are computed from, whether it was judged here or by the Leaderboard itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.score.comfort import Comfort, MotionTrace
from drive_agent.score.events import Event
from drive_agent.score.judge import judge_again
from drive_agent.score.rules import LEADERBOARD_2, Rules
from drive_agent.types import Truth

STATUS_OF = {  # why a route ended -> the Leaderboard's wording
    "route_deviation": "Failed - Agent deviated from the route",
    "blocked": "Failed - Agent got blocked",
    "timeout": "Failed - Agent timed out",
    "tick_runtime": "Failed - TickRuntime",
}
LOG_NAME = "log.mcap"
PAST_JUNCTION = 8  # route points, a metre apart


@dataclass(frozen=True)
class JudgedRoute:
    """`status` is "Perfect", "Completed" or "Failed - ..."; `reason` adds to it where something outside broke off."""

    route_id: str  # as in the results file: "RouteScenario_<id>_rep<k>"
    status: str
    reason: str
    completion_percent: float
    events: tuple[Event, ...]
    route_length_m: float
    simulated_s: float
    wall_s: float
    scenario_types: tuple[str, ...] = ()
    past_junction_share: float | None = None  # see `past_junction_share`, None when the map is not known
    comfort: Comfort | None = None

    @property
    def driven_km(self) -> float:
        return self.route_length_m / 1000 * self.completion_percent / 100


def record_name(route_id: str, repetition: int) -> str:
    """A route's name in the results file."""
    return f"RouteScenario_{route_id}_rep{repetition}"


def folder_name(name: str) -> str:
    """The folder of a route under routes/: RouteScenario_12_rep0 -> 12_rep0."""
    return name.removeprefix("RouteScenario_")


def judge_log(path: Path, outcome: Outcome | None = None, rules: Rules = LEADERBOARD_2) -> JudgedRoute:
    """Judge a drive from its log.

    A drive that did not end by itself has the status that the log's outcome says, else that of `outcome`. Raises
    ValueError when there is neither (the drive was interrupted, nothing says how), and for unreadable logs.
    """
    with Episode.open(path) as episode:
        return judge_drive(episode, episode.truths(), (rules,), outcome)[0]


def judge_drive(
    episode: Episode, truths: Iterable[Truth], rules: Sequence[Rules], outcome: Outcome | None = None
) -> tuple[JudgedRoute, ...]:
    """`judge_log` under several sets of rules in one pass."""
    header, outcome = episode.header, episode.outcome or outcome
    motions = [MotionTrace() for _ in rules]
    judges = judge_again(episode, truths, rules, [motion.add for motion in motions])
    if outcome is None and any(judge.ended is None for judge in judges):
        raise ValueError(f"{episode.path}: {episode.truncated}; drive it again")
    return tuple(
        JudgedRoute(
            route_id=record_name(header.route_id, header.repetition),
            status=_status(judge.ended, len(judge.events), outcome),
            reason=outcome.reason if outcome else "",
            completion_percent=judge.completion_percent,
            events=judge.events,
            route_length_m=judge.route_length_m,
            simulated_s=judge.simulated_s,
            wall_s=outcome.wall_s if outcome else 0.0,
            scenario_types=header.scenario_types,
            past_junction_share=past_junction_share(episode.route, episode.road_map),
            comfort=motion.comfort(),
        )
        for judge, motion in zip(judges, motions, strict=True)
    )


def unlogged(route_id: str, outcome: Outcome) -> JudgedRoute:
    """A route that failed before its log began: no completion, no events, as the Leaderboard scores it."""
    return JudgedRoute(
        route_id, outcome.status, outcome.reason, 0.0, (), 0.0, outcome.simulated_s, outcome.wall_s
    )


def logs_in(run: Path) -> Iterator[Path]:
    """The route folders of a run, in order of name, as the paths their logs have."""
    for folder in sorted((run / "routes").glob("*")):
        if folder.is_dir():
            yield folder / LOG_NAME


def _status(ended: str | None, infractions: int, outcome: Outcome | None) -> str:
    if ended == "completed":
        return "Completed" if infractions else "Perfect"
    if ended is not None:
        return STATUS_OF[ended]
    assert outcome is not None
    return outcome.status


def past_junction_share(route: Route, road_map: RoadMap) -> float:
    """The share of the route's points that lie before a place 8 points past the begin of its first junction.

    Above 1 when the route meets no junction: nothing but success will do then.
    """
    inside = [road_map.lanes[int(lane)].is_junction for lane in route.lanes]
    if not any(inside):
        return math.inf
    return (inside.index(True) + 1 + PAST_JUNCTION) / len(inside)
