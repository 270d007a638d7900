"""Where one may drive around the car, as a bitmap in the ego frame: packed for storage, looked up by plan scores."""

from __future__ import annotations

import numpy as np

CELL_M = 0.5
BEHIND_M, AHEAD_M, ASIDE_M = 8.0, 52.0, 24.0
ROWS, COLUMNS = round((BEHIND_M + AHEAD_M) / CELL_M), round(2 * ASIDE_M / CELL_M)  # along x, along y
BYTES = ROWS * COLUMNS // 8


def pack(mask: np.ndarray) -> np.ndarray:
    """A bitmap bool (ROWS, COLUMNS) as uint8 (BYTES,)."""
    return np.packbits(mask.reshape(-1))


def is_drivable(packed: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether ego points (..., 2) lie where one may drive; beyond the bitmap nobody knows, so: yes."""
    mask = np.unpackbits(packed).reshape(ROWS, COLUMNS)
    at = np.floor((np.asarray(points) + (BEHIND_M, ASIDE_M)) / CELL_M).astype(int)
    row, column = at[..., 0], at[..., 1]
    inside = (row >= 0) & (row < ROWS) & (column >= 0) & (column < COLUMNS)
    return ~inside | (mask[row.clip(0, ROWS - 1), column.clip(0, COLUMNS - 1)] == 1)
