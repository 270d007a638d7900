"""Asphalt between the crossing lanes of a junction: OpenDRIVE describes only the lanes and leaves holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, join, mesh_of, quads
from drive_agent.sim.render.scenery_kernels import heights_of_nearest
from drive_agent.sim.render.streets import ASPHALT_COLOR, Ribbon

CELL_M = 0.5
LONGEST_RUN = 8  # cells in one rectangle: short enough to follow sloping junctions
BELOW_LANES_M = 0.02


def _cells_under(ribbon: Ribbon) -> np.ndarray:
    """Points (n, 2) that cover a lane at least every half cell."""
    line = ribbon.center[:, :2]
    count = max(2, int(np.ceil(np.linalg.norm(np.diff(line, axis=0), axis=1).max() / (CELL_M / 2))))
    position = np.arange(0, len(line) - 1 + 1e-9, 1.0 / count)
    index = np.arange(len(line))
    edges = [
        np.stack([np.interp(position, index, side[:, axis]) for axis in (0, 1)], 1)
        for side in (ribbon.edge(-1.0), ribbon.edge(1.0))
    ]
    across = max(2, int(np.ceil(ribbon.width_m.max() / (CELL_M / 2))))
    share = np.linspace(0.0, 1.0, across)[:, None, None]
    return (edges[0] * (1 - share) + edges[1] * share).reshape(-1, 2)


def _outside(covered: np.ndarray) -> np.ndarray:
    """Cells that are joined to the border of the grid by uncovered cells."""
    free = ~covered
    outside = free.copy()
    outside[1:-1, 1:-1] = False
    while True:
        grown = outside.copy()
        grown[1:] |= outside[:-1]
        grown[:-1] |= outside[1:]
        grown[:, 1:] |= outside[:, :-1]
        grown[:, :-1] |= outside[:, 1:]
        grown &= free
        if (grown == outside).all():
            return outside
        outside = grown


@dataclass(frozen=True)
class _Floor:
    """The cells of one junction. Cell (i, j) has its lower corner at low + CELL_M * (i, j)."""

    low: np.ndarray  # float64 (2,)
    inside: np.ndarray  # bool (rows, columns), enclosed by lanes on all sides
    holes: np.ndarray  # bool, same shape, enclosed and under no lane


def _floor(ribbons: list[Ribbon]) -> _Floor:
    points = np.concatenate([_cells_under(ribbon) for ribbon in ribbons])
    low = points.min(0) - 2 * CELL_M
    cells = np.floor((points - low) / CELL_M).astype(int)
    covered = np.zeros(tuple(cells.max(0) + 3), bool)
    covered[cells[:, 0], cells[:, 1]] = True
    outside = _outside(covered)
    near_outside = outside.copy()
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            near_outside |= np.roll(outside, (dx, dy), (0, 1))
    return _Floor(low, ~near_outside, ~covered & ~outside)


def _runs(cells: np.ndarray) -> np.ndarray:
    """Stretches of set cells along the second axis, at most LONGEST_RUN: rows (i, first j, last j + 1)."""
    runs = []
    for i in np.nonzero(cells.any(1))[0]:
        steps = np.diff(np.r_[False, cells[i], False].astype(int))
        for first, last in zip(np.nonzero(steps > 0)[0], np.nonzero(steps < 0)[0], strict=True):
            runs += [(i, j, min(j + LONGEST_RUN, last)) for j in range(first, last, LONGEST_RUN)]
    return np.array(runs, int).reshape(-1, 3)


def junction_floors(ribbons: list[Ribbon]) -> tuple[Mesh, np.ndarray]:
    """Asphalt under and between the lanes of all junctions, and the cell centres (n, 2) of the holes it fills.

    The floor lies a little below the lanes, so that it shows only where there is none. Holes count as carriageway.
    """
    by_junction: dict[int, list[Ribbon]] = {}
    for ribbon in ribbons:
        if ribbon.in_junction:
            by_junction.setdefault(ribbon.junction_id, []).append(ribbon)
    meshes, centers = [], [np.zeros((0, 2))]
    for lanes in by_junction.values():
        floor = _floor(lanes)
        centers.append(floor.low + (np.argwhere(floor.holes) + 0.5) * CELL_M)
        i, first, last = _runs(floor.inside).T
        if not len(i):
            continue
        road = np.concatenate([ribbon.center for ribbon in lanes])
        corners = []
        for cell in ((i, first), (i + 1, first), (i + 1, last), (i, last)):
            place = floor.low + np.stack(cell, 1) * CELL_M
            height = np.empty(len(place))
            heights_of_nearest(place, road, height)
            corners.append(np.column_stack([place, height - BELOW_LANES_M]))
        meshes.append(mesh_of(quads(*corners), ASPHALT_COLOR, labels.ROADS, materials.ASPHALT))
    return join(meshes), np.concatenate(centers)
