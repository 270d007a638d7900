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
from drive_agent.sim.render.vectors import Color, Vector, fading, plus

ZERO, HALF, ONE = F32(0.0), F32(0.5), F32(1.0)
BYTE = F32(1.0 / 255.0)
BRIGHTEST_BYTE = np.uint8(255)
SMEAR, SMEAR_ASIDE = F32(0.25), F32(0.07)  # of a mirrored thing's height above its foot
WIDEST = 2  # columns to either side
UNDERSIDE_M = F32(
    0.4
)  # so far under a thing its mirror image is its own dark underside; lower, one sees past it
LEAST_ROWS = F32(0.6)  # to either side: mirror images are never sharp
LAMP_GAIN = F32(2.2)  # lamps are brighter than a picture can show
PAVED_GLOSS = F32(0.25)  # of wet slabs and paint, as in materials.py
SAME_DEPTH = F32(0.02)  # as a share of it: no need to look again
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
        sums[0, column, 0] = sums[0, column, 1] = sums[0, column, 2] = sums[0, column, 3] = ZERO
    for row in range(height):
        for column in range(width):
            red, green, blue = sums[row, column, 0], sums[row, column, 1], sums[row, column, 2]
            count = sums[row, column, 3]
            tag = picture.tag[row, column]
            if tag != SKY and not _is_ground(tag):
                color = _linear(picture, row, column)
                gain = ONE
                if tag != BUILDINGS and max(color[0], max(color[1], color[2])) >= ONE:
                    # the light of rooms is as bright as it looks, that of lamps brighter
                    gain += LAMP_GAIN * max(night, ONE - min(color[0], min(color[1], color[2])))
                red, green, blue = red + gain * color[0], green + gain * color[1], blue + gain * color[2]
                count += ONE
            sums[row + 1, column, 0] = red
            sums[row + 1, column, 1] = green
            sums[row + 1, column, 2] = blue
            sums[row + 1, column, 3] = count


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


@device
def _add(picture: Picture, row: int, column: int, share: Scalar, gained: Color) -> None:
    color = plus(_linear(picture, row, column), gained, share)
    write_color(picture, row, column, (max(ZERO, color[0]), max(ZERO, color[1]), max(ZERO, color[2])))


@device
def _met(view: View, picture: Picture, base: int, column: int, depth: Scalar, way: Vector) -> tuple[int, int]:
    """Row and column of what the mirrored ray meets, row -1 where it meets nothing known.

    `way`: from the eye to the ground at `depth`, over `depth`; `base`: row of the lowest thing above it on the screen.
    """
    axes = view.axes
    per_focal = F32(SAMPLES_PER_SIDE) / view.focal
    # the mirrored ray's part along the camera's axis; a camera that looks down sees nothing mirrored
    forward = way[0] * axes[0, 0] + way[1] * axes[0, 1] - way[2] * axes[0, 2]
    if forward < F32(0.2):
        return -1, column
    found_row, found_column, looked_at = base, column, ZERO
    for _ in range(2):
        # along the mirrored ray to the distance of what was found last
        found = picture.depth_m[found_row, found_column]
        if abs(found - looked_at) < SAME_DEPTH * found:
            break
        looked_at = found
        along = (found - depth) / forward
        if along <= ZERO:  # what is nearer than the ground hangs before it
            return -1, column
        x, y, z = way[0] * (depth + along), way[1] * (depth + along), way[2] * (depth - along)
        ahead = max(x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2], F32(0.01))
        aside = x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]
        above = x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]
        scale = ONE / (per_focal * ahead)
        place = view.center_y / F32(SAMPLES_PER_SIDE) - above * scale
        if place - F32(base) - ONE > UNDERSIDE_M * scale:
            return -1, column
        found_row = floor_int(min(max(place, ZERO), F32(base)))
        place = view.center_x / F32(SAMPLES_PER_SIDE) + aside * scale
        found_column = floor_int(min(max(place, ZERO), F32(picture.tag.shape[1] - 1)))
        if picture.tag[found_row, found_column] == SKY:
            break
    return found_row, found_column


@kernel
def mirror(view: View, picture: Picture, air: Atmosphere, scratch: MirrorScratch) -> None:
    """Mirror things in the wet ground of a shaded picture. Every second column takes over what its left neighbour found."""
    height, width = picture.tag.shape
    sums, feet = scratch.sums, scratch.feet
    _add_up(picture, sums, air.night)
    for column in range(width):
        feet[column] = -1
    per_focal = F32(SAMPLES_PER_SIDE) / view.focal
    center_x, center_y = view.center_x / F32(SAMPLES_PER_SIDE), view.center_y / F32(SAMPLES_PER_SIDE)
    axes, eye = view.axes, view.position
    for row in range(height):
        kept_tag, kept_share, kept = SKY, ZERO, (ZERO, ZERO, ZERO)
        c = (center_y - F32(row) - HALF) * per_focal
        for column in range(width):
            tag = picture.tag[row, column]
            if not _is_ground(tag):
                feet[column] = row if tag != SKY else -1
                continue
            if column & 1 and tag == kept_tag:
                _add(picture, row, column, kept_share, kept)
                continue
            kept_tag = SKY
            base = feet[column]
            if base < 0 or tag == TERRAIN:
                continue
            a = (F32(column) + HALF - center_x) * per_focal
            way = (
                axes[0, 0] + a * axes[1, 0] + c * axes[2, 0],
                axes[0, 1] + a * axes[1, 1] + c * axes[2, 1],
                axes[0, 2] + a * axes[1, 2] + c * axes[2, 2],
            )
            if way[2] >= ZERO:
                continue
            depth = picture.depth_m[row, column]
            stretch = math.sqrt(ONE + a * a + c * c)
            share = mirror_strength(way[2] / stretch)
            share *= fading(max(ZERO, depth * stretch - air.fog_start_m) * air.fog_per_m)
            if share < LEAST_SHARE:
                continue
            found_row, found_column = _met(view, picture, base, column, depth, way)
            if found_row < 0:
                continue
            seen, covered = _mean(sums, found_row, found_column, base)
            if covered <= ZERO:
                continue
            gloss = PAVED_GLOSS * air.wetness
            if tag == ROADS:
                gloss = wet_gloss(eye[0] + way[0] * depth, eye[1] + way[1] * depth, air.wetness)
            # what the sky's share was before gives way to what stands before it
            kept = plus(seen, gradient(air, -way[2] / stretch), -covered)
            kept_tag, kept_share = tag, share * gloss
            _add(picture, row, column, kept_share, kept)
