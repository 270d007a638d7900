"""Junctions on a route: which other lanes cross it, who goes first, and whether someone is coming.

The geometry of a junction (`Passage`) is worked out once a route. Each tick only asks: does a car on one of the
crossing lanes reach the common area while we are in it? Knows nothing of speeds to drive. World frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from drive_agent.expert.corridor import RouteTrack
from drive_agent.expert.others import EgoPose, Others
from drive_agent.expert.stop_lines import RouteLine
from drive_agent.geometry import arc_length, wrap_angle
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route
from drive_agent.types import LightState

CLEARANCE_M = 2.9  # lane centres nearer than this: the cars on them would touch
UPSTREAM_M = 60.0  # how far back the approaches of a junction are watched
ON_LANE_M, ON_LANE_COS = 2.2, 0.7  # a car belongs to a lane point nearer and better aligned than this
TURN_RAD = 0.6
ACCEL_MPS2 = 2.0
CREEP_MPS = 0.4  # slower counts as waiting
WAIT_BEFORE_M = 0.5
PAST_LINE_M = 2.0  # further over the line there is no waiting at it
LINE_REACH_M = 12.0  # a stop line this near before a junction belongs to it
STARTING_REACH_M = 14.0  # a waiting car this near the common area may start any moment


class Rank(IntEnum):
    """Who goes first where a lane crosses the route."""

    OTHERS_YIELD = 0
    FIRST_COME = 1
    WE_YIELD = 2


@dataclass(frozen=True)
class Passage:
    """One junction of the route. Arrays have one row a watched point on a crossing lane or its approach."""

    begin_m: float  # route stations of the junction's inside
    end_m: float
    wait_m: float  # where the bumper stops to let others pass
    points: np.ndarray  # (k, 2)
    headings: np.ndarray  # (k,)
    to_area_m: np.ndarray  # (k,) way from the point to the common area, negative past its begin
    area_m: np.ndarray  # (k,) length of the common area along the crossing lane
    inside: np.ndarray  # (k,) bool: point lies in the junction
    rank: np.ndarray  # (k,) Rank
    signal: np.ndarray  # (k,) index into `signals`, -1 when no light governs that approach
    own_begin_m: np.ndarray  # (k,) route stations of the common area
    own_end_m: np.ndarray  # (k,)
    signals: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Someone to let pass: which actor, and where to wait for it."""

    actor_id: int
    wait_m: float  # route station for the bumper
    moving: bool


def passages(
    road_map: RoadMap, route: Route, track: RouteTrack, lines: tuple[RouteLine, ...]
) -> tuple[Passage, ...]:
    """All junctions of a route that other lanes cross, in driving order."""
    in_junction = np.array([road_map.lanes[k].junction_id for k in route.lanes])
    cuts = np.flatnonzero(np.diff(in_junction)) + 1
    found = []
    for first, last in zip([0, *cuts], [*cuts, len(in_junction)], strict=True):
        if in_junction[first] >= 0 and last - first >= 3:
            passage = _passage(road_map, route, track, lines, int(first), int(last))
            if passage is not None:
                found.append(passage)
    return tuple(found)


def _passage(
    road_map: RoadMap, route: Route, track: RouteTrack, lines: tuple[RouteLine, ...], first: int, last: int
) -> Passage | None:
    own = list(dict.fromkeys(int(k) for k in route.lanes[first:last]))
    own_points, own_stations = track.points[first:last], track.stations_m[first:last]
    own_entry = road_map.lanes[own[0]]
    junction_id = own_entry.junction_id
    rows: list[tuple[np.ndarray, ...]] = []
    signals: list[str] = []
    for lane in road_map.lanes:
        if lane.junction_id != junction_id or lane.kind != "driving" or lane.index in own:
            continue
        if set(lane.predecessors) & set(own_entry.predecessors):
            continue  # from our own lane: ahead of us it is a leader, behind us no matter
        touch = np.linalg.norm(lane.center[:, None, :2] - own_points[None], axis=2) < CLEARANCE_M
        if not touch.any() or _same_approach(lane, own_entry):
            continue
        rows.append(_watch(road_map, lane, own_entry, route, own, touch, own_stations, signals))
    if not rows:
        return None
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    begin_m = float(own_stations[0])
    stops = [line.station_m for line in lines if begin_m - LINE_REACH_M < line.station_m <= begin_m + 2.0]
    wait_m = (stops[-1] if stops else begin_m) - WAIT_BEFORE_M
    return Passage(begin_m, float(own_stations[-1]), wait_m, *columns, tuple(signals))


def _same_approach(lane: Lane, own: Lane) -> bool:
    """Whether a lane enters the junction beside ours."""
    near = float(np.linalg.norm(lane.center[0, :2] - own.center[0, :2])) < 8.0
    return near and abs(float(wrap_angle(lane.heading[0] - own.heading[0]))) < 0.5


