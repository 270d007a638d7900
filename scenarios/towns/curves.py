"""Reference lines made of straights and arcs: polylines with rounded corners. Knows only plane geometry.

Everything that a vehicle follows in a town, streets and turns alike, is such a line: headings are continuous, the
radius of every bend is known exactly, and a parallel line is again straights and arcs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Pose = tuple[float, float, float]  # x_m, y_m, heading_rad

_STRAIGHT_RAD = (
    5e-4  # less is no bend: CARLA computes arcs in single precision and loses those of a huge radius
)
_TINY_M = 1e-6


@dataclass(frozen=True)
class Piece:
    """A straight (curvature 0) or an arc (curvature > 0 turns left), starting at a pose."""

    x_m: float
    y_m: float
    heading_rad: float
    length_m: float
    curvature_inv_m: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Consecutive pieces, each starting where the one before it ends."""

    pieces: tuple[Piece, ...]

    @property
    def length_m(self) -> float:
        return sum(piece.length_m for piece in self.pieces)

    def smallest_radius_m(self, offset_m: float = 0.0) -> float:
        """Radius of the tightest bend of the parallel line `offset_m` to the left (negative: right)."""
        radii = [
            1 / abs(piece.curvature_inv_m) - math.copysign(offset_m, offset_m * piece.curvature_inv_m)
            for piece in self.pieces
            if piece.curvature_inv_m
        ]
        return min(radii, default=math.inf)


def wrap(angle_rad: float) -> float:
    """The same angle in [-pi, pi)."""
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi


def moved(pose: Pose, forward_m: float, left_m: float = 0.0) -> Pose:
    """The pose after a shift along and across its own heading."""
    x_m, y_m, heading = pose
    return (
        x_m + forward_m * math.cos(heading) - left_m * math.sin(heading),
        y_m + forward_m * math.sin(heading) + left_m * math.cos(heading),
        heading,
    )


def rounded(points: Sequence[Point], radii_m: Sequence[float], stub_m: float = 0.0) -> Curve:
    """A polyline with an arc at each inner point: as wide as there is room for, up to `radii_m` (one per corner).

    The first and the last `stub_m` metres stay straight. Raises ValueError when a corner has no room at all.
    """
    corners = [k for k in range(1, len(points) - 1) if abs(_turn_at(points, k)) >= _STRAIGHT_RAD]
    radii_m = [radii_m[k - 1] for k in corners]
    points = [points[0], *(points[k] for k in corners), points[-1]]
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    headings = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in pairwise(points)]
    room = [lengths[0] - stub_m, *(length / 2 for length in lengths[1:-1]), lengths[-1] - stub_m]
    pieces: list[Piece] = []
    here = points[0]
    for k, corner in enumerate(points[1:-1]):
        turn = wrap(headings[k + 1] - headings[k])
        half_tan = math.tan(abs(turn) / 2)
        tangent_m = min(room[k], room[k + 1], radii_m[k] * half_tan)
        if tangent_m <= 0:
            straights = f"{lengths[k]:.1f} and {lengths[k + 1]:.1f} m"
            raise ValueError(f"no room for the bend at {corner}: its straights are {straights}")
        entry = moved((*corner, headings[k]), -tangent_m)
        radius_m = tangent_m / half_tan
        pieces.append(Piece(*here, headings[k], math.dist(here, entry[:2])))
        pieces.append(Piece(*entry, radius_m * abs(turn), math.copysign(1 / radius_m, turn)))
        here = moved((*corner, headings[k + 1]), tangent_m)[:2]
    pieces.append(Piece(*here, headings[-1], math.dist(here, points[-1])))
    return Curve(tuple(piece for piece in pieces if piece.length_m > _TINY_M))


def _turn_at(points: Sequence[Point], k: int) -> float:
    (x0, y0), (x1, y1), (x2, y2) = points[k - 1 : k + 2]
    return wrap(math.atan2(y2 - y1, x2 - x1) - math.atan2(y1 - y0, x1 - x0))


def connect(start: Pose, end: Pose) -> Curve:
    """The smoothest of the two ways from pose to pose: one bend, or an S of two."""
    candidates = [
        rounded(points, [math.inf] * (len(points) - 2))
        for points in (_one_bend(start, end), _two_bends(start, end))
        if points
    ]
    return max(candidates, key=lambda curve: curve.smallest_radius_m())


def _one_bend(start: Pose, end: Pose) -> list[Point]:
    """Start, the crossing of the two tangents, end; empty when they cross behind the start or beyond the end."""
    turn = wrap(end[2] - start[2])
    dx, dy = end[0] - start[0], end[1] - start[1]
    if abs(math.sin(turn)) < _STRAIGHT_RAD:
        return []
    ahead_m = (dx * math.sin(end[2]) - dy * math.cos(end[2])) / math.sin(turn)
    back_m = (dy * math.cos(start[2]) - dx * math.sin(start[2])) / math.sin(turn)
    if ahead_m < 0.1 or back_m < 0.1:
        return []
    return [start[:2], moved(start, ahead_m)[:2], end[:2]]


def _two_bends(start: Pose, end: Pose) -> list[Point]:
    quarter_m = math.dist(start[:2], end[:2]) / 4
    return [start[:2], moved(start, quarter_m)[:2], moved(end, -quarter_m)[:2], end[:2]]
