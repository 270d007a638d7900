"""Routes: the shortest way through given points, lane by lane, and the sparse points that an agent is told of it.

Does what CARLA's GlobalRoutePlanner and the Leaderboard do with it, on a `RoadMap`. Knows nothing of carla, files or
traffic. World frame, metres, radians.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import project, resample, wrap_angle
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.types import Maneuver

STEP_M = 1.0
TURN_RAD = math.radians(35)  # heading change that makes a crossing a turn, as in CARLA's GlobalRoutePlanner
SPARSE_MAX_M = 200.0  # the Leaderboard's, version 2.x
MAX_OFFSET_M = 10.0  # a keypoint farther from every lane is a mistake in the route
AMBIGUOUS_M = 0.5  # lanes that lie less than this farther off than the nearest may be meant as well
HAIR_M = 1e-9  # what rounding may make of equal costs
CHANGES = {Maneuver.CHANGE_LANE_LEFT, Maneuver.CHANGE_LANE_RIGHT}
_CHANGE_LENGTHS_M = (
    (20.0, 5.0),
    (6.0, 60.0),
)  # length of a lane change and what it costs beyond it; short ones cost


@dataclass(frozen=True)
class Route:
    """A dense route, a point about every metre."""

    points: np.ndarray  # (n, 3)
    headings: np.ndarray  # (n,)
    maneuvers: tuple[Maneuver, ...]  # what is asked at each point
    lanes: np.ndarray  # (n,) index of the lane each point lies on

    @property
    def length_m(self) -> float:
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


@dataclass(frozen=True)
class _Spot:
    lane: int
    station_m: float


@dataclass(frozen=True)
class _Stretch:
    """A piece of way along a lane; a lane change starts beside `start_m` on the lane `from_lane`."""

    lane: int
    start_m: float
    end_m: float
    from_lane: int = -1


_Way = tuple[float, tuple[_Stretch, ...]]  # cost, stretches


def plan_route(road_map: RoadMap, keypoints: np.ndarray) -> Route:
    """The shortest route through keypoints (k >= 2, 2 or 3) in order, changing lanes only where markings allow.

    A keypoint means the nearest driving lane, or, where several lie about equally near as in junctions, the one that
    makes the whole route shortest. Raises ValueError for a keypoint off the road or out of reach.
    """
    points = np.asarray(keypoints, dtype=float)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or len(points) < 2:
        raise ValueError(f"keypoints have shape {points.shape}, expected (k >= 2, 2 or 3)")
    spots = [_spots(road_map, number, point[:2]) for number, point in enumerate(points)]
    ways: dict[_Spot, _Way] = dict.fromkeys(spots[0], (0.0, ()))
    for number, goals in enumerate(spots[1:], start=1):
        ways = _extended(road_map, ways, goals)
        if not ways:
            raise ValueError(
                f"keypoint {number} at {_text(points[number])} cannot be reached from keypoint {number - 1} at "
                f"{_text(points[number - 1])} on {road_map.name!r}: check the order and the driving direction there"
            )
    _, stretches = min(ways.values(), key=lambda way: way[0])
    return _dense(road_map, _joined(stretches))


def sparse(route: Route) -> np.ndarray:
    """Indices (k,) of the points an agent is given: at each change of command, and at most 200 m apart.

    The rule of `downsample_route` in the Leaderboard 2.x. There a lane change is two route points and both are kept;
    here it is a run of points, of which the first and the last are kept, and none where the run ends.
    """
    picks: list[int] = []
    since_m = 0.0
    steps_m = np.linalg.norm(np.diff(route.points, axis=0, prepend=route.points[:1]), axis=1)
    last = len(route.points) - 1
    before = (None, *route.maneuvers[:-1])
    after = (*route.maneuvers[1:], None)
    for index, (previous, current, following) in enumerate(zip(before, route.maneuvers, after, strict=True)):
        changes_here = current in CHANGES and (current != previous or current != following)
        new_command = current != previous and current not in CHANGES and previous not in CHANGES
        if changes_here or new_command or since_m > SPARSE_MAX_M or index == last:
            picks.append(index)
            since_m = 0.0
        else:
            since_m += float(steps_m[index])
    return np.array(picks)


def _text(point: np.ndarray) -> str:
    """In CARLA's axes, as route files have it."""
    return f"({point[0]:.1f}, {-point[1]:.1f})"


