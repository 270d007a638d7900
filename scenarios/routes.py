"""Reads route files of the CARLA Leaderboard, 1.0 and 2.x, and the named route sets in `scenarios/routes/*.xml`.

Positions and yaw come out in the world frame (CARLA's with y and yaw negated). Knows nothing of carla and of roads:
whether a route can be driven is for `drive_agent.routing` to say.
"""

from __future__ import annotations

import difflib
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scenarios import towns

SETS_FOLDER = Path(__file__).parent / "routes"
DEFAULT_WEATHER = {
    "sun_altitude_angle": 70.0,
    "cloudiness": 50.0,
}  # the Leaderboard's, for routes that give none
WEATHER_DEFAULTS = {  # names and values of a fresh carla.WeatherParameters
    "cloudiness": 0.0,
    "precipitation": 0.0,
    "precipitation_deposits": 0.0,
    "wind_intensity": 0.0,
    "sun_azimuth_angle": 0.0,
    "sun_altitude_angle": 0.0,
    "fog_density": 0.0,
    "fog_distance": 0.0,
    "fog_falloff": 0.0,
    "wetness": 0.0,
    "scattering_intensity": 0.0,
    "mie_scattering_scale": 0.0,
    "rayleigh_scattering_scale": 0.0331,
    "dust_storm": 0.0,
}
_NOT_WEATHER = {"id", "route_percentage"}
_CARLA_TOWN = re.compile(r"Town\d\d(HD)?(_Opt)?")
Pose = tuple[float, float, float, float]  # x_m, y_m, z_m, yaw_rad, world frame


@dataclass(frozen=True)
class Weather:
    """CARLA's weather parameters, by their names there, at a share of the route's length."""

    route_percentage: float
    values: dict[str, float]


@dataclass(frozen=True)
class OtherActor:
    """A road user that a scenario places; `attributes` are those of its element that are not its pose."""

    pose: Pose
    attributes: dict[str, str]


@dataclass(frozen=True)
class ScenarioSpec:
    """A scenario of a route. `parameters` are its own elements: tag -> attributes, as in the file."""

    name: str
    type: str
    trigger: Pose
    other_actors: tuple[OtherActor, ...]
    parameters: dict[str, dict[str, str]]


@dataclass(frozen=True)
class RouteSpec:
    """One route as its file describes it."""

    id: str
    town: str
    keypoints: np.ndarray  # (k >= 2, 3) world frame
    weathers: tuple[Weather, ...]  # by rising route percentage, at least one
    scenarios: tuple[ScenarioSpec, ...]
    source: str = ""  # the file that it was read from

    @property
    def where(self) -> str:
        """For errors: file and route."""
        return f"{self.source}: route {self.id!r}" if self.source else f"route {self.id!r}"

    def weather_at(self, percent: float) -> dict[str, float]:
        """Weather parameters at a share of the route: linear between the given points, constant beyond them."""
        at = [weather.route_percentage for weather in self.weathers]
        names = [
            name for name in WEATHER_DEFAULTS if any(name in weather.values for weather in self.weathers)
        ]
        return {
            name: float(
                np.interp(percent, at, [w.values.get(name, WEATHER_DEFAULTS[name]) for w in self.weathers])
            )
            for name in names
        }


def set_names() -> list[str]:
    """Names of the route sets that come with the package."""
    return sorted(path.stem for path in SETS_FOLDER.glob("*.xml"))


def route_set(name_or_path: str, more_towns: Collection[str] = ()) -> tuple[RouteSpec, ...]:
    """Routes of a named set or of an XML file, which may lie in more towns than those that are known here.

    Raises ValueError, one line with the remedy, for anything else.
    """
    looks_like_path = name_or_path.endswith(".xml") or "/" in name_or_path
    if not looks_like_path and name_or_path not in set_names():
        hint = difflib.get_close_matches(name_or_path, set_names(), n=1, cutoff=0.3) or set_names()
        raise ValueError(
            f"unknown route set {name_or_path!r}; did you mean {' or '.join(hint)}? (an XML file needs its path)"
        )
    path = Path(name_or_path) if looks_like_path else SETS_FOLDER / f"{name_or_path}.xml"
    if not path.is_file():
        raise ValueError(f"route file {str(path)!r} does not exist: give the path of a Leaderboard route XML")
    return parse_routes(path.read_text(), str(path), more_towns)