def _watch(
    road_map: RoadMap,
    lane: Lane,
    own_entry: Lane,
    route: Route,
    own: list[int],
    touch: np.ndarray,
    own_stations: np.ndarray,
    signals: list[str],
) -> tuple[np.ndarray, ...]:
    """The watched points of one crossing lane and its approaches, as the columns of a `Passage`."""
    along = arc_length(lane.center[:, :2])
    theirs, ours = np.flatnonzero(touch.any(1)), np.flatnonzero(touch.any(0))
    area_begin, area_end = along[theirs[0]], along[theirs[-1]]
    pieces = [(lane.center[:, :2], lane.heading, area_begin - along, np.ones(len(along), bool))]
    pieces += _upstream(road_map, lane, area_begin)
    points, headings, to_area, inside = (np.concatenate(column) for column in zip(*pieces, strict=True))
    keep = to_area > -(area_end - area_begin)
    points, headings, to_area, inside = points[keep], headings[keep], to_area[keep], inside[keep]
    control, signal_id = _control(road_map, lane.predecessors)
    own_control, _ = _control(road_map, own_entry.predecessors)
    own_turn = _turn([road_map.lanes[k] for k in own])
    rank = _rank(own_control, control, own_turn, _turn([lane]), _bearing(own_entry, lane))
    if control == "light" and signal_id not in signals:
        signals.append(signal_id)
    signal = signals.index(signal_id) if control == "light" else -1
    full = np.full(len(points), 1.0)
    return (
        points, headings, to_area, (area_end - area_begin) * full, inside, (rank * full).astype(int),
        (signal * full).astype(int), own_stations[ours[0]] * full, own_stations[ours[-1]] * full,
    )  # fmt: skip


def _upstream(road_map: RoadMap, lane: Lane, from_area_m: float) -> list[tuple[np.ndarray, ...]]:
    """Approach lanes of `lane`, back to `UPSTREAM_M` before it or the junction before."""
    pieces = []
    todo = [(k, from_area_m) for k in lane.predecessors]
    while todo:
        index, base_m = todo.pop()
        before = road_map.lanes[index]
        if before.is_junction:
            continue
        along = arc_length(before.center[:, :2])
        to_area = base_m + along[-1] - along
        keep = to_area < UPSTREAM_M + from_area_m
        outside = np.zeros(int(keep.sum()), bool)
        pieces.append((before.center[keep, :2], before.heading[keep], to_area[keep], outside))
        if keep.all():
            todo += [(k, base_m + along[-1]) for k in before.predecessors]
    return pieces


def _control(road_map: RoadMap, approaches: tuple[int, ...]) -> tuple[str, str]:
    """What rules an approach ("light", "stop", "yield" or "none") and the signal's id."""
    for line in road_map.stop_lines:
        if set(line.lanes) & set(approaches):
            return line.kind, line.signal_id
    return "none", ""


def _turn(lanes: list[Lane]) -> float:
    """Change of heading through the junction, left positive."""
    return float(wrap_angle(lanes[-1].heading[-1] - lanes[0].heading[0]))


def _bearing(own: Lane, other: Lane) -> float:
    """Direction that the other comes from relative to ours: 0 from ahead, positive from our left."""
    return float(wrap_angle(other.heading[0] + np.pi - own.heading[0]))


def _rank(own_control: str, control: str, own_turn: float, turn: float, bearing: float) -> Rank:
    """Right of way by signs, else: a left turn yields to oncoming traffic, and all yield to the right."""
    weight = {"none": 0, "light": 0, "yield": 1, "stop": 2}
    if weight[own_control] != weight[control]:
        return Rank.WE_YIELD if weight[own_control] > weight[control] else Rank.OTHERS_YIELD
    oncoming = abs(bearing) < 0.8
    if oncoming:
        if own_turn > TURN_RAD and turn < TURN_RAD:
            return Rank.WE_YIELD
        return Rank.OTHERS_YIELD if turn > TURN_RAD else Rank.FIRST_COME
    if own_control == "light":
        return Rank.OTHERS_YIELD  # crossing traffic has red
    if own_control == "stop":
        return Rank.FIRST_COME
    return Rank.WE_YIELD if bearing < 0.0 else Rank.OTHERS_YIELD


