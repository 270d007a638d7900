"""Triangles with their colours and labels, and the solids that everything is built of.

Solids are convex; their triangles are turned outward by construction, because only outer sides are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drive_agent.sim.render import materials
from drive_agent.sim.render.scenery_kernels import facets

Rgb = tuple[float, float, float]


def shaded(color: Rgb, share: float) -> Rgb:
    """A colour made darker (share below 1) or lighter."""
    return color[0] * share, color[1] * share, color[2] * share


@dataclass(frozen=True)
class Mesh:
    """n triangles. Colours are as seen (sRGB-like, 0..1); they become linear when they are drawn."""

    corners: np.ndarray  # float32 (n, 3 corners, xyz), metres
    normals: np.ndarray  # float32 (n, 3), unit, outward
    colors: np.ndarray  # float32 (n, 3)
    materials: np.ndarray  # uint8 (n,)
    tags: np.ndarray  # uint8 (n,)
    objects: np.ndarray  # int32 (n,)
    params: np.ndarray  # float32 (n, 4)

    def __len__(self) -> int:
        return len(self.corners)

    def placed(self, x: float, y: float, z: float, yaw_rad: float = 0.0, scale: float = 1.0) -> Mesh:
        """The mesh scaled, turned about z by `yaw_rad` and moved."""
        c, s = np.cos(yaw_rad), np.sin(yaw_rad)
        turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]], np.float32)
        corners = (self.corners * np.float32(scale)) @ turn + np.array([x, y, z], np.float32)
        return replace(self, corners=corners, normals=self.normals @ turn)

    def numbered(self, object_id: int) -> Mesh:
        """The mesh as part of one static object (a negative number)."""
        return replace(self, objects=np.full(len(self), object_id, np.int32))

    def tinted(self, rgb: Rgb) -> Mesh:
        """The mesh with its colours multiplied."""
        return replace(self, colors=self.colors * np.asarray(rgb, np.float32))


def join(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles of several meshes, in order."""
    if not meshes:
        return mesh_of(np.zeros((0, 3, 3)), (0, 0, 0), 0)
    fields = ("corners", "normals", "colors", "materials", "tags", "objects", "params")
    return Mesh(*(np.concatenate([getattr(mesh, field) for mesh in meshes]) for field in fields))


def mesh_of(
    corners: npt.ArrayLike,
    color: Rgb | np.ndarray,
    tag: int,
    material: int = materials.PLAIN,
    outward_from: np.ndarray | None = None,
    params: Sequence[float] | np.ndarray = (0.0, 0.0, 0.0, 0.0),
) -> Mesh:
    """Triangles (n, 3, 3) as a mesh. Normals point away from `outward_from` (3,), or upward where it is None."""
    corners = np.ascontiguousarray(corners, np.float64).reshape(-1, 3, 3)
    normals, kept = np.empty((len(corners), 3)), np.empty(len(corners), np.bool_)
    center = np.zeros(3) if outward_from is None else np.asarray(outward_from, np.float64)
    facets(corners, center, outward_from is None, normals, kept)
    n = int(kept.sum())
    return Mesh(
        corners[kept].astype(np.float32),
        normals[kept].astype(np.float32),
        _per_triangle(color, kept),
        np.full(n, material, np.uint8),
        np.full(n, tag, np.uint8),
        np.zeros(n, np.int32),
        _per_triangle(params, kept),
    )


def _per_triangle(values: Sequence[float] | np.ndarray, kept: np.ndarray) -> np.ndarray:
    """float32 rows of the triangles that are kept, of one row for all or of a row for each."""
    rows = np.asarray(values, np.float32)
    if rows.ndim == 2:
        return rows[kept]
    repeated = np.empty((int(kept.sum()), len(rows)), np.float32)
    repeated[:] = rows
    return repeated


