"""Finds places for scenario types in a town by seed, and writes them as routes of a Leaderboard 2.x file.

Every route has one scenario, begins some metres before its trigger and ends behind it. Knows nothing of carla.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route, plan_route
from scenarios.setting import Setting
from scenarios.sites import Elements
from scenarios.types import ScenarioType

WALK_M = 600.0  # length of the random ways that are searched for sites
STEP_M = 10.0
BEFORE_M, AFTER_M = 45.0, 110.0  # of a route before its trigger, and after it or after its junction
KEYPOINT_M = 20.0
TRIES = 400  # random ways a site; the second half changes lanes
CHANGE_SHARE, CHANGE_ROOM_M = 0.5, 60.0  # on how many of the lanes that are so long and have a neighbour


@dataclass(frozen=True)
class Site:
    """A scenario of a type at a place of a town."""

    kind: ScenarioType
    town: str
    setting: Setting
    elements: Elements

    @property
    def begin_m(self) -> float:
        return max(self.setting.trigger_m - self.kind.lead_m, 0.0)

    @property
    def end_m(self) -> float:
        crossing = self.setting.junction
        near = crossing is not None and crossing.begin_m < self.setting.trigger_m + AFTER_M
        last_m = crossing.end_m if near and crossing is not None else self.setting.trigger_m
        reach_m = float(self.elements.get("distance", {"value": "0"})["value"])
        last_m = max(last_m, self.setting.trigger_m + max(reach_m, self.kind.reach_m), *self._named_m())
        return min(last_m + AFTER_M, float(self.setting.stations_m[-1]))

    def _named_m(self) -> list[float]:
        """Stations of the places that the elements name."""
        places = [place for place in self.elements.values() if "x" in place]
        return [self.setting.route_station_m(np.array([float(p["x"]), -float(p["y"])])) for p in places]


def find_sites(
    kind: ScenarioType, town: str, road_map: RoadMap, count: int, rng: np.random.Generator
) -> list[Site]:
    """Up to `count` places for a type, on different roads. Fewer where the town does not have them."""
    found: list[Site] = []
    roads: set[int] = set()
    for attempt in range(TRIES):
        if len(found) == count:
            break
        route = random_way(road_map, rng, change_share=CHANGE_SHARE if attempt >= TRIES // 2 else 0.0)
        if route is None:
            continue
        for setting in _settings(road_map, route):
            elements = None if setting.here.lane.road_id in roads else kind.site(setting, rng)
            if elements is not None:
                roads.add(setting.here.lane.road_id)
                found.append(Site(kind, town, setting, elements))
                break
    return found


def random_way(road_map: RoadMap, rng: np.random.Generator, *, change_share: float = 0.0) -> Route | None:
    """A route along randomly chosen lanes, None when the walk came to a dead end at once.

    On a share of the lanes it changes to a neighbour, where the marking allows that.
    """
    driving = [lane for lane in road_map.lanes if lane.kind == "driving" and not lane.is_junction]
    lane = driving[int(rng.integers(len(driving)))]
    keypoints, length_m = [lane.center[0], lane.center[len(lane.center) // 2]], lane.length_m
    while length_m < WALK_M and lane.successors:
        lane = road_map.lanes[lane.successors[int(rng.integers(len(lane.successors)))]]
        beside = _changeable(lane)
        if change_share and beside and lane.length_m > CHANGE_ROOM_M and rng.random() < change_share:
            keypoints.append(lane.center[len(lane.center) // 4])
            lane = road_map.lanes[beside[int(rng.integers(len(beside)))]]
            keypoints.append(lane.center[3 * len(lane.center) // 4])
        else:
            keypoints.append(lane.center[len(lane.center) // 2])
        length_m += lane.length_m
    try:
        return plan_route(road_map, np.array(keypoints))
    except ValueError:  # a keypoint in the middle of crossing lanes was taken for another lane
        return None


def _changeable(lane: Lane) -> list[int]:
    """Indices of the neighbours that one may change to."""
    return [
        k for k, may in ((lane.left, lane.left_change), (lane.right, lane.right_change)) if may and k >= 0
    ]


def route_element(number: int, site: Site, weather: Mapping[str, float]) -> ET.Element:
    """A site as a `<route>` of a Leaderboard 2.x file."""
    setting = site.setting
    element = ET.Element("route", id=str(number), town=site.town)
    weathers = ET.SubElement(element, "weathers")
    for percentage in ("0", "100"):
        values = {name: f"{value:g}" for name, value in weather.items()}
        ET.SubElement(weathers, "weather", {"route_percentage": percentage, **values})
    waypoints = ET.SubElement(element, "waypoints")
    count = max(int((site.end_m - site.begin_m) / KEYPOINT_M) + 1, 2)
    for station_m in np.linspace(site.begin_m, site.end_m, count):
        row = int(np.abs(setting.stations_m - station_m).argmin())
        ET.SubElement(waypoints, "position", _position(setting.route.points[row]))
    parent = ET.SubElement(element, "scenarios")
    scenario = ET.SubElement(parent, "scenario", name=f"{site.kind.name}_1", type=site.kind.name)
    row = int(np.abs(setting.stations_m - setting.trigger_m).argmin())
    yaw_deg = -math.degrees(float(setting.route.headings[row]))
    ET.SubElement(
        scenario, "trigger_point", {**_position(setting.route.points[row]), "yaw": f"{yaw_deg:.1f}"}
    )
    for name, attributes in site.elements.items():
        ET.SubElement(scenario, name, attributes)
    return element


def write_routes(path: Path, elements: Sequence[ET.Element]) -> None:
    """A route file."""
    root = ET.Element("routes")
    root.extend(elements)
    ET.indent(root, "   ")
    path.write_text(ET.tostring(root, encoding="unicode") + "\n")


def _settings(road_map: RoadMap, route: Route) -> Iterator[Setting]:
    """Triggers along a route, far enough from its start to have gathered speed."""
    for trigger_m in np.arange(BEFORE_M, route.length_m - BEFORE_M, STEP_M):
        yield Setting(road_map, route, float(trigger_m))


def _position(point: np.ndarray) -> dict[str, str]:
    return {"x": f"{point[0]:.1f}", "y": f"{0.0 - point[1]:.1f}", "z": f"{point[2]:.1f}"}
