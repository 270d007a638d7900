"""Cars, vans, trucks and buses, shaped in fractions of their box.

hl, hw, hh: half length, half width and half height of the box, metres.
"""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.body import (
    BLACK,
    CHROME,
    GLASS_COLOR,
    PAINTED,
    ROLLS,
    RUBBER,
    STEERED_ROLLS,
    Body,
    Part,
    Section,
    hull,
)
from drive_agent.sim.render.mesh import FRONT, TOP, Mesh, Rgb, box, cylinder, join, mesh_of

GLASS = (GLASS_COLOR, materials.GLASS)
SPOKES = 5
PAINT = (PAINTED, materials.PAINT)
WHITE, TAXI_YELLOW = (0.90, 0.90, 0.88), (0.86, 0.72, 0.20)
AMBER_OFF, RED_OFF, WHITE_OFF = (0.60, 0.34, 0.08), (0.42, 0.05, 0.05), (0.78, 0.79, 0.80)

# (x / half length, low / height, high / height, half-width low, half-width high), front to rear
SALOON_HULL = (
    (0.995, 0.20, 0.42, 0.80, 0.74), (0.90, 0.14, 0.50, 0.90, 0.86), (0.46, 0.13, 0.61, 0.92, 0.88),
    (-0.62, 0.13, 0.64, 0.92, 0.88), (-0.92, 0.15, 0.63, 0.90, 0.85), (-0.995, 0.24, 0.54, 0.82, 0.78),
)  # fmt: skip
SALOON_CABIN = (
    (0.50, 0.60, 0.61, 0.84, 0.83), (0.14, 0.60, 0.98, 0.87, 0.66), (-0.36, 0.62, 1.00, 0.87, 0.66),
    (-0.76, 0.63, 0.64, 0.84, 0.80),
)  # fmt: skip
SUV_HULL = (
    (0.995, 0.20, 0.44, 0.82, 0.78), (0.92, 0.16, 0.53, 0.91, 0.87), (0.50, 0.15, 0.58, 0.92, 0.89),
    (-0.90, 0.15, 0.60, 0.92, 0.89), (-0.995, 0.22, 0.58, 0.86, 0.85),
)  # fmt: skip
SUV_CABIN = (
    (0.54, 0.57, 0.58, 0.86, 0.85), (0.26, 0.57, 0.97, 0.88, 0.72), (-0.70, 0.59, 1.00, 0.88, 0.72),
    (-0.96, 0.59, 0.60, 0.86, 0.84),
)  # fmt: skip
HATCHBACK_HULL = (
    (0.995, 0.20, 0.44, 0.80, 0.76), (0.90, 0.14, 0.52, 0.90, 0.86), (0.52, 0.13, 0.60, 0.92, 0.88),
    (-0.90, 0.13, 0.62, 0.92, 0.88), (-0.995, 0.20, 0.58, 0.84, 0.82),
)  # fmt: skip
HATCHBACK_CABIN = (
    (0.60, 0.59, 0.60, 0.84, 0.83), (0.22, 0.59, 0.98, 0.87, 0.68), (-0.60, 0.61, 1.00, 0.87, 0.68),
    (-0.95, 0.61, 0.62, 0.84, 0.80),
)  # fmt: skip
PICKUP_HULL = (
    (0.995, 0.22, 0.46, 0.86, 0.82), (0.90, 0.17, 0.53, 0.92, 0.90), (-0.96, 0.17, 0.60, 0.92, 0.90),
    (-0.995, 0.22, 0.58, 0.90, 0.88),
)  # fmt: skip
PICKUP_CABIN = (
    (0.74, 0.53, 0.54, 0.88, 0.87),
    (0.10, 0.55, 1.00, 0.89, 0.64),
    (-0.24, 0.56, 0.93, 0.89, 0.68),
)
PICKUP_BED = ((-0.24, 0.56, 0.93, 0.90, 0.69), (-0.96, 0.59, 0.62, 0.90, 0.86))
VAN_HULL = (
    (0.995, 0.14, 0.34, 0.84, 0.82), (0.92, 0.12, 0.44, 0.92, 0.90), (0.80, 0.12, 0.50, 0.92, 0.90),
    (-0.97, 0.12, 0.52, 0.92, 0.90), (-0.995, 0.16, 0.52, 0.90, 0.88),
)  # fmt: skip
VAN_CABIN = (
    (0.84, 0.49, 0.50, 0.89, 0.88), (0.62, 0.49, 0.97, 0.90, 0.80), (-0.93, 0.51, 1.00, 0.90, 0.82),
    (-0.985, 0.51, 0.97, 0.88, 0.82),
)  # fmt: skip


