"""The roads around a route as lists of points, thin enough for a browser. World frame, decimetres are enough."""

from __future__ import annotations

import math

import numpy as np

from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route

REACH_M = 90.0  # of the route; roads farther away are never on the picture
LAYERS = ("median", "border", "sidewalk", "shoulder", "parking", "biking", "driving")  # bottom to top
TOLERANCE_M = 0.06


def road_of(road_map: RoadMap, route: Route) -> dict:
    """Lanes as rings with their kind, painted lines, crosswalks, stop lines by signal, and the route itself."""
    places = np.asarray(route.points)[:, :2]
    lanes = sorted((lane for lane in road_map.lanes if _near(lane.center, places)), key=_layer)
    borders = [tuple(map(_thin, _borders(lane))) for lane in lanes]
    return {
        "lanes": [
            [lane.kind, int(lane.is_junction), _flat(np.concatenate([left, right[::-1]]))]
            for lane, (left, right) in zip(lanes, borders, strict=True)
        ],
        "paint": [
            line
            for lane, sides in zip(lanes, borders, strict=True)
            if lane.kind == "driving"
            for line in _paint(lane, sides)
        ],
        "crosswalks": [_flat(ring) for ring in road_map.crosswalks if _near(ring, places)],
        "stops": [
            [stop.kind, stop.signal_id, _flat(stop.segment)]
            for stop in road_map.stop_lines
            if _near(stop.segment, places)
        ],
        "route": _flat(places),
    }


def _near(points: np.ndarray, route: np.ndarray) -> bool:
    some = np.asarray(points)[:: max(len(points) // 6, 1), :2]
    x, y = (some[:, None, k] - route[None, ::10, k] for k in (0, 1))
    return bool((x * x + y * y < REACH_M**2).any())


def _layer(lane: Lane) -> int:
    return LAYERS.index(lane.kind) if lane.kind in LAYERS else 0


def _borders(lane: Lane) -> tuple[np.ndarray, np.ndarray]:
    normal = np.column_stack([-np.sin(lane.heading), np.cos(lane.heading)])
    half = lane.width[:, None] / 2
    return lane.center[:, :2] + normal * half, lane.center[:, :2] - normal * half


def _paint(lane: Lane, sides: tuple[np.ndarray, ...]) -> list[list]:
    """[colour, is dashed, points] of each marked border of a lane."""
    lines = []
    for border, (kind, color) in zip(sides, (lane.left_marking, lane.right_marking), strict=True):
        if kind not in ("none", "") and not lane.is_junction:
            lines.append([color, int("broken" in kind), _flat(border)])
    return lines


def _thin(points: np.ndarray) -> np.ndarray:
    """The points without those that lie on the straight between their kept neighbours (Douglas-Peucker)."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        (x0, y0), (x1, y1) = points[first].tolist(), points[last].tolist()
        x, y = points[first + 1 : last, 0] - x0, points[first + 1 : last, 1] - y0
        length = max(math.hypot(x1 - x0, y1 - y0), 1e-9)
        off = np.abs((x1 - x0) * y - (y1 - y0) * x) / length
        worst = int(off.argmax())
        if off[worst] > TOLERANCE_M:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _flat(points: np.ndarray) -> list[float]:
    return np.round(np.asarray(points)[:, :2], 2).ravel().tolist()
