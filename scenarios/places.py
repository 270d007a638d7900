"""Finds places for scenario types in a town by seed: looks along random ways for settings that a type's site fits.

The ways are drawn once a town and serve all types. Knows nothing of files and of carla.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route, plan_route
from scenarios.setting import Setting
from scenarios.sites import Elements
from scenarios.spots import Spot
from scenarios.types import ScenarioType

WALK_M = 600.0  # length of the random ways that are searched
WAYS = 480  # a town, as far as they are needed
STEP_M = 10.0
SIDE_M = 45.0  # of a way's ends where no trigger lies
APART_M = 120.0  # between two places for one type on the same side of a road
AFTER_M = 110.0  # of a route after a scenario's trigger or its junction
AFTER_LEAST_M = 60.0  # where another junction follows
CHANGE_SHARE, CHANGE_ROOM_M = 0.8, 60.0  # on how many of the lanes that are so long and have a neighbour
_STREAM = 21  # of random numbers, beside those of weather


@dataclass(frozen=True)
class Site:
    """A scenario of a type at a place of a town."""

    kind: ScenarioType
    setting: Setting
    elements: Elements

    @property
    def begin_m(self) -> float:
        """Where along the way a route for it begins."""
        return max(self.setting.trigger_m - self.kind.lead_m, 0.0)

    @property
    def end_m(self) -> float:
        """Where a route for it ends: well behind its trigger, its junction and the places that it names."""
        return min(self.done_m + AFTER_M, float(self.setting.stations_m[-1]))

    @property
    def done_m(self) -> float:
        """Where along the way the last thing is that belongs to it."""
        trigger_m, crossing = self.setting.trigger_m, self.setting.junction
        reach_m = max(float(self.elements.get("distance", {"value": "0"})["value"]), self.kind.reach_m)
        last_m = max(trigger_m + reach_m, *self._named_m(), trigger_m)
        if crossing is not None and crossing.begin_m < trigger_m + AFTER_M:
            last_m = max(last_m, crossing.end_m)
        return last_m

    def _named_m(self) -> list[float]:
        """Stations of the places that the elements name."""
        places = [place for place in self.elements.values() if "x" in place]
        return [self.setting.route_station_m(np.array([float(p["x"]), -float(p["y"])])) for p in places]


class Ways:
    """Random ways through a town, each with a setting every ten metres; drawn when they are first looked at."""

    def __init__(self, town: str, road_map: RoadMap, seed: int) -> None:
        self.town = town
        self.road_map = road_map
        self._rng = np.random.default_rng([seed, _STREAM, zlib.crc32(town.encode())])
        self._drawn: list[tuple[Setting, ...]] = []

    def __iter__(self) -> Iterator[tuple[Setting, ...]]:
        for number in range(WAYS):
            if number == len(self._drawn):
                self._drawn.append(self._draw(changing=number % 2 == 1))
            yield self._drawn[number]

    def _draw(self, *, changing: bool) -> tuple[Setting, ...]:
        route = random_way(self.road_map, self._rng, WALK_M, CHANGE_SHARE if changing else 0.0)
        return () if route is None else settings_along(self.road_map, route)


class Atlas:
    """Road maps and ways of towns, made when they are first asked for. The same seed gives the same ways."""

    def __init__(self, road_map_of: Callable[[str], RoadMap], seed: int) -> None:
        self.seed = seed
        self._road_map_of = road_map_of
        self._ways: dict[str, Ways] = {}

    def ways(self, town: str) -> Ways:
        if town not in self._ways:
            self._ways[town] = Ways(town, self._road_map_of(town), self.seed)
        return self._ways[town]

    def road_map(self, town: str) -> RoadMap:
        return self.ways(town).road_map

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers of their own for each purpose, so that what else is made changes nothing."""
        return np.random.default_rng([self.seed, _STREAM + 1, zlib.crc32(purpose.encode())])


def find_sites(kind: ScenarioType, ways: Ways, rng: np.random.Generator) -> Iterator[Site]:
    """Places for a type: on different roads first, then on their other sides and further along them."""
    spare: list[Site] = []
    taken: dict[int, list[Spot]] = {}  # by road
    for settings in ways:
        begin = int(rng.integers(max(len(settings), 1)))
        for setting in (*settings[begin:], *settings[:begin]):
            used = taken.setdefault(setting.here.lane.road_id, [])
            if any(_are_one(setting.here, other) for other in used):
                continue
            elements = kind.site(setting, rng)
            if elements is not None:
                site = Site(kind, setting, elements)
                if used:
                    spare.append(site)
                else:
                    yield site
                used.append(setting.here)
                break
    yield from spare


def _are_one(here: Spot, other: Spot) -> bool:
    """Whether two places on a road are too near to each other to count as two."""
    same_direction = here.lane.lane_id * other.lane.lane_id > 0
    return same_direction and here.distance_m(other.point) < APART_M


def settings_along(road_map: RoadMap, route: Route) -> tuple[Setting, ...]:
    """Triggers along a route, far enough from its ends to have gathered speed and to have something ahead."""
    stations_m = np.arange(SIDE_M, route.length_m - SIDE_M, STEP_M)
    return tuple(Setting(road_map, route, float(trigger_m)) for trigger_m in stations_m)


def random_way(
    road_map: RoadMap, rng: np.random.Generator, length_m: float, change_share: float = 0.0
) -> Route | None:
    """A route along randomly chosen lanes of at least so many metres; None when the walk came to a dead end.

    On a share of the lanes it changes to a neighbour, where the marking allows that.
    """
    driving = [lane for lane in road_map.lanes if lane.kind == "driving" and not lane.is_junction]
    lengths_m = np.array([lane.length_m for lane in driving])
    lane = driving[int(rng.choice(len(driving), p=lengths_m / lengths_m.sum()))]
    keypoints, walked_m = [lane.center[0], lane.center[len(lane.center) // 2]], lane.length_m
    while walked_m < length_m and lane.successors:
        lane = road_map.lanes[lane.successors[int(rng.integers(len(lane.successors)))]]
        beside = _changeable(lane)
        if change_share and beside and lane.length_m > CHANGE_ROOM_M and rng.random() < change_share:
            keypoints.append(lane.center[len(lane.center) // 4])
            lane = road_map.lanes[beside[int(rng.integers(len(beside)))]]
            keypoints.append(lane.center[3 * len(lane.center) // 4])
        else:
            keypoints.append(lane.center[len(lane.center) // 2])
        walked_m += lane.length_m
    try:
        return plan_route(road_map, np.array(keypoints))
    except ValueError:  # a keypoint in the middle of crossing lanes was taken for another lane
        return None


def _changeable(lane: Lane) -> list[int]:
    """Indices of the neighbours that one may change to."""
    return [
        k for k, may in ((lane.left, lane.left_change), (lane.right, lane.right_change)) if may and k >= 0
    ]