def quads(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Two triangles for every quadrilateral a b c d; each argument (n, 3); returns (2 n, 3, 3)."""
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


_BOX_SIDES = np.array(
    [[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4], [1, 3, 7, 5]]
)  # back, front, left, right, bottom, top of corners numbered 4 * x + 2 * y + z
BACK, FRONT, LEFT, RIGHT, BOTTOM, TOP = range(6)


def box(
    size: Sequence[float],
    center: Sequence[float],
    color: Rgb,
    tag: int,
    material: int = materials.PLAIN,
    top: tuple[float, float] = (1.0, 1.0),
    shift_x: float = 0.0,
    sides: Sequence[int] = (BACK, FRONT, LEFT, RIGHT, BOTTOM, TOP),
) -> Mesh:
    """A box along the axes, its top scaled by `top` in x and y and moved by `shift_x`: cabins, hulls, hoods."""
    unit = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    corners = unit * np.asarray(size, float)
    upper = unit[:, 2] > 0
    corners[upper, :2] *= top
    corners[upper, 0] += shift_x
    corners += np.asarray(center, float)
    side = corners[_BOX_SIDES[list(sides)]]
    faces = quads(side[:, 0], side[:, 1], side[:, 2], side[:, 3])
    return mesh_of(faces, color, tag, material, outward_from=corners.mean(0))


def cylinder(
    radius: float,
    length: float,
    center: Sequence[float],
    color: Rgb,
    tag: int,
    material: int = materials.PLAIN,
    axis: int = 2,
    sides: int = 8,
    end_radius: float | None = None,
    turn_rad: float = 0.0,
    *,
    caps: bool = True,
) -> Mesh:
    """A cylinder or, with another `end_radius`, a cone frustum along an axis (0 x, 1 y, 2 z)."""
    end = radius if end_radius is None else end_radius
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + turn_rad
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(sides)], 1)
    low = ring * radius - [0, 0, length / 2]
    high = ring * end + [0, 0, length / 2]
    following = np.roll(np.arange(sides), -1)
    faces = [quads(low, low[following], high[following], high)]
    if caps:
        for rim in (low, high):
            hub = np.broadcast_to(rim.mean(0), rim.shape)
            faces.append(np.stack([hub, rim, rim[following]], 1))
    triangles = np.concatenate(faces)
    triangles = np.roll(triangles, axis + 1, axis=2) + np.asarray(center, float)
    return mesh_of(triangles, color, tag, material, outward_from=np.asarray(center, float))


@lru_cache
def _unit_sphere(subdivisions: int) -> np.ndarray:
    """Triangles (n, 3, 3) of an icosahedron, its faces split `subdivisions` times."""
    golden = (1 + 5**0.5) / 2
    points = [(s1, s2 * golden, 0) for s2 in (1, -1) for s1 in (-1, 1)]
    points = np.array(points + [(0, a, b) for a, b, _ in points] + [(b, 0, a) for a, b, _ in points], float)
    points /= np.linalg.norm(points[0])
    gap = np.linalg.norm(points[:, None] - points[None], axis=2)
    edge = gap[gap > 1e-6].min() * 1.01
    n = len(points)
    triangles = np.array(
        [
            (points[i], points[j], points[k])
            for i in range(n)
            for j in range(i + 1, n)
            for k in range(j + 1, n)
            if gap[i, j] < edge and gap[j, k] < edge and gap[i, k] < edge
        ]
    )
    for _ in range(subdivisions):
        a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
        ab, bc, ca = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in (a + b, b + c, c + a))
        triangles = np.concatenate(
            [np.stack(f, 1) for f in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
        )
    return triangles


def sphere(
    radii: Sequence[float],
    center: Sequence[float],
    color: Rgb,
    tag: int,
    material: int = materials.PLAIN,
    subdivisions: int = 1,
) -> Mesh:
    """An ellipsoid of 20 * 4**subdivisions triangles."""
    triangles = _unit_sphere(subdivisions) * np.asarray(radii, float) + np.asarray(center, float)
    return mesh_of(triangles, color, tag, material, outward_from=np.asarray(center, float))


def strip(
    left: np.ndarray,
    right: np.ndarray,
    color: Rgb,
    tag: int,
    material: int = materials.PLAIN,
    lift_m: float = 0.0,
) -> Mesh:
    """A ribbon of ground between two polylines (n, 3), seen from above."""
    left = np.asarray(left, float) + [0, 0, lift_m]
    right = np.asarray(right, float) + [0, 0, lift_m]
    return mesh_of(quads(left[:-1], right[:-1], right[1:], left[1:]), color, tag, material)


def wall(
    foot: np.ndarray,
    height_m: float,
    toward: np.ndarray,
    color: Rgb,
    tag: int,
    material: int = materials.PLAIN,
) -> Mesh:
    """A vertical face over a polyline (n, 3), seen from the side where `toward` (n, 3) points."""
    foot = np.asarray(foot, float)
    head = foot + [0, 0, height_m]
    triangles = quads(foot[:-1], foot[1:], head[1:], head[:-1])
    mesh = mesh_of(triangles, color, tag, material, outward_from=np.zeros(3))
    side = np.concatenate([np.asarray(toward, float)[:-1]] * 2)
    if len(mesh) != len(triangles):
        raise ValueError(
            "wall: the polyline has coinciding points; expected distinct points; simplify it first"
        )
    flip = np.einsum("ij,ij->i", mesh.normals, side) < 0
    normals = np.where(flip[:, None], -mesh.normals, mesh.normals)
    return replace(mesh, normals=normals.astype(np.float32))
