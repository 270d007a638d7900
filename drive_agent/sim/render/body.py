"""What a movable thing is made of: rigid parts that turn about a pivot, and the helpers that shape them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render import materials
from drive_agent.sim.render.mesh import Mesh, Rgb, join, mesh_of, quads

FIXED, STEERED, SWINGS_WITH, SWINGS_AGAINST = "fixed", "steered", "swings_with", "swings_against"
ROLLS, STEERED_ROLLS = "rolls", "steered_rolls"
BLACK, RUBBER, CHROME = (0.08, 0.08, 0.085), (0.10, 0.10, 0.105), (0.62, 0.62, 0.64)
GLASS_COLOR = (0.13, 0.16, 0.19)
PAINTED = (1.0, 1.0, 1.0)  # materials.PAINT multiplies it by the actor's colour


@dataclass(frozen=True)
class Part:
    """Triangles around `pivot`, and how they move: fixed, steered about z, swinging about y with the stride, or rolling about
    y on the ground below the pivot.
    """

    mesh: Mesh  # relative to the pivot
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    motion: str = FIXED


@dataclass(frozen=True)
class Body:
    """Parts in the actor's frame: x forward, y right, z up, origin where CARLA has it."""

    parts: tuple[Part, ...]
    stride_m: float = 1.5  # ground covered by one full swing


@dataclass(frozen=True)
class Section:
    """A trapezoid across a hull at `x`: `low` and `high` heights, half-widths there."""

    x: float
    low: float
    high: float
    low_half: float
    high_half: float


Skin = tuple[Rgb, int]  # colour, material


def hull(sections: Sequence[Section], tag: int, sides: Skin, tops: Sequence[Skin], ends: Skin | None) -> Mesh:
    """A closed hull through trapezoids from front to rear; `tops` has one skin per stretch between two of them."""
    rings = np.array(
        [
            [
                [s.x, -s.low_half, s.low],
                [s.x, s.low_half, s.low],
                [s.x, s.high_half, s.high],
                [s.x, -s.high_half, s.high],
            ]
            for s in sections
        ]
    )
    meshes = []
    for a, b, top in zip(rings[:-1], rings[1:], tops, strict=True):
        middle = (a.mean(0) + b.mean(0)) / 2
        faces = [quads(a[[k]], a[[(k + 1) % 4]], b[[(k + 1) % 4]], b[[k]]) for k in range(4)]
        meshes.append(mesh_of(np.concatenate([faces[1], faces[3]]), sides[0], tag, sides[1], middle))
        meshes.append(mesh_of(faces[2], top[0], tag, top[1], middle))
        meshes.append(mesh_of(faces[0], BLACK, tag, materials.PLAIN, middle))
    if ends is not None:
        for ring, inner in ((rings[0], rings[1]), (rings[-1], rings[-2])):
            faces = quads(ring[[0]], ring[[1]], ring[[2]], ring[[3]])
            meshes.append(mesh_of(faces, ends[0], tag, ends[1], inner.mean(0)))
    return join(meshes)


def bar(
    start: Sequence[float],
    end: Sequence[float],
    thickness: float,
    color: Rgb,
    tag: int,
    material: int = materials.PLAIN,
) -> Mesh:
    """A square bar between two points: tubes of frames, limbs of riders."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    along = (b - a) / np.linalg.norm(b - a)
    aside = np.cross(along, [0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [1.0, 0.0, 0.0])
    aside *= thickness / 2 / np.linalg.norm(aside)
    over = np.cross(along, aside)
    square = np.array([aside + over, aside - over, -aside - over, -aside + over])
    near, far = a + square, b + square
    following = np.roll(np.arange(4), -1)
    faces = [quads(near, near[following], far[following], far)]
    faces += [quads(e[[0]], e[[1]], e[[2]], e[[3]]) for e in (near, far)]
    return mesh_of(np.concatenate(faces), color, tag, material, (a + b) / 2)


def ring(
    radius: float, inner: float, width: float, center: Sequence[float], color: Rgb, tag: int, sides: int = 12
) -> Mesh:
    """A tyre without a disc, axis along y."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    around = np.stack([np.cos(angle), np.zeros(sides), np.sin(angle)], 1)
    following = np.roll(np.arange(sides), -1)
    middle = np.asarray(center, float)
    meshes = []
    for side in (-1, 1):
        offset = middle + [0, side * width / 2, 0]
        outer_rim, inner_rim = around * radius + offset, around * inner + offset
        faces = quads(outer_rim, outer_rim[following], inner_rim[following], inner_rim)
        meshes.append(mesh_of(faces, color, tag, materials.PLAIN, middle))
    left, right = around * radius + middle - [0, width / 2, 0], around * radius + middle + [0, width / 2, 0]
    meshes.append(
        mesh_of(quads(left, left[following], right[following], right), color, tag, materials.PLAIN, middle)
    )
    return join(meshes)