def parse_routes(text: str, source: str, more_towns: Collection[str] = ()) -> tuple[RouteSpec, ...]:
    """Routes of a Leaderboard XML text. `source` names it in errors. Raises ValueError at the first wrong thing."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f"{source}: not well-formed XML ({error}): repair the file") from error
    reader = _Reader(source, more_towns)
    specs = tuple(reader.route(element) for element in root.iter("route"))
    if not specs:
        raise ValueError(f"{source}: <{root.tag}> holds no <route>: expected <routes><route id= town=>…")
    ids = [spec.id for spec in specs]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{source}: route id {twice!r} is used twice: give every route its own id")
    return specs


class _Reader:
    """Reads elements of one file, so that every error names the file, the route and the element."""

    def __init__(self, source: str, more_towns: Collection[str]) -> None:
        self._source = source
        self._more_towns = more_towns
        self._route = "?"

    def route(self, element: ET.Element) -> RouteSpec:
        self._route = self._text(element, "id")
        town = element.attrib.get("map") or self._text(element, "town")  # "map" in files of 2019
        if not _is_known_town(town) and town not in self._more_towns:
            known = [*towns.names(), *self._more_towns]
            hint = difflib.get_close_matches(town, known, n=1, cutoff=0.3) or known
            raise self._error(
                element,
                f"unknown town {town!r}; did you mean {' or '.join(hint)}? (own maps: carla.maps=DIR with its .xodr, or "
                "the path of the file as the town)",
            )
        points = element.findall("waypoints/position") or element.findall("waypoint")
        if len(points) < 2:
            raise self._error(
                element, f"has {len(points)} points, expected at least 2 <position> (2.x) or <waypoint> (1.0)"
            )
        return RouteSpec(
            id=self._route,
            town=town,
            keypoints=np.array([self._position(point) for point in points]),
            weathers=self._weathers(element),
            scenarios=tuple(self._scenario(item) for item in element.findall("scenarios/scenario")),
            source=self._source,
        )

    def _weathers(self, route: ET.Element) -> tuple[Weather, ...]:
        elements = route.findall("weathers/weather") or route.findall("weather")
        if not elements:
            return (Weather(0.0, dict(DEFAULT_WEATHER)),)
        found = [
            Weather(
                self._number(element, "route_percentage", "0"),
                {
                    name: self._weather_value(element, name)
                    for name in element.attrib
                    if name not in _NOT_WEATHER
                },
            )
            for element in elements
        ]
        return tuple(sorted(found, key=lambda weather: weather.route_percentage))

    def _weather_value(self, element: ET.Element, name: str) -> float:
        if name not in WEATHER_DEFAULTS:
            hint = difflib.get_close_matches(name, WEATHER_DEFAULTS, n=1, cutoff=0.3) or sorted(
                WEATHER_DEFAULTS
            )
            raise self._error(
                element, f"unknown weather parameter {name!r}; did you mean {' or '.join(hint)}?"
            )
        return self._number(element, name)

    def _scenario(self, element: ET.Element) -> ScenarioSpec:
        trigger = element.find("trigger_point")
        if trigger is None:
            raise self._error(element, "has no <trigger_point>: add one with x, y, z and yaw")
        own = [child for child in element if child.tag not in ("trigger_point", "other_actor")]
        return ScenarioSpec(
            name=self._text(element, "name"),
            type=self._text(element, "type"),
            trigger=self._pose(trigger),
            other_actors=tuple(
                OtherActor(
                    self._pose(actor),
                    {k: v for k, v in actor.attrib.items() if k not in ("x", "y", "z", "yaw")},
                )
                for actor in element.findall("other_actor")
            ),
            parameters={child.tag: dict(child.attrib) for child in own},
        )

    def _position(self, element: ET.Element) -> tuple[float, float, float]:
        return self._number(element, "x"), -self._number(element, "y"), self._number(element, "z")

    def _pose(self, element: ET.Element) -> Pose:
        return *self._position(element), -math.radians(self._number(element, "yaw", "0"))

    def _text(self, element: ET.Element, name: str) -> str:
        if name not in element.attrib:
            raise self._error(element, f"has no attribute {name!r}: add it")
        return element.attrib[name]

    def _number(self, element: ET.Element, name: str, default: str | None = None) -> float:
        text = self._text(element, name) if default is None else element.attrib.get(name, default)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._error(element, f"{name}={text!r} is not a finite number: correct it")
        return value

    def _error(self, element: ET.Element, problem: str) -> ValueError:
        return ValueError(f"{self._source}: route {self._route!r}: <{element.tag}> {problem}")


def _is_known_town(name: str) -> bool:
    """Shipped, made by seed, a file, or one of CARLA's own, which a real server brings along."""
    made = name.startswith(towns.RANDOM_PREFIX) or name.endswith(".xodr")
    return name in towns.names() or made or bool(_CARLA_TOWN.fullmatch(name))
