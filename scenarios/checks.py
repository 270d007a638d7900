"""Whether the scenarios and routes of a route file can be played: types, parameters, triggers, ways through a town.

Every error is one line that names file, route, element and remedy. Types and parameters need no map, so that they can be
checked before anything drives.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

import scenarios.library  # noqa: F401 - registers the types
from drive_agent.geometry import arc_length, wrap_angle
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, plan_route
from scenarios.parameters import read_parameters
from scenarios.routes import RouteSpec, ScenarioSpec
from scenarios.types import ScenarioType, find_type

TRIGGER_M = 2.0  # the Leaderboard's: how far from the route a trigger may be
TRIGGER_RAD = math.radians(10.0)


class RouteError(ValueError):
    """A route cannot be driven or a scenario not be played in its town. The text names file, element and remedy."""


def check_scenarios(specs: Iterable[RouteSpec]) -> None:
    """Raises ValueError for the first scenario of an unknown type or with a missing or wrong parameter."""
    for spec in specs:
        for scenario in spec.scenarios:
            read_scenario(spec, scenario)


def read_scenario(spec: RouteSpec, scenario: ScenarioSpec) -> tuple[ScenarioType, dict[str, Any]]:
    """The type of a scenario and its parameters by name. Raises ValueError for what is unknown, missing or wrong."""
    try:
        kind = find_type(scenario.type)
        return kind, read_parameters(kind.parameters, scenario.parameters)
    except ValueError as error:
        raise ValueError(f"{_where(spec, scenario)}: {error}") from error


def plan(spec: RouteSpec, road_map: RoadMap) -> Route:
    """The route through the town. Raises RouteError where its points are off the road or out of reach."""
    try:
        return plan_route(road_map, spec.keypoints)
    except ValueError as error:
        raise RouteError(f"{spec.where}: <waypoints> {error}") from error


def trigger_m(spec: RouteSpec, scenario: ScenarioSpec, route: Route) -> float:
    """How far along the route a scenario's trigger is. Raises RouteError for one off the route."""
    x_m, y_m, _, yaw_rad = scenario.trigger
    points = route.points[:, :2]
    gaps_m = np.linalg.norm(points - (x_m, y_m), axis=1)
    turned = np.abs(wrap_angle(route.headings - yaw_rad))
    fitting = np.flatnonzero((gaps_m <= TRIGGER_M) & (turned <= TRIGGER_RAD))
    if not len(fitting):
        nearest = int(gaps_m.argmin())
        x, y = points[nearest, 0], -points[nearest, 1]
        raise RouteError(
            f"{_where(spec, scenario)}: <trigger_point> at ({x_m:.1f}, {-y_m:.1f}) is {gaps_m[nearest]:.1f} m and "
            f"{math.degrees(turned[nearest]):.0f} deg off the route, expected at most {TRIGGER_M:g} m and "
            f"{math.degrees(TRIGGER_RAD):.0f} deg: move it onto the route, nearest at x={x:.1f} y={y:.1f} "
            f"yaw={-math.degrees(route.headings[nearest]):.0f}"
        )
    return float(arc_length(points)[fitting[gaps_m[fitting].argmin()]])


def _where(spec: RouteSpec, scenario: ScenarioSpec) -> str:
    return f"{spec.where}: <scenario> {scenario.name!r}"
