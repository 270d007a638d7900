"""`summary.json` of a run: every score version, how fast it ran, how long each stage took, what went wrong.

Reads what is kept of each drive (`verdict`), returns plain values for JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from drive_agent.log.schema import Outcome
from drive_agent.score.formula import VERSIONS
from drive_agent.score.judged import JudgedRoute
from drive_agent.score.ledger import read_ledger
from drive_agent.score.official import JudgedRun
from drive_agent.score.planned import Planned
from drive_agent.score.rules import Rules
from drive_agent.score.run import load_run, rules_of, scored
from drive_agent.score.seen import Seen
from drive_agent.score.sums import add_up
from drive_agent.score.ticks import Ticks
from drive_agent.score.verdict import Verdict, verdict_of

_MEANS = ("driving_score", "success_rate", "route_completion", "infraction_penalty")


class KeptVerdicts:
    """Judges logs as `judge_log` does, but from what is kept beside them where that is up to date."""

    def __init__(self) -> None:
        self.by_log: dict[Path, Verdict] = {}

    def judge(self, log: Path, outcome: Outcome | None, rules: Rules) -> JudgedRoute:
        if log not in self.by_log:
            self.by_log[log] = verdict_of(log, outcome)
        return self.by_log[log].under(rules)


def summarise(run_folder: Path | str, verdicts: KeptVerdicts | None = None) -> dict:
    """All figures of a run folder, finished or not. Raises ValueError when it holds no routes.

    `verdicts` is filled with what was read, for who asks on.
    """
    folder = Path(run_folder)
    verdicts = KeptVerdicts() if verdicts is None else verdicts
    runs = {
        rules: load_run(folder, rules, judge=verdicts.judge)
        for rules in dict.fromkeys(rules_of(version) for version in VERSIONS)
    }
    by_version = {version: scored(runs[rules_of(version)], version) for version in VERSIONS}
    run = runs[rules_of("2.1")]
    return {
        "scores": {version: {key: values[key] for key in _MEANS} for version, values in by_version.items()},
        "spread": by_version["2.1"]["spread"],
        "abilities": by_version["bench2drive"]["abilities"],
        "comfort": by_version["bench2drive"]["comfort"],
        "efficiency_percent": by_version["bench2drive"]["efficiency"],
        "infractions": by_version["2.1"]["infractions"],
        "routes": _rows(by_version),
        "routes_total": run.total,
        "missing": list(run.missing),
        "failures": [
            {"route_id": route.route_id, "status": route.status, "reason": route.reason}
            for route in run.routes
            if route.status.startswith("Failed")
        ],
        "spoiled_tries": [
            {"route_id": entry.route_id, "reason": entry.reason}
            for entry in read_ledger(folder).entries
            if entry.record is None
        ],
        "real_time_factor": _real_time_factor(run),
        **_conduct(verdicts.by_log),
    }


def _conduct(verdicts: Mapping[Path, Verdict]) -> dict:
    """What happened between cameras and pedals, over all drives that are judged."""
    ticks, seen, planned = Ticks(), Seen(), Planned()
    for _, verdict in sorted(verdicts.items()):
        for total, part in ((ticks, verdict.ticks), (seen, verdict.seen), (planned, verdict.planned)):
            add_up(total, part)
    return {**ticks.figures(), "perception": seen.figures(), "plans": planned.figures()}


def _rows(by_version: dict[str, dict]) -> list[dict]:
    """One row a route: the facts once, the driving score under each version."""
    rows = []
    for k, row in enumerate(by_version["2.1"]["routes"]):
        scores = {version: values["routes"][k]["driving_score"] for version, values in by_version.items()}
        facts = {
            key: value for key, value in row.items() if key not in ("driving_score", "infraction_penalty")
        }
        rows.append(facts | {"driving_score": scores})
    return rows


def _real_time_factor(run: JudgedRun) -> float | None:
    """Simulated seconds per second of waiting, None when nothing was timed."""
    timed = [route for route in run.routes if route.wall_s > 0]
    wall_s = sum(route.wall_s for route in timed)
    return sum(route.simulated_s for route in timed) / wall_s if timed else None
