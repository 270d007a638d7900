"""Do the cells under an ego box hold a filled polygon? Exactly as the published scorers ask it, without their cost.

They fill all boxes of a step into a map of 200 x 200 or 1000 x 1000 cells with `cv2.fillPoly` and look up the cells
under the ego. Boxes whose cells cannot meet the ego's are left out here; the others are filled by the same call into a
map of the same size, since its lines depend on where the border cuts them. Knows nothing of protocols.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

EGO_WIDTH_M = 1.85
EGO_LENGTH_M = 4.084
EGO_CENTER_AHEAD_M = 0.5  # of the path's reference point, LIDAR_TOP
LIDAR_AHEAD_OF_EGO_M = 0.985793  # BEV-Planner's constant

CellLookup = Callable[[int, int, int], tuple[np.ndarray, np.ndarray]]  # path, sample, step -> rows, columns


def footprint_cells(resolution_m: float, first_center_m: float, ahead_m: float) -> np.ndarray:
    """Cells (c, 2) along and across whose centres lie in the ego box, with the reference point at the map's middle."""
    ends_m = np.array([-EGO_LENGTH_M / 2, EGO_LENGTH_M / 2]) + EGO_CENTER_AHEAD_M + ahead_m
    sides_m = np.array([-EGO_WIDTH_M / 2, EGO_WIDTH_M / 2])
    spans = [(edges_m - first_center_m) / resolution_m for edges_m in (ends_m, sides_m)]
    along, across = (np.arange(np.ceil(low), np.floor(high) + 1).astype(np.int64) for low, high in spans)
    return np.stack(np.meshgrid(along, across, indexing="ij"), axis=-1).reshape(-1, 2)


def collisions(
    rings: np.ndarray, there: np.ndarray, cells: tuple[np.ndarray, np.ndarray], size: int, lookup: CellLookup
) -> np.ndarray:
    """Bool (K, N, 6): does the ego footprint of a step of K paths hold a cell of one of the step's boxes.

    rings: int32 (N, A, 6, 4, 2) corners as cv2 takes them, column first; there: bool (N, A, 6); cells: rows and
    columns (K, N, 6, 2) between which all cells of a footprint lie; lookup: the exact cells of one footprint.
    """
    rows, columns = (spans[:, :, None] for spans in cells)
    low, high = rings.min(axis=3), rings.max(axis=3)  # (N, A, 6, 2)
    meets = (
        there
        & (low[..., 0] <= columns[..., 1])
        & (high[..., 0] >= columns[..., 0])
        & (low[..., 1] <= rows[..., 1])
        & (high[..., 1] >= rows[..., 0])
    )  # (K, N, A, 6)
    is_drawn, is_asked = meets.any(axis=0), meets.any(axis=2)
    hit = np.zeros(is_asked.shape, bool)
    canvas = np.zeros((size, size), np.uint8)
    for sample, step in np.argwhere(is_asked.any(axis=0)):
        drawn = is_drawn[sample, :, step]
        for polygon in rings[sample, drawn, step]:
            cv2.fillPoly(canvas, [polygon], (1,))
        for path in np.flatnonzero(is_asked[:, sample, step]):
            hit[path, sample, step] = canvas[lookup(path, sample, step)].any()
        left, top = low[sample, drawn, step].min(axis=0).clip(0)
        right, bottom = high[sample, drawn, step].max(axis=0) + 1
        canvas[top:bottom, left:right] = 0
    return hit


def clipped(cells: np.ndarray, size: int) -> np.ndarray:
    """Towards zero, then onto the map: cells beyond its border count as on it."""
    return np.clip(cells.astype(np.int32), 0, size - 1)