def _scaled(table: tuple[tuple[float, ...], ...], hl: float, hw: float, hh: float) -> list[Section]:
    return [Section(x * hl, 2 * hh * low, 2 * hh * high, hw * a, hw * b) for x, low, high, a, b in table]


def _wheel(radius: float, width: float, outward: float, tag: int) -> Mesh:
    """A tyre with a bright rim of five spokes on its outer side, axle at the origin; `outward` is -1 left, +1 right."""
    angle = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    gap = np.pi / SPOKES - 0.16
    hub, rim = [
        [np.stack([size * np.cos(turn), np.full(SPOKES, outward * (width / 2 + 0.015)), size * np.sin(turn)], 1) for turn in turns]
        for size, turns in ((0.16 * radius, [angle]), (0.52 * radius, [angle - gap, angle + gap]))
    ]  # fmt: skip
    return join(
        [
            cylinder(radius, width, (0, 0, 0), RUBBER, tag, axis=1, sides=12),
            cylinder(radius * 0.6, 0.02, (0, outward * width / 2, 0), CHROME, tag, axis=1, sides=10),
            mesh_of(np.stack([*hub, *rim], 1), BLACK, tag, outward_from=np.zeros(3)),
        ]
    )


def _wheels(axles: tuple[float, ...], hw: float, radius: float, width: float, tag: int) -> list[Part]:
    """A pair of wheels at every x of `axles`, front to rear; the first pair steers."""
    parts = []
    for k, x in enumerate(axles):
        for side in (-1, 1):
            pivot = (x, side * (hw - width / 2 - 0.01), radius)
            parts.append(Part(_wheel(radius, width, side, tag), pivot, STEERED_ROLLS if k == 0 else ROLLS))
    return parts


def _lamps(hl: float, hw: float, front_z: float, rear_z: float, size: float, tag: int) -> list[Mesh]:
    """Head, tail, brake, fog, reverse lamps and blinkers on both sides, number plates between them."""
    parts = []
    for side in (-1, 1):
        blink = materials.LEFT_BLINKER if side < 0 else materials.RIGHT_BLINKER
        y = side * hw * 0.66
        outer = side * hw * 0.86
        parts += [
            box(
                (0.10, 0.42 * size, 0.16 * size), (hl - 0.05, y, front_z), WHITE_OFF, tag, materials.HEADLAMP
            ),
            box((0.16, 0.15 * size, 0.13 * size), (hl - 0.08, outer, front_z), AMBER_OFF, tag, blink),
            box((0.08, 0.34 * size, 0.19 * size), (-hl + 0.04, y, rear_z), RED_OFF, tag, materials.TAIL_LAMP),
            box((0.14, 0.17 * size, 0.17 * size), (-hl + 0.075, outer, rear_z), AMBER_OFF, tag, blink),
            box(
                (0.04, 0.12 * size, 0.10 * size),
                (-hl + 0.02, side * hw * 0.40, rear_z),
                WHITE_OFF,
                tag,
                materials.REVERSE_LAMP,
            ),
        ]
        parts += [
            box((0.08, 0.22 * size, 0.09 * size), (hl - 0.04, 0.95 * y, front_z - 0.28 * size), WHITE_OFF, tag, materials.FOG_LAMP),
            box((0.05, 0.14 * size, 0.07 * size), (-hl + 0.025, 0.75 * y, rear_z - 0.24 * size), RED_OFF, tag, materials.FOG_LAMP),
        ]  # fmt: skip
    parts.append(box((0.03, 0.50, 0.12), (-hl + 0.015, 0, rear_z - 0.24 * size), (0.9, 0.9, 0.86), tag))
    parts.append(box((0.03, 0.50, 0.11), (hl - 0.015, 0, front_z - 0.26 * size), (0.9, 0.9, 0.86), tag))
    return parts


