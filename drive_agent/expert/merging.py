"""Joining a lane at speed: where the route comes into a lane that others drive on, and how fast to find a gap there.

Three kinds of places: a lane change of the route, a junction in which a lane beside ours leads into the same one (an
acceleration lane that ends, a ramp), and a parking bay that one leaves. Cars of the other lane are seen as if they were on our own, at the same way to the
place where the lanes meet. Knows nothing of signs, lights and crossings. World frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from drive_agent.expert.corridor import Corridor, RouteTrack
from drive_agent.expert.longitudinal import NEAR_ENOUGH_M, Bound
from drive_agent.expert.others import EgoPose, Others
from drive_agent.geometry import arc_length, project
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import CHANGES, Route

LOOK_M = 90.0  # a place is looked at from so far
UPSTREAM_M = 120.0
CLEARANCE_M = 2.9  # lane centres nearer than this: cars on them would touch
ON_LANE_M, ON_LANE_COS = 1.7, 0.8
ENTERED_SHARE = 0.25  # of the way of a lane change: from there on one is in the other lane
SPARE_M, HEADWAY_S = 2.0, 0.4  # behind the car ahead
GATE_BRAKE_MPS2, GATE_LEAST_MPS = 2.5, 3.0
SLOT_M, SLOT_S = 2.0, 0.4  # free way before a car that comes from behind: fixed, and for each m/s of it
ACCEL_MPS2 = 2.0
LEAST_MPS = 2.0
BESIDE_M = 1.0
ASIDE_M, BAY_MPS = 1.2, 3.0  # farther from the route and slower than this, one may be in a parking bay


@dataclass(frozen=True)
class Join:
    """A place where the route comes into another lane. Arrays have a row a point on that lane, up to 120 m back."""

    station_m: float  # of the route: a bumper here touches the other lane
    points: np.ndarray  # (k, 2)
    headings: np.ndarray  # (k,)
    to_join_m: np.ndarray  # (k,) way from there to the place, negative beyond it


class Merging:
    """All such places of one route; `look` says what to keep behind."""

    def __init__(self, road_map: RoadMap, route: Route, track: RouteTrack) -> None:
        joins = [*_lane_changes(road_map, route, track), *_lanes_that_end(road_map, route, track)]
        self._joins = sorted(joins, key=lambda join: join.station_m)
        self._road_map = road_map
        self._own = _own_lane(road_map, route, track)

    def look(self, ego: EgoPose, corridor: Corridor, others: Others) -> list[Bound]:
        """Cars of the lanes to join next that have to be in front of us there."""
        front_m = corridor.begin_m + ego.front_m
        out: list[Bound] = []
        for join in [*self._out_of_bay(ego, corridor, front_m), *self._joins]:
            if 0.0 < join.station_m - front_m < LOOK_M:
                out += _keep_behind(join, ego, join.station_m - front_m, others)
        return out

    def _out_of_bay(self, ego: EgoPose, corridor: Corridor, front_m: float) -> list[Join]:
        """In a parking bay beside the route, its own lane is the one to join, right here."""
        if abs(corridor.offset_m) < ASIDE_M or ego.speed_mps > BAY_MPS:
            return []
        place = np.array([ego.x_m, ego.y_m])
        lane, *_ = self._road_map.nearest_lane(place, ego.yaw_rad, ("driving", "parking"))
        if self._road_map.lanes[lane].kind != "parking":
            return []
        station_m = front_m + BESIDE_M
        return [replace(self._own, station_m=station_m, to_join_m=station_m + self._own.to_join_m)]


@dataclass(frozen=True)
class Gate(Bound):
    """A place to reach only when somebody has passed it: slow enough to come after them, standing there at worst."""

    open_s: float = 0.0  # from now

    def speed(self, driven_m: float, after_s: float = 0.0) -> float:
        left_m = self.room(driven_m)
        if left_m < NEAR_ENOUGH_M:
            return 0.0
        in_time_mps = left_m / max(self.open_s - after_s, 0.1)
        return min(math.sqrt(2.0 * GATE_BRAKE_MPS2 * left_m), max(in_time_mps, GATE_LEAST_MPS))


def _keep_behind(join: Join, ego: EgoPose, way_m: float, others: Others) -> list[Bound]:
    """Bounds for those who are ahead, and for those beside or behind who leave us no room before them.

    A car behind leaves room when, at our arrival, its bumper is farther behind our tail than it drives in `SLOT_S` and
    needs to brake down to our speed at `ACCEL_MPS2`.
    """
    out: list[Bound] = []
    own_mps = ego.speed_mps
    for row, to_join_m in zip(*_on_lane(join, others), strict=True):
        speed_mps, half_m = float(others.speed[row]), float(others.half[row, 0])
        gap_m = way_m - (to_join_m + half_m)  # from our bumper to its tail, as if on one lane
        if gap_m >= BESIDE_M:
            out.append(Bound(gap_m, SPARE_M, "gap in the lane to join", speed_mps, HEADWAY_S))
            continue
        joining_mps = min(math.sqrt(own_mps**2 + 2.0 * ACCEL_MPS2 * way_m), max(own_mps, speed_mps))
        arrival_s = way_m / max(0.5 * (own_mps + joining_mps), LEAST_MPS)
        left_m = to_join_m - half_m - speed_mps * arrival_s - ego.length_m  # from its bumper to our tail
        slower_mps = max(speed_mps - joining_mps, 0.0)
        if left_m < SLOT_M + SLOT_S * speed_mps + slower_mps**2 / (2.0 * ACCEL_MPS2):
            open_s = (to_join_m + half_m + SPARE_M) / max(speed_mps, 0.1)
            out.append(Gate(way_m, BESIDE_M, "gap in the lane to join", open_s=open_s))
    return out


def _on_lane(join: Join, others: Others) -> tuple[np.ndarray, np.ndarray]:
    """Rows (m,) of the vehicles on the other lane, and their way (m,) to the place."""
    if not len(others.ids):
        return np.zeros(0, int), np.zeros(0)
    gaps_m = np.linalg.norm(others.center[:, None] - join.points[None], axis=2)
    nearest = gaps_m.argmin(1)
    aligned = np.cos(others.yaw - join.headings[nearest]) > ON_LANE_COS
    rows = np.flatnonzero((gaps_m.min(1) < ON_LANE_M) & aligned & ~others.walker)
    return rows, join.to_join_m[nearest[rows]]


def _own_lane(road_map: RoadMap, route: Route, track: RouteTrack) -> Join:
    """The route itself and the lane that leads to its start, as a lane to join at station 0."""
    first = road_map.lanes[int(route.lanes[0])]
    back = _join(road_map, first, 0.0, project(first.center[:, :2], track.points[0])[0])
    return Join(
        0.0,
        np.concatenate([track.points, back.points]),
        np.concatenate([np.asarray(route.headings, dtype=float), back.headings]),
        np.concatenate([-track.stations_m, back.to_join_m]),
    )


def _lane_changes(road_map: RoadMap, route: Route, track: RouteTrack) -> list[Join]:
    """A join for each lane change of the route."""
    changing = np.array([maneuver in CHANGES for maneuver in route.maneuvers])
    joins = []
    for row in np.flatnonzero(np.diff(route.lanes)) + 1:
        before, target = (road_map.lanes[int(k)] for k in route.lanes[row - 1 : row + 1])
        if target.index not in (before.left, before.right):
            continue
        first, last = _run(changing, int(row))
        begin_m, end_m = track.stations_m[[first, last]]
        station_m = float(begin_m + ENTERED_SHARE * (end_m - begin_m))
        here = track.points[int(np.searchsorted(track.stations_m, station_m))]
        joins.append(_join(road_map, target, station_m, project(target.center[:, :2], here)[0]))
    return joins


def _run(changing: np.ndarray, row: int) -> tuple[int, int]:
    """First and last row of the lane change around a row."""
    first = last = row
    while first > 0 and changing[first - 1]:
        first -= 1
    while last < len(changing) - 1 and changing[last + 1]:
        last += 1
    return first, last


def _lanes_that_end(road_map: RoadMap, route: Route, track: RouteTrack) -> list[Join]:
    """A join for each lane of a junction that begins beside a lane of the route and leads into the same one."""
    joins = []
    for own in (road_map.lanes[k] for k in dict.fromkeys(int(k) for k in route.lanes)):
        if not own.is_junction:
            continue
        rows = np.flatnonzero(route.lanes == own.index)
        for other in road_map.lanes:
            if other.index == own.index or not _ends_beside(other, own):
                continue
            gaps_m = np.linalg.norm(other.center[:, None, :2] - track.points[rows][None], axis=2)
            touch = gaps_m < CLEARANCE_M
            if touch.any():
                along_m = arc_length(other.center[:, :2])[np.flatnonzero(touch.any(1))[0]]
                station_m = float(track.stations_m[rows[np.flatnonzero(touch.any(0))[0]]])
                joins.append(_join(road_map, other, station_m, float(along_m)))
    return joins


def _ends_beside(other: Lane, own: Lane) -> bool:
    """Whether a lane leads into the same lane as ours, from another one, in about our direction from the begin."""
    merges = other.junction_id == own.junction_id and set(other.successors) & set(own.successors)
    apart = not set(other.predecessors) & set(own.predecessors)
    return bool(merges) and apart and float(np.cos(other.heading[0] - own.heading[0])) > ON_LANE_COS


def _join(road_map: RoadMap, lane: Lane, station_m: float, along_m: float) -> Join:
    """The points of a lane and of those before it, with their way to a place on it."""
    pieces = []
    todo = [(lane, along_m)]
    while todo:
        piece, place_m = todo.pop()
        to_join_m = place_m - arc_length(piece.center[:, :2])
        keep = to_join_m < UPSTREAM_M
        pieces.append((piece.center[keep, :2], piece.heading[keep], to_join_m[keep]))
        if keep.all():
            before = [road_map.lanes[k] for k in piece.predecessors]
            todo += [(further, place_m + further.length_m) for further in before]
    points, headings, to_join_m = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Join(station_m, points, headings, to_join_m)
