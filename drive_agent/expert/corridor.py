"""The way ahead as a strip of road: route, its speed caps, and the piece of it in front of the car.

Knows nothing of other road users, lights or speeds to drive. World frame, metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.shift import AHEAD, Shift
from drive_agent.geometry import arc_length
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route

REACH_M = 60  # how far ahead the expert looks; one point a metre
# what is driven under a limit: 85 % of it in narrow streets, calmly in towns, with the traffic on fast roads
LIMITS_MPS = np.array([0.0, 9.0 / 0.85, 50 / 3.6, 60 / 3.6, 80 / 3.6, 100 / 3.6])
DRIVEN_MPS = np.array([0.0, 9.0, 9.0, 11.5, 15.0, 17.0])
LATERAL_ACCEL_MPS2 = 2.0
CURVE_BRAKE_MPS2 = 1.5
SAME_ROAD_M = 2.0  # nearer together than lanes are
BLEND_MIN_M, BLEND_MAX_M, BLEND_S = 6.0, 10.0, 1.0  # lateral offset is gone after this way


@dataclass(frozen=True)
class Corridor:
    """The next `REACH_M` metres, from beside the rear axle on, led from where the car is to the wanted line."""

    points: np.ndarray  # (n, 2), 1 m apart
    tangents: np.ndarray  # (n, 2) unit vectors
    cruise_mps: (
        np.ndarray
    )  # (n,) speed at each point of a car alone on the road: limit, curves, braking for them
    limit_mps: float  # share of the legal limit that is driven here
    begin_m: float  # station of the route beside the rear axle
    offset_m: float  # how far the axle is left of the route

    def locate(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (..., 2) as metres along and metres left of the corridor."""
        points = np.asarray(points, dtype=float)
        flat = points.reshape(-1, 2)
        # |p - q|^2 without the constant |p|^2: one matrix product instead of a (k, n, 2) difference
        distance2 = (self.points**2).sum(1) - 2.0 * flat @ self.points.T
        nearest = distance2.argmin(1)
        gap = flat - self.points[nearest]
        tangent = self.tangents[nearest]
        along = nearest + (gap * tangent).sum(1)
        left = tangent[:, 0] * gap[:, 1] - tangent[:, 1] * gap[:, 0]
        return along.reshape(points.shape[:-1]), left.reshape(points.shape[:-1])


class RouteTrack:
    """A route made ready to be followed: keeps the place on it, hands out the `Corridor` there."""

    def __init__(self, road_map: RoadMap, route: Route) -> None:
        self.points = np.asarray(route.points, dtype=float)[:, :2]
        self.stations_m = arc_length(self.points)
        headings = np.unwrap(np.asarray(route.headings, dtype=float))
        self.tangents = np.stack([np.cos(headings), np.sin(headings)], -1)
        self._limits_mps = _limits(road_map, route)
        caps = np.minimum(self._limits_mps, _curve_speeds(headings, self.stations_m))
        self._cruise_mps = _anticipate(caps, self.stations_m)
        self._place = -1

    @property
    def limit_mps(self) -> float:
        """What is driven at most at the place that was followed to last."""
        return float(self._limits_mps[self._place])

    def follow(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Station and offset (left positive) of a rear axle at (x, y).

        The place on the route only moves on, so loops do not confuse it; where it begins on a road that the route takes
        twice, it is there for the first time.
        """
        if self._place < 0:
            gaps_m = np.hypot(*(self.points - (x_m, y_m)).T)
            self._place = int(np.argmax(gaps_m < gaps_m.min() + SAME_ROAD_M))
        window = slice(max(self._place - 3, 0), self._place + 20)
        gaps = self.points[window] - (x_m, y_m)
        place = window.start + int((gaps**2).sum(1).argmin())
        self._place = place
        tangent, gap = self.tangents[place], np.array([x_m, y_m]) - self.points[place]
        ahead_m = float(gap @ tangent)
        offset_m = float(tangent[0] * gap[1] - tangent[1] * gap[0])
        return float(self.stations_m[place] + ahead_m), offset_m

    def corridor(self, x_m: float, y_m: float, speed_mps: float, shift: Shift = AHEAD) -> Corridor:
        """The way ahead of a rear axle at (x, y), along the route or aside of it."""
        begin_m, offset_m = self.follow(x_m, y_m)
        steps = np.arange(REACH_M + 1, dtype=float)
        at = np.clip(begin_m + steps, self.stations_m[0], self.stations_m[-1])
        x, y, tx, ty = (
            np.interp(at, self.stations_m, column)
            for column in (self.points[:, 0], self.points[:, 1], self.tangents[:, 0], self.tangents[:, 1])
        )
        beyond = begin_m + steps - at  # before the first or past the last point the way is straight
        x, y = x + beyond * tx, y + beyond * ty
        length = np.clip(BLEND_MIN_M + BLEND_S * 0.5 * speed_mps, BLEND_MIN_M, BLEND_MAX_M)
        t = np.clip(steps / length, 0.0, 1.0)
        wanted = shift.left_at(begin_m + steps)
        # cubic Hermite: leaves and arrives parallel to the wanted line
        side = wanted + (offset_m - wanted[0]) * (1.0 - t) ** 2 * (1.0 + 2.0 * t)
        points = np.stack([x - side * ty, y + side * tx], -1)
        tangents = np.gradient(points, axis=0)
        tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
        cruise = np.interp(at, self.stations_m, self._cruise_mps)
        cruise = _anticipate(np.minimum(cruise, shift.speeds_mps(begin_m + steps)), steps)
        return Corridor(points, tangents, cruise, self.limit_mps, begin_m, offset_m)


def _limits(road_map: RoadMap, route: Route) -> np.ndarray:
    limits = np.array([road_map.lanes[k].speed_limit_mps for k in route.lanes])
    return np.interp(limits, LIMITS_MPS, DRIVEN_MPS)


def _curve_speeds(headings: np.ndarray, stations_m: np.ndarray) -> np.ndarray:
    """Speed at which the lateral acceleration is comfortable, from the curvature over about 5 m."""
    before, after = np.clip(np.arange(len(headings)) + [[-3], [3]], 0, len(headings) - 1)
    turn = np.abs(headings[after] - headings[before])
    curvature = turn / np.maximum(stations_m[after] - stations_m[before], 1.0)
    return np.sqrt(LATERAL_ACCEL_MPS2 / np.maximum(curvature, 1e-3))


def _anticipate(caps_mps: np.ndarray, stations_m: np.ndarray) -> np.ndarray:
    """The same caps with braking in time: v_i^2 <= v_j^2 + 2 b (s_j - s_i) for every later point j."""
    energy = caps_mps**2 + 2.0 * CURVE_BRAKE_MPS2 * stations_m
    lowest_later = np.minimum.accumulate(energy[::-1])[::-1]
    return np.sqrt(lowest_later - 2.0 * CURVE_BRAKE_MPS2 * stations_m)
