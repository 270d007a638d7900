"""Result files of the official Leaderboard 2.x and of Bench2Drive, one or many shards, as judged routes.

Events are read out of the messages, so that any version of the formula can be computed; times and places are not known.
A route that several shards hold counts once, the first time, and is named; so is one that none holds.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from drive_agent.score.events import KINDS, MIN_SPEED, OUTSIDE_LANES, Event
from drive_agent.score.judged import JudgedRoute, record_name
from drive_agent.score.results import RouteRecord, read_records

_NUMBER = re.compile(r"_\d+$")
_PERCENT = re.compile(r"([\d.]+)%")


@dataclass(frozen=True)
class JudgedRun:
    """`total` counts the routes asked for; those that are not in `routes` score 0, `missing` says which and why."""

    routes: tuple[JudgedRoute, ...]
    missing: tuple[dict[str, str], ...]
    total: int
    duplicates: tuple[str, ...] = ()


def result_files(place: Path) -> list[Path]:
    """The official result files at a path: itself, or those in a folder."""
    return [place] if place.is_file() else [p for p in sorted(place.glob("*.json")) if _is_official(p)]


def read_official(files: Sequence[Path], asked: Sequence[str] = ()) -> JudgedRun:
    """All shards of one evaluation; `asked` names the routes where that is known, e.g. by `names_in`.

    Raises ValueError for broken files, and for a record that was not asked for.
    """
    records = [record for path in files for record in read_records(path)]
    times = Counter(record.route_id for record in records)
    first = {record.route_id: record for record in reversed(records)}
    strange = [name for name in times if asked and name not in asked]
    if strange:
        raise ValueError(
            f"{files[0]} has route {strange[0]}, which routes= has not: give the file it was run with"
        )
    totals = [json.loads(path.read_text())["_checkpoint"].get("progress", [0, 0])[1] for path in files]
    total = len(asked) or max(sum(totals) - (len(records) - len(first)), len(first))
    missing = [{"route_id": name, "reason": "no record"} for name in asked if name not in first]
    if total > len(first) and not asked:
        unseen = f"{total - len(first)} of {total} routes have no record; routes=FILE.xml names them"
        missing.append({"route_id": "", "reason": unseen})
    return JudgedRun(
        tuple(judged_from_record(first[name]) for name in times),
        tuple(missing),
        total,
        tuple(name for name, count in times.items() if count > 1),
    )


def names_in(route_file: Path, repetitions: int = 1) -> list[str]:
    """The names that the routes of an XML file have in result files. Raises ValueError for what is no such file."""
    try:
        root = ElementTree.parse(route_file).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(f"routes={route_file}: {error}; expected a route XML of the Leaderboard") from error
    return [record_name(route.get("id", ""), k) for route in root.iter("route") for k in range(repetitions)]


def judged_from_record(record: RouteRecord) -> JudgedRoute:
    """A route of a results file; percentages are read out of the messages."""
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


def _is_official(path: Path) -> bool:
    try:
        data = json.loads(path.read_text())
    except json.JSONDecodeError:
        return False
    return isinstance(data, dict) and "progress" in data.get("_checkpoint", {})


def _value(kind: str, message: str) -> float:
    if kind not in (OUTSIDE_LANES, MIN_SPEED):
        return 0.0
    found = _PERCENT.search(message)
    if found is None:
        raise ValueError(f"no percentage in the message {message!r}, expected the Leaderboard 2.x wording")
    return float(found.group(1))
