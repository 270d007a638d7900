"""A square of ground for tests of what stands on it: level, or climbing along x."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.ground import SAMPLE, GroundGrid

_CELL_M, _HALF_M, _STEP_M = 8.0, 64.0, 2.0


def ground(slope: float = 0.0) -> GroundGrid:
    """128 m by 128 m around the origin; height = slope * x."""
    axis = np.arange(-_HALF_M + 1.0, _HALF_M, _STEP_M)
    x, y = (grid.ravel() for grid in np.meshgrid(axis, axis))
    samples = np.zeros(len(x), SAMPLE)
    samples["x"], samples["y"], samples["z"] = x, y, slope * x
    samples["cos"], samples["slope"], samples["limit_kmh"] = 1.0, slope, 50.0
    columns = int(2 * _HALF_M / _CELL_M)
    column, row = ((values + _HALF_M) // _CELL_M for values in (x, y))
    samples["cell"] = (row * columns + column).astype(np.int64)
    samples = samples[np.argsort(samples["cell"], kind="stable")]
    starts = np.searchsorted(samples["cell"], np.arange(columns * columns + 1)).astype(np.int64)
    return GroundGrid(samples, starts, -_HALF_M, -_HALF_M, columns, columns)
