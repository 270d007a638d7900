"""Finds the lane nearest to a point in microseconds: centre-line segments sorted into square cells.

Knows lanes only as polylines. World frame, metres, radians.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

CELL_M = 8.0
METRES_PER_RADIAN = 2.0  # what a radian of heading error is worth

# lane index, center (n, 3), heading (n,), stations (n,)
_Polyline = tuple[int, np.ndarray, np.ndarray, np.ndarray]

# numbers, x, y, step x and y, square of the length, heading and how it turns
_Segments = tuple[np.ndarray, ...]


class LaneIndex:
    """Immutable after construction: the segments of all centre lines, and which of them are near a cell."""

    def __init__(self, lanes: Sequence[_Polyline]) -> None:
        start = np.concatenate([center[:-1, :2] for _, center, _, _ in lanes])
        step = np.concatenate([np.diff(center[:, :2], axis=0) for _, center, _, _ in lanes])
        self._x, self._y = start.T.copy()
        self._step_x, self._step_y = step.T.copy()
        self._length_m = np.hypot(self._step_x, self._step_y)
        self._heading = np.concatenate([heading[:-1] for _, _, heading, _ in lanes])
        turns = np.concatenate([np.diff(heading) for _, _, heading, _ in lanes])
        self._turn = (turns + math.pi) % (2 * math.pi) - math.pi
        self._station = np.concatenate([stations[:-1] for _, _, _, stations in lanes])
        self._lane = np.concatenate([np.full(len(center) - 1, index) for index, center, _, _ in lanes])
        self._cells = self._fill_cells()
        self._near: dict[tuple[int, int], _Segments] = {}  # of the cells that somebody has asked about
        self._all = self._segments(np.arange(len(self._x)))
        self._sure_m = CELL_M - float(
            self._length_m.max()
        )  # nearer than this, a cell's own answer is the best

    def _fill_cells(self) -> dict[tuple[int, int], np.ndarray]:
        """Cell -> segments that start in it or in the eight around it: all that start within `CELL_M` of its inside."""
        columns, rows = np.floor(self._x / CELL_M).astype(int), np.floor(self._y / CELL_M).astype(int)
        members: dict[tuple[int, int], list[int]] = {}
        for number, (column, row) in enumerate(zip(columns.tolist(), rows.tolist(), strict=True)):
            for near_column in (column - 1, column, column + 1):
                for near_row in (row - 1, row, row + 1):
                    members.setdefault((near_column, near_row), []).append(number)
        return {cell: np.array(numbers) for cell, numbers in members.items()}

    def nearest(self, x_m: float, y_m: float, heading: float | None) -> tuple[int, float, float]:
        """Lane index, station and lateral offset (left positive)."""
        number, cost_m = _best(self._near_to(x_m, y_m), x_m, y_m, heading)
        if cost_m > self._sure_m:
            number, _ = _best(self._all, x_m, y_m, heading)
        return self._beside(number, x_m, y_m)

    def _near_to(self, x_m: float, y_m: float) -> _Segments:
        cell = (math.floor(x_m / CELL_M), math.floor(y_m / CELL_M))
        if cell not in self._cells:
            return self._all
        if cell not in self._near:
            self._near[cell] = self._segments(self._cells[cell])
        return self._near[cell]

    def _segments(self, numbers: np.ndarray) -> _Segments:
        columns = (self._x, self._y, self._step_x, self._step_y, self._length_m**2, self._heading, self._turn)
        return numbers, *(column[numbers] for column in columns)

    def _beside(self, number: int, x_m: float, y_m: float) -> tuple[int, float, float]:
        """Station and offset at a segment."""
        step_x, step_y = float(self._step_x[number]), float(self._step_y[number])
        gap_x, gap_y = x_m - float(self._x[number]), y_m - float(self._y[number])
        length_m = float(self._length_m[number])
        along_m = min(max((gap_x * step_x + gap_y * step_y) / length_m, 0.0), length_m)
        across_m = (step_x * gap_y - step_y * gap_x) / length_m
        return int(self._lane[number]), float(self._station[number]) + along_m, across_m


def _best(segments: _Segments, x_m: float, y_m: float, heading: float | None) -> tuple[int, float]:
    """The segment with the least distance, or distance and heading error together; and its cost in metres."""
    numbers, x, y, step_x, step_y, square_m2, headings, turns = segments
    gap_x, gap_y = x_m - x, y_m - y
    share = np.minimum(np.maximum((gap_x * step_x + gap_y * step_y) / square_m2, 0.0), 1.0)
    cost = np.hypot(gap_x - share * step_x, gap_y - share * step_y)
    if heading is not None:
        there = headings + share * turns
        cost += METRES_PER_RADIAN * np.abs((there - heading + math.pi) % (2 * math.pi) - math.pi)
    best = int(cost.argmin())
    return int(numbers[best]), float(cost[best])