def _spots(road_map: RoadMap, number: int, point: np.ndarray) -> list[_Spot]:
    """The places on driving lanes that a keypoint may mean, nearest first."""
    lanes = [lane for lane in road_map.lanes if lane.kind == "driving"]
    rough_m = np.array([np.sqrt(((lane.center[:, :2] - point) ** 2).sum(1).min()) for lane in lanes])
    found = []
    for k in np.flatnonzero(rough_m <= rough_m.min() + STEP_M + AMBIGUOUS_M):
        station_m, _ = project(lanes[k].center[:, :2], point)
        foot = resample(lanes[k].center[:, :2], np.array([station_m]))[0]
        found.append((math.dist(foot, point), _Spot(lanes[k].index, min(station_m, lanes[k].length_m))))
    found.sort(key=lambda pair: pair[0])
    if found[0][0] > MAX_OFFSET_M:
        raise ValueError(
            f"keypoint {number} at {_text(point)} lies {found[0][0]:.1f} m from the nearest driving lane of "
            f"{road_map.name!r}, expected at most {MAX_OFFSET_M:g} m: is this the right town?"
        )
    return [spot for distance_m, spot in found if distance_m <= found[0][0] + AMBIGUOUS_M]


def _extended(road_map: RoadMap, ways: dict[_Spot, _Way], goals: list[_Spot]) -> dict[_Spot, _Way]:
    """The cheapest way so far to each of the next keypoint's places; unreachable ones are missing."""
    best: dict[_Spot, _Way] = {}
    for start, (cost, stretches) in ways.items():
        for goal, (leg_cost, leg) in _search(road_map, start, goals).items():
            if goal not in best or cost + leg_cost < best[goal][0]:
                best[goal] = (cost + leg_cost, stretches + leg)
    return best


def _search(road_map: RoadMap, start: _Spot, goals: list[_Spot]) -> dict[_Spot, _Way]:
    """Dijkstra's search over places where a lane is entered; ends when every goal is found.

    A place that is reached as cheaply by staying on its lane leads nowhere new, so weaving between lanes is not followed.
    """
    found: dict[_Spot, _Way] = {}
    entered: dict[int, list[tuple[float, float]]] = {}  # lane -> stations and costs
    order = itertools.count()  # ties in cost are settled by age, never by comparing ways
    queue: list[tuple[float, int, _Spot, tuple[_Stretch, ...]]] = [(0.0, next(order), start, ())]
    while queue and not (len(found) == len(goals) and queue[0][0] >= max(way[0] for way in found.values())):
        cost, _, spot, way = heapq.heappop(queue)
        before = entered.setdefault(spot.lane, [])
        if any(0.0 <= spot.station_m - at_m <= cost - paid + HAIR_M for at_m, paid in before):
            continue
        before.append((spot.station_m, cost))
        for goal in goals:
            if goal.lane == spot.lane and goal.station_m >= spot.station_m:
                leg_m = goal.station_m - spot.station_m
                if goal not in found or cost + leg_m < found[goal][0]:
                    found[goal] = (cost + leg_m, (*way, _Stretch(spot.lane, spot.station_m, goal.station_m)))
        for step_cost, following, stretch in _moves(road_map, spot):
            heapq.heappush(queue, (cost + step_cost, next(order), following, (*way, *stretch)))
    return found


def _moves(road_map: RoadMap, spot: _Spot) -> Iterator[tuple[float, _Spot, tuple[_Stretch, ...]]]:
    """Cost, next place and the way there: on to the end of the lane, or over to a neighbour."""
    lane = road_map.lanes[spot.lane]
    to_end = (_Stretch(lane.index, spot.station_m, lane.length_m),)
    for index in lane.successors:
        yield lane.length_m - spot.station_m, _Spot(index, 0.0), to_end
    for index, allowed in ((lane.left, lane.left_change), (lane.right, lane.right_change)):
        if not allowed:
            continue
        beside_m = spot.station_m * road_map.lanes[index].length_m / lane.length_m
        for length_m, extra_cost in _CHANGE_LENGTHS_M:
            end_m = beside_m + length_m
            if end_m <= road_map.lanes[index].length_m:
                change = _Stretch(index, beside_m, end_m, from_lane=lane.index)
                yield length_m + extra_cost, _Spot(index, end_m), (change,)