def _mirrors(x: float, z: float, hw: float, tag: int) -> list[Mesh]:
    return [
        box((0.12, 0.10 * hw, 0.14), (x, s * hw * 0.94, z), PAINTED, tag, materials.PAINT) for s in (-1, 1)
    ]


def _beacons(x: float, z: float, hw: float, tag: int) -> list[Mesh]:
    """A light bar whose left half flashes red and right half blue (VehicleLightState Special1)."""
    colors = ((0.7, 0.08, 0.08), (0.08, 0.15, 0.75))
    return [
        box((0.30, 0.45 * hw, 0.12), (x, side * 0.25 * hw, z - 0.06), color, tag, materials.BEACON)
        for side, color in zip((-1, 1), colors, strict=True)
    ]


def door(half_extents: tuple[float, float, float]) -> Body:
    """An open door: a painted panel with a window above."""
    hl, hw, hh = half_extents
    panel = box((2 * hl, 2 * hw, 1.1 * hh), (0, 0, 0.55 * hh), PAINTED, labels.CAR, materials.PAINT)
    window = box((1.7 * hl, hw, 0.9 * hh), (0, 0, 1.55 * hh), GLASS_COLOR, labels.CAR, materials.GLASS)
    return Body((Part(join([panel, window])),))


def _stripe(hl: float, hw: float, hh: float, color: Rgb, tag: int) -> Mesh:
    """A band along both sides, by which emergency vehicles are known from afar."""
    return box((1.55 * hl, 1.87 * hw, 0.15 * hh), (-0.02 * hl, 0, 0.78 * hh), color, tag)


def _taxi_sign(x: float, roof: float, hw: float, tag: int) -> Mesh:
    return box((0.16, 0.55 * hw, 0.14), (x, 0, roof - 0.07), TAXI_YELLOW, tag, materials.BEACON)


