"""Random routes through a town. Knows nothing of carla."""

from __future__ import annotations

import numpy as np

from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, plan_route

ROUTE_M = (250.0, 900.0)
CLEAR_AHEAD = 18  # points of a lane before the next junction where no route starts
FREE_M = 14.0  # to the next car where a route starts
TRIES = 200


class RandomRoutes:
    """Random routes through a town, from places where no car is near."""

    def __init__(self, road_map: RoadMap, rng: np.random.Generator) -> None:
        self._road_map = road_map
        self._rng = rng
        self._lanes = [
            lane
            for lane in road_map.lanes
            if lane.kind == "driving" and not lane.is_junction and lane.length_m > 2 * CLEAR_AHEAD
        ]
        self._weights = np.array([lane.length_m for lane in self._lanes]) / sum(
            lane.length_m for lane in self._lanes
        )

    def draw(self, cars: np.ndarray) -> Route:
        """A route that starts `FREE_M` from all cars (n, 2)."""
        for _ in range(TRIES):
            keypoints = np.array([self._place() for _ in range(3)])
            if len(cars) and np.linalg.norm(cars - keypoints[0, :2], axis=1).min() < FREE_M:
                continue
            try:
                route = plan_route(self._road_map, keypoints)
            except ValueError:  # no way between these places: draw others
                continue
            if route.length_m > ROUTE_M[0]:
                return _shortened(route, self._rng.uniform(*ROUTE_M))
        raise RuntimeError(
            f"no random route of {ROUTE_M[0]:.0f} m found in {self._road_map.name!r} in {TRIES} tries"
        )

    def keypoints(self, begin: np.ndarray) -> np.ndarray:
        """Points (k, 3) of a route that goes through `begin` (n, 3) first, and then on for `ROUTE_M` at least."""
        for _ in range(TRIES):
            points = np.vstack([begin, self._place(), self._place()])
            try:
                length_m = plan_route(self._road_map, points).length_m
            except ValueError:  # no way between these places: draw others
                continue
            if length_m > ROUTE_M[0]:
                return points
        raise RuntimeError(
            f"no way of {ROUTE_M[0]:.0f} m found on from ({begin[-1, 0]:.1f}, {begin[-1, 1]:.1f}) in "
            f"{self._road_map.name!r} in {TRIES} tries"
        )

    def _place(self) -> np.ndarray:
        lane = self._lanes[self._rng.choice(len(self._lanes), p=self._weights)]
        return lane.center[self._rng.integers(3, len(lane.center) - CLEAR_AHEAD)]


def _shortened(route: Route, length_m: float) -> Route:
    n = min(int(length_m), len(route.points))
    return Route(route.points[:n], route.headings[:n], route.maneuvers[:n], route.lanes[:n])
