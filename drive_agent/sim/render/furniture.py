"""Traffic lights, signs and street lamps, in a frame whose x axis is the driving direction they are for."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.glyphs import text
from drive_agent.sim.render.mesh import Mesh, Rgb, box, cylinder, join, mesh_of

STEEL, DARK, WHITE, RED = (0.42, 0.43, 0.45), (0.10, 0.10, 0.10), (0.93, 0.93, 0.92), (0.74, 0.05, 0.06)
ARM_HEIGHT_M, LOW_HEAD_M, MAST_HEIGHT_M = 5.6, 3.1, 6.2
BULB_RADIUS_M, BULB_SPACING_M = 0.2, 0.46
HEAD_HALF_EXTENTS_M = (0.14, 0.43, 0.89)
LAMP_HEIGHT_M, LAMP_ARM_M = 7.2, 1.9


def plate(
    radius: float, sides: int, x: float, z: float, color: Rgb, tag: int, material: int, turn: float = 0.0
) -> Mesh:
    """A flat polygon around (x, 0, z) that faces -x; `radius` is to its corners."""
    angle = np.linspace(0, 2 * math.pi, sides, endpoint=False) + turn
    rim = np.stack([np.full(sides, x), radius * np.cos(angle), z + radius * np.sin(angle)], 1)
    hub = np.broadcast_to([x, 0.0, z], rim.shape)
    return mesh_of(
        np.stack([hub, rim, np.roll(rim, -1, 0)], 1), color, tag, material, np.array([x + 1.0, 0.0, z])
    )


@lru_cache
def light_head() -> Mesh:
    """Three bulbs in a dark housing with a back plate, centre at the origin, facing -x."""
    parts = [
        box((0.04, 0.86, 1.78), (0.12, 0, 0), DARK, labels.TRAFFIC_LIGHT),
        box((0.26, 0.54, 1.46), (0, 0, 0), (0.06, 0.06, 0.06), labels.TRAFFIC_LIGHT),
    ]
    for color in range(3):
        z = BULB_SPACING_M * (1 - color)
        bulb = plate(BULB_RADIUS_M, 10, -0.14, z, (0.11, 0.11, 0.11), labels.TRAFFIC_LIGHT, materials.BULB)
        parts.append(replace(bulb, params=np.full((len(bulb), 4), color, np.float32)))
    return join(parts)


def head_places(heads_left_m: tuple[float, ...]) -> list[tuple[float, float, float]]:
    """Centres of the heads of a traffic light in its frame, metres: the low one first."""
    return [(-0.15, -0.45, LOW_HEAD_M), *((-0.15, -left, ARM_HEIGHT_M) for left in heads_left_m)]


def traffic_light(heads_left_m: tuple[float, ...]) -> Mesh:
    """A mast at the origin with an arm to the driver's left: one high head at each distance, one low head on the mast."""
    reach = max(heads_left_m) + 0.3
    head = light_head()
    parts = [
        cylinder(0.13, MAST_HEIGHT_M, (0, 0, MAST_HEIGHT_M / 2), STEEL, labels.POLES, end_radius=0.10),
        cylinder(0.07, reach, (0, -reach / 2, ARM_HEIGHT_M + 0.35), STEEL, labels.POLES, axis=1, sides=6),
        box((0.1, 0.5, 0.08), (0, -0.2, LOW_HEAD_M + 0.4), STEEL, labels.POLES),
    ]
    return join(parts + [head.placed(*place) for place in head_places(heads_left_m)])


def _post(height: float) -> Mesh:
    return cylinder(0.05, height, (0.05, 0, height / 2), STEEL, labels.POLES, sides=6)


@lru_cache
def stop_sign() -> Mesh:
    """A red octagon 0.95 m wide with a white rim and the word, on a post at the origin."""
    turn, z = math.pi / 8, 2.25
    face = labels.TRAFFIC_SIGNS
    return join(
        [
            _post(z + 0.3),
            cylinder(0.51, 0.03, (0, 0, z), (0.5, 0.5, 0.5), face, axis=0, sides=8, turn_rad=turn),
            plate(0.51, 8, -0.02, z, WHITE, face, materials.SIGN, turn),
            plate(0.455, 8, -0.03, z, RED, face, materials.SIGN, turn),
            text("STOP", 0.30, -0.04, z, WHITE),
        ]
    )


@lru_cache
def give_way_sign() -> Mesh:
    """A white triangle with a red border, point down, on a post at the origin."""
    face, z = labels.TRAFFIC_SIGNS, 2.2
    return join(
        [
            _post(z + 0.2),
            cylinder(0.56, 0.03, (0, 0, z), (0.5, 0.5, 0.5), face, axis=0, sides=3, turn_rad=-math.pi / 2),
            plate(0.56, 3, -0.02, z, RED, face, materials.SIGN, -math.pi / 2),
            plate(0.32, 3, -0.03, z, WHITE, face, materials.SIGN, -math.pi / 2),
        ]
    )


@lru_cache
def speed_limit_sign(value: float) -> Mesh:
    """A white disc with a red rim and the number, on a post at the origin."""
    face, z = labels.TRAFFIC_SIGNS, 2.3
    return join(
        [
            _post(z + 0.2),
            cylinder(0.42, 0.03, (0, 0, z), (0.5, 0.5, 0.5), face, axis=0, sides=14),
            plate(0.42, 14, -0.02, z, RED, face, materials.SIGN),
            plate(0.33, 14, -0.03, z, WHITE, face, materials.SIGN),
            text(str(round(value)), 0.30, -0.04, z, (0.05, 0.05, 0.05)),
        ]
    )


def street_lamp() -> Mesh:
    """A post at the origin with an arm towards -y (over the road) and a lamp at its end."""
    arm_z = LAMP_HEIGHT_M - 0.1
    return join(
        [
            cylinder(
                0.10, LAMP_HEIGHT_M, (0, 0, LAMP_HEIGHT_M / 2), STEEL, labels.POLES, end_radius=0.06, sides=6
            ),
            cylinder(0.04, LAMP_ARM_M, (0, -LAMP_ARM_M / 2, arm_z), STEEL, labels.POLES, axis=1, sides=5),
            box((0.26, 0.7, 0.12), (0, -LAMP_ARM_M, arm_z), STEEL, labels.POLES),
            box(
                (0.2, 0.6, 0.05),
                (0, -LAMP_ARM_M, arm_z - 0.08),
                (0.8, 0.8, 0.75),
                labels.POLES,
                materials.STREET_LAMP,
            ),
        ]
    )