def car(
    half_extents: tuple[float, float, float],
    shape: str,
    *,
    beacons: bool = False,
    taxi: bool = False,
    stripe: Rgb | None = None,
) -> Body:
    """A passenger car; `shape` is "saloon", "hatchback", "suv" or "van"."""
    hl, hw, hh = half_extents
    tag = labels.CAR
    roof = 2 * hh
    if beacons or taxi:
        hh *= 0.94
    lower, cabin = {
        "saloon": (SALOON_HULL, SALOON_CABIN), "hatchback": (HATCHBACK_HULL, HATCHBACK_CABIN),
        "suv": (SUV_HULL, SUV_CABIN), "van": (VAN_HULL, VAN_CABIN),
    }[shape]  # fmt: skip
    belt = _scaled(lower, hl, hw, hh)
    glass = _scaled(cabin, hl, hw, hh)
    meshes = [
        hull(belt, tag, PAINT, [PAINT] * (len(belt) - 1), PAINT),
        hull(glass, tag, GLASS, [GLASS, PAINT, GLASS], GLASS if shape == "van" else None),
        box((0.05, 1.1 * hw, 0.16 * hh), (hl - 0.035, 0, 0.56 * hh), BLACK, tag, sides=(FRONT, TOP)),
    ]
    front, rear = glass[1], glass[2]
    posts = (0.02, 0.5, 0.98) if shape != "van" else (0.02, 0.33, 0.66, 0.98)
    for share in posts:
        x = front.x + (rear.x - front.x) * share
        post = [
            Section(x + dx, rear.low, front.high * 0.999, hw * 0.885, hw * (front.high_half / hw + 0.012))
            for dx in (0.05, -0.05)
        ]
        meshes.append(hull(post, tag, PAINT, [PAINT], None))
    if shape == "van":
        x0, x1 = front.x + (rear.x - front.x) * 0.36, glass[-1].x + 0.04
        panel = [Section(x, rear.low, front.high * 0.96, hw * 0.915, hw * 0.835) for x in (x0, x1)]
        meshes.append(hull(panel, tag, PAINT, [PAINT], PAINT))
    size = min(1.0, hw / 0.9)
    meshes += _lamps(hl, hw, 0.86 * hh, 1.04 * hh if shape == "saloon" else 0.98 * hh, size, tag)
    meshes += _mirrors(front.x + 0.20 * hl, 1.22 * hh if shape == "saloon" else 1.18 * hh, hw, tag)
    if beacons:
        meshes += _beacons((front.x + rear.x) / 2, roof, hw, tag)
    if taxi:
        meshes.append(_taxi_sign((front.x + rear.x) / 2, roof, hw, tag))
    if stripe is not None:
        meshes.append(_stripe(hl, hw, hh, stripe, tag))
        if shape == "saloon":  # white doors, as patrol cars have them
            meshes.append(box((0.82 * hl, 1.86 * hw, 0.62 * hh), (-0.06 * hl, 0, 0.64 * hh), WHITE, tag))
    radius = min(0.34 * min(1.0, hw / 0.85) + 0.04 * (shape != "saloon"), 0.5 * hh, 0.27 * hl)
    return Body((Part(join(meshes)), *_wheels((0.61 * hl, -0.60 * hl), 0.96 * hw, radius, 0.22, tag)))


def pickup(half_extents: tuple[float, float, float]) -> Body:
    """A wedge with a covered bed."""
    hl, hw, hh = half_extents
    tag = labels.TRUCK
    lower, cabin, bed = (_scaled(table, hl, hw, hh) for table in (PICKUP_HULL, PICKUP_CABIN, PICKUP_BED))
    meshes = [
        hull(lower, tag, PAINT, [PAINT] * (len(lower) - 1), PAINT),
        hull(cabin, tag, GLASS, [GLASS, PAINT], None),
        hull(bed, tag, PAINT, [PAINT], PAINT),
        box((0.06, 1.7 * hw, 0.05), (hl - 0.04, 0, 0.95 * hh), BLACK, tag),
    ]
    meshes += _lamps(hl, hw, 0.86 * hh, 1.02 * hh, 1.0, tag)
    meshes += _mirrors(0.52 * hl, 1.15 * hh, hw, tag)
    radius = min(0.44, 0.5 * hh, 0.27 * hl)
    return Body((Part(join(meshes)), *_wheels((0.62 * hl, -0.60 * hl), 0.97 * hw, radius, 0.26, tag)))


