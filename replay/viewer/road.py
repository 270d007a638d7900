"""The roads around a route as lists of points, thin enough for a browser. World frame, decimetres are enough."""

from __future__ import annotations

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
    return {
        "lanes": [[lane.kind, int(lane.is_junction), _flat(_ring(lane))] for lane in lanes],
        "paint": [line for lane in lanes if lane.kind == "driving" for line in _paint(lane)],
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
    return bool((((some[:, None] - route[None, ::10]) ** 2).sum(-1) < REACH_M**2).any())


def _layer(lane: Lane) -> int:
    return LAYERS.index(lane.kind) if lane.kind in LAYERS else 0


def _borders(lane: Lane) -> tuple[np.ndarray, np.ndarray]:
    normal = np.column_stack([-np.sin(lane.heading), np.cos(lane.heading)])
    half = lane.width[:, None] / 2
    return lane.center[:, :2] + normal * half, lane.center[:, :2] - normal * half


def _ring(lane: Lane) -> np.ndarray:
    left, right = _borders(lane)
    return np.concatenate([_thin(left), _thin(right)[::-1]])


def _paint(lane: Lane) -> list[list]:
    """[colour, is dashed, points] of each marked border of a lane."""
    lines = []
    for border, (kind, color) in zip(_borders(lane), (lane.left_marking, lane.right_marking), strict=True):
        if kind not in ("none", "") and not lane.is_junction:
            lines.append([color, int("broken" in kind), _flat(_thin(border))])
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
        along = points[last] - points[first]
        away = points[first + 1 : last] - points[first]
        length = max(float(np.hypot(*along)), 1e-9)
        off = np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length
        worst = int(off.argmax())
        if off[worst] > TOLERANCE_M:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _flat(points: np.ndarray) -> list[float]:
    return np.round(np.asarray(points)[:, :2], 2).ravel().tolist()
