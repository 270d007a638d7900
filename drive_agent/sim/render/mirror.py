"""What stands on a wet road and mirrors in it: read from the finished picture, by the way that the mirrored ray takes.

`shade` mirrors only the sky. Here every wet pixel of the ground looks for what its ray would meet: it follows the ray
to the distance of what stands above the pixel on the screen, looks what is really there, and once more to that
distance. Nothing off the screen is mirrored. It reads pixels of things and writes pixels of the ground: no order matters.
"""

from __future__ import annotations

import math

import numpy as np

from drive_agent.sim.render import labels
from drive_agent.sim.render.kernel import F32, Scalar, View, device, floor_int, kernel
from drive_agent.sim.render.lighting import mirror_strength
from drive_agent.sim.render.materials import wet_gloss
from drive_agent.sim.render.noise import cell_hash
from drive_agent.sim.render.shade import SAMPLES_PER_SIDE, SKY, Picture, write_color
from drive_agent.sim.render.sky import Atmosphere, gradient
from drive_agent.sim.render.vectors import Color, fading, plus

ZERO, HALF, ONE = F32(0.0), F32(0.5), F32(1.0)
BYTE = F32(1.0 / 255.0)
SMEAR = F32(0.16)  # of a mirrored thing's height: rough asphalt draws it long
TAPS = 3
ROADS, LINES, SIDEWALKS = labels.ROADS, labels.ROAD_LINES, labels.SIDEWALKS
TERRAIN = labels.TERRAIN
LEAST_GLOSS = F32(0.02)


@device
def _is_ground(tag: Scalar) -> bool:
    return tag in (ROADS, LINES, SIDEWALKS, TERRAIN)


@device
def _linear(picture: Picture, row: int, column: int) -> Color:
    """The colour of a finished pixel, undone the display curve."""
    b = F32(picture.bgra[row, column, 0]) * BYTE
    g = F32(picture.bgra[row, column, 1]) * BYTE
    r = F32(picture.bgra[row, column, 2]) * BYTE
    return r * r, g * g, b * b


@kernel
def mirror(view: View, picture: Picture, air: Atmosphere, feet: np.ndarray) -> None:
    """Mirror things in the wet ground of a shaded picture. feet: int32 (w,), -1; scratch: lowest row of a thing so far."""
    height, width = picture.tag.shape
    scale = F32(SAMPLES_PER_SIDE)
    focal, center_x, center_y = view.focal / scale, view.center_x / scale, view.center_y / scale
    axes, eye = view.axes, view.position
    for row in range(height):
        for column in range(width):
            tag = picture.tag[row, column]
            if not _is_ground(tag):
                feet[column] = row
                continue
            base = feet[column]
            if base < 0 or tag == TERRAIN or picture.tag[base, column] == SKY:
                continue
            a = (F32(column) + HALF - center_x) / focal
            c = (center_y - F32(row) - HALF) / focal
            depth = picture.depth_m[row, column]
            wx = axes[0, 0] + a * axes[1, 0] + c * axes[2, 0]
            wy = axes[0, 1] + a * axes[1, 1] + c * axes[2, 1]
            wz = axes[0, 2] + a * axes[1, 2] + c * axes[2, 2]
            x, y, z = wx * depth, wy * depth, wz * depth
            if wz >= ZERO:
                continue
            gloss = wet_gloss(eye[0] + x, eye[1] + y, air.wetness)
            if tag != ROADS:
                gloss = air.wetness * F32(0.25)
            stretch = math.sqrt(ONE + a * a + c * c)
            share = gloss * mirror_strength(wz / stretch)
            if share < LEAST_GLOSS:
                continue
            forward = wx * axes[0, 0] + wy * axes[0, 1] - wz * axes[0, 2]
            if forward <= F32(0.01):
                continue
            mirrored_row, mirrored_column = base, column
            for _ in range(2):
                # along the mirrored ray to the distance of what was found last
                way = (picture.depth_m[mirrored_row, mirrored_column] - depth) / forward
                mx, my, mz = x + wx * way, y + wy * way, z - wz * way
                ahead = mx * axes[0, 0] + my * axes[0, 1] + mz * axes[0, 2]
                aside = mx * axes[1, 0] + my * axes[1, 1] + mz * axes[1, 2]
                above = mx * axes[2, 0] + my * axes[2, 1] + mz * axes[2, 2]
                found_row = floor_int(center_y - focal * above / ahead)
                found_column = floor_int(center_x + focal * aside / ahead)
                if (
                    way <= ZERO
                    or found_row < 0
                    or found_row > base
                    or found_column < 0
                    or found_column >= width
                ):
                    mirrored_row = -1
                    break
                mirrored_row, mirrored_column = found_row, found_column
                if picture.tag[found_row, found_column] == SKY:
                    break
            if mirrored_row < 0 or picture.tag[mirrored_row, mirrored_column] == SKY:
                continue
            gained = (ZERO, ZERO, ZERO)
            reach = SMEAR * F32(base - mirrored_row)
            jitter = cell_hash(floor_int((eye[0] + x) * F32(9)), floor_int((eye[1] + y) * F32(9)), 11) - HALF
            sky = gradient(air, -wz / stretch)
            for tap in range(TAPS):
                at = mirrored_row + floor_int(reach * (F32(tap - 1) + jitter))
                at = min(max(at, 0), base)
                color = sky
                tag_there = picture.tag[at, mirrored_column]
                if tag_there != SKY and not _is_ground(tag_there):
                    color = _linear(picture, at, mirrored_column)
                gained = plus(gained, color, ONE / F32(TAPS))
            share *= fading(air.fog_per_m * depth)
            before = _linear(picture, row, column)
            color = (
                max(ZERO, before[0] + share * (gained[0] - sky[0])),
                max(ZERO, before[1] + share * (gained[1] - sky[1])),
                max(ZERO, before[2] + share * (gained[2] - sky[2])),
            )
            write_color(picture, row, column, color)
