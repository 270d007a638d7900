"""Junctions on a route: which other lanes cross it, and who goes first.

Worked out once a route, from the map alone; `yielding` asks each tick whether someone comes. World frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from drive_agent.expert.corridor import RouteTrack
from drive_agent.expert.stop_lines import RouteLine
from drive_agent.geometry import arc_length, wrap_angle
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route

CLEARANCE_M = 2.9  # lane centres nearer than this: the cars on them would touch
UPSTREAM_M = 100.0  # how far back the approaches of a junction are watched
TURN_RAD = 0.6
TURN_ACCEL_MPS2 = 4.5  # sideways
BESIDE_RAD = 2.4  # traffic that comes from behind and beside us
WATCHED = {"driving": CLEARANCE_M, "biking": 1.7}  # kinds of lanes that cross, and how near is too near
WAIT_BEFORE_M = 0.5
CAR_M = 5.5  # who waits so far behind a light's line has crossed it with the tail too
LINE_REACH_M = 12.0  # a stop line this near before a junction belongs to it


class Rank(IntEnum):
    """Who goes first where a lane crosses the route."""

    OTHERS_YIELD = 0
    FIRST_COME = 1
    WE_YIELD = 2
    SIGNALS = 3  # lights keep us apart; who has green while we have it goes first


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
    merges: np.ndarray  # (k,) bool: leads into the lane that we leave by
    turn_mps: np.ndarray  # (k,) what a car drives at most in the bend of its way through the junction
    signal: np.ndarray  # (k,) index into `signals`, -1 when no light governs that approach
    own_begin_m: np.ndarray  # (k,) route stations of the common area
    own_end_m: np.ndarray  # (k,)
    signals: tuple[str, ...]


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
        if lane.junction_id != junction_id or lane.kind not in WATCHED or lane.index in own:
            continue
        if set(lane.predecessors) & set(own_entry.predecessors):
            continue  # from our own lane: ahead of us it is a leader, behind us no matter
        touch = np.linalg.norm(lane.center[:, None, :2] - own_points[None], axis=2) < WATCHED[lane.kind]
        if not touch.any() or (lane.kind == "driving" and _same_approach(lane, own_entry)):
            continue
        rows.append(_watch(road_map, lane, own_entry, route, own, touch, own_stations, signals))
    if not rows:
        return None
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    begin_m = float(own_stations[0])
    stops = [line.station_m for line in lines if begin_m - LINE_REACH_M < line.station_m <= begin_m + 2.0]
    wait_m = (stops[-1] if stops else begin_m) - WAIT_BEFORE_M
    passage = Passage(begin_m, float(own_stations[-1]), wait_m, *columns, signals=tuple(signals))
    is_signalled = _control(road_map, own_entry.predecessors)[0] == "light"
    inside_m = _before_all(passage)
    if inside_m < wait_m + is_signalled * CAR_M:
        return passage
    return replace(passage, wait_m=inside_m)


def _before_all(passage: Passage) -> float:
    """Right before the first area where others may go first: from there a gap is used soonest, and nobody is in the way."""
    wary = np.isin(passage.rank, (Rank.FIRST_COME, Rank.WE_YIELD))
    return float(passage.own_begin_m[wary].min()) - WAIT_BEFORE_M if wary.any() else -np.inf


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
    merges = bool(set(lane.successors) & set(road_map.lanes[own[-1]].successors))
    if control == "light" and signal_id not in signals:
        signals.append(signal_id)
    signal = signals.index(signal_id) if control == "light" else -1
    full = np.full(len(points), 1.0)
    return (
        points, headings, to_area, (area_end - area_begin) * full, inside, (rank * full).astype(int),
        np.full(len(points), merges), _turn_speed(lane) * full, (signal * full).astype(int), own_stations[ours[0]] * full, own_stations[ours[-1]] * full,
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


def _turn_speed(lane: Lane) -> float:
    """The speed at which a bend of that length and angle is still driven, inf for a way straight on."""
    turn = abs(_turn([lane]))
    return float(np.sqrt(TURN_ACCEL_MPS2 * lane.length_m / turn)) if turn > TURN_RAD else np.inf


def _bearing(own: Lane, other: Lane) -> float:
    """Direction that the other comes from relative to ours: 0 from ahead, positive from our left."""
    return float(wrap_angle(other.heading[0] + np.pi - own.heading[0]))


def _rank(own_control: str, control: str, own_turn: float, turn: float, bearing: float) -> Rank:
    """Right of way by signs, else: a left turn yields to oncoming traffic, and we to all who cross.

    Right before left is not relied on: it would be the other's turn to brake, from full speed.
    """
    weight = {"none": 0, "light": 0, "yield": 1, "stop": 2}
    if weight[own_control] != weight[control]:
        return Rank.WE_YIELD if weight[own_control] > weight[control] else Rank.OTHERS_YIELD
    oncoming = abs(bearing) < 0.8
    if abs(bearing) > BESIDE_RAD:
        return Rank.WE_YIELD  # it goes straight on beside us while we turn
    if oncoming:
        if own_turn > TURN_RAD and turn < TURN_RAD:
            return Rank.WE_YIELD
        return Rank.OTHERS_YIELD if turn > TURN_RAD else Rank.FIRST_COME
    if own_control == "light":
        return Rank.SIGNALS
    return Rank.FIRST_COME if own_control == "stop" else Rank.WE_YIELD
