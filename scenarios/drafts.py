"""Routes that are made here, and their form as `<route>` of a Leaderboard 2.x file. Knows nothing of how they are found."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from scenarios.checks import plan
from scenarios.places import AFTER_LEAST_M, Site
from scenarios.rehearsal import rehearse
from scenarios.routes import DEFAULT_WEATHER, parse_routes
from scenarios.setting import Setting

KEYPOINT_M = 20.0
ROOM_M, SHIFT_M = (
    15.0,
    5.0,
)  # from a route's begin to the next junction at least; steps in which its ends are moved
QUEUE_M = 30.0  # between a route's end and a further junction, where it can be chosen
SAME_M, BESIDE_M = (
    3.0,
    0.5,
)  # a route that is read back may be so much longer or shorter, and beside on average


@dataclass(frozen=True)
class Draft:
    """A piece of a way through a town, with scenarios whose settings lie on that way."""

    town: str
    road_map: RoadMap
    route: Route
    begin_m: float
    end_m: float
    sites: tuple[Site, ...] = ()


def around(town: str, site: Site) -> Draft:
    """A route for one scenario: it begins on a street with some room and ends on one, before a further junction."""
    setting = site.setting
    begin_m = site.begin_m
    if site.kind.lead_m > 0.0:
        begin_m = next(
            (m for m in np.arange(begin_m, 0.0, -SHIFT_M) if _is_street(setting, m, m + ROOM_M)), begin_m
        )
    wanted_m = _before_junction(setting, site.done_m + AFTER_LEAST_M, site.end_m)
    onward_m = np.arange(wanted_m, float(setting.stations_m[-1]), SHIFT_M)
    back_m = np.arange(wanted_m, setting.trigger_m, -SHIFT_M)
    end_m = next((m for m in (*onward_m, *back_m) if _is_street(setting, m, m)), wanted_m)
    return Draft(town, setting.road_map, setting.route, float(begin_m), float(end_m), (site,))


def _before_junction(setting: Setting, from_m: float, to_m: float) -> float:
    """The last place of the street that the way is on at `from_m`, at most `to_m`, well before who queues at its end.

    `from_m` itself where another junction is too near to that.
    """
    steps_m = np.arange(min(from_m, to_m), to_m + SHIFT_M, SHIFT_M)
    clear = [_is_street(setting, m, m + QUEUE_M) for m in steps_m]
    until = clear.index(False) if False in clear else len(clear)
    return min(float(steps_m[max(until - 1, 0)]), to_m)


def is_sound(draft: Draft) -> bool:
    """Whether the draft begins and ends on streets, and whoever reads it written drives the same way and can play it."""
    setting = Setting(draft.road_map, draft.route, draft.begin_m)
    if not all(_is_street(setting, at_m, at_m) for at_m in (draft.begin_m, draft.end_m)):
        return False
    root = ET.Element("routes")
    root.append(route_element("0", draft, DEFAULT_WEATHER))
    (spec,) = parse_routes(ET.tostring(root, encoding="unicode"), "draft", (draft.town,))
    try:
        route = plan(spec, draft.road_map)
        rehearse(spec, draft.road_map, route)
    except ValueError:
        return False
    longer_m = route.length_m - (draft.end_m - draft.begin_m)
    at = (setting.stations_m >= draft.begin_m) & (setting.stations_m <= draft.end_m)
    apart_m = np.linalg.norm(setting.path[at][:, None] - route.points[None, :, :2], axis=2).min(axis=1)
    return abs(longer_m) < SAME_M and float(apart_m.mean()) < BESIDE_M


def _is_street(setting: Setting, from_m: float, to_m: float) -> bool:
    """Whether the way is on no junction between two stations."""
    lanes = setting.route_lanes(from_m - 1.0, to_m + 1.0)
    return not any(setting.road_map.lanes[lane].is_junction for lane in lanes)


def route_element(route_id: str, draft: Draft, weather: Mapping[str, float]) -> ET.Element:
    """A draft as a `<route>`, with one weather from begin to end."""
    route, stations_m = draft.route, Setting(draft.road_map, draft.route, 0.0).stations_m
    element = ET.Element("route", id=route_id, town=draft.town)
    weathers = ET.SubElement(element, "weathers")
    for percentage in ("0", "100"):
        values = {name: f"{value:g}" for name, value in weather.items()}
        ET.SubElement(weathers, "weather", {"route_percentage": percentage, **values})
    waypoints = ET.SubElement(element, "waypoints")
    count = max(int((draft.end_m - draft.begin_m) / KEYPOINT_M) + 1, 2)
    for station_m in np.linspace(draft.begin_m, draft.end_m, count):
        ET.SubElement(waypoints, "position", _position(route, stations_m, station_m))
    parent = ET.SubElement(element, "scenarios")
    for number, site in enumerate(draft.sites, start=1):
        name = site.kind.name
        scenario = ET.SubElement(parent, "scenario", name=f"{name}_{number}", type=name)
        ET.SubElement(scenario, "trigger_point", _trigger(route, stations_m, site.setting.trigger_m))
        for tag, attributes in site.elements.items():
            ET.SubElement(scenario, tag, attributes)
    return element


def write_routes(path: Path, elements: Iterable[ET.Element]) -> None:
    """A route file."""
    root = ET.Element("routes")
    root.extend(elements)
    ET.indent(root, "   ")
    path.write_text(ET.tostring(root, encoding="unicode") + "\n")


def _trigger(route: Route, stations_m: np.ndarray, station_m: float) -> dict[str, str]:
    yaw_deg = -math.degrees(float(route.headings[_row(stations_m, station_m)]))
    return {**_position(route, stations_m, station_m), "yaw": f"{yaw_deg:.1f}"}


def _position(route: Route, stations_m: np.ndarray, station_m: float) -> dict[str, str]:
    """In CARLA's axes."""
    x_m, y_m, z_m = route.points[_row(stations_m, station_m)]
    return {"x": f"{x_m:.1f}", "y": f"{0.0 - y_m:.1f}", "z": f"{z_m:.1f}"}


def _row(stations_m: np.ndarray, station_m: float) -> int:
    return int(np.abs(stations_m - station_m).argmin())
