"""A road map as pictures from above: drawn once in large squares, then only turned and shifted for each frame.

Squares lie on a fixed grid and overlap by the reach of a view, so that every view is cut from exactly one of them.
Knows nothing of time: lights, cars and plans are drawn over it by others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from drive_agent.geometry import arc_length, resample
from drive_agent.roadmap import Lane, RoadMap
from replay import palette
from replay.draw import polyline, polylines, simplified
from replay.palette import Color

CELL_M = 48.0
KEPT_SQUARES = 12
ROUTE_WIDTH_M, ROUTE_ALPHA = 1.7, 0.65
FINER = 2  # squares are drawn this much finer and then averaged: edges of all shapes come out smooth
MAX_FINE_PX = 2200  # larger squares are not: it would cost more time than it shows
PAINT_WIDTH_M = 0.19
DASH_M, DASH_GAP_M = 3.0, 3.0
DOUBLE_GAP_M = 0.14  # from the border to each line of a double marking
ZEBRA_PERIOD_M = 1.0
_LAYERS = ("median", "border", "sidewalk", "shoulder", "parking", "biking", "driving")  # bottom to top


class MapPicture:
    """Cuts views from the map around a route. `reach_m` is how far a view may look from its own centre."""

    def __init__(self, road_map: RoadMap, route: np.ndarray, px_per_m: float, reach_m: float) -> None:
        self._map = road_map
        self._route = np.asarray(route, dtype=float)[:, :2]
        self._px_per_m = px_per_m
        self._half_m = CELL_M / 2 + reach_m
        self._size_px = round(2 * self._half_m * px_per_m)
        self._finer = FINER if self._size_px <= MAX_FINE_PX else 1
        self._boxes = np.array([_bounds(lane) for lane in road_map.lanes]).reshape(-1, 4)
        self._square = lru_cache(maxsize=KEPT_SQUARES)(self._draw_square)

    def view(self, center: np.ndarray, world_to_pixel: np.ndarray, width: int, height: int) -> np.ndarray:
        """The map as uint8 (height, width, 3) under an affine (2, 3) from world metres to pixels of the view."""
        column, row = (int(np.floor(value / CELL_M)) for value in center)
        square_to_world = np.vstack([self._to_world(column, row), [0, 0, 1]])
        return cv2.warpAffine(
            self._square(column, row), world_to_pixel @ square_to_world, (width, height), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT, borderValue=palette.GROUND,
        )  # fmt: skip

    def _corner(self, column: int, row: int) -> tuple[float, float]:
        """West and north edge of a square, world metres."""
        return (column + 0.5) * CELL_M - self._half_m, (row + 0.5) * CELL_M + self._half_m

    def _to_world(self, column: int, row: int) -> np.ndarray:
        west, north = self._corner(column, row)
        shift_m = (
            (FINER - 1) / 2 / FINER / self._px_per_m
        )  # middle of a pixel against that of its first finer one
        return np.array([[1 / self._px_per_m, 0, west + shift_m], [0, -1 / self._px_per_m, north - shift_m]])

    def _draw_square(self, column: int, row: int) -> np.ndarray:
        west, north = self._corner(column, row)
        size = self._size_px * self._finer
        image = np.full((size, size, 3), palette.GROUND, np.uint8)
        sheet = _Sheet(image, west, north, self._px_per_m * self._finer)
        low, high = np.array([west, north - 2 * self._half_m]), np.array([west + 2 * self._half_m, north])
        overlap = (self._boxes[:, :2] < high).all(1) & (self._boxes[:, 2:] > low).all(1)
        lanes = [self._map.lanes[k] for k in np.flatnonzero(overlap)]
        for lane in sorted(lanes, key=_layer):
            _draw_surface(sheet, lane)
        for ring in self._map.crosswalks:
            _draw_zebra(sheet, ring)
        _draw_route(sheet, self._route)
        for lane in lanes:
            _draw_markings(sheet, lane)
        for stop in self._map.stop_lines:
            polyline(image, sheet.pixels(stop.segment), palette.WHITE_PAINT, sheet.thickness(0.35))
        return cv2.resize(image, (self._size_px, self._size_px), interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class _Sheet:
    """A square while it is drawn, north up."""

    image: np.ndarray
    west: float
    north: float
    px_per_m: float

    def pixels(self, points: np.ndarray) -> np.ndarray:
        return (points[:, :2] - (self.west, self.north)) * (self.px_per_m, -self.px_per_m)

    def thickness(self, metres: float) -> int:
        return max(round(metres * self.px_per_m), 1)


def lane_edge(lane: Lane, offset: np.ndarray | float) -> np.ndarray:
    """Points (n, 2) beside the lane's centre line, `offset` metres to the left."""
    normal = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], -1)
    return lane.center[:, :2] + normal * np.broadcast_to(offset, lane.heading.shape)[:, None]


