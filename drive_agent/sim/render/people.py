"""Pedestrians, and riders with their bicycles and motorcycles.

hl, hw, hh: half length, half width and half height of the box, metres.
"""

from __future__ import annotations

import math
from dataclasses import replace

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.body import (
    BLACK,
    CHROME,
    PAINTED,
    RUBBER,
    STEERED,
    SWINGS_AGAINST,
    SWINGS_WITH,
    Body,
    Part,
    ring,
)
from drive_agent.sim.render.mesh import Mesh, Rgb, box, cylinder, join, sphere

SKINS = ((0.86, 0.68, 0.56), (0.72, 0.53, 0.40), (0.50, 0.35, 0.26), (0.92, 0.75, 0.64))
HAIRS = ((0.16, 0.11, 0.08), (0.42, 0.28, 0.15), (0.10, 0.10, 0.11), (0.62, 0.55, 0.48))
TROUSERS = (
    (0.20, 0.24, 0.38),
    (0.22, 0.22, 0.24),
    (0.46, 0.40, 0.30),
    (0.34, 0.18, 0.18),
    (0.16, 0.28, 0.24),
)


def _limb(
    length: float, thick: float, color: Rgb, tag: int, material: int, end: Rgb, end_size: float
) -> Mesh:
    """A limb that hangs from the origin, with a hand or shoe at its end."""
    return join(
        [
            box((thick, thick, length), (0, 0, -length / 2), color, tag, material, top=(1.25, 1.2)),
            box((end_size, thick, 0.07), (end_size * 0.14, 0, -length + 0.035), end, tag),
        ]
    )


def _head(height: float, skin: Rgb, hair: Rgb, tag: int) -> Mesh:
    """Neck, face and hair; chin at z 0, `height` from chin to crown."""
    half = height / 2
    return join(
        [
            cylinder(0.26 * height, 0.4 * height, (-0.02, 0, -0.1 * height), skin, tag, sides=6, caps=False),
            sphere((0.42 * height, 0.37 * height, half * 0.97), (0, 0, half), skin, tag),
            sphere((0.43 * height, 0.41 * height, half * 0.72), (-0.10 * height, 0, half * 1.27), hair, tag),
        ]
    )


