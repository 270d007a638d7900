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

    @property
    def points(self) -> np.ndarray:
        """float64 (columns, rows, 3): the corners of the cells."""
        x = self.low[0] + CELL_M * np.arange(self._columns)
        y = self.low[1] + CELL_M * np.arange(self._rows)
        return np.stack([*np.meshgrid(x, y, indexing="ij"), self.height], 2)

    def mesh(self, crops: np.ndarray, depth_m: np.ndarray) -> Mesh:
        """Two triangles a cell. crops: uint8 (columns - 1, rows - 1), see materials.py; depth_m: float (columns, rows),
        how far inside its field a corner lies: the crop ends, between corners too, where it is 0.
        """
        grid = self.points
        cells = [np.s_[:-1, :-1], np.s_[1:, :-1], np.s_[1:, 1:], np.s_[:-1, 1:]]
        corners = quads(*(grid[cell].reshape(-1, 3) for cell in cells))
        inside = quads(*(np.repeat(depth_m[cell].reshape(-1, 1), 3, 1) for cell in cells))[:, :, 0]
        params = np.column_stack([_planes(corners, inside), np.tile(crops.ravel(), 2)])
        return mesh_of(corners, GRASS_COLOR, labels.TERRAIN, materials.FIELD, params=params)


def _planes(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float64 (n, 3): slopes along x and y and the value at the world's origin of linear functions over triangles."""
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0])[:, :2].T, (corners[:, 2] - corners[:, 0])[:, :2].T
    a, b = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    area = ax * by - ay * bx
    along_x, along_y = (a * by - b * ay) / area, (b * ax - a * bx) / area
    at_origin = values[:, 0] - along_x * corners[:, 0, 0] - along_y * corners[:, 0, 1]
    return np.column_stack([along_x, along_y, at_origin])


def _shifted(values: np.ndarray, axis: int, step: int) -> np.ndarray:
    """Values moved by one cell, zero where nothing comes in."""
    moved = np.roll(values, step, axis)
    np.moveaxis(moved, axis, 0)[0 if step > 0 else -1] = 0.0
    return moved
