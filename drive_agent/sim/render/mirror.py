"""What stands on wet ground and mirrors in it: read from the finished picture, by the way that the mirrored ray takes.

`shade` mirrors only the sky. Here every wet pixel of the ground looks for what its ray would meet: it follows the ray
to the distance of what stands above the pixel on the screen, looks what is really there, and once more to that
distance. What leaves the screen there is taken to look like the screen's edge. Rough asphalt draws mirror images long:
a pixel takes the mean of a piece of a column, from sums down the column. Things are read and ground is written: no
order matters.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from drive_agent.sim.render import labels
from drive_agent.sim.render.kernel import F32, Scalar, View, device, floor_int, kernel
from drive_agent.sim.render.lighting import mirror_strength
from drive_agent.sim.render.materials import wet_gloss
from drive_agent.sim.render.shade import SAMPLES_PER_SIDE, SKY, Picture, write_color
from drive_agent.sim.render.sky import Atmosphere, gradient
from drive_agent.sim.render.vectors import Color, fading, plus

ZERO, HALF, ONE = F32(0.0), F32(0.5), F32(1.0)
BYTE = F32(1.0 / 255.0)
BRIGHTEST_BYTE = np.uint8(255)
SMEAR, SMEAR_ASIDE = F32(0.25), F32(0.07)  # of a mirrored thing's height above its foot
WIDEST = 3  # columns to either side
UNDERSIDE_M = F32(
    0.4
)  # so far under a thing its mirror image is its own dark underside; lower, one sees past it
LEAST_ROWS = F32(0.6)  # to either side: mirror images are never sharp
LAMP_GAIN = F32(2.2)  # lamps are brighter than a picture can show
PAVED_GLOSS = F32(0.25)  # of wet slabs and paint, as in materials.py
LEAST_SHARE = F32(0.02)
ROADS, LINES, SIDEWALKS = labels.ROADS, labels.ROAD_LINES, labels.SIDEWALKS
TERRAIN, BUILDINGS = labels.TERRAIN, labels.BUILDINGS


class MirrorScratch(NamedTuple):
    """Room for one picture of (h, w)."""

    sums: np.ndarray  # float32 (h + 1, w, 4): linear colour and number of the pixels of things above a row
    feet: np.ndarray  # int32 (w,), row of the lowest thing above the present row, -1 for none


def mirror_scratch(height: int, width: int) -> MirrorScratch:
    """Room for a picture of that size; what is in it need not be kept."""
    return MirrorScratch(np.empty((height + 1, width, 4), np.float32), np.empty(width, np.int32))


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


@device
def _add_up(picture: Picture, sums: np.ndarray, night: Scalar) -> None:
    """Sums down the columns over what stands: no ground, no sky. Lamps count as bright as they are."""
    height, width = picture.tag.shape
    for column in range(width):
        for k in range(4):
            sums[0, column, k] = ZERO
    for row in range(height):
        for column in range(width):
            tag = picture.tag[row, column]
            here, below = sums[row, column], sums[row + 1, column]
            if tag == SKY or _is_ground(tag):
                for k in range(4):
                    below[k] = here[k]
                continue
            color = _linear(picture, row, column)
            brightest = max(color[0], max(color[1], color[2]))
            gain = ONE
            if brightest >= ONE and tag != BUILDINGS:  # the light of rooms is as bright as it looks
                hue = ONE - min(color[0], min(color[1], color[2]))
                gain += LAMP_GAIN * max(night, hue)
            for k in range(3):
                below[k] = here[k] + gain * color[k]
            below[3] = here[3] + ONE


@device
def _mean(sums: np.ndarray, row: int, column: int, base: int) -> tuple[Color, Scalar]:
    """Mean colour of what stands about a pixel, black where nothing does, and the share that something covers."""
    high = F32(base - row)
    reach = LEAST_ROWS + SMEAR * high
    top = max(floor_int(F32(row) + HALF - reach), 0)
    bottom = min(floor_int(F32(row) + HALF + reach) + 1, base + 1)
    aside = min(floor_int(SMEAR_ASIDE * high), WIDEST)
    left, right = max(column - aside, 0), min(column + aside, sums.shape[1] - 1)
    red, green, blue, count = ZERO, ZERO, ZERO, ZERO
    for k in range(left, right + 1):
        red += sums[bottom, k, 0] - sums[top, k, 0]
        green += sums[bottom, k, 1] - sums[top, k, 1]
        blue += sums[bottom, k, 2] - sums[top, k, 2]
        count += sums[bottom, k, 3] - sums[top, k, 3]
    share = ONE / F32((bottom - top) * (right + 1 - left))
    return (red * share, green * share, blue * share), count * share


@kernel
def mirror(view: View, picture: Picture, air: Atmosphere, scratch: MirrorScratch) -> None:
    """Mirror things in the wet ground of a shaded picture."""
    height, width = picture.tag.shape
    sums, feet = scratch.sums, scratch.feet
    _add_up(picture, sums, air.night)
    for column in range(width):
        feet[column] = -1
    per_focal = F32(SAMPLES_PER_SIDE) / view.focal
    center_x, center_y = view.center_x / F32(SAMPLES_PER_SIDE), view.center_y / F32(SAMPLES_PER_SIDE)
    axes, eye = view.axes, view.position
    for row in range(height):
        for column in range(width):
            tag = picture.tag[row, column]
            if not _is_ground(tag):
                feet[column] = row if tag != SKY else -1
                continue
            base = feet[column]
            if base < 0 or tag == TERRAIN:
                continue
            a = (F32(column) + HALF - center_x) * per_focal
            c = (center_y - F32(row) - HALF) * per_focal
            depth = picture.depth_m[row, column]
            wx = axes[0, 0] + a * axes[1, 0] + c * axes[2, 0]
            wy = axes[0, 1] + a * axes[1, 1] + c * axes[2, 1]
            wz = axes[0, 2] + a * axes[1, 2] + c * axes[2, 2]
            # the mirrored ray's part along the camera's axis; a camera that looks down sees nothing mirrored
            forward = wx * axes[0, 0] + wy * axes[0, 1] - wz * axes[0, 2]
            if wz >= ZERO or forward < F32(0.2):
                continue
            x, y, z = wx * depth, wy * depth, wz * depth
            stretch = math.sqrt(ONE + a * a + c * c)
            gloss = air.wetness * PAVED_GLOSS
            if tag == ROADS:
                gloss = wet_gloss(eye[0] + x, eye[1] + y, air.wetness)
            share = gloss * mirror_strength(wz / stretch)
            share *= fading(max(ZERO, depth * stretch - air.fog_start_m) * air.fog_per_m)
            if share < LEAST_SHARE:
                continue
            found_row, found_column = base, column
            for _ in range(2):
                # along the mirrored ray to the distance of what was found last
                way = (picture.depth_m[found_row, found_column] - depth) / forward
                if way <= ZERO:  # what is nearer than the ground hangs before it
                    found_row = -1
                    break
                mx, my, mz = x + wx * way, y + wy * way, z - wz * way
                ahead = mx * axes[0, 0] + my * axes[0, 1] + mz * axes[0, 2]
                aside = mx * axes[1, 0] + my * axes[1, 1] + mz * axes[1, 2]
                above = mx * axes[2, 0] + my * axes[2, 1] + mz * axes[2, 2]
                scale = ONE / (per_focal * max(ahead, F32(0.01)))
                place = center_y - above * scale
                if (place - F32(base) - ONE) * per_focal * ahead > UNDERSIDE_M:
                    found_row = -1
                    break
                found_row = floor_int(min(max(place, ZERO), F32(base)))
                found_column = floor_int(min(max(center_x + aside * scale, ZERO), F32(width - 1)))
                if picture.tag[found_row, found_column] == SKY:
                    break
            if found_row < 0:
                continue
            seen, covered = _mean(sums, found_row, found_column, base)
            if covered <= ZERO:
                continue
            # what the sky's share was before gives way to what stands before it
            sky = gradient(air, -wz / stretch)
            before = _linear(picture, row, column)
            gained = plus(seen, sky, -covered)
            color = (
                max(ZERO, before[0] + share * gained[0]),
                max(ZERO, before[1] + share * gained[1]),
                max(ZERO, before[2] + share * gained[2]),
            )
            write_color(picture, row, column, color)
