"""All routes of a run together: judged from its logs, or taken from official result files, then scored.

Figures only, as plain values for JSON; pages and tables are others' work.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from drive_agent.log.schema import Outcome
from drive_agent.score.abilities import abilities
from drive_agent.score.events import KINDS, MIN_SPEED, OUTSIDE_LANES
from drive_agent.score.formula import formula_of, is_success, score
from drive_agent.score.judged import (
    LOG_NAME,
    JudgedRoute,
    folder_name,
    judge_log,
    logs_in,
    record_name,
)
from drive_agent.score.ledger import last_records, read_ledger
from drive_agent.score.official import JudgedRun, judged_from_record, names_in, read_official, result_files
from drive_agent.score.results import RouteRecord, outside_km
from drive_agent.score.rules import BENCH2DRIVE, LEADERBOARD_2, Rules
from drive_agent.score.spread import spread

Judge = Callable[[Path, Outcome | None, Rules], JudgedRoute]
MAX_EFFICIENCY = 1000.0  # Bench2Drive drops what is above


def score_run(folder: Path | str, version: str = "2.1", route_file: Path | None = None) -> dict:
    """Scores of a run folder, recomputed from its logs; or of official result files, from the events in them.

    `folder` may also be one log or the folder of one route, one result file, or a folder of them (as shards of one
    evaluation are); `route_file` then names the routes that were asked for.
    """
    formula_of(version)
    return scored(load_run(Path(folder), rules_of(version), route_file), version)


def rules_of(version: str) -> Rules:
    """The rules under which events are judged for a version of the formula."""
    return BENCH2DRIVE if version == "bench2drive" else LEADERBOARD_2


def load_run(
    folder: Path, rules: Rules, route_file: Path | None = None, judge: Judge = judge_log
) -> JudgedRun:
    """Judge whatever lies there. Raises ValueError when it is neither a run, a log nor result files."""
    if not folder.exists():
        raise ValueError(f"{folder} does not exist, expected a run folder or a results file")
    log = folder if folder.suffix == Path(LOG_NAME).suffix else folder / LOG_NAME
    if log.is_file():
        return JudgedRun((judge(log, None, rules),), (), 1)
    if (folder / "routes").is_dir():
        return _judge_run(folder, rules, judge)
    files = result_files(folder)
    if not files:
        raise ValueError(f"{folder} holds neither routes/*/log.mcap nor result files of the Leaderboard 2.x")
    return read_official(files, names_in(route_file) if route_file else ())


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
        "abilities": {
            name: {"value": share.value, "low": share.low, "high": share.high}
            for name, share in abilities(run.routes).items()
        },
        "spread": _spreads(rows) if rows else {},
        "routes": rows,
        "missing": list(run.missing),
        "duplicates": list(run.duplicates),
    }
    if version == "bench2drive":
        values |= {"efficiency": _efficiency(run.routes), "comfort": _comfort(run.routes)}
    return values


def _spreads(rows: Sequence[dict]) -> dict[str, dict]:
    """How sure the driving score is: over repetitions of the whole set, and over its routes. Missing ones are left out."""
    by_repetition, by_route = defaultdict(list), defaultdict(list)
    for row in rows:
        route_id, _, repetition = row["route_id"].rpartition("_rep")
        by_repetition[repetition].append(row["driving_score"])
        by_route[route_id].append(row["driving_score"])
    return {
        name: asdict(spread([sum(scores) / len(scores) for scores in groups.values()]))
        for name, groups in (("repetitions", by_repetition), ("routes", by_route))
    }


def _judge_run(folder: Path, rules: Rules, judge: Judge) -> JudgedRun:
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
        record = records.get(name)
        outcome = _outcome_of(record, reason) if record else None
        try:
            routes.append(judge(folder / "routes" / folder_name(name) / LOG_NAME, outcome, rules))
        except (FileNotFoundError, ValueError) as error:
            if record is not None:  # failed before its log began, or driven by another's evaluator
                routes.append(replace(judged_from_record(record), reason=reason))
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
