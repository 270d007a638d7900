"""Things that are put on a road: cones, barrels, barriers, warning boards, containers, and plain boxes for the rest.

hl, hw, hh: half length, half width and half height of the box, metres.
"""

from __future__ import annotations

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.body import BLACK, Body, Part
from drive_agent.sim.render.mesh import Mesh, box, cylinder, join, shaded

ORANGE, WHITE, STEEL = (0.93, 0.36, 0.06), (0.93, 0.93, 0.90), (0.55, 0.56, 0.58)
TAG = labels.STATIC


def _cone(hl: float, hw: float, hh: float) -> list[Mesh]:
    foot = 0.06
    tall = 2 * hh - foot
    radius = 0.8 * min(hl, hw)
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
    return [box((2 * hl, 2 * hw, foot), (0, 0, foot / 2), BLACK, TAG), *bands]


def _barrel(hl: float, hw: float, hh: float) -> list[Mesh]:
    radius = min(hl, hw)
    return [
        cylinder(radius * 0.98, 0.4 * hh, (0, 0, hh * (0.2 + 0.4 * k)), WHITE if k % 2 else ORANGE, TAG, materials.SIGN, sides=12)
        for k in range(5)
    ]  # fmt: skip


def _barrier(hl: float, hw: float, hh: float) -> list[Mesh]:
    """Two striped boards on feet, along the longer side of the box."""
    along = 1 if hw > hl else 0
    length, thick = 2 * max(hl, hw), min(2 * min(hl, hw), 0.08)
    pieces = max(4, int(length / 0.3))

    def across(
        size_along: float, size_across: float, height: float, offset: float, z: float, color: tuple
    ) -> Mesh:
        size = (size_across, size_along, height) if along else (size_along, size_across, height)
        center = (0, offset, z) if along else (offset, 0, z)
        return box(size, center, color, TAG, materials.SIGN)

    parts = []
    for z, height in ((1.7 * hh, 0.5 * hh), (0.95 * hh, 0.45 * hh)):
        for k in range(pieces):
            offset = length * ((k + 0.5) / pieces - 0.5)
            parts.append(
                across(length / pieces, thick, height, offset, z, (0.85, 0.08, 0.06) if k % 2 else WHITE)
            )
    for end in (-0.42, 0.42):
        parts.append(across(min(0.08, 0.15 * length), thick * 0.8, 2 * hh, length * end, hh, STEEL))
        parts.append(across(min(0.12, 0.15 * length), 2 * min(hl, hw), 0.08, length * end, 0.04, STEEL))
    return parts


def _warning_board(hl: float, hw: float, hh: float) -> list[Mesh]:
    """A yellow board on a stand with a dark arrow-like bar, readable from both ends."""
    return [
        box((min(2 * hl, 0.12), 2 * hw, 1.1 * hh), (0, 0, 1.4 * hh), (0.95, 0.72, 0.06), TAG, materials.SIGN),
        box((min(2 * hl, 0.14), 1.2 * hw, 0.25 * hh), (0, 0, 1.4 * hh), BLACK, TAG),
        box((2 * hl, 0.2 * hw, 0.9 * hh), (0, -0.6 * hw, 0.45 * hh), STEEL, TAG),
        box((2 * hl, 0.2 * hw, 0.9 * hh), (0, 0.6 * hw, 0.45 * hh), STEEL, TAG),
    ]


def _debris(hl: float, hw: float, hh: float) -> list[Mesh]:
    """Flat rubble."""
    spots = ((-0.5, -0.4, 0.5), (0.4, -0.5, 0.4), (0.1, 0.35, 0.6), (-0.45, 0.5, 0.35), (0.6, 0.4, 0.3))
    return [
        box(
            (0.7 * hl, 0.6 * hw, 2 * hh * size),
            (x * hl, y * hw, hh * size),
            (0.34, 0.27, 0.20),
            TAG,
            top=(0.4, 0.4),
        )
        for x, y, size in spots
    ]


GREEN, BROWN = (0.24, 0.40, 0.28), (0.55, 0.40, 0.25)


def _container(hl: float, hw: float, hh: float) -> list[Mesh]:
    """A ribbed bin with a lid."""
    ribs = [
        box((0.06, 2 * hw, 1.7 * hh), (hl * (0.25 * k - 0.875), 0, hh), shaded(GREEN, 0.8), TAG)
        for k in range(8)
    ]
    return [
        box((2 * hl, 1.96 * hw, 1.9 * hh), (0, 0, 0.95 * hh), GREEN, TAG),
        box((2 * hl, 2 * hw, 0.1 * hh), (0, 0, 1.95 * hh), shaded(GREEN, 0.7), TAG),
        *ribs,
    ]


def _crate(hl: float, hw: float, hh: float) -> list[Mesh]:
    """A box with a lid, for everything that has no shape of its own."""
    return [
        box((2 * hl, 2 * hw, 1.8 * hh), (0, 0, 0.9 * hh), BROWN, TAG),
        box((1.9 * hl, 1.9 * hw, 0.2 * hh), (0, 0, 1.9 * hh), shaded(BROWN, 0.75), TAG),
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
