"""`summary.json` of a run: every score version, how fast it ran, how long each stage took, what went wrong.

Reads logs, returns plain values for JSON.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from drive_agent.log.store import Episode
from drive_agent.score.drive_record import DriveRecord
from drive_agent.score.formula import VERSIONS
from drive_agent.score.judged import logs_in
from drive_agent.score.ledger import read_ledger
from drive_agent.score.official import JudgedRun
from drive_agent.score.planned import Planned
from drive_agent.score.run import load_run, rules_of, scored
from drive_agent.score.seen import Seen

PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
_MEANS = ("driving_score", "success_rate", "route_completion", "infraction_penalty")


def summarise(run_folder: Path | str) -> dict:
    """All figures of a run folder, finished or not. Raises ValueError when it holds no routes."""
    folder = Path(run_folder)
    runs = {rules: load_run(folder, rules) for rules in {rules_of(version) for version in VERSIONS}}
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
        **_conduct(folder),
    }


def _conduct(folder: Path) -> dict:
    """What happened between cameras and pedals, over all logs: one pass over each."""
    ticks, seen, planned = _TickFigures(), Seen(), Planned()
    for drive in _drives_of(folder):
        ticks.add(drive)
        seen.add(drive)
        planned.add(drive)
    return {**ticks.figures(), "perception": seen.figures(), "plans": planned.figures()}


@dataclass
class _TickFigures:
    """What is counted over the ticks of all logs."""

    timings_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    guard: Counter[str] = field(default_factory=Counter)
    plan_errors: Counter[str] = field(default_factory=Counter)
    ticks: int = 0
    model_calls: int = 0

    tokens: list[int] = field(default_factory=list)

    def add(self, drive: DriveRecord) -> None:
        for record in drive.ticks:
            self.ticks += 1
            if record.reply is not None:
                self.model_calls += 1
                self.tokens.append(record.reply.tokens)
            if record.guard:
                self.guard[record.guard] += 1
            if record.plan_error is not None and record.reply is not None:
                self.plan_errors[record.plan_error.reason] += 1
            for stage, spent in record.timings_ms.items():
                self.timings_ms[stage].append(spent)

    def figures(self) -> dict:
        return {
            "ticks": self.ticks,
            "model_calls": self.model_calls,
            "latency_ms": {stage: _percentiles(spent) for stage, spent in sorted(self.timings_ms.items())},
            "guard_interventions": dict(self.guard),
            "parse_failures": dict(self.plan_errors),
            "tokens": {"total": sum(self.tokens), "per_call": _mean(self.tokens)},
        }


def _drives_of(folder: Path) -> Iterator[DriveRecord]:
    for log in logs_in(folder):
        if not log.exists() or not log.stat().st_size:
            continue
        try:
            with Episode.open(log) as episode:
                drive = DriveRecord(episode)
        except ValueError:  # unreadable: named under "missing", with the reason
            continue
        yield drive


def _mean(values: list[int]) -> float | None:
    return float(np.mean(values)) if values else None


def _percentiles(spent_ms: list[float]) -> dict[str, float]:
    values = np.percentile(spent_ms, list(PERCENTILES.values()))
    return {name: round(float(v), 3) for name, v in zip(PERCENTILES, values, strict=True)} | {
        "count": len(spent_ms)
    }


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
