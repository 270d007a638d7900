"""Strokes that all pictures are made of: anti-aliased, placed between pixels, translucent where asked.

Pictures are uint8 (height, width, 3) RGB and are written to in place; points are (column, row), floats. Knows nothing
of roads or cars.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from replay.palette import Color

_SHIFT = 4  # fractional bits of a coordinate
_LIMIT_PX = 30_000.0  # beyond this OpenCV's fixed point would overflow


def polyline(
    image: np.ndarray, points: np.ndarray, color: Color, thickness: int = 1, *, closed: bool = False
) -> None:
    """A line through points (n, 2)."""
    if len(points) >= 2:
        cv2.polylines(image, [_fixed(points)], closed, color, thickness, cv2.LINE_AA, _SHIFT)


def polylines(image: np.ndarray, many: Sequence[np.ndarray], color: Color, thickness: int = 1) -> None:
    """Many open lines at once."""
    if many:
        cv2.polylines(
            image, [_fixed(points) for points in many], False, color, thickness, cv2.LINE_AA, _SHIFT
        )


def simplified(points: np.ndarray, tolerance_px: float = 0.2) -> np.ndarray:
    """The same line with fewer points: each joint of a thick line shows as a speck."""
    if len(points) < 3:
        return points
    return cv2.approxPolyDP(np.asarray(points, np.float32)[:, None], tolerance_px, False)[:, 0]


def fill(image: np.ndarray, polygon: np.ndarray, color: Color) -> None:
    """A filled convex polygon (n, 2)."""
    cv2.fillConvexPoly(image, _fixed(polygon), color, cv2.LINE_AA, _SHIFT)


def disc(
    image: np.ndarray, x: float, y: float, radius: float, color: Color, thickness: int = cv2.FILLED
) -> None:
    """A filled circle, or a ring of a thickness."""
    if abs(x) < _LIMIT_PX and abs(y) < _LIMIT_PX:
        scale = 1 << _SHIFT
        center = (round(x * scale), round(y * scale))
        cv2.circle(image, center, round(radius * scale), color, thickness, cv2.LINE_AA, _SHIFT)


def bar(image: np.ndarray, x: int, y: int, width: int, height: int, color: Color) -> None:
    """A rectangle with round ends, `height` px high."""
    radius = height / 2
    if width < height:
        return
    cv2.rectangle(
        image, (x + height // 2, y), (x + width - height // 2 - 1, y + height - 1), color, cv2.FILLED
    )
    disc(image, x + radius - 0.5, y + radius - 0.5, radius - 0.5, color)
    disc(image, x + width - radius - 0.5, y + radius - 0.5, radius - 0.5, color)


def translucent(
    image: np.ndarray, polygons: Sequence[np.ndarray], colors: Sequence[Color], alphas: Sequence[float]
) -> None:
    """Filled convex polygons that let the picture through; where they overlap, the last one counts."""
    height, width = image.shape[:2]
    if not polygons:
        return
    every = np.concatenate(list(polygons))
    x0, y0 = np.clip(np.floor(every.min(0)), 0, (width, height)).astype(int)
    x1, y1 = np.clip(np.ceil(every.max(0)) + 1, 0, (width, height)).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    paint = np.zeros((y1 - y0, x1 - x0, 3), np.uint8)
    cover = np.zeros((y1 - y0, x1 - x0), np.float32)
    for polygon, color, alpha in zip(polygons, colors, alphas, strict=True):
        corners = _fixed(polygon - (x0, y0))
        cv2.fillConvexPoly(paint, corners, color, cv2.LINE_8, _SHIFT)
        cv2.fillConvexPoly(cover, corners, (alpha,), cv2.LINE_8, _SHIFT)
    region = image[y0:y1, x0:x1]
    region[:] = cv2.blendLinear(paint, np.ascontiguousarray(region), cover, 1 - cover)


def fade(image: np.ndarray, x: int, y: int, width: int, height: int, color: Color, alpha: float) -> None:
    """A translucent rectangle, e.g. as a ground for text."""
    region = image[max(y, 0) : y + height, max(x, 0) : x + width]
    region[:] = cv2.addWeighted(region, 1 - alpha, np.full_like(region, color), alpha, 0)


def _fixed(points: np.ndarray) -> np.ndarray:
    clipped = np.clip(np.asarray(points, dtype=float), -_LIMIT_PX, _LIMIT_PX)
    return np.round(clipped * (1 << _SHIFT)).astype(np.int32)
