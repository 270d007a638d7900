"""From the visibility buffer to pictures: colour, depth, tag and instance of every pixel.

A pixel has 2 x 2 samples. Each distinct triangle among them is shaded once and weighted by its samples, so
edges are smooth and insides cost one shading. Depth, tag and instance are of the triangle with most samples: labels
never blend.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from drive_agent.sim.render import labels
from drive_agent.sim.render.kernel import (
    F32,
    Instances,
    Projected,
    Scalar,
    Triangles,
    View,
    device,
    floor_int,
    kernel,
)
from drive_agent.sim.render.lighting import Light, point_color
from drive_agent.sim.render.noise import cell_hash
from drive_agent.sim.render.sky import Atmosphere, sky_color
from drive_agent.sim.render.vectors import Color, mixed, plus, scaled

ZERO, HALF, ONE, FOUR = F32(0.0), F32(0.5), F32(1.0), F32(4.0)
SKY_DEPTH_M = F32(1000.0)
SKY = labels.SKY
SAMPLES_PER_SIDE = 2  # of a pixel; a constant, so that the loops over them are unrolled
SAMPLES = SAMPLES_PER_SIDE * SAMPLES_PER_SIDE


class Picture(NamedTuple):
    """Arrays to be filled."""

    bgra: np.ndarray  # uint8 (h, w, 4)
    depth_m: np.ndarray  # float32 (h, w), along the camera's forward axis, at most 1000; sky 1000
    tag: np.ndarray  # uint8 (h, w)
    instance: np.ndarray  # int32 (h, w)


class Distinct(NamedTuple):
    """Scratch of one thread: the distinct triangles among the samples of a pixel, with sums over their samples."""

    who: np.ndarray  # int32 (samples,), row of Projected, -1 sky
    weight: np.ndarray  # int32 (samples,), number of samples
    closeness: np.ndarray  # float32 (samples,)
    u: np.ndarray  # float32 (samples,), sample columns
    v: np.ndarray  # float32 (samples,), sample rows


def distinct_buffers() -> Distinct:
    """Room for the samples of a pixel."""
    ints = (np.empty(SAMPLES, np.int32) for _ in range(2))
    floats = (np.empty(SAMPLES, np.float32) for _ in range(3))
    return Distinct(*ints, *floats)


@device
def _gather(nearest: np.ndarray, winner: np.ndarray, row: int, column: int, distinct: Distinct) -> int:
    """Fill `distinct` for a pixel and return the number of its triangles."""
    top, left = row * SAMPLES_PER_SIDE, column * SAMPLES_PER_SIDE
    below, beside = top + 1, left + 1
    first = winner[top, left]
    if first == winner[top, beside] and first == winner[below, left] and first == winner[below, beside]:
        # most pixels belong to one triangle: no search for others
        distinct.who[0], distinct.weight[0] = first, SAMPLES
        distinct.closeness[0] = (
            nearest[top, left] + nearest[top, beside] + nearest[below, left] + nearest[below, beside]
        )
        distinct.u[0], distinct.v[0] = F32(SAMPLES * beside), F32(SAMPLES * below)
        return 1
    count = 0
    for j in range(top, top + SAMPLES_PER_SIDE):
        for k in range(left, left + SAMPLES_PER_SIDE):
            q = winner[j, k]
            m = 0
            while m < count and distinct.who[m] != q:
                m += 1
            if m == count:
                distinct.who[m], distinct.weight[m], distinct.closeness[m] = q, 0, ZERO
                distinct.u[m], distinct.v[m] = ZERO, ZERO
                count += 1
            distinct.weight[m] += 1
            distinct.closeness[m] += nearest[j, k]
            distinct.u[m] += F32(k) + HALF
            distinct.v[m] += F32(j) + HALF
    return count


@device
def _rain(color: Color, air: Atmosphere, row: int, column: int, seed: int) -> Color:
    """Bright streaks, slanting with the wind."""
    column += floor_int(F32(row) * air.rain_slant)
    if cell_hash(column, (row + 3 * column) // 14, seed) < F32(0.09) * air.rain:
        return mixed(color, air.fog, F32(0.16) * air.rain)
    return color


@device
def _to_byte(value: Scalar) -> np.uint8:
    return np.uint8(min(math.sqrt(max(value, ZERO)) * F32(255), F32(255)))


@device
def write_color(picture: Picture, row: int, column: int, color: Color) -> None:
    """Display curve (gamma 2). Lamps are brighter than white: their channels shrink together and keep the hue."""
    brightest = max(color[0], max(color[1], color[2]))
    if brightest > ONE:
        color = scaled(color, ONE / brightest)
    picture.bgra[row, column, 0] = _to_byte(color[2])
    picture.bgra[row, column, 1] = _to_byte(color[1])
    picture.bgra[row, column, 2] = _to_byte(color[0])
    picture.bgra[row, column, 3] = 255


@device
def _write_labels(
    picture: Picture, row: int, column: int, depth: Scalar, tag: Scalar, instance: Scalar
) -> None:
    picture.depth_m[row, column] = min(depth, SKY_DEPTH_M)
    picture.tag[row, column] = tag
    picture.instance[row, column] = instance


@kernel
def shade(
    view: View,
    projected: Projected,
    nearest: np.ndarray,
    winner: np.ndarray,
    triangles: Triangles,
    instances: Instances,
    light: Light,
    picture: Picture,
    top: int,
    bottom: int,
    distinct: Distinct,
) -> None:
    """Fill the rows [top, bottom) of `picture` from a visibility buffer of 2 x 2 samples a pixel.

    A triangle is shaded at the mean place of its samples, the middle of the pixel where it fills it. Closeness is
    linear on the screen, so the mean of its samples is the exact depth of that place.
    """
    samples, per_focal = F32(SAMPLES), ONE / view.focal
    axes, eye, air = view.axes, view.position, light.air
    # Streaks of rain jump as the camera moves.
    rain_seed = floor_int(eye[0] * FOUR) * 7919 + floor_int(eye[1] * FOUR)
    for row in range(top, bottom):
        for column in range(picture.tag.shape[1]):
            count = _gather(nearest, winner, row, column, distinct)
            largest = 0
            for m in range(1, count):
                if distinct.weight[m] > distinct.weight[largest]:
                    largest = m
            pixel = (ZERO, ZERO, ZERO)
            for m in range(count):
                weight = F32(distinct.weight[m])
                per_weight = ONE / weight
                a = (distinct.u[m] * per_weight - view.center_x) * per_focal
                c = (view.center_y - distinct.v[m] * per_weight) * per_focal
                # The ray's part along the camera's forward axis is 1: depth times it is the way to the point.
                way = (
                    axes[0, 0] + a * axes[1, 0] + c * axes[2, 0],
                    axes[0, 1] + a * axes[1, 1] + c * axes[2, 1],
                    axes[0, 2] + a * axes[1, 2] + c * axes[2, 2],
                )
                stretch = math.sqrt(ONE + a * a + c * c)
                ray = scaled(way, ONE / stretch)
                q = distinct.who[m]
                if q < 0:
                    color = sky_color(air, ray)
                    if m == largest:
                        _write_labels(picture, row, column, SKY_DEPTH_M, SKY, 0)
                else:
                    t, i = projected.triangle[q], projected.instance[q]
                    depth = weight / distinct.closeness[m]
                    point = plus((eye[0], eye[1], eye[2]), way, depth)
                    footprint = depth * F32(SAMPLES_PER_SIDE) * per_focal
                    color = point_color(
                        light, triangles, t, instances, i, point, ray, depth * stretch, footprint
                    )
                    if m == largest:
                        instance = instances.ids[i] if i > 0 else triangles.objects[t]
                        _write_labels(picture, row, column, depth, triangles.tags[t], instance)
                pixel = plus(pixel, color, weight / samples)
            if air.rain > ZERO:
                pixel = _rain(pixel, air, row, column, rain_seed)
            write_color(picture, row, column, pixel)
