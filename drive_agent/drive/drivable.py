"""Draws where one may drive around a car: the lanes of a road map as a bitmap. Knows nothing of carla."""

from __future__ import annotations

import cv2
import numpy as np

from drive_agent.data.drivable import AHEAD_M, ASIDE_M, BEHIND_M, CELL_M, COLUMNS, ROWS
from drive_agent.geometry import to_frame
from drive_agent.roadmap import Lane, RoadMap

KINDS = ("driving", "parking", "bidirectional")
_SHIFT = 4  # binary digits behind the point in cv2's coordinates


class DrivableDrawer:
    """One map; `draw` for every pose."""

    def __init__(self, road_map: RoadMap) -> None:
        self._rings = [_ring(lane) for lane in road_map.lanes if lane.kind in KINDS]
        self._low = np.array([ring.min(0) for ring in self._rings])
        self._high = np.array([ring.max(0) for ring in self._rings])

    def draw(self, x_m: float, y_m: float, yaw_rad: float) -> np.ndarray:
        """The bitmap bool (ROWS, COLUMNS) around a pose in the world."""
        reach = np.hypot(AHEAD_M, ASIDE_M)
        near = ((self._low < (x_m + reach, y_m + reach)) & (self._high > (x_m - reach, y_m - reach))).all(1)
        mask = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
        for k in np.flatnonzero(near):
            local = to_frame(self._rings[k], x_m, y_m, yaw_rad) + (BEHIND_M, ASIDE_M)
            # cv2 counts pixels from their centres, columns first
            pixels = (local[:, ::-1] / CELL_M - 0.5) * (1 << _SHIFT)
            cv2.fillPoly(mask, [pixels.round().astype(np.int32)], (1,), shift=_SHIFT)
        return mask.astype(bool)


def _ring(lane: Lane) -> np.ndarray:
    """The outline of a lane, (2 n, 2)."""
    normal = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], -1) * lane.width[:, None] / 2
    center = lane.center[:, :2]
    return np.concatenate([center + normal, (center - normal)[::-1]])
