"""The Leaderboard 2.x results file (`results.json`, its "checkpoint"): same keys, labels, statuses and rounding.

Source: leaderboard/utils/statistics_manager.py, branch leaderboard-2.1 of carla-simulator/leaderboard. Unlike there, the
file is written whole or not at all, and a broken one is an error, not a silent fresh start. Knows nothing of driving.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from drive_agent.score.events import KINDS, OUTSIDE_LANES
from drive_agent.score.formula import formula_of, score
from drive_agent.score.judged import JudgedRoute

META_DIGITS = 3
SCORE_DIGITS = 6
SIMULATION_CRASHED = "Simulation crashed"
SCORE_KEYS = ("score_composed", "score_route", "score_penalty")

LABELS = {  # in the official order: results-file label -> key of the global record
    "Avg. driving score": "score_composed",
    "Avg. route completion": "score_route",
    "Avg. infraction penalty": "score_penalty",
    "Collisions with pedestrians": "collisions_pedestrian",
    "Collisions with vehicles": "collisions_vehicle",
    "Collisions with layout": "collisions_layout",
    "Red lights infractions": "red_light",
    "Stop sign infractions": "stop_infraction",
    "Off-road infractions": "outside_route_lanes",
    "Route deviations": "route_dev",
    "Route timeouts": "route_timeout",
    "Agent blocked": "vehicle_blocked",
    "Yield emergency vehicles infractions": "yield_emergency_vehicle_infractions",
    "Scenario timeouts": "scenario_timeouts",
    "Min speed infractions": "min_speed_infractions",
}


@dataclass(frozen=True)
class RouteRecord:
    """One entry of the file's `records`."""

    index: int
    route_id: str
    status: str
    num_infractions: int
    infractions: dict[str, list[str]]
    scores: dict[str, float]
    meta: dict[str, float]
    scenario_name: str = ""  # Bench2Drive's files tell it: type and number

    @property
    def score_composed(self) -> float:
        return self.scores["score_composed"]

    @property
    def score_route(self) -> float:
        return self.scores["score_route"]

    @property
    def score_penalty(self) -> float:
        return self.scores["score_penalty"]


def write_results(path: Path, total_routes: int, records: Sequence[RouteRecord], version: str) -> None:
    """Write the file whole or not at all; the global record comes when all routes are there."""
    formula_of(version)
    complete = len(records) == total_routes
    total = global_record(records, total_routes) if complete else {}
    values = [str(_value(total, key)) for key in LABELS.values()] if complete else []
    status = _entry_status(records) if complete else "Started"
    write_json(
        path,
        {
            "_checkpoint": {
                "global_record": total,
                "progress": [len(records), total_routes],
                "records": [_plain(record) for record in records],
            },
            "entry_status": status,
            "eligible": status == "Finished",
            "sensors": [],
            "values": values,
            "labels": list(LABELS) if complete else [],
        },
    )


def route_record(index: int, judged: JudgedRoute, version: str) -> RouteRecord:
    """A judged route as an entry of the file."""
    messages: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for event in judged.events:
        messages[event.kind].append(event.message)
    scores = score(version, judged.completion_percent, judged.events)
    return RouteRecord(
        index=index,
        route_id=judged.route_id,
        status=judged.status,
        num_infractions=len(judged.events),
        infractions=messages,
        scores={
            "score_route": 100 if scores.completion == 100 else scores.completion,
            "score_penalty": scores.penalty,
            "score_composed": scores.driving,
        },
        meta={
            "route_length": round(judged.route_length_m, META_DIGITS),
            "duration_game": round(judged.simulated_s, META_DIGITS),
            "duration_system": round(judged.wall_s, META_DIGITS),
        },
    )


