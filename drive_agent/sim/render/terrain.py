"""Grass land under and around the town that follows the height of the roads."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, mesh_of, quads
from drive_agent.sim.render.streets import GRASS_COLOR, Ribbon

CELL_M = 12.0
BELOW_ROAD_M = 0.22


class Terrain:
    """A height per grid point: below every road near it, and the mean of near roads elsewhere."""

    def __init__(self, ribbons: list[Ribbon], low: np.ndarray, high: np.ndarray):
        points = np.concatenate([ribbon.center[::2] for ribbon in ribbons])
        self.low = np.asarray(low, float)
        self._columns = int(np.ceil((high[0] - low[0]) / CELL_M)) + 1
        self._rows = int(np.ceil((high[1] - low[1]) / CELL_M)) + 1
        self.height = self._road_floor(points)

    def _road_floor(self, points: np.ndarray) -> np.ndarray:
        """float64 (columns, rows): lowest road in a cell's surroundings, spread outwards until the land is filled."""
        height = np.full((self._columns, self._rows), np.inf)
        cell = np.floor((points[:, :2] - self.low) / CELL_M).astype(int)
        for dx in (-1, 0, 1, 2):
            for dy in (-1, 0, 1, 2):
                x = np.clip(cell[:, 0] + dx, 0, self._columns - 1)
                y = np.clip(cell[:, 1] + dy, 0, self._rows - 1)
                np.minimum.at(height, (x, y), points[:, 2])
        known = np.isfinite(height)
        value = np.where(known, height, 0.0)
        filled = known.copy()
        while not filled.all():
            total, count = np.zeros_like(value), np.zeros_like(value)
            for axis in (0, 1):
                for step in (-1, 1):
                    total += _shifted(np.where(filled, value, 0.0), axis, step)
                    count += _shifted(filled.astype(float), axis, step)
            fresh = ~filled & (count > 0)
            value[fresh] = total[fresh] / count[fresh]
            filled |= fresh
        return value - BELOW_ROAD_M

    def at(self, x: float, y: float) -> float:
        """Height of the grass, metres, bilinear; clamped to the edge outside."""
        u = min(max((x - self.low[0]) / CELL_M, 0.0), self._columns - 1.001)
        v = min(max((y - self.low[1]) / CELL_M, 0.0), self._rows - 1.001)
        i, j = int(u), int(v)
        fu, fv = u - i, v - j
        h = self.height
        near = h[i, j] + (h[i + 1, j] - h[i, j]) * fu
        far = h[i, j + 1] + (h[i + 1, j + 1] - h[i, j + 1]) * fu
        return float(near + (far - near) * fv)

    def mesh(self) -> Mesh:
        """Two triangles a cell."""
        x = self.low[0] + CELL_M * np.arange(self._columns)
        y = self.low[1] + CELL_M * np.arange(self._rows)
        grid = np.stack([*np.meshgrid(x, y, indexing="ij"), self.height], 2)
        a, b, c, d = (
            part.reshape(-1, 3) for part in (grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:])
        )
        return mesh_of(quads(a, b, c, d), GRASS_COLOR, labels.TERRAIN, materials.GRASS)


def _shifted(values: np.ndarray, axis: int, step: int) -> np.ndarray:
    """Values moved by one cell, zero where nothing comes in."""
    moved = np.roll(values, step, axis)
    np.moveaxis(moved, axis, 0)[0 if step > 0 else -1] = 0.0
    return moved