def _joined(stretches: Sequence[_Stretch]) -> list[_Stretch]:
    """Without the cuts that keypoints made in a lane, and without empty pieces."""
    joined: list[_Stretch] = []
    for stretch in stretches:
        if joined and _continues(joined[-1], stretch):
            joined[-1] = _Stretch(stretch.lane, joined[-1].start_m, stretch.end_m)
        elif stretch.end_m > stretch.start_m:
            joined.append(stretch)
    return joined


def _continues(last: _Stretch, stretch: _Stretch) -> bool:
    follows = last.lane == stretch.lane and last.end_m == stretch.start_m
    return follows and last.from_lane < 0 and stretch.from_lane < 0


def _dense(road_map: RoadMap, stretches: list[_Stretch]) -> Route:
    ends_m = np.cumsum([0.0] + [stretch.end_m - stretch.start_m for stretch in stretches])
    total_m = float(ends_m[-1])
    if total_m < STEP_M:
        raise ValueError(
            f"the route on {road_map.name!r} is {total_m:.2f} m long: give keypoints farther apart"
        )
    stations_m = np.linspace(0.0, total_m, round(total_m / STEP_M) + 1)
    owner = np.clip(np.searchsorted(ends_m, stations_m, side="right") - 1, 0, len(stretches) - 1)
    maneuvers = _maneuvers(road_map, stretches)
    points, lanes = np.empty((len(stations_m), 3)), np.empty(len(stations_m), dtype=int)
    for k, stretch in enumerate(stretches):
        mine = owner == k
        points[mine], lanes[mine] = _along(road_map, stretch, stations_m[mine] - ends_m[k])
    step = np.gradient(points[:, :2], axis=0)
    headings = np.arctan2(step[:, 1], step[:, 0])
    return Route(points, headings, tuple(maneuvers[k] for k in owner.tolist()), lanes)


def _along(road_map: RoadMap, stretch: _Stretch, way_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) and their lanes (n,) at distances from a stretch's start; a change glides over by a smoothstep."""
    lane = road_map.lanes[stretch.lane]
    points = _on_lane(lane, stretch.start_m + way_m)
    if stretch.from_lane < 0:
        return points, np.full(len(way_m), stretch.lane)
    origin = road_map.lanes[stretch.from_lane]
    share = np.clip(way_m / (stretch.end_m - stretch.start_m), 0.0, 1.0)
    blend = (share**2 * (3 - 2 * share))[:, None]
    beside = _on_lane(origin, (stretch.start_m + way_m) * origin.length_m / lane.length_m)
    return (1 - blend) * beside + blend * points, np.where(share < 0.5, stretch.from_lane, stretch.lane)


def _on_lane(lane: Lane, stations_m: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(stations_m, lane.stations_m, lane.center[:, axis]) for axis in range(3)], -1)


def _maneuvers(road_map: RoadMap, stretches: list[_Stretch]) -> list[Maneuver]:
    """What each stretch asks for; the stretches inside one junction are one manoeuvre."""
    junctions = [road_map.lanes[stretch.lane].junction_id for stretch in stretches]
    found: list[Maneuver] = []
    for junction, run in itertools.groupby(range(len(stretches)), key=lambda k: junctions[k]):
        members = [stretches[k] for k in run]
        if junction >= 0:
            found += [_crossing(road_map.lanes[members[0].lane], road_map.lanes[members[-1].lane])] * len(
                members
            )
        else:
            found += [_on_street(road_map, stretch) for stretch in members]
    return found


def _crossing(first: Lane, last: Lane) -> Maneuver:
    turn = float(wrap_angle(last.heading[-1] - first.heading[0]))
    if abs(turn) < TURN_RAD:
        return Maneuver.STRAIGHT
    return Maneuver.LEFT if turn > 0 else Maneuver.RIGHT


def _on_street(road_map: RoadMap, stretch: _Stretch) -> Maneuver:
    if stretch.from_lane < 0:
        return Maneuver.LANE_FOLLOW
    is_left = road_map.lanes[stretch.from_lane].left == stretch.lane
    return Maneuver.CHANGE_LANE_LEFT if is_left else Maneuver.CHANGE_LANE_RIGHT
