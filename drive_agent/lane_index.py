"""Finds the lane nearest to a point in microseconds: centre-line points sorted into square cells.

Knows lanes only as polylines. World frame, metres, radians.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

CELL_M = 8.0
METRES_PER_RADIAN = 2.0  # what a radian of heading error is worth

_Polyline = tuple[
    int, np.ndarray, np.ndarray, np.ndarray
]  # lane index, center (n, 3), heading (n,), stations (n,)


class LaneIndex:
    """Immutable after construction. Exact for points within `CELL_M` of a lane, and by full search beyond."""

    def __init__(self, lanes: Sequence[_Polyline]) -> None:
        self._x = np.concatenate([center[:, 0] for _, center, _, _ in lanes])
        self._y = np.concatenate([center[:, 1] for _, center, _, _ in lanes])
        self._heading = np.concatenate([heading for _, _, heading, _ in lanes])
        self._station = np.concatenate([stations for _, _, _, stations in lanes])
        self._lane = np.concatenate([np.full(len(center), index) for index, center, _, _ in lanes])
        self._cells = self._fill_cells()
        self._all = np.arange(len(self._x))

    def _fill_cells(self) -> dict[tuple[int, int], np.ndarray]:
        """Cell -> point numbers in it and in the eight around it: whatever lies within `CELL_M` of its inside."""
        columns, rows = np.floor(self._x / CELL_M).astype(int), np.floor(self._y / CELL_M).astype(int)
        members: dict[tuple[int, int], list[int]] = {}
        for number, (column, row) in enumerate(zip(columns.tolist(), rows.tolist(), strict=True)):
            for near_column in (column - 1, column, column + 1):
                for near_row in (row - 1, row, row + 1):
                    members.setdefault((near_column, near_row), []).append(number)
        return {cell: np.array(numbers) for cell, numbers in members.items()}

    def nearest(self, x_m: float, y_m: float, heading: float | None) -> tuple[int, float, float]:
        """Lane index, station and lateral offset (left positive)."""
        cell = (math.floor(x_m / CELL_M), math.floor(y_m / CELL_M))
        number, distance_m = self._best(self._cells.get(cell, self._all), x_m, y_m, heading)
        if distance_m > CELL_M:
            number, _ = self._best(self._all, x_m, y_m, heading)
        return self._beside(number, x_m, y_m)

    def _best(self, numbers: np.ndarray, x_m: float, y_m: float, heading: float | None) -> tuple[int, float]:
        """The point with the least distance, or distance and heading error together; and its cost in metres."""
        cost = np.hypot(self._x[numbers] - x_m, self._y[numbers] - y_m)
        if heading is not None:
            cost += METRES_PER_RADIAN * np.abs(
                (self._heading[numbers] - heading + math.pi) % (2 * math.pi) - math.pi
            )
        best = int(cost.argmin())
        return int(numbers[best]), float(cost[best])

    def _beside(self, number: int, x_m: float, y_m: float) -> tuple[int, float, float]:
        """Station and offset at the nearer of the two segments that meet at a point of a lane."""
        lane = int(self._lane[number])
        best = (math.inf, 0.0, 0.0)
        for start, end in ((number - 1, number), (number, number + 1)):
            if start < 0 or end >= len(self._lane) or self._lane[start] != lane or self._lane[end] != lane:
                continue
            step_x, step_y = float(self._x[end] - self._x[start]), float(self._y[end] - self._y[start])
            gap_x, gap_y = x_m - float(self._x[start]), y_m - float(self._y[start])
            length_m = math.hypot(step_x, step_y)
            along_m = min(max((gap_x * step_x + gap_y * step_y) / length_m, 0.0), length_m)
            across_m = (step_x * gap_y - step_y * gap_x) / length_m
            share = along_m / length_m
            distance_m = math.hypot(gap_x - share * step_x, gap_y - share * step_y)
            if distance_m < best[0]:
                best = (distance_m, float(self._station[start]) + along_m, across_m)
        return lane, best[1], best[2]
