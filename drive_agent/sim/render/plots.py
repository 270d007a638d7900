"""Which ground is still free, and how far from everything: a one-metre grid of the town for placing what stands in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render.scenery_kernels import cells_of_rectangle, distances_to_taken
from drive_agent.sim.render.streets import Ribbon

CELL_M = 1.0
_STEP_M = 0.9  # between points of a rectangle: none of its cells is missed


class Plots:
    """Taken and free cells; the terrain's extent is `low` to `high` (2,), metres."""

    def __init__(self, low: np.ndarray, high: np.ndarray):
        self.low, self.high = np.asarray(low, float), np.asarray(high, float)
        shape = np.ceil((self.high - self.low) / CELL_M).astype(int) + 1
        self._taken = np.zeros(tuple(shape), bool)

    def _cells(self, points: np.ndarray) -> np.ndarray:
        cells = np.floor((points - self.low) / CELL_M).astype(int)
        return np.clip(cells, 0, np.array(self._taken.shape) - 1)

    def take_ribbons(self, ribbons: list[Ribbon], margin_m: float) -> None:
        """Everything under the lanes and `margin_m` beside them."""
        points = []
        for ribbon in ribbons:
            half = ribbon.width_m.max() / 2 + margin_m
            for offset in np.arange(-half, half + 0.5, 0.7):
                line = ribbon.center[:, :2] + ribbon.right[:, :2] * min(offset, half)
                points += [line, (line[:-1] + line[1:]) / 2]
        self.take_points(np.concatenate(points))

    def take_points(self, points: np.ndarray) -> None:
        """The cells under points (n, 2)."""
        cells = self._cells(points)
        self._taken[cells[:, 0], cells[:, 1]] = True

    def rectangle(self, x: float, y: float, yaw_rad: float, length: float, width: float) -> np.ndarray:
        """Cells (n, 2) of a turned rectangle."""
        columns, rows = (math.ceil((extent + _STEP_M / 2) / _STEP_M) for extent in (length, width))
        cells = np.empty((rows * columns, 2), np.int64)
        place = np.array([x, y, math.cos(yaw_rad), math.sin(yaw_rad)])
        size = np.array([length, width, float(rows), float(columns)])
        cells_of_rectangle(self.low, CELL_M, _STEP_M, place, size, cells)
        return np.clip(cells, 0, np.array(self._taken.shape) - 1)

    def take_if_free(self, x: float, y: float, yaw_rad: float, length: float, width: float) -> bool:
        """Take a rectangle unless it touches something or leaves the terrain; tells whether it did."""
        reach = math.hypot(length, width) / 2
        if min(x, y) < -1e9 or x - reach < self.low[0] or y - reach < self.low[1]:
            return False
        if x + reach > self.high[0] or y + reach > self.high[1]:
            return False
        cells = self.rectangle(x, y, yaw_rad, length, width)
        if self._taken[cells[:, 0], cells[:, 1]].any():
            return False
        self._taken[cells[:, 0], cells[:, 1]] = True
        return True

    def distances(self) -> Distances:
        """How far it is to what is taken by now, everywhere."""
        distance = np.empty(self._taken.shape, np.float32)
        distances_to_taken(self._taken, distance)
        return Distances(self.low, distance * np.float32(CELL_M))


@dataclass(frozen=True)
class Distances:
    """Metres from every square of ground to the nearest road or house."""

    low: np.ndarray  # float64 (2,), corner of the first cell
    distance_m: np.ndarray  # float32 (columns, rows), one a cell of CELL_M

    def of(self, points: np.ndarray) -> np.ndarray:
        """float32 (n,) of points (n, 2); those outside the grid have the distance of its edge."""
        cells = np.floor((np.asarray(points, float) - self.low) / CELL_M).astype(int)
        cells = np.clip(cells, 0, np.array(self.distance_m.shape) - 1)
        return self.distance_m[cells[:, 0], cells[:, 1]]
