"""Walls along the outer edges of roads, as CARLA puts them round worlds that it generates from OpenDRIVE."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from drive_agent.sim.render import labels
from drive_agent.sim.render.mesh import Mesh, box
from drive_agent.sim.render.streets import Ribbon, straight_pieces

THICKNESS_M = 0.1
CONCRETE = (0.60, 0.60, 0.58)


@dataclass(frozen=True)
class Wall:
    """One straight piece; CARLA world, metres."""

    x: float
    y: float
    z: float  # of the road's edge, the wall's foot
    yaw_rad: float
    length_m: float
    height_m: float

    @property
    def mesh(self) -> Mesh:
        """The piece in place."""
        size = (self.length_m, THICKNESS_M, self.height_m)
        return box(size, (0, 0, self.height_m / 2), CONCRETE, labels.WALLS).placed(
            self.x, self.y, self.z, self.yaw_rad
        )

    @property
    def half_extents(self) -> tuple[float, float, float]:
        return (self.length_m / 2, THICKNESS_M / 2, self.height_m / 2)


def road_walls(ribbons: list[Ribbon], height_m: float) -> Iterator[Wall]:
    """Walls of a height along all roads outside junctions; none where it is 0."""
    if height_m <= 0.0:
        return
    for ribbon in ribbons:
        if ribbon.in_junction:
            continue
        for side in ribbon.open_sides:
            line = straight_pieces(ribbon.edge(side) + ribbon.right * (side * THICKNESS_M / 2))
            for (x0, y0, z0), (x1, y1, z1) in zip(line[:-1].tolist(), line[1:].tolist(), strict=True):
                middle = ((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2)
                yield Wall(*middle, math.atan2(y1 - y0, x1 - x0), math.hypot(x1 - x0, y1 - y0), height_m)
