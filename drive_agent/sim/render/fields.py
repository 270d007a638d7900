"""The land between the roads, cut into fields: what grows on each, and the lines along which they meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render.materials import EARTH, MEADOW, PASTURE, RAPE, ROWS, TURNED, WHEAT, WOOD
from drive_agent.sim.render.mesh import Mesh
from drive_agent.sim.render.plots import Distances
from drive_agent.sim.render.terrain import CELL_M, Terrain

TREE_GRID_M = 7.0  # between the trees of a wood
WOOD_M = (11.0, 45.0)  # from roads and houses: what lies deeper is hidden by what stands before it
MARGIN_M = 8.0  # of grass between a crop and the nearest road or house
SHORTEST_CELLS, LONGEST_CELLS = 5, 12  # sides of a field
CROPS = (MEADOW, PASTURE, WHEAT, RAPE, EARTH, ROWS, WOOD)
SHARES = (0.24, 0.22, 0.18, 0.08, 0.12, 0.10, 0.06)
ARABLE = (WHEAT, RAPE, EARTH, ROWS)


@dataclass(frozen=True)
class Field:
    """A rectangle of terrain cells, from (left, low) to (right, high)."""

    left: int
    low: int
    right: int
    high: int
    crop: int
    turned: bool  # its rows run along y

    @property
    def borders(self) -> tuple[np.ndarray, np.ndarray]:
        """Its lower and its left side, (2, 2) corner numbers each: the other two belong to its neighbours."""
        corner, along_x, along_y = (self.left, self.low), (self.right, self.low), (self.left, self.high)
        return np.array([corner, along_x]), np.array([corner, along_y])


class Fields:
    """All fields of a town."""

    def __init__(self, terrain: Terrain, distances: Distances, rng: np.random.Generator):
        self._terrain = terrain
        columns, rows = terrain.height.shape
        self.fields = tuple(_cut(columns - 1, rows - 1, rng))
        self._crops = np.zeros((columns - 1, rows - 1), np.uint8)
        for field in self.fields:
            code = field.crop + TURNED * field.turned
            self._crops[field.left : field.right, field.low : field.high] = code
        points = terrain.points[..., :2].reshape(-1, 2)
        self._depth_m = distances.of(points).reshape(columns, rows) - MARGIN_M

    def crop_at(self, x: float, y: float) -> int:
        """What grows at a place, whatever margin is left there."""
        cell = np.floor((np.array([x, y]) - self._terrain.low) / CELL_M).astype(int)
        column, row = np.clip(cell, 0, np.array(self._crops.shape) - 1)
        return int(self._crops[column, row]) % TURNED

    def wood(self, field: Field, distances: Distances, rng: np.random.Generator) -> np.ndarray:
        """(n, 2) places of the trees of a wood, as far in as one sees from the roads."""
        low = self._terrain.low + CELL_M * np.array([field.left, field.low])
        size = CELL_M * np.array([field.right - field.left, field.high - field.low])
        axes = [np.arange(TREE_GRID_M / 2, extent, TREE_GRID_M) for extent in size.tolist()]
        places = low + np.stack(np.meshgrid(*axes, indexing="ij"), 2).reshape(-1, 2)
        places += rng.uniform(-0.35, 0.35, places.shape) * TREE_GRID_M
        room = distances.of(places)
        return places[(room > WOOD_M[0]) & (room < WOOD_M[1])]

    def mesh(self) -> Mesh:
        """The ground with its crops."""
        return self._terrain.mesh(self._crops, self._depth_m)


def _cut(columns: int, rows: int, rng: np.random.Generator) -> Iterator[Field]:
    """Cut the land again and again across its longer side."""
    rest = [(0, 0, columns, rows)]
    while rest:
        left, low, right, high = rest.pop()
        width, height = right - left, high - low
        if max(width, height) <= LONGEST_CELLS:
            yield Field(left, low, right, high, int(rng.choice(CROPS, p=SHARES)), bool(rng.random() < 0.5))
        elif width > height:
            at = left + _place_of_cut(width, rng)
            rest += [(left, low, at, high), (at, low, right, high)]
        else:
            at = low + _place_of_cut(height, rng)
            rest += [(left, low, right, at), (left, at, right, high)]


def _place_of_cut(length: int, rng: np.random.Generator) -> int:
    return int(rng.integers(SHORTEST_CELLS, length - SHORTEST_CELLS + 1))
