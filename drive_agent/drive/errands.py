"""Where a guest drives in a world that already runs: to a destination, or on and on. Knows nothing of carla."""

from __future__ import annotations

import numpy as np

from drive_agent.drive.random_routes import RandomRoutes
from drive_agent.geometry import resample
from drive_agent.roadmap import RoadMap
from drive_agent.routing import MAX_OFFSET_M
from scenarios.routes import DEFAULT_WEATHER, RouteSpec, Weather

BEYOND_M = 5.0  # a point so far behind a junction says which way through it is meant


def begin_at(road_map: RoadMap, x_m: float, y_m: float, yaw_rad: float) -> np.ndarray:
    """The first points (n, 3) of a way from where a vehicle stands, in the direction that it looks.

    Raises ValueError for a vehicle that is off the road.
    """
    index, station_m, offset_m = road_map.nearest_lane(np.array([x_m, y_m]), yaw_rad)
    if abs(offset_m) > MAX_OFFSET_M:
        raise ValueError(
            f"the vehicle at ({x_m:.1f}, {-y_m:.1f}) is {abs(offset_m):.1f} m from the nearest lane that goes its way, "
            f"expected at most {MAX_OFFSET_M:g} m: put it on a road"
        )
    lane = road_map.lanes[index]
    points = [resample(lane.center, np.array([station_m]))[0]]
    while lane.is_junction and lane.successors:
        lane = road_map.lanes[lane.successors[0]]
    if lane.index != index:
        points.append(resample(lane.center, np.array([min(BEYOND_M, lane.length_m / 2)]))[0])
    return np.array(points)


def to_goal(town: str, begin: np.ndarray, goal: tuple[float, float]) -> RouteSpec:
    """A way to a destination (x, y in the world frame)."""
    z_m = float(begin[-1, 2])
    return _spec("goal", town, np.vstack([begin, (*goal, z_m)]), "guest.goal")


def roaming(road_map: RoadMap, town: str, begin: np.ndarray, seed: int, number: int) -> RouteSpec:
    """The `number`th way of somebody who has no destination. Raises RuntimeError where nothing leads on."""
    routes = RandomRoutes(road_map, np.random.default_rng([seed, number]))
    return _spec(f"roam{number}", town, routes.keypoints(begin), "")


def _spec(name: str, town: str, keypoints: np.ndarray, source: str) -> RouteSpec:
    return RouteSpec(name, town, keypoints, (Weather(0.0, dict(DEFAULT_WEATHER)),), (), source)