def global_record(records: Sequence[RouteRecord], total_routes: int) -> dict:
    """The file's `global_record`: means over all routes of the run (a missing one counts 0), infractions per km."""
    mean = {
        key: round(sum(record.scores[key] / total_routes for record in records), SCORE_DIGITS)
        for key in ("score_composed", "score_route", "score_penalty")
    }
    return {
        "index": -1,
        "route_id": -1,
        "status": _global_status(records),
        "infractions": infractions_per_km(records),
        "scores_mean": mean,
        "scores_std_dev": {
            key: _deviation([r.scores[key] for r in records], mean[key], total_routes) for key in mean
        },
        "meta": {
            "total_length": sum(record.meta["route_length"] for record in records),
            "duration_game": sum(record.meta["duration_game"] for record in records),
            "duration_system": sum(record.meta["duration_system"] for record in records),
            "exceptions": [[r.route_id, r.index, r.status] for r in records if "Failed" in r.status],
        },
    }


def infractions_per_km(records: Sequence[RouteRecord]) -> dict[str, float]:
    """Counts over all routes per kilometre driven; for outside lanes the kilometres themselves, as officially."""
    driven = sum(r.meta["route_length"] / 1000 * r.scores["score_route"] / 100 for r in records)
    driven = max(driven, 0.001)
    values = {kind: sum(len(r.infractions[kind]) for r in records) / driven for kind in KINDS}
    values[OUTSIDE_LANES] = sum(outside_km(r.infractions[OUTSIDE_LANES]) for r in records)
    return {kind: round(value, META_DIGITS) for kind, value in values.items()}


def outside_km(messages: Sequence[str]) -> float:
    """Kilometres outside lanes of one route, out of its message's ninth word, as the Leaderboard reads it."""
    return float(messages[0].split(" ")[8]) / 1000 if messages else 0.0


def read_records(path: Path) -> list[RouteRecord]:
    """The records of a results file. Raises ValueError, one line, for a broken one."""
    try:
        data = json.loads(path.read_text())
        records = data["_checkpoint"]["records"]
        return [record_from(k, values) for k, values in enumerate(records)]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is broken ({error}), expected a results file: remove it; drive-agent score recomputes it from the logs"
        ) from error
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no results file of the Leaderboard 2.x: {error} is missing or wrong"
        ) from error


def write_json(path: Path, values: dict) -> None:
    """Write a JSON file so that at any moment either the old or the new one is there, also after a power cut."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        json.dump(values, file, indent=4)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _plain(record: RouteRecord) -> dict:
    """As the Leaderboard writes it; a scenario's name only where there is one."""
    values = asdict(record)
    if not record.scenario_name:
        del values["scenario_name"]
    return values


def record_from(index: int, values: dict) -> RouteRecord:
    """A record out of its plain values. Reads files of other programs too: merged ones have no index, Bench2Drive's have more keys."""
    return RouteRecord(
        index=values.get("index", index),
        route_id=values["route_id"],
        status=values["status"],
        num_infractions=values["num_infractions"],
        infractions={kind: list(values["infractions"][kind]) for kind in KINDS},
        scores={key: values["scores"][key] for key in ("score_route", "score_penalty", "score_composed")},
        meta={key: values["meta"][key] for key in ("route_length", "duration_game", "duration_system")},
        scenario_name=values.get("scenario_name", ""),
    )


def _deviation(values: Sequence[float], mean: float, total: int) -> float:
    if total == 1:
        return 0
    return round(math.sqrt(sum((value - mean) ** 2 for value in values) / (total - 1)), META_DIGITS)


def _global_status(records: Sequence[RouteRecord]) -> str:
    """The worst of the routes'."""
    statuses = {"Failed" if "Failed" in record.status else record.status for record in records}
    return next((s for s in ("Failed", "Completed") if s in statuses), "Perfect")


def _entry_status(records: Sequence[RouteRecord]) -> str:
    return "Crashed" if any(SIMULATION_CRASHED in record.status for record in records) else "Finished"


def _value(total: dict, key: str) -> float:
    return total["scores_mean"][key] if key in SCORE_KEYS else total["infractions"][key]
