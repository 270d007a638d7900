"""What matters now: the governing light, a stop sign still to be obeyed, the first object in the own way, and
whom to let pass. Knows nothing of speeds to drive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from drive_agent.expert.corridor import Corridor, RouteTrack
from drive_agent.expert.junction import passages
from drive_agent.expert.lateral import Aside, LateralPlanner
from drive_agent.expert.others import NEAR_M, Boxes, EgoPose, Others
from drive_agent.expert.pace import Pace
from drive_agent.expert.room import RoadRoom
from drive_agent.expert.shift import AHEAD
from drive_agent.expert.stop_lines import RouteLine, lines_on_route
from drive_agent.expert.yielding import CREEP_MPS, Conflict, OwnCar, conflict
from drive_agent.geometry import project
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import Cause, LightState, ObjectKind, Truth

LIGHT_REACH_M = 50.0  # on fast roads all three are as far as it takes to stop
OBJECT_REACH_M = 45.0
STOP_REACH_M = 45.0
STOPPING_MPS2, STOPPING_SPARE_M = 1.8, 5.0
SIDE_MARGIN_M = 0.25  # free space kept beside the own car; people get more
WALKER_MARGIN_M = 0.5
WALKER_TIMES_S = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)  # a person who will be in the way then counts already now
WALKER_PACE_MPS = 0.3  # slower people are taken to stand
CUT_IN_S = 1.0
CUT_IN_COS = 0.5
CROSS_S = 0.8  # a car about to drive across counts as being in the way
CROSS_REACH_M = 15.0
STOPPED_MPS = 0.05
STOP_ZONE_M = 2.0  # a stop counts within this distance before the line
PASSED_M = 1.5  # a bumper this little over the line can still wait for the light
PATIENCE_S = 3.0  # after waiting so long, cars that stand are taken to let us go


@dataclass(frozen=True)
class Situation:
    """Distances are free ways from the front bumper; None where there is nothing within reach."""

    time_us: int
    light: LightState  # of the light whose stop line comes next on the route
    light_m: float | None
    gap_m: float | None  # to the first object in the own way
    lead_speed_mps: float  # its speed along the way, 0 when there is none
    lead_kind: ObjectKind | None
    lead_id: int | None
    stop_m: float | None  # to the line of a stop sign not yet obeyed
    yield_m: float | None  # to where to wait for others
    yield_to: int | None  # one of them
    target_speed_mps: float
    cause: Cause  # what the target speed answers to
    route_path_ego: np.ndarray  # (10, 2) at `PATH_STATIONS_M`: the path if nothing led aside of the route


@dataclass(frozen=True)
class Lead:
    """The first object in the own way."""

    gap_m: float
    speed_mps: float
    kind: ObjectKind
    actor_id: int


@dataclass(frozen=True)
class Finding:
    """A `Situation` before the speed is decided, with the geometry that it was found on."""

    ego: EgoPose
    others: Others  # who is within `FAR_M`
    corridor: Corridor
    along_route: Corridor  # the same where nothing leads aside
    light: LightState
    light_m: float | None
    lead: Lead | None
    stop_m: float | None
    stop_held: bool  # standing in the stop zone, not long enough yet
    conflict: Conflict | None
    yield_m: float | None
    aside: Aside  # what the corridor does beside following the route


class Observer:
    """Looks at each `Truth` along one route. Its memories: the place, the stop signs obeyed, how long it waited, the detour."""

    def __init__(self, road_map: RoadMap, route: Route) -> None:
        self._track = RouteTrack(road_map, route)
        lines = lines_on_route(road_map, route, self._track)
        self._lights = tuple(line for line in lines if line.kind == "light")
        self._stops = StopMemory(tuple(line for line in lines if line.kind == "stop"))
        self._passages = passages(road_map, route, self._track, lines)
        places = stopping_places(road_map, route, self._track, lines)
        self._lateral = LateralPlanner(self._track, RoadRoom(road_map, route, self._track), places)
        self._boxes = Boxes()
        self._waited_us = 0  # for others who stand
        self._yielded_us = 0  # for any
        self._last_us: int | None = None

    def look(self, truth: Truth) -> Finding:
        ego, far = self._boxes.read(truth)
        step_us = 0 if self._last_us is None else truth.time_us - self._last_us
        self._last_us = truth.time_us
        aside = self._lateral.step(truth.time_us, ego, far, *self._track.follow(ego.x_m, ego.y_m))
        corridor = along_route = self._track.corridor(ego.x_m, ego.y_m, ego.speed_mps, aside.shift)
        if aside.shift != AHEAD:
            along_route = self._track.corridor(ego.x_m, ego.y_m, ego.speed_mps)
        corridor = replace(corridor, cruise_mps=np.minimum(corridor.cruise_mps, aside.slow_mps))
        front_m = corridor.begin_m + ego.front_m
        light, light_m = self._next_light(front_m, ego.speed_mps, truth.lights)
        stop_m, stop_held = self._stops.look(front_m, ego.speed_mps, step_us)
        found = self._conflict(ego, corridor, truth, far, step_us)
        return Finding(
            ego=ego,
            others=far,
            corridor=corridor,
            along_route=along_route,
            light=light,
            light_m=light_m,
            lead=first_in_way(ego, corridor, far.near(ego, NEAR_M)),
            stop_m=stop_m,
            stop_held=stop_held,
            conflict=found,
            yield_m=None if found is None else found.wait_m - front_m,
            aside=aside,
        )

    def _next_light(
        self, front_m: float, speed_mps: float, states: dict[str, LightState]
    ) -> tuple[LightState, float | None]:
        """A line just crossed still counts while standing on it: the light is judged when the tail crosses."""
        passed_m = PASSED_M if speed_mps < 2.0 else 0.0
        for line in self._lights:
            way_m = line.station_m - front_m
            if -passed_m < way_m <= max(LIGHT_REACH_M, stopping_way_m(speed_mps)):
                return states[line.signal_id], way_m
        return LightState.NONE, None

    def _conflict(
        self, ego: EgoPose, corridor: Corridor, truth: Truth, others: Others, step_us: int
    ) -> Conflict | None:
        found = None
        front_m = corridor.begin_m + ego.front_m
        reach_m = max(12.0 + 2.5 * ego.speed_mps, stopping_way_m(ego.speed_mps))
        for passage in self._passages:
            if passage.wait_m - front_m < reach_m and front_m < passage.end_m:
                pace = Pace.along(corridor, ego.speed_mps)
                own = OwnCar(truth.ids[0], front_m, ego.length_m, pace, self._yielded_us * 1e-6)
                patient = self._waited_us < PATIENCE_S * 1e6
                found = conflict(passage, own, others, truth.lights, patient=patient)
                break
        if ego.speed_mps > 2.0:
            self._waited_us = self._yielded_us = 0
        elif ego.speed_mps < CREEP_MPS and found is not None:
            self._yielded_us += step_us
            self._waited_us += 0 if found.moving else step_us
        return found


class StopMemory:
    """Which stop sign comes next, and whether the full stop before it has been made."""

    HOLD_US = 500_000

    def __init__(self, lines: tuple[RouteLine, ...]) -> None:
        self._lines = lines
        self._next = 0
        self._stood_us = 0

    def look(self, front_m: float, speed_mps: float, step_us: int) -> tuple[float | None, bool]:
        """Way to the next line to stop at, and whether the stop is being held there."""
        while self._next < len(self._lines) and self._lines[self._next].station_m < front_m - PASSED_M:
            self._next += 1
            self._stood_us = 0
        if self._next == len(self._lines):
            return None, False
        way_m = self._lines[self._next].station_m - front_m
        if way_m > max(STOP_REACH_M, stopping_way_m(speed_mps)):
            return None, False
        if self._stood_us >= self.HOLD_US:
            return None, False
        standing = speed_mps < STOPPED_MPS and way_m < STOP_ZONE_M
        self._stood_us = self._stood_us + step_us if standing else 0
        return way_m, standing


def stopping_places(
    road_map: RoadMap, route: Route, track: RouteTrack, lines: tuple[RouteLine, ...]
) -> tuple[float, ...]:
    """Stations where traffic may have to wait: stop lines, and where junctions begin, also the next one after the route."""
    inside = np.array([road_map.lanes[int(k)].is_junction for k in route.lanes])
    begins = np.flatnonzero(np.diff(inside.astype(int), prepend=0) > 0)
    places = [line.station_m for line in lines] + [float(track.stations_m[k]) for k in begins]
    last = road_map.lanes[int(route.lanes[-1])]
    if any(road_map.lanes[k].is_junction for k in last.successors):
        along_m, _ = project(last.center[:, :2], track.points[-1])
        places.append(float(track.stations_m[-1]) + last.length_m - along_m)
    return tuple(places)


def stopping_way_m(speed_mps: float) -> float:
    """How far ahead one has to know of a place to stop at, to brake in comfort."""
    return speed_mps**2 / (2.0 * STOPPING_MPS2) + STOPPING_SPARE_M


def first_in_way(ego: EgoPose, corridor: Corridor, others: Others) -> Lead | None:
    """The nearest object that is in the corridor or about to come into it: on foot, cutting in, driving across."""
    if not len(others.ids):
        return None
    along, left = corridor.locate(others.probes())
    margin = np.where(others.walker, WALKER_MARGIN_M, SIDE_MARGIN_M)[:, None]
    inside = (
        (np.abs(left) < ego.half_width_m + margin)
        & (along > ego.front_m - 0.5)
        & (along < len(corridor.points))
    )
    first = np.where(inside, along, np.inf).min(1)
    first = np.minimum(first, _walking_in(ego, corridor, others))
    first = np.minimum(first, _cutting_in(ego, corridor, others, along))
    first = np.minimum(first, _driving_across(ego, corridor, others))
    nearest = int(first.argmin())
    gap_m = float(first[nearest]) - ego.front_m
    if not gap_m <= max(OBJECT_REACH_M, stopping_way_m(ego.speed_mps)):
        return None
    tangent = corridor.tangents[min(int(first[nearest]), len(corridor.tangents) - 1)]
    kind = ObjectKind(int(others.kind[nearest]))
    speed = 0.0 if kind == ObjectKind.WALKER else max(float(others.velocity[nearest] @ tangent), 0.0)
    return Lead(max(gap_m, 0.0), speed, kind, int(others.ids[nearest]))


def _walking_in(ego: EgoPose, corridor: Corridor, others: Others) -> np.ndarray:
    """(n,) where along the corridor each person will walk into it soon, inf for the rest."""
    out = np.full(len(others.ids), np.inf)
    rows = np.flatnonzero(others.walker & (others.speed > WALKER_PACE_MPS))
    if len(rows):
        times = np.array(WALKER_TIMES_S)[:, None, None]
        along, left = corridor.locate(others.center[rows] + others.velocity[rows] * times)
        inside = (
            (np.abs(left) < ego.half_width_m + WALKER_MARGIN_M)
            & (along > ego.front_m)
            & (along < len(corridor.points))
        )
        out[rows] = np.where(inside, along, np.inf).min(0) - others.half[rows, 0]
    return out


def _cutting_in(ego: EgoPose, corridor: Corridor, others: Others, along_now: np.ndarray) -> np.ndarray:
    """(n,) tail of each vehicle ahead that will have changed into the corridor in a moment, inf for the rest."""
    out = np.full(len(others.ids), np.inf)
    tail = along_now.min(1)
    rows = np.flatnonzero(
        ~others.walker & (others.speed > 1.0) & (tail > ego.front_m) & (tail < OBJECT_REACH_M)
    )
    if not len(rows):
        return out
    center, yaw = others.moved(CUT_IN_S)
    along, left = corridor.locate(center[rows])
    index = np.clip(along.astype(int), 0, len(corridor.tangents) - 1)
    tangent = corridor.tangents[index]
    aligned = np.cos(yaw[rows]) * tangent[:, 0] + np.sin(yaw[rows]) * tangent[:, 1] > CUT_IN_COS
    reach = ego.half_width_m + others.half[rows, 1]
    out[rows] = np.where(aligned & (np.abs(left) < reach), tail[rows], np.inf)
    return out


def _driving_across(ego: EgoPose, corridor: Corridor, others: Others) -> np.ndarray:
    """(n,) where along the corridor a vehicle from elsewhere will be in it in a moment, inf for the rest."""
    along, left = corridor.locate(others.probes(CROSS_S))
    index = np.clip(along.astype(int), 0, len(corridor.tangents) - 1)
    aligned = (others.velocity[:, None] * corridor.tangents[index]).sum(-1) > CUT_IN_COS * others.speed[
        :, None
    ]
    inside = (np.abs(left) < ego.half_width_m) & (along > ego.front_m) & (along < ego.front_m + CROSS_REACH_M)
    who = ~others.walker & (others.speed > 1.0)
    return np.where(inside & ~aligned & who[:, None], along, np.inf).min(1)
