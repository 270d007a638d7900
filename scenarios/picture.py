"""A town from above as a picture: lanes, markings, stop lines, lights, crosswalks, and routes on top.

Draws a `RoadMap`; knows nothing of OpenDRIVE and carla.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route, sparse
from drive_agent.types import Maneuver

MARGIN_M = 15.0
_SHIFT = 4  # cv2 draws with sub-pixel coordinates of 1/16

_GROUND = (198, 214, 206)  # colours are BGR
_SURFACE = {
    "driving": (96, 92, 90),
    "shoulder": (120, 118, 116),
    "sidewalk": (178, 176, 172),
    "parking": (128, 112, 104),
    "biking": (84, 108, 96),
}
_MARK = {"white": (240, 240, 240), "yellow": (60, 190, 235)}
_STOP = {"light": (60, 60, 230), "stop": (200, 60, 200), "yield": (0, 150, 255)}
ROUTE_COLORS = ((235, 160, 40), (60, 180, 75), (40, 120, 245), (200, 80, 160))
_TURNS = {Maneuver.LEFT, Maneuver.RIGHT, Maneuver.STRAIGHT}


Area = tuple[np.ndarray, np.ndarray]  # its south-west and north-east corners, (2,)


class Plan:
    """A picture of an area at some pixels a metre; draw on it with world coordinates."""

    def __init__(self, area: Area, pixels_per_m: float) -> None:
        self._low, self._high = area
        self._scale = pixels_per_m
        width, height = np.ceil((self._high - self._low) * pixels_per_m).astype(int)
        self.image = np.full((height, width, 3), _GROUND, np.uint8)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        flat = np.asarray(points, dtype=float)[:, :2]
        pixels = np.stack([flat[:, 0] - self._low[0], self._high[1] - flat[:, 1]], -1) * self._scale
        return np.round(pixels * 2**_SHIFT).astype(np.int32)

    def fill(self, ring: np.ndarray, color: tuple[int, int, int]) -> None:
        cv2.fillPoly(self.image, [self._pixels(ring)], color, cv2.LINE_AA, _SHIFT)

    def line(self, points: np.ndarray, color: tuple[int, int, int], width_m: float) -> None:
        thickness = max(round(width_m * self._scale), 1)
        cv2.polylines(self.image, [self._pixels(points)], False, color, thickness, cv2.LINE_AA, _SHIFT)

    def dot(self, point: np.ndarray, color: tuple[int, int, int], radius_m: float) -> None:
        center = self._pixels(np.asarray(point)[None])[0]
        radius = round(radius_m * self._scale * 2**_SHIFT)
        cv2.circle(self.image, center.tolist(), radius, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def text(self, point: np.ndarray, words: str, color: tuple[int, int, int]) -> None:
        place = self._pixels(np.asarray(point)[None])[0] >> _SHIFT
        cv2.putText(self.image, words, place.tolist(), cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, 2, cv2.LINE_AA)


def draw_town(road_map: RoadMap, routes: Sequence[Route] = (), pixels_per_m: float = 3.0) -> np.ndarray:
    """The town with routes, BGR uint8 (height, width, 3), north up."""
    points = np.concatenate([lane.center[:, :2] for lane in road_map.lanes])
    area = points.min(0) - MARGIN_M, points.max(0) + MARGIN_M
    plan = plan_of_town(road_map, pixels_per_m, area)
    for number, route in enumerate(routes):
        draw_route(plan, route, str(number), ROUTE_COLORS[number % len(ROUTE_COLORS)])
    return plan.image


def plan_of_town(road_map: RoadMap, pixels_per_m: float, area: Area) -> Plan:
    """The part of a town that lies in an area, to draw on."""
    plan = Plan(area, pixels_per_m)
    for kind in ("sidewalk", "shoulder", "parking", "biking", "driving"):
        for lane in (lane for lane in road_map.lanes if lane.kind == kind):
            plan.fill(np.concatenate([_border(lane, 1.0), _border(lane, -1.0)[::-1]]), _SURFACE[kind])
    for ring in road_map.crosswalks:
        plan.fill(ring, (225, 225, 225))
    for lane in (lane for lane in road_map.lanes if lane.kind == "driving"):
        _draw_markings(plan, lane)
    for stop in road_map.stop_lines:
        plan.line(stop.segment, _STOP[stop.kind], 0.6)
        plan.dot(stop.position, _STOP[stop.kind], 0.9)
    return plan


def _border(lane: Lane, side: float) -> np.ndarray:
    """Left (side 1) or right (-1) border, (n, 2)."""
    normal = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], -1)
    return lane.center[:, :2] + side * normal * lane.width[:, None] / 2


def _draw_markings(plan: Plan, lane: Lane) -> None:
    for side, (kind, color) in ((1.0, lane.left_marking), (-1.0, lane.right_marking)):
        border = _border(lane, side)
        if kind == "none":
            continue
        if kind == "broken":
            for start in range(0, len(border) - 3, 8):
                plan.line(border[start : start + 4], _MARK[color], 0.15)
        else:
            plan.line(border, _MARK[color], 0.15)
    if lane.is_junction:
        plan.line(lane.center, (130, 126, 122), 0.1)


def draw_route(plan: Plan, route: Route, name: str, color: tuple[int, int, int]) -> None:
    """The line that is driven, the points that an agent is given, and its name at both ends."""
    plan.line(route.points, color, 1.0)
    for index in sparse(route):
        plan.dot(route.points[index], color, 1.6 if route.maneuvers[index] in _TURNS else 1.1)
    plan.text(route.points[0], f"{name} start", (30, 30, 30))
    plan.text(route.points[-1], f"{name} end", (30, 30, 30))
