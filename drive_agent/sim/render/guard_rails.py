"""Guard rails along motorways: beside the outer shoulder, and in the middle of the median."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render import labels
from drive_agent.sim.render.mesh import Mesh, box, join
from drive_agent.sim.render.signals import RoadClearance
from drive_agent.sim.render.streets import PLANTED, Ribbon

PIECE_M = 6.0
ASIDE_M = 0.35  # from the shoulder's edge
HEIGHT_M, BEAM_M, THICKNESS_M = 0.75, 0.32, 0.12
CLEARANCE_M = 0.25  # to any carriageway: no rail where a ramp runs
STEEL = (0.56, 0.58, 0.60)


@dataclass(frozen=True)
class Rail:
    """One straight piece; CARLA world, metres."""

    x: float
    y: float
    z: float  # of the ground
    yaw_rad: float
    length_m: float

    @property
    def mesh(self) -> Mesh:
        """A beam with a post in its middle, in place."""
        beam = box(
            (self.length_m, THICKNESS_M, BEAM_M), (0, 0, HEIGHT_M - BEAM_M / 2), STEEL, labels.GUARD_RAIL
        )
        post = box((0.12, 0.08, HEIGHT_M + 0.3), (0, 0, HEIGHT_M / 2 - 0.2), STEEL, labels.GUARD_RAIL)
        return join([beam, post]).placed(self.x, self.y, self.z, self.yaw_rad)

    @property
    def half_extents(self) -> tuple[float, float, float]:
        return (self.length_m / 2, THICKNESS_M / 2, HEIGHT_M / 2)


def guard_rails(ribbons: list[Ribbon], clearance: RoadClearance) -> Iterator[Rail]:
    """The rails of all motorways outside their junctions."""
    for ribbon in ribbons:
        if not ribbon.on_motorway or ribbon.in_junction:
            continue
        if ribbon.outermost:
            yield from _along(ribbon.edge(1.0) + ribbon.right * ASIDE_M, clearance)
        elif ribbon.kind in PLANTED and ribbon.lane_id == -1:
            yield from _along(ribbon.edge(-1.0), clearance)


def _along(line: np.ndarray, clearance: RoadClearance) -> Iterator[Rail]:
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    stations = np.linspace(0.0, along[-1], max(round(along[-1] / PIECE_M), 1) + 1)
    joints = np.stack([np.interp(stations, along, line[:, k]) for k in range(3)], 1)
    free = clearance.of(joints[:, :2]) > CLEARANCE_M
    for k in np.flatnonzero(free[:-1] & free[1:]).tolist():
        (x0, y0, _), (x1, y1, _) = joints[k], joints[k + 1]
        x, y, z = (joints[k] + joints[k + 1]) / 2
        yield Rail(x, y, z, math.atan2(y1 - y0, x1 - x0), math.hypot(x1 - x0, y1 - y0))