def _outline(lane: Lane) -> np.ndarray:
    return np.concatenate([lane_edge(lane, lane.width / 2), lane_edge(lane, -lane.width / 2)[::-1]])


def _layer(lane: Lane) -> int:
    return _LAYERS.index(lane.kind) if lane.kind in _LAYERS else -1


def _surface_color(lane: Lane) -> Color:
    if lane.kind == "driving" and lane.is_junction:
        return palette.JUNCTION
    return palette.LANE_COLORS.get(lane.kind, palette.LANE_COLORS["border"])


def _bounds(lane: Lane) -> np.ndarray:
    """West, south, east, north of a lane, (4,)."""
    reach = lane.width.max()
    return np.concatenate([lane.center[:, :2].min(0) - reach, lane.center[:, :2].max(0) + reach])


def _draw_surface(sheet: _Sheet, lane: Lane) -> None:
    """Filled, with an edge one pixel wider so that no seam shows between neighbours."""
    corners = np.round(np.clip(sheet.pixels(_outline(lane)), -30_000, 30_000) * 16).astype(np.int32)
    cv2.fillPoly(sheet.image, [corners], _surface_color(lane), cv2.LINE_8, 4)
    cv2.polylines(sheet.image, [corners], True, _surface_color(lane), 1, cv2.LINE_AA, 4)


def _draw_route(sheet: _Sheet, route: np.ndarray) -> None:
    """Translucent, under the markings."""
    painted = sheet.image.copy()
    polyline(painted, simplified(sheet.pixels(route)), palette.ROUTE, sheet.thickness(ROUTE_WIDTH_M))
    cv2.addWeighted(sheet.image, 1 - ROUTE_ALPHA, painted, ROUTE_ALPHA, 0, dst=sheet.image)


def _draw_markings(sheet: _Sheet, lane: Lane) -> None:
    if lane.kind != "driving":
        return
    for side, (kind, color) in ((1.0, lane.left_marking), (-1.0, lane.right_marking)):
        paint = palette.YELLOW_PAINT if "yellow" in color.lower() else palette.WHITE_PAINT
        lines = [simplified(sheet.pixels(line)) for line in _marking_lines(lane, side, kind)]
        polylines(sheet.image, lines, paint, sheet.thickness(PAINT_WIDTH_M))


def _marking_lines(lane: Lane, side: float, kind: str) -> Iterator[np.ndarray]:
    """The strokes (n, 2), world metres, of the marking on one side of a lane (+1 left, -1 right)."""
    words = kind.lower().replace("solid", " solid").replace("broken", " broken").split()
    strokes = [word for word in words if word in ("solid", "broken")]
    for number, word in enumerate(strokes):
        shift = (number - 0.5) * 2 * DOUBLE_GAP_M if len(strokes) == 2 else 0.0
        edge = lane_edge(lane, side * lane.width / 2 + shift)
        if word == "solid":
            yield edge
        else:
            yield from _dashes(edge)


def _dashes(edge: np.ndarray) -> Iterator[np.ndarray]:
    length = float(arc_length(edge)[-1])
    for start in np.arange(DASH_GAP_M / 2, length, DASH_M + DASH_GAP_M):
        yield resample(edge, np.linspace(start, min(start + DASH_M, length), 4))


def _draw_zebra(sheet: _Sheet, ring_world: np.ndarray) -> None:
    """Stripes along the drivers' way: the ring's long axis is where people walk."""
    ring = sheet.pixels(ring_world)
    height, width = sheet.image.shape[:2]
    x0, y0 = np.clip(np.floor(ring.min(0)), 0, (width, height)).astype(int)
    x1, y1 = np.clip(np.ceil(ring.max(0)) + 1, 0, (width, height)).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    steps = np.diff(np.vstack([ring, ring[:1]]), axis=0)
    axis = steps[np.argmax((steps**2).sum(1))]
    axis = axis / max(float(np.linalg.norm(axis)), 1e-9)
    rows, columns = np.mgrid[y0:y1, x0:x1]
    along = (columns - ring[0, 0]) * axis[0] + (rows - ring[0, 1]) * axis[1]
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(inside, [np.round((ring - (x0, y0)) * 16).astype(np.int32)], (255,), cv2.LINE_8, 4)
    striped = (along / (ZEBRA_PERIOD_M * sheet.px_per_m)) % 1.0 < 0.5
    sheet.image[y0:y1, x0:x1][(inside > 0) & striped] = palette.CROSSWALK