def truck(half_extents: tuple[float, float, float], *, beacons: bool = False) -> Body:
    """A cab with a cargo box behind it."""
    hl, hw, hh = half_extents
    tag = labels.TRUCK
    roof = 2 * hh * (0.95 if beacons else 1.0)
    cab_length = min(2.2, 0.62 * hl)
    cab_x = hl - cab_length / 2
    cab_top = min(0.86 * roof, 2.9)
    cargo_length = 2 * hl - cab_length - 0.15
    radius = min(0.48, 0.3 * hh, 0.3 * hl)
    cargo = (PAINTED if beacons else (0.86, 0.86, 0.84), materials.PAINT if beacons else materials.PLAIN)
    meshes = [
        box((cab_length - 0.04, 1.88 * hw, cab_top * 0.50), (cab_x, 0, 0.42 + cab_top * 0.25), PAINTED, tag, materials.PAINT),
        box(
            (cab_length - 0.06, 1.84 * hw, cab_top * 0.5 - 0.42), (cab_x, 0, cab_top * 0.75 + 0.21), PAINTED, tag,
            materials.PAINT, top=(0.86, 0.94), shift_x=-0.08 * cab_length,
        ),
        box((0.06, 1.60 * hw, cab_top * 0.26), (hl - 0.12, 0, cab_top * 0.74), GLASS_COLOR, tag, materials.GLASS, top=(1, 0.96), shift_x=-0.06),
        box((cab_length * 0.5, 1.90 * hw, cab_top * 0.2), (cab_x + 0.05, 0, cab_top * 0.75), GLASS_COLOR, tag, materials.GLASS),
        box((cargo_length, 1.96 * hw, roof - 0.95), (-hl + cargo_length / 2 + 0.03, 0, (roof + 0.95) / 2), cargo[0], tag, cargo[1]),
        box((2 * hl - 0.3, 1.3 * hw, 0.35), (-0.05, 0, 0.72), BLACK, tag),
        box((0.06, 1.8 * hw, 0.14), (-hl + 0.06, 0, 0.55), BLACK, tag),
    ]  # fmt: skip
    meshes += _lamps(hl, hw, 0.80, 0.82, 1.15 * min(1.0, hw / 1.1), tag)
    if beacons:
        meshes += _beacons(cab_x, cab_top + 0.12, hw, tag)
        meshes.append(
            box((cargo_length, 1.98 * hw, 0.28), (-hl + cargo_length / 2 + 0.03, 0, 0.42 * roof), WHITE, tag)
        )
    axles = (
        (hl - 0.62 * cab_length, -0.45 * hl, -0.45 * hl - 2.2 * radius)
        if hl > 3.4
        else (hl - 0.62 * cab_length, -0.55 * hl)
    )
    return Body((Part(join(meshes)), *_wheels(axles, 0.98 * hw, radius, 0.28, tag)))


def bus(half_extents: tuple[float, float, float]) -> Body:
    """A long box with a band of windows."""
    hl, hw, hh = half_extents
    tag, roof, radius = labels.BUS, 2 * hh, min(0.48, 0.3 * hh, 0.3 * hl)
    meshes = [
        box((2 * hl - 0.06, 1.94 * hw, roof * 0.40), (0, 0, 0.30 + roof * 0.20), PAINTED, tag, materials.PAINT),
        box((2 * hl - 0.08, 1.92 * hw, roof * 0.60 - 0.34), (0, 0, roof * 0.70 + 0.13), PAINTED, tag, materials.PAINT, top=(0.985, 0.93)),
        box((2 * hl - 0.9, 1.95 * hw, roof * 0.28), (-0.1, 0, roof * 0.64), GLASS_COLOR, tag, materials.GLASS, top=(1.0, 0.985)),
        box((0.06, 1.72 * hw, roof * 0.42), (hl - 0.05, 0, roof * 0.62), GLASS_COLOR, tag, materials.GLASS),
        box((0.06, 1.40 * hw, roof * 0.24), (-hl + 0.05, 0, roof * 0.66), GLASS_COLOR, tag, materials.GLASS),
        box((0.05, 1.0 * hw, 0.22), (hl - 0.03, 0, roof * 0.90), (0.9, 0.55, 0.08), tag),
    ]  # fmt: skip
    for k in range(1, int(2 * hl / 1.5)):
        x = -hl + k * 1.5
        meshes.append(
            box(
                (0.10, 1.96 * hw, roof * 0.29),
                (x, 0, roof * 0.64),
                PAINTED,
                tag,
                materials.PAINT,
                top=(1.0, 0.985),
            )
        )
    meshes += _lamps(hl, hw, 0.75, 0.95, 1.15 * min(1.0, hw / 1.1), tag)
    return Body((Part(join(meshes)), *_wheels((0.62 * hl, -0.58 * hl), 0.98 * hw, radius, 0.28, tag)))
