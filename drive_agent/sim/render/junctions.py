"""Asphalt between the crossing lanes of a junction: OpenDRIVE describes only the lanes and leaves holes."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, join, mesh_of, quads
from drive_agent.sim.render.streets import ASPHALT_COLOR, Ribbon

CELL_M = 0.5
BELOW_LANES_M = 0.015


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


def _holes(ribbons: list[Ribbon]) -> np.ndarray:
    """Centres (n, 2) of uncovered cells that the lanes of one junction enclose."""
    points = np.concatenate([_cells_under(ribbon) for ribbon in ribbons])
    low = points.min(0) - 2 * CELL_M
    cells = np.floor((points - low) / CELL_M).astype(int)
    covered = np.zeros(tuple(cells.max(0) + 3), bool)
    covered[cells[:, 0], cells[:, 1]] = True
    rows, columns = np.nonzero(~covered & ~_outside(covered))
    return low + (np.stack([rows, columns], 1) + 0.5) * CELL_M


def junction_floors(ribbons: list[Ribbon]) -> tuple[Mesh, np.ndarray]:
    """Asphalt in the holes of all junctions, and the holes' cell centres (n, 2) that count as carriageway."""
    by_junction: dict[int, list[Ribbon]] = {}
    for ribbon in ribbons:
        if ribbon.in_junction:
            by_junction.setdefault(ribbon.junction_id, []).append(ribbon)
    meshes, centers = [], [np.zeros((0, 2))]
    for lanes in by_junction.values():
        holes = _holes(lanes)
        if not len(holes):
            continue
        centers.append(holes)
        points = np.concatenate([ribbon.center for ribbon in lanes])
        nearest = np.linalg.norm(holes[:, None] - points[None, :, :2], axis=2).argmin(1)
        middle = np.column_stack([holes, points[nearest, 2] - BELOW_LANES_M])
        # Twice as large as a cell: the rims lie hidden under the lanes.
        corners = [middle + np.array([x, y, 0.0]) * CELL_M for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        meshes.append(mesh_of(quads(*corners), ASPHALT_COLOR, labels.ROADS, materials.ASPHALT))
    return join(meshes), np.concatenate(centers)
