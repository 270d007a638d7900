"""Things that are put on a road: cones, barrels, barriers, warning boards, containers, and plain boxes for the rest."""

from __future__ import annotations

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.body import BLACK, Body, Part
from drive_agent.sim.render.mesh import Mesh, box, cylinder, join

ORANGE, WHITE, STEEL = (0.93, 0.36, 0.06), (0.93, 0.93, 0.90), (0.55, 0.56, 0.58)
TAG = labels.STATIC


def _cone(l: float, w: float, h: float) -> list[Mesh]:
    foot = 0.06
    tall = 2 * h - foot
    radius = 0.8 * min(l, w)
    bands = []
    for k in range(5):
        low, high = radius * (1 - 0.18 * k), radius * (1 - 0.18 * (k + 1))
        color = WHITE if k % 2 else ORANGE
        bands.append(
            cylinder(
                low,
                tall / 5,
                (0, 0, foot + tall * (k + 0.5) / 5),
                color,
                TAG,
                materials.SIGN,
                sides=10,
                end_radius=high,
            )
        )
    return [box((2 * l, 2 * w, foot), (0, 0, foot / 2), BLACK, TAG), *bands]


def _barrel(l: float, w: float, h: float) -> list[Mesh]:
    radius = min(l, w)
    return [
        cylinder(radius * 0.98, 0.4 * h, (0, 0, h * (0.2 + 0.4 * k)), WHITE if k % 2 else ORANGE, TAG, materials.SIGN, sides=12)
        for k in range(5)
    ]  # fmt: skip


def _barrier(l: float, w: float, h: float) -> list[Mesh]:
    """Two striped boards on feet, along the longer side of the box."""
    along = 1 if w > l else 0
    length, thick = 2 * max(l, w), min(2 * min(l, w), 0.08)
    pieces = max(4, int(length / 0.3))

    def across(
        size_along: float, size_across: float, height: float, offset: float, z: float, color: tuple
    ) -> Mesh:
        size = (size_across, size_along, height) if along else (size_along, size_across, height)
        center = (0, offset, z) if along else (offset, 0, z)
        return box(size, center, color, TAG, materials.SIGN)

    parts = []
    for z, height in ((1.7 * h, 0.5 * h), (0.95 * h, 0.45 * h)):
        for k in range(pieces):
            offset = length * ((k + 0.5) / pieces - 0.5)
            parts.append(
                across(length / pieces, thick, height, offset, z, (0.85, 0.08, 0.06) if k % 2 else WHITE)
            )
    for end in (-0.42, 0.42):
        parts.append(across(0.08, thick * 0.8, 2 * h, length * end, h, STEEL))
        parts.append(across(0.12, 2 * min(l, w), 0.08, length * end, 0.04, STEEL))
    return parts


def _warning_board(l: float, w: float, h: float) -> list[Mesh]:
    """A yellow board on a stand with a dark arrow-like bar, readable from both ends."""
    return [
        box((min(2 * l, 0.12), 2 * w, 1.1 * h), (0, 0, 1.4 * h), (0.95, 0.72, 0.06), TAG, materials.SIGN),
        box((min(2 * l, 0.14), 1.2 * w, 0.25 * h), (0, 0, 1.4 * h), BLACK, TAG),
        box((2 * l, 0.2 * w, 0.9 * h), (0, -0.6 * w, 0.45 * h), STEEL, TAG),
        box((2 * l, 0.2 * w, 0.9 * h), (0, 0.6 * w, 0.45 * h), STEEL, TAG),
    ]


def _debris(l: float, w: float, h: float) -> list[Mesh]:
    """Flat rubble."""
    spots = ((-0.5, -0.4, 0.5), (0.4, -0.5, 0.4), (0.1, 0.35, 0.6), (-0.45, 0.5, 0.35), (0.6, 0.4, 0.3))
    return [
        box(
            (0.7 * l, 0.6 * w, 2 * h * size),
            (x * l, y * w, h * size),
            (0.34, 0.27, 0.20),
            TAG,
            top=(0.4, 0.4),
        )
        for x, y, size in spots
    ]


def _container(l: float, w: float, h: float) -> list[Mesh]:
    return [
        box((2 * l, 2 * w, 1.9 * h), (0, 0, 0.97 * h), (1, 1, 1), TAG, materials.PAINT),
        *[
            box(
                (0.06, 2 * w, 1.7 * h),
                (-l + 2 * l * (k + 0.5) / 8, 0, h),
                (0.8, 0.8, 0.8),
                TAG,
                materials.PAINT,
            )
            for k in range(8)
        ],
        box((2 * l * 0.999, 2 * w * 0.999, 0.1 * h), (0, 0, 1.95 * h), (0.7, 0.7, 0.7), TAG, materials.PAINT),
    ]


def _crate(l: float, w: float, h: float) -> list[Mesh]:
    return [
        box((2 * l, 2 * w, 1.8 * h), (0, 0, 0.9 * h), (1, 1, 1), TAG, materials.PAINT),
        box((1.9 * l, 1.9 * w, 0.2 * h), (0, 0, 1.9 * h), (0.75, 0.75, 0.75), TAG, materials.PAINT),
    ]


SHAPES = (  # first word found in the blueprint id decides
    ("cone", _cone),
    ("barrel", _barrel),
    ("barrier", _barrier),
    ("warning", _warning_board),
    ("debris", _debris),
    ("container", _container),
)


def prop(half_extents: tuple[float, float, float], type_id: str) -> Body:
    """A static prop by its blueprint id; a plain box where the id says nothing known."""
    shape = next((make for word, make in SHAPES if word in type_id), _crate)
    return Body((Part(join(shape(*half_extents))),))
