"""Plane geometry: frame changes, angles, and paths resampled by arc length. Knows only numpy."""

from __future__ import annotations

import numpy as np


def wrap_angle(angle_rad: float | np.ndarray) -> float | np.ndarray:
    """The same angle in [-pi, pi)."""
    return (angle_rad + np.pi) % (2 * np.pi) - np.pi


def to_frame(points: np.ndarray, x_m: float, y_m: float, yaw_rad: float) -> np.ndarray:
    """Points (..., 2) of an outer frame, seen from a pose in that frame."""
    delta = np.asarray(points, dtype=float) - (x_m, y_m)
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.stack(
        [delta[..., 0] * cos + delta[..., 1] * sin, delta[..., 1] * cos - delta[..., 0] * sin], -1
    )


def from_frame(points: np.ndarray, x_m: float, y_m: float, yaw_rad: float) -> np.ndarray:
    """Inverse of `to_frame`: points (..., 2) given in the pose's frame, in the outer frame."""
    points = np.asarray(points, dtype=float)
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.stack(
        [
            x_m + points[..., 0] * cos - points[..., 1] * sin,
            y_m + points[..., 0] * sin + points[..., 1] * cos,
        ],
        -1,
    )


def arc_length(path: np.ndarray) -> np.ndarray:
    """Distance along a polyline (n, d) at each of its points, (n,), starting at 0."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])


def resample(path: np.ndarray, stations_m: np.ndarray) -> np.ndarray:
    """Points of a polyline (n, d) at given distances along it, (len(stations), d).

    Beyond the last point the path goes on straight in the direction of its last segment.
    """
    path = np.asarray(path, dtype=float)
    along = arc_length(path)
    inside = np.stack([np.interp(stations_m, along, path[:, k]) for k in range(path.shape[1])], -1)
    beyond = np.maximum(np.asarray(stations_m, dtype=float) - along[-1], 0.0)
    last = path[-1] - path[-2]
    return inside + beyond[:, None] * last / max(float(np.linalg.norm(last)), 1e-9)


def project(path: np.ndarray, point: np.ndarray) -> tuple[float, float]:
    """Where a point (2,) lies beside a polyline (n, 2): distance along it and signed offset (left positive), metres."""
    start, step = path[:-1], np.diff(path, axis=0)
    length2 = np.maximum((step**2).sum(1), 1e-12)
    t = np.clip(((point - start) * step).sum(1) / length2, 0.0, 1.0)
    gap = point - (start + t[:, None] * step)
    k = int(np.argmin((gap**2).sum(1)))
    along = arc_length(path)[k] + t[k] * np.sqrt(length2[k])
    side = step[k, 0] * gap[k, 1] - step[k, 1] * gap[k, 0]
    return float(along), float(np.sign(side) * np.linalg.norm(gap[k]))


def box_corners(
    x_m: float, y_m: float, yaw_rad: float, half_length_m: float, half_width_m: float
) -> np.ndarray:
    """Corners (4, 2) of an oriented box, counter-clockwise from the front left."""
    local = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (half_length_m, half_width_m)
    return from_frame(local, x_m, y_m, yaw_rad)
