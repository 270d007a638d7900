"""The map of 200 x 200 cells of 0.5 m that UniAD, ST-P3 and VAD share, and their ego box of 8 x 4 cells on it.

The box never turns. Positions are divided by the cell size in single precision, added to the box's cells and cut
towards zero, as the published scorers do.
"""

from __future__ import annotations

import numpy as np

from drive_agent.score.openloop.rasters import clipped, footprint_cells

SIZE = 200
CELL_M = 0.5
HALF_M = 50.0
FOOTPRINT = footprint_cells(CELL_M, -HALF_M + CELL_M / 2, 0.0)  # (32, 2) along, across


def footprint_at(positions: np.ndarray) -> np.ndarray:
    """Cells (..., 32, 2) along and across, not yet cut to integers, of the ego box at positions (..., 2) in metres."""
    shift = positions.astype(np.float32) / np.float32(CELL_M)
    return shift[..., None, :] + FOOTPRINT


def rounded_rings(corners: np.ndarray) -> np.ndarray:
    """int32 cells of corners (..., 2) in metres, rounded half to even."""
    first_center_m = -HALF_M + CELL_M / 2
    return np.round((corners - first_center_m + CELL_M / 2) / CELL_M).astype(np.int32)


def on_map(cells: np.ndarray) -> np.ndarray:
    """Cells cut to integers and onto the map."""
    return clipped(cells, SIZE)


def span(cells: np.ndarray) -> np.ndarray:
    """Lowest and highest (..., 2) of the cells (..., c) of a footprint."""
    return np.stack([cells.min(axis=-1), cells.max(axis=-1)], axis=-1)
