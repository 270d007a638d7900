"""All routes of a run together: judged from its logs, or taken from official result files, then scored.

Figures only, as plain values for JSON; pages and tables are others' work.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drive_agent.log.schema import Outcome
from drive_agent.score.abilities import abilities
from drive_agent.score.events import KINDS, MIN_SPEED, OUTSIDE_LANES, Event
from drive_agent.score.formula import formula_of, is_success, score
from drive_agent.score.judged import (
    LOG_NAME,
    JudgedRoute,
    folder_name,
    judge_log,
    logs_in,
    record_name,
    unlogged,
)
from drive_agent.score.ledger import last_records, read_ledger
from drive_agent.score.results import RouteRecord, outside_km, read_records
from drive_agent.score.rules import BENCH2DRIVE, LEADERBOARD_2, Rules

MAX_EFFICIENCY = 1000.0  # Bench2Drive drops what is above
_NUMBER = re.compile(r"_\d+$")
_PERCENT = re.compile(r"([\d.]+)%")


@dataclass(frozen=True)
class JudgedRun:
    """`total` counts the routes asked for; those that are not in `routes` score 0, `missing` says which and why."""

    routes: tuple[JudgedRoute, ...]
    missing: tuple[dict[str, str], ...]
    total: int


def score_run(folder: Path | str, version: str = "2.1") -> dict:
    """Scores of a run folder, recomputed from its logs; or of official result files, from the events in them.

    `folder` may also be one result file, or a folder of them (as shards of one evaluation are).
    """
    formula_of(version)
    return scored(load_run(Path(folder), rules_of(version)), version)


def rules_of(version: str) -> Rules:
    """The rules under which events are judged for a version of the formula."""
    return BENCH2DRIVE if version == "bench2drive" else LEADERBOARD_2


def load_run(folder: Path, rules: Rules) -> JudgedRun:
    """Judge whatever lies there. Raises ValueError when it is neither a run nor result files."""
    if not folder.exists():
        raise ValueError(f"{folder} does not exist, expected a run folder or a results file")
    if (folder / "routes").is_dir():
        return _judge_run(folder, rules)
    files = [folder] if folder.is_file() else [p for p in sorted(folder.glob("*.json")) if _is_official(p)]
    if not files:
        raise ValueError(f"{folder} holds neither routes/*/log.mcap nor result files of the Leaderboard 2.x")
    return _read_official(files)


def scored(run: JudgedRun, version: str) -> dict:
    """Means over all routes asked for, infractions, one row a route, and what is missing."""
    rows = [_row(route, version) for route in run.routes]
    total = max(run.total, 1)
    values = {
        "version": version,
        "driving_score": sum(row["driving_score"] for row in rows) / total,
        "success_rate": sum(row["success"] for row in rows) / total,
        "route_completion": sum(row["route_completion"] for row in rows) / total,
        "infraction_penalty": sum(row["infraction_penalty"] for row in rows) / total,
        "routes_total": run.total,
        "infractions": _infractions(run.routes),
        "routes": rows,
        "missing": list(run.missing),
    }
    if version == "bench2drive":
        values |= {
            "efficiency": _efficiency(run.routes),
            "comfort": _comfort(run.routes),
            "abilities": {
                name: {"value": share.value, "low": share.low, "high": share.high}
                for name, share in abilities(run.routes).items()
            },
        }
    return values


def judged_from_record(record: RouteRecord) -> JudgedRoute:
    """A route of an official results file; percentages are read out of the messages, times and places are unknown."""
    events = [
        Event(kind, 0, 0.0, 0.0, 0.0, text, _value(kind, text))
        for kind in KINDS
        for text in record.infractions[kind]
    ]
    return JudgedRoute(
        route_id=record.route_id,
        status=record.status,
        reason="",
        completion_percent=record.score_route,
        events=tuple(events),
        route_length_m=record.meta["route_length"],
        simulated_s=record.meta["duration_game"],
        wall_s=record.meta["duration_system"],
        scenario_types=(_NUMBER.sub("", record.scenario_name),) if record.scenario_name else (),
    )


def _judge_run(folder: Path, rules: Rules) -> JudgedRun:
    """Every route that the ledger asks for; where there is none (an official evaluator drove), every log."""
    ledger = read_ledger(folder)
    names = ledger.asked or [record_name(*_id_and_repetition(log.parent.name)) for log in logs_in(folder)]
    records, reasons = (
        last_records(ledger.entries),
        {entry.route_id: entry.reason for entry in ledger.entries},
    )
    routes: list[JudgedRoute] = []
    missing: list[dict[str, str]] = []
    for name in names:
        reason = reasons.get(name, "")
        outcome = _outcome_of(records[name], reason) if name in records else None
        try:
            routes.append(judge_log(folder / "routes" / folder_name(name) / LOG_NAME, outcome, rules))
        except (FileNotFoundError, ValueError) as error:
            if outcome is not None:
                routes.append(unlogged(name, outcome))
                continue
            why = "not begun" if isinstance(error, FileNotFoundError) else str(error)
            missing.append({"route_id": name, "reason": reason or why})
    return JudgedRun(tuple(routes), tuple(missing), len(names))


def _id_and_repetition(folder: str) -> tuple[str, int]:
    route_id, mark, repetition = folder.rpartition("_rep")
    if not mark or not repetition.isdigit():
        raise ValueError(f"routes/{folder}: expected a folder named <route id>_rep<repetition>")
    return route_id, int(repetition)


def _outcome_of(record: RouteRecord, reason: str) -> Outcome:
    return Outcome(record.status, reason, record.meta["duration_system"], record.meta["duration_game"])


def _is_official(path: Path) -> bool:
    try:
        data = json.loads(path.read_text())
    except json.JSONDecodeError:
        return False
    return isinstance(data, dict) and "progress" in data.get("_checkpoint", {})


def _read_official(files: Sequence[Path]) -> JudgedRun:
    records = [record for path in files for record in read_records(path)]
    twice = [name for name, count in Counter(record.route_id for record in records).items() if count > 1]
    if twice:
        raise ValueError(
            f"route {twice[0]} is in the result files more than once ({len(twice)} such): give one run's files"
        )
    progress = [json.loads(path.read_text())["_checkpoint"].get("progress") for path in files]
    total = max(sum(part[1] for part in progress if part), len(records))
    unseen = total - len(records)
    missing = ({"route_id": "", "reason": f"{unseen} of {total} routes have no record"},) if unseen else ()
    return JudgedRun(tuple(judged_from_record(record) for record in records), missing, total)


def _value(kind: str, message: str) -> float:
    if kind not in (OUTSIDE_LANES, MIN_SPEED):
        return 0.0
    found = _PERCENT.search(message)
    if found is None:
        raise ValueError(f"no percentage in the message {message!r}, expected the Leaderboard 2.x wording")
    return float(found.group(1))


def _row(route: JudgedRoute, version: str) -> dict:
    scores = score(version, route.completion_percent, route.events)
    return {
        "route_id": route.route_id,
        "status": route.status,
        "reason": route.reason,
        "driving_score": scores.driving,
        "route_completion": scores.completion,
        "infraction_penalty": scores.penalty,
        "success": is_success(route.status, route.events),
        "infractions": dict(Counter(event.kind for event in route.events)),
        "route_length_m": round(route.route_length_m, 3),
        "simulated_s": round(route.simulated_s, 3),
        "wall_s": round(route.wall_s, 3),
    }


def _infractions(routes: Sequence[JudgedRoute]) -> dict[str, dict[str, float]]:
    """Counts, and per kilometre driven; for outside lanes also the kilometres."""
    counts = Counter(event.kind for route in routes for event in route.events)
    driven_km = max(sum(route.driven_km for route in routes), 0.001)
    values: dict[str, dict[str, float]] = {
        kind: {"count": counts[kind], "per_km": counts[kind] / driven_km} for kind in KINDS
    }
    outside = [e.message for route in routes for e in route.events if e.kind == OUTSIDE_LANES]
    values[OUTSIDE_LANES]["km"] = sum(outside_km([message]) for message in outside)
    return values


def _efficiency(routes: Sequence[JudgedRoute]) -> float | None:
    """Bench2Drive's: mean over routes of the mean speed in percent of the traffic's, None without any."""
    speeds = [
        [e.value for e in r.events if e.kind == MIN_SPEED and e.value <= MAX_EFFICIENCY] for r in routes
    ]
    means = [float(np.mean(values)) for values in speeds if values]
    return float(np.mean(means)) if means else None


def _comfort(routes: Sequence[JudgedRoute]) -> dict[str, float] | None:
    """Means over the routes whose motion is known, None without any."""
    known = [route.comfort for route in routes if route.comfort is not None]
    if not known:
        return None
    return {
        "official": float(np.mean([comfort.official for comfort in known])),
        "corrected": float(np.mean([comfort.corrected for comfort in known])),
    }
