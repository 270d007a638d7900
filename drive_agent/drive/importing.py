"""A drive that CARLA's recorder saw, as a log of ours: with the Leaderboard's results and routes where they are at hand.

The recording says where everybody was, the map what lay under the wheels, the route what was asked for; our judge looks at
all three again and so gives every infraction its second. What the results file alone knows (scenarios that timed out) is
taken from there. Without a route file the driven way is the route.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drive_agent.carla_recorder import Recording, read_recording
from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.drive.provenance import git_hash, versions
from drive_agent.geometry import arc_length, resample
from drive_agent.log.encode import to_plain
from drive_agent.log.recorded import Box, RecordedTick, ego_of, recorded_ticks
from drive_agent.log.schema import RECORDED, Outcome, RunHeader, ScenarioEvent
from drive_agent.log.store import EpisodeWriter
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, plan_route, sparse
from drive_agent.score.events import KINDS, SCENARIO_TIMEOUT, YIELD, Event
from drive_agent.score.judge import RouteJudge
from drive_agent.score.judged import LOG_NAME, judge_log
from drive_agent.score.results import RouteRecord, read_records
from drive_agent.sim.blueprints import LIBRARY
from drive_agent.types import Command, ControlTerms, Decision, Maneuver
from scenarios.routes import RouteSpec, route_set

GOAL_M = 5  # the Leaderboard's routes end up to so far before the last point of their file
_NAMED = 8  # routes that a message lists
WHAT = {SCENARIO_TIMEOUT: "timeout", YIELD: "not_yielded"}  # infractions that only the evaluator knows
NEAR_S = 2.0  # ours and theirs are the same event within this
NEAR_M = 10.0  # the ego is at the place that a message names within this
IMPORTED = "recorded"  # stands where a log says which model drove
_NAME = re.compile(r"RouteScenario_(?P<id>.+)_rep(?P<repetition>\d+)$")
_PLACE = re.compile(r"\(x=(?P<x>[-\d.]+), y=(?P<y>[-\d.]+), z=[-\d.]+\)")
_UNSEEN = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)


@dataclass(frozen=True)
class Sources:
    """What there is of a drive. `maps` is an .xodr file or a folder of them, `route` picks one of several."""

    recording: Path
    results: Path | None = None
    routes: str | None = None
    route: str | None = None
    maps: Path | None = None
    ego: int | None = None


@dataclass(frozen=True)
class Told:
    """One infraction of the results file, and the tick at which the ego was nearest to the place it names, if any."""

    kind: str
    message: str
    tick: int | None


@dataclass(frozen=True)
class Seen:
    """An infraction of the results file, of our judge, or of both; seconds after the first tick, None where unknown."""

    kind: str
    message: str
    is_told: bool  # the results file has it
    told_s: float | None  # when, by the place in its message
    judged_s: float | None  # when our judge saw it

    @property
    def at_s(self) -> float | None:
        """When to look."""
        return self.judged_s if self.told_s is None else self.told_s


@dataclass(frozen=True)
class Imported:
    """What came of it."""

    log: Path
    town: str
    ego: str
    ticks: int
    seconds: float
    missing: str
    official: RouteRecord | None  # None where no results file was given
    infractions: tuple[Seen, ...]


def import_recording(sources: Sources, out: Path) -> Imported:
    """Write `out`/routes/<route>/log.mcap. Raises ValueError, one line, for whatever cannot be read or does not fit."""
    recording = _read(sources.recording)
    name = _Name.of(sources)
    town = recording.town.rsplit("/", 1)[-1]  # newer versions say Carla/Maps/Town10HD_Opt
    road_map = _road_map(town, sources)
    spec = _spec(sources, name, town)
    ego = ego_of(recording, sources.ego)
    ticks = list(recorded_ticks(recording, road_map, ego, box_of))
    if len(ticks) < 2:
        raise ValueError(
            f"{sources.recording}: vehicle {ego} is there in {len(ticks)} frames, expected a drive"
        )
    record = _record(sources, name)
    route = driven_route(ticks, road_map) if spec is None else plan_route(road_map, spec.keypoints)
    if spec is not None and record is not None and record.score_route == 100:
        route = _up_to(route, ticks[-1].truth.ego[:2])
    log = out / "routes" / f"{name.route_id}_rep{name.repetition}" / LOG_NAME
    if log.exists():
        raise ValueError(f"{log} is there already; give another out=, or remove it")
    told = _told(record, ticks)
    judged = _judged(ticks, route, road_map)
    extra = _scenario_events(told, ticks[:judged])
    with EpisodeWriter(log, _header(name, town, route, spec, sources), road_map) as writer:
        for tick in ticks:
            now = tuple(event for event in extra if event.time_us == tick.truth.time_us)
            writer.write(tick.truth, _decision(tick.command), now)
        start_us, end_us = ticks[0].truth.time_us, ticks[-1].truth.time_us
        if record is not None or not recording.missing:
            writer.finish(_outcome(record, (end_us - start_us) / 1e6))
    return Imported(
        log=log,
        town=road_map.name,
        ego=f"{ticks[0].truth.ego_info.type_id} (id {ego})",
        ticks=len(ticks),
        seconds=(end_us - start_us) / 1e6,
        missing=recording.missing,
        official=record,
        infractions=_seen(told, judge_log(log, _outcome(record, 0.0)).events, ticks),
    )


def box_of(type_id: str) -> Box:
    """The size of a blueprint of CARLA's; a car's, a walker's or a cone's for one that is not in the catalogue."""
    model = LIBRARY[type_id].model if type_id in LIBRARY else None
    half, centre = getattr(model, "half_extents_m", None), getattr(model, "center_m", (0.0, 0.0, 0.0))
    if half is not None:
        return (*half, centre[0])
    if type_id.startswith("walker."):
        return 0.3, 0.3, 0.9, 0.0
    return (0.3, 0.3, 0.5, 0.0) if type_id.startswith("static.") else (2.3, 0.95, 0.78, 0.0)


def driven_route(ticks: Sequence[RecordedTick], road_map: RoadMap) -> Route:
    """The way that the ego took, a point a metre, as if it had been asked for. Raises ValueError where it stood still."""
    way = np.array([tick.truth.ego[:3] for tick in ticks])
    moved = np.concatenate([[True], np.linalg.norm(np.diff(way[:, :2], axis=0), axis=1) > 1e-3])
    way = way[moved]
    length_m = float(arc_length(way[:, :2])[-1]) if len(way) > 1 else 0.0
    if length_m < 2.0:
        raise ValueError(
            f"the ego moved {length_m:.1f} m and no route is known: give routes=FILE.xml, as the drive was asked for"
        )
    points = resample(np.column_stack([way[:, :2], way[:, 2]]), np.arange(0.0, length_m, 1.0))
    headings = np.arctan2(np.gradient(points[:, 1]), np.gradient(points[:, 0]))
    lanes = [road_map.nearest_lane(p[:2], h)[0] for p, h in zip(points, headings.tolist(), strict=True)]
    return Route(points, headings, (Maneuver.LANE_FOLLOW,) * len(points), np.array(lanes))


def _up_to(route: Route, end: np.ndarray) -> Route:
    """A route that the evaluator says was driven to its goal, without the last metres that its own planner leaves out."""
    beyond_m = (end - route.points[:, :2]) @ (np.cos(route.headings[-1]), np.sin(route.headings[-1]))
    count = int(np.flatnonzero(beyond_m >= 0.0)[-1]) + 1 if (beyond_m >= 0.0).any() else 0
    if len(route.points) - count > GOAL_M:
        return route
    return Route(route.points[:count], route.headings[:count], route.maneuvers[:count], route.lanes[:count])


@dataclass(frozen=True)
class _Name:
    """Which route a recording is of: as the evaluator names its files, or as the caller says."""

    route_id: str
    repetition: int
    official: str | None  # in the results file, None where the file's name does not tell

    @classmethod
    def of(cls, sources: Sources) -> _Name:
        found = _NAME.search(sources.recording.stem)
        if sources.route is not None:
            route_id, _, repetition = sources.route.partition("_rep")
            number = int(repetition) if repetition.isdecimal() else 0
            return cls(route_id, number, f"RouteScenario_{route_id}_rep{number}")
        if found is not None:
            return cls(found["id"], int(found["repetition"]), found[0])
        return cls(sources.recording.stem, 0, None)


def _read(path: Path) -> Recording:
    try:
        recording = read_recording(path.read_bytes())
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}), expected a recording of CARLA's recorder"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not recording.frames:
        raise ValueError(f"{path} has no whole frame, expected a drive: record it again")
    return recording


def _road_map(town: str, sources: Sources) -> RoadMap:
    folder = sources.maps
    if folder is not None and folder.is_file():
        return offline_road_map(str(folder))
    try:
        return offline_road_map(town, None if folder is None else str(folder))
    except ValueError as error:
        if folder is not None:
            raise
        raise ValueError(
            f"{sources.recording} was recorded in {town!r}, whose map is needed: give map=FILE.xodr or map=FOLDER (CARLA's"
            " lie in CarlaUE4/Content/Carla/Maps/OpenDrive)"
        ) from error


def _spec(sources: Sources, name: _Name, town: str) -> RouteSpec | None:
    if sources.routes is None:
        return None
    specs = {spec.id: spec for spec in route_set(sources.routes, (town,))}
    is_only = len(specs) == 1 and sources.route is None and name.official is None
    route_id = next(iter(specs)) if is_only else name.route_id
    if route_id not in specs:
        raise ValueError(
            f"routes={sources.routes} has no route {route_id!r}: give route=, one of {_some(specs)}"
        )
    spec = specs[route_id]
    if spec.town.removesuffix("_Opt") != town.removesuffix("_Opt"):  # the same town, in other layers
        raise ValueError(
            f"{spec.where} is in {spec.town}, the recording in {town}: give the file it was driven with"
        )
    return spec


def _record(sources: Sources, name: _Name) -> RouteRecord | None:
    if sources.results is None:
        return None
    try:
        records = {record.route_id: record for record in read_records(sources.results)}
    except OSError as error:
        raise ValueError(f"results={sources.results} cannot be read ({error.strerror})") from error
    if name.official is None and len(records) == 1:
        return next(iter(records.values()))
    if name.official not in records:
        raise ValueError(
            f"results={sources.results} has no record of {name.official or sources.recording.name}: give route=, one of"
            f" {_some(record.removeprefix('RouteScenario_') for record in records)}"
        )
    return records[name.official]


def _some(names: Iterable[str]) -> str:
    """The names for a message; of many, the first."""
    names = list(names)
    rest = len(names) - _NAMED
    return (", ".join(names[:_NAMED]) or "none") + (f" and {rest} more" if rest > 0 else "")


def _header(name: _Name, town: str, route: Route, spec: RouteSpec | None, sources: Sources) -> RunHeader:
    picks = sparse(route)
    return RunHeader(
        route_id=name.route_id,
        repetition=name.repetition,
        town=town,
        seed=0,
        route=route,
        sparse_points=route.points[picks],
        sparse_maneuvers=tuple(route.maneuvers[k] for k in picks),
        config={
            "model": {
                "kind": IMPORTED,
                "recording": str(sources.recording),
                "results": str(sources.results or ""),
            }
        },
        package_versions=versions(),
        git_hash=git_hash(),
        scenario_types=() if spec is None else tuple(scenario.type for scenario in spec.scenarios),
        route_spec={} if spec is None else to_plain(spec),
    )


def _decision(command: Command | None) -> Decision | None:
    return None if command is None else Decision(command, _UNSEEN, _UNSEEN, "", None)


def _outcome(record: RouteRecord | None, seconds: float) -> Outcome:
    if record is None:
        return Outcome(RECORDED, "", 0.0, seconds)
    return Outcome(record.status, "", record.meta["duration_system"], record.meta["duration_game"])


def _told(record: RouteRecord | None, ticks: Sequence[RecordedTick]) -> list[Told]:
    """The infractions of the results file in its order."""
    if record is None:
        return []
    way = np.array([tick.truth.ego[:2] for tick in ticks])
    return [
        Told(kind, message, _nearest(way, message)) for kind in KINDS for message in record.infractions[kind]
    ]


def _nearest(way: np.ndarray, message: str) -> int | None:
    """The tick at which the ego was nearest to the place in a message, None where it was never near or none is named."""
    place = _PLACE.search(message)
    if place is None:
        return None
    apart_m = np.linalg.norm(way - (float(place["x"]), -float(place["y"])), axis=1)
    return int(apart_m.argmin()) if apart_m.min() <= NEAR_M else None


def _judged(ticks: Sequence[RecordedTick], route: Route, road_map: RoadMap) -> int:
    """How many ticks the route has: a recording goes on after its end."""
    judge = RouteJudge(route, road_map)
    for count, tick in enumerate(ticks, start=1):
        judge.update(tick.truth)
        if judge.ended is not None:
            return count
    return len(ticks)


def _scenario_events(told: Sequence[Told], ticks: Sequence[RecordedTick]) -> tuple[ScenarioEvent, ...]:
    """What the results file alone knows; where it names no place, or one after the end, at the last tick of the route."""
    last = len(ticks) - 1
    return tuple(
        ScenarioEvent(
            ticks[last if one.tick is None else min(one.tick, last)].truth.time_us,
            "named in the results",
            WHAT[one.kind],
        )
        for one in told
        if one.kind in WHAT
    )


def _seen(told: Sequence[Told], events: Sequence[Event], ticks: Sequence[RecordedTick]) -> tuple[Seen, ...]:
    """Each told infraction with our event of the same kind at about the same time, then what of ours is left over."""
    start_us, left, seen = ticks[0].truth.time_us, list(events), []
    for one in told:
        near_us = None if one.tick is None else ticks[one.tick].truth.time_us
        same = [
            event
            for event in left
            if event.kind == one.kind and (near_us is None or abs(event.time_us - near_us) <= NEAR_S * 1e6)
        ]
        ours = min(same, key=lambda event: abs(event.time_us - (near_us or start_us)), default=None)
        if ours is not None:
            left.remove(ours)
        judged_s = None if ours is None else (ours.time_us - start_us) / 1e6
        told_s = None if near_us is None else (near_us - start_us) / 1e6
        seen.append(Seen(one.kind, one.message, True, told_s, judged_s))
    seen += [Seen(event.kind, event.message, False, None, (event.time_us - start_us) / 1e6) for event in left]
    return tuple(sorted(seen, key=lambda one: np.inf if one.at_s is None else one.at_s))