def pedestrian(half_extents: tuple[float, float, float], look: int) -> Body:
    """A standing or walking person; the jacket takes the actor's colour, `look` chooses the rest.

    The origin is the middle of the box, where CARLA has that of its walkers.
    """
    tag = labels.PEDESTRIANS
    height = 2 * half_extents[2]
    width = min(half_extents[1], 0.24 * height)
    skin, hair = SKINS[look % len(SKINS)], HAIRS[(look // 2) % len(HAIRS)]
    trousers = TROUSERS[look % len(TROUSERS)]
    hip, shoulder = 0.49 * height, 0.81 * height
    depth = min(half_extents[0], 0.11 * height)
    arm = 0.18 * width * 2
    torso_half = width - arm
    torso = join(
        [
            box((1.5 * depth, 1.72 * torso_half, shoulder - hip + 0.06), (0, 0, (shoulder + hip) / 2), PAINTED, tag,
                materials.PAINT, top=(1.05, 1.16)),
            box((1.45 * depth, 1.7 * torso_half, 0.12), (0, 0, hip), trousers, tag),
            _head(height - shoulder - 0.06, skin, hair, tag).placed(0, 0, shoulder + 0.06),
        ]
    )  # fmt: skip
    leg = _limb(
        hip,
        0.15 * width / 0.24 + 0.03,
        trousers,
        tag,
        materials.PLAIN,
        BLACK,
        min(0.24, 1.55 * half_extents[0]),
    )
    sleeve = _limb(shoulder - 0.42 * height, arm, PAINTED, tag, materials.PAINT, skin, 0.09)
    parts = [Part(torso)]
    for side, leg_swing, arm_swing in ((-1, SWINGS_WITH, SWINGS_AGAINST), (1, SWINGS_AGAINST, SWINGS_WITH)):
        parts.append(Part(leg, (0, side * 0.5 * torso_half, hip), leg_swing))
        parts.append(Part(sleeve, (0, side * (torso_half + 0.42 * arm), shoulder - 0.02), arm_swing))
    feet = -half_extents[2]
    lowered = tuple(
        replace(part, pivot=(part.pivot[0], part.pivot[1], part.pivot[2] + feet)) for part in parts
    )
    return Body(lowered, stride_m=0.82 * height)


def _rider(
    seat_x: float, seat_z: float, height: float, grip: tuple[float, float, float], look: int, *, helmet: bool
) -> list[Part]:
    """A seated person whose hands reach `grip`; `height` is from the seat to the crown."""
    tag = labels.RIDER
    skin = SKINS[look % len(SKINS)]
    trousers = TROUSERS[(look + 1) % len(TROUSERS)]
    chest = 0.64 * height
    lean = 0.30 * height
    head = 0.27 * height
    hair = (0.75, 0.12, 0.10) if helmet else HAIRS[look % len(HAIRS)]
    shoulder = (seat_x + lean, seat_z + chest)
    meshes = [
        box(
            (0.24, 0.38, chest),
            (seat_x + 0.02, 0, seat_z + chest / 2),
            PAINTED,
            tag,
            materials.PAINT,
            shift_x=lean,
        ),
        _head(head, skin, hair, tag).placed(shoulder[0] + 0.05, 0, shoulder[1] + 0.04),
    ]
    reach = math.hypot(grip[0] - shoulder[0], grip[2] - shoulder[1])
    for side in (-1, 1):
        arm = box((0.10, 0.10, reach), (grip[0], side * grip[1], (grip[2] + shoulder[1]) / 2), PAINTED, tag, materials.PAINT,
                  shift_x=shoulder[0] - grip[0])  # fmt: skip
        meshes.append(arm)
        knee_x, foot_z = seat_x + 0.36, max(0.14, seat_z - 0.68)
        meshes.append(box((0.46, 0.15, 0.16), (seat_x + 0.18, side * 0.13, seat_z - 0.03), trousers, tag))
        meshes.append(
            box(
                (0.13, 0.12, seat_z - foot_z),
                (knee_x - 0.10, side * 0.15, (seat_z + foot_z) / 2),
                trousers,
                tag,
                shift_x=0.12,
            )
        )
        meshes.append(box((0.24, 0.10, 0.08), (knee_x - 0.05, side * 0.15, foot_z), BLACK, tag))
    return [Part(join(meshes))]


def bicycle(half_extents: tuple[float, float, float], look: int) -> Body:
    """A bicycle with its rider; the box covers both."""
    hl, hw, hh = half_extents
    tag = labels.BICYCLE
    radius = min(0.34, 0.42 * hl)
    front, rear = hl - radius - 0.01, -hl + radius + 0.01
    seat_z = min(0.95, 1.1 * hh)
    bar = (front - 0.12, min(hw * 0.8, 0.24), seat_z + 0.12)
    frame = PAINTED
    meshes = [
        ring(radius, radius * 0.82, 0.05, (rear, 0, radius), RUBBER, tag),
        cylinder(0.10, 0.06, (rear, 0, radius), CHROME, tag, axis=1, sides=6),
        box((front - rear - 0.3, 0.05, 0.06), ((front + rear) / 2 + 0.05, 0, seat_z - 0.18), frame, tag, materials.PAINT),
        box((0.05, 0.05, seat_z - radius), (rear + 0.30, 0, (seat_z + radius) / 2), frame, tag, materials.PAINT, shift_x=-0.10),
        box((0.06, 0.05, seat_z - radius), (0.05, 0, (seat_z + radius) / 2 - 0.1), frame, tag, materials.PAINT, shift_x=0.30),
        box((0.5, 0.04, 0.05), (rear + 0.25, 0, radius), frame, tag, materials.PAINT),
        box((0.26, 0.15, 0.06), (rear + 0.20, 0, seat_z - 0.02), BLACK, tag),
        box((0.05, 0.05, bar[2] - radius), (front - 0.04, 0, (bar[2] + radius) / 2), frame, tag, materials.PAINT, shift_x=-0.10),
        box((0.05, 2 * bar[1], 0.05), bar[:1] + (0, bar[2]), BLACK, tag),
        box((0.05, 0.09, 0.07), (rear + 0.06, 0, seat_z - 0.22), (0.4, 0.05, 0.05), tag, materials.TAIL_LAMP),
        box((0.05, 0.09, 0.09), (front + 0.02, 0, bar[2] - 0.1), (0.8, 0.8, 0.8), tag, materials.HEADLAMP),
    ]  # fmt: skip
    wheel = ring(radius, radius * 0.82, 0.05, (0, 0, 0), RUBBER, tag)
    rider = _rider(rear + 0.20, seat_z, 2 * hh - seat_z, bar, look, helmet=look % 2 == 0)
    return Body((Part(join(meshes)), Part(wheel, (front, 0, radius), STEERED), *rider))


def motorcycle(half_extents: tuple[float, float, float], look: int) -> Body:
    """A motorcycle with its rider; the box covers both."""
    hl, hw, hh = half_extents
    tag = labels.MOTORCYCLE
    radius = min(0.32, 0.32 * hl)
    front, rear = hl - radius - 0.01, -hl + radius + 0.01
    seat_z = min(0.82, 1.05 * hh)
    bar = (front - 0.28, min(hw * 0.85, 0.32), seat_z + 0.24)
    blinkers = []
    for side in (-1, 1):
        material = materials.LEFT_BLINKER if side < 0 else materials.RIGHT_BLINKER
        for x in (front - 0.12, rear - 0.06):
            blinkers.append(
                box((0.08, 0.07, 0.07), (x, side * 0.17, seat_z - 0.02), (0.6, 0.34, 0.08), tag, material)
            )
    meshes = [
        cylinder(radius, 0.15, (rear, 0, radius), RUBBER, tag, axis=1, sides=12),
        cylinder(radius * 0.5, 0.16, (rear, 0, radius), CHROME, tag, axis=1, sides=8),
        box((front - rear - 0.35, 0.26, 0.34), ((front + rear) / 2, 0, radius + 0.16), BLACK, tag),
        box((0.55, 0.32, 0.24), (0.16, 0, seat_z + 0.02), PAINTED, tag, materials.PAINT, top=(0.8, 0.7)),
        box((0.75, 0.26, 0.10), (rear + 0.34, 0, seat_z - 0.05), BLACK, tag),
        box((0.34, 0.20, 0.14), (rear + 0.02, 0, seat_z - 0.08), PAINTED, tag, materials.PAINT),
        box(
            (0.12, 0.30, 0.36),
            (front - 0.20, 0, seat_z + 0.02),
            PAINTED,
            tag,
            materials.PAINT,
            top=(0.6, 0.8),
        ),
        box((0.06, 2 * bar[1], 0.05), (bar[0], 0, bar[2]), BLACK, tag),
        box((0.06, 0.22, 0.17), (front - 0.12, 0, seat_z + 0.04), (0.8, 0.8, 0.8), tag, materials.HEADLAMP),
        box(
            (0.06, 0.22, 0.11), (rear - 0.16, 0, seat_z - 0.06), (0.42, 0.05, 0.05), tag, materials.TAIL_LAMP
        ),
        *blinkers,
    ]
    wheel = join(
        [
            cylinder(radius, 0.12, (0, 0, 0), RUBBER, tag, axis=1, sides=12),
            box((0.07, 0.16, 0.75), (-0.08, 0, 0.38), CHROME, tag, shift_x=-0.14),
        ]
    )
    rider = _rider(rear + 0.42, seat_z + 0.02, 2 * hh - seat_z - 0.02, bar, look, helmet=True)
    return Body((Part(join(meshes)), Part(wheel, (front, 0, radius), STEERED), *rider))