def conflict(
    passage: Passage,
    ego: EgoPose,
    own_id: int,
    front_station_m: float,
    others: Others,
    lights: dict[str, LightState],
    *,
    patient: bool,
) -> Conflict | None:
    """The first road user to let pass, or None when the way through is free.

    `patient` is False once we have waited long for cars that do not move: those are then taken to let us go.
    """
    if not len(passage.points) or not len(others.ids):
        return None
    who, point = _matches(passage, others)
    if not len(who):
        return None
    speed = others.speed[who]
    to_area, rank, inside = passage.to_area_m[point], passage.rank[point], passage.inside[point]
    coming = _may_come(passage, point, lights) | inside
    begin_s, end_s = _their_window(to_area, passage.area_m[point], others.half[who, 0], speed)
    own_begin_s, own_end_s = _own_window(passage, point, ego, front_station_m)
    ahead = own_end_s > 0.0
    moving_now = speed >= CREEP_MPS
    starts_soon = (
        ~moving_now & (rank == Rank.WE_YIELD) & (to_area < STARTING_REACH_M) & (to_area > 0.0) & patient
    )
    moving = moving_now | starts_soon
    overlap = (begin_s - _margin_s(ego) < own_end_s) & (own_begin_s < end_s + 0.5)
    entered = front_station_m > passage.own_begin_m[point] + 0.5  # too late to wait: clear the junction
    must = (
        (rank == Rank.WE_YIELD)
        | inside & (begin_s < own_begin_s)
        | (rank == Rank.FIRST_COME) & _they_first(begin_s, own_begin_s, others.ids[who], own_id)
    )
    yes = coming & moving & ahead & overlap & must & ~entered
    if not yes.any():
        return None
    rows = np.flatnonzero(yes)
    first = rows[
        np.argmin(passage.own_begin_m[point[rows]])
    ]  # a car that may take several ways: the nearest counts
    return Conflict(
        int(others.ids[who[first]]),
        _wait_at(passage, point[first], front_station_m),
        bool(moving_now[rows].any()),
    )


def _matches(passage: Passage, others: Others) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (actor row, watched point) of vehicles that are on a watched lane."""
    distance2 = (
        (others.center**2).sum(1)[:, None]
        + (passage.points**2).sum(1)[None]
        - 2.0 * others.center @ passage.points.T
    )
    near = (distance2 < ON_LANE_M**2) & ~others.walker[:, None]
    who, point = np.nonzero(near)
    aligned = np.cos(others.yaw[who] - passage.headings[point]) > ON_LANE_COS
    return who[aligned], point[aligned]


def _may_come(passage: Passage, point: np.ndarray, lights: dict[str, LightState]) -> np.ndarray:
    """Whether the light of each approach lets its traffic go (approaches without a light always do)."""
    go = np.array([lights[s] in (LightState.GREEN, LightState.YELLOW) for s in passage.signals] + [True])
    return go[passage.signal[point]]


def _their_window(
    to_area: np.ndarray, area_m: np.ndarray, half_length: np.ndarray, speed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """When the others enter and leave the common area, seconds from now."""
    pace = np.maximum(speed, 2.0)
    return (to_area - half_length) / pace, (to_area + area_m + half_length) / pace


def _own_window(
    passage: Passage, point: np.ndarray, ego: EgoPose, front_station_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """When our bumper enters and our tail leaves the common area, accelerating up to turning speed."""
    enter = np.maximum(passage.own_begin_m[point] - front_station_m, 0.0)
    leave = passage.own_end_m[point] - front_station_m + ego.length_m
    return _time_for(enter, ego.speed_mps), np.where(leave > 0.0, _time_for(leave, ego.speed_mps), -1.0)


def _time_for(way_m: np.ndarray, speed_mps: float, top_mps: float = 6.0) -> np.ndarray:
    """Time to drive a way, accelerating from `speed_mps` to at most `top_mps`."""
    top = max(top_mps, speed_mps)
    way = np.maximum(way_m, 0.0)
    run_up_s = (top - speed_mps) / ACCEL_MPS2
    run_up_m = 0.5 * (top + speed_mps) * run_up_s
    within = (np.sqrt(speed_mps**2 + 2.0 * ACCEL_MPS2 * np.minimum(way, run_up_m)) - speed_mps) / ACCEL_MPS2
    return np.where(way <= run_up_m, within, run_up_s + (way - run_up_m) / top)


def _margin_s(ego: EgoPose) -> float:
    """Spare time before the other arrives: more from standstill, so that the decision does not flicker."""
    return 2.0 if ego.speed_mps < 1.0 else 1.0


def _they_first(begin_s: np.ndarray, own_begin_s: np.ndarray, ids: np.ndarray, own_id: int) -> np.ndarray:
    """First come, first served; within half a second the smaller id goes."""
    tie = np.abs(begin_s - own_begin_s) < 0.5
    return np.where(tie, ids < own_id, begin_s < own_begin_s)


def _wait_at(passage: Passage, point: int, front_station_m: float) -> float:
    """At the junction's line, where the tail will not be on it when the light changes; once past it, before the area."""
    at_area = float(passage.own_begin_m[point]) - WAIT_BEFORE_M
    return at_area if front_station_m > passage.wait_m + PAST_LINE_M else passage.wait_m
