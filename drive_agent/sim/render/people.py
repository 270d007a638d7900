"""Pedestrians, and riders with their bicycles and motorcycles.

hl, hw, hh: half length, half width and half height of the box, metres.
"""

from __future__ import annotations

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
    bar,
    ring,
)
from drive_agent.sim.render.mesh import Mesh, Rgb, box, cylinder, join, sphere

SKINS = ((0.86, 0.68, 0.56), (0.72, 0.53, 0.40), (0.50, 0.35, 0.26), (0.92, 0.75, 0.64))
HAIRS = ((0.16, 0.11, 0.08), (0.42, 0.28, 0.15), (0.10, 0.10, 0.11), (0.62, 0.55, 0.48))
JACKETS = ((0.62, 0.16, 0.15), (0.18, 0.30, 0.55), (0.20, 0.42, 0.28), (0.80, 0.78, 0.72), (0.85, 0.62, 0.18),
           (0.30, 0.30, 0.33), (0.55, 0.35, 0.55), (0.80, 0.42, 0.18), (0.25, 0.50, 0.55))  # fmt: skip
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
    """A standing or walking person; `look` chooses skin, hair and clothes.

    The origin is the middle of the box, where CARLA has that of its walkers.
    """
    tag = labels.PEDESTRIANS
    height = 2 * half_extents[2]
    width = min(half_extents[1], 0.24 * height)
    skin, hair = SKINS[look % len(SKINS)], HAIRS[(look // 2) % len(HAIRS)]
    trousers, jacket = TROUSERS[look % len(TROUSERS)], JACKETS[(look // 3) % len(JACKETS)]
    hip, shoulder = 0.49 * height, 0.81 * height
    depth = min(half_extents[0], 0.11 * height)
    arm = 0.18 * width * 2
    torso_half = width - arm
    torso = join(
        [
            box((1.5 * depth, 1.72 * torso_half, shoulder - hip + 0.06), (0, 0, (shoulder + hip) / 2), jacket, tag, materials.PLAIN, top=(1.05, 1.16)),
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
    sleeve = _limb(shoulder - 0.42 * height, arm, jacket, tag, materials.PLAIN, skin, 0.09)
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
    seat: tuple[float, float],
    crown_z: float,
    grip: tuple[float, float, float],
    foot: tuple[float, float],
    look: int,
    *,
    helmet: bool,
) -> Mesh:
    """A seated person: `seat`, `foot` are (x, z), hands reach `grip` (x, half the bar's width, z) on both sides."""
    tag = labels.RIDER
    skin, trousers = SKINS[look % len(SKINS)], TROUSERS[(look + 1) % len(TROUSERS)]
    jacket = JACKETS[(look // 2) % len(JACKETS)]
    height = crown_z - seat[1]
    head = 0.27 * height
    shoulder = (seat[0] + 0.24 * height, seat[1] + 0.66 * height)
    hair = (0.75, 0.12, 0.10) if helmet else HAIRS[look % len(HAIRS)]
    meshes = [
        box(
            (0.22, 0.34, shoulder[1] - seat[1]), ((seat[0], 0, (seat[1] + shoulder[1]) / 2)), jacket, tag, materials.PLAIN, top=(1.0, 1.12), shift_x=shoulder[0] - seat[0],
        ),
        _head(crown_z - shoulder[1] - 0.2 * head, skin, hair, tag).placed(shoulder[0] + 0.05, 0, shoulder[1] + 0.2 * head),
    ]  # fmt: skip
    for side in (-1, 1):
        knee = (seat[0] + 0.40, side * 0.15, max((seat[1] + foot[1]) / 2 + 0.10, foot[1] + 0.3))
        elbow = (shoulder[0] + 0.10, side * (grip[1] - 0.01), (shoulder[1] + grip[2]) / 2 - 0.04)
        meshes += [
            bar((shoulder[0], side * 0.17, shoulder[1] - 0.05), elbow, 0.11, jacket, tag),
            bar(elbow, (grip[0], side * grip[1], grip[2] + 0.03), 0.09, jacket, tag),
            bar((seat[0], side * 0.10, seat[1] + 0.04), knee, 0.16, trousers, tag),
            bar(knee, (foot[0], side * 0.14, foot[1] + 0.06), 0.12, trousers, tag),
            box((0.24, 0.10, 0.08), (foot[0] + 0.05, side * 0.14, foot[1] + 0.04), BLACK, tag),
        ]
    return join(meshes)


def bicycle(half_extents: tuple[float, float, float], look: int) -> Body:
    """A bicycle with its rider; the box covers both."""
    hl, hw, hh = half_extents
    tag = labels.BICYCLE
    radius = min(0.34, 0.42 * hl)
    front, rear = hl - radius - 0.01, -hl + radius + 0.01
    seat = (rear + 0.22, min(0.95, 1.1 * hh))
    pedals = ((front + rear) / 2 - 0.05, radius)
    head = (front - 0.10, seat[1] - 0.06)
    grip = (head[0] - 0.04, min(hw * 0.8, 0.24), seat[1] + 0.08)

    def tube(start: tuple[float, float], end: tuple[float, float]) -> Mesh:
        return bar((start[0], 0, start[1]), (end[0], 0, end[1]), 0.05, PAINTED, tag, materials.PAINT)

    meshes = [
        ring(radius, radius * 0.82, 0.05, (rear, 0, radius), RUBBER, tag),
        tube(pedals, head), tube(pedals, seat), tube(pedals, (rear, radius)), tube((seat[0], seat[1] - 0.12), head),
        tube((seat[0], seat[1] - 0.12), (rear, radius)), tube(head, (front, radius)),
        box((0.26, 0.15, 0.06), (*seat[:1], 0, seat[1] - 0.02), BLACK, tag),
        bar((head[0], 0, head[1]), (grip[0], 0, grip[2]), 0.04, CHROME, tag),
        box((0.05, 2 * grip[1], 0.05), (grip[0], 0, grip[2]), BLACK, tag),
        box((0.05, 0.09, 0.07), (rear + 0.06, 0, seat[1] - 0.22), (0.4, 0.05, 0.05), tag, materials.TAIL_LAMP),
        box((0.05, 0.09, 0.09), (front - 0.02, 0, grip[2] - 0.12), (0.8, 0.8, 0.8), tag, materials.HEADLAMP),
    ]  # fmt: skip
    wheel = ring(radius, radius * 0.82, 0.05, (0, 0, 0), RUBBER, tag)
    rider = _rider(seat, 2 * hh, grip, (pedals[0], 0.12), look, helmet=look % 2 == 0)
    return Body((Part(join(meshes)), Part(wheel, (front, 0, radius), STEERED), Part(rider)))


def motorcycle(half_extents: tuple[float, float, float], look: int) -> Body:
    """A motorcycle with its rider; the box covers both."""
    hl, hw, hh = half_extents
    tag = labels.MOTORCYCLE
    radius = min(0.32, 0.32 * hl)
    front, rear = hl - radius - 0.01, -hl + radius + 0.01
    seat_z = min(0.82, 1.05 * hh)
    bar_grip = (front - 0.28, min(hw * 0.85, 0.32), seat_z + 0.22)
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
        box((0.06, 2 * bar_grip[1], 0.05), (bar_grip[0], 0, bar_grip[2]), BLACK, tag),
        box((0.06, 0.22, 0.17), (front - 0.12, 0, seat_z + 0.04), (0.8, 0.8, 0.8), tag, materials.HEADLAMP),
        box(
            (0.06, 0.22, 0.11), (rear - 0.16, 0, seat_z - 0.06), (0.42, 0.05, 0.05), tag, materials.TAIL_LAMP
        ),
        *blinkers,
    ]
    wheel = join(
        [
            cylinder(radius, 0.12, (0, 0, 0), RUBBER, tag, axis=1, sides=12),
            *[bar((0, y, 0), (-0.16, y, seat_z - radius + 0.1), 0.06, CHROME, tag) for y in (-0.09, 0.09)],
        ]
    )
    seat, foot = (rear + 0.40, seat_z), ((front + rear) / 2 - 0.12, 0.24)
    rider = _rider(seat, 2 * hh, bar_grip, foot, look, helmet=True)
    return Body((Part(join(meshes)), Part(wheel, (front, 0, radius), STEERED), Part(rider)))
