"""From the visibility buffer to pictures: colour, depth, tag and instance of every pixel.

A pixel has scale x scale samples. Each distinct triangle among them is shaded once and weighted by its samples, so
edges are smooth and insides cost one shading. Depth, tag and instance are of the triangle with most samples: labels
never blend.
"""

import math
from typing import NamedTuple

import numpy as np

from drive_agent.sim.render import labels
from drive_agent.sim.render.ground import GroundMap, TrafficGround, look_up
from drive_agent.sim.render.kernel import (
    F32,
    Instances,
    Projected,
    Triangles,
    View,
    device,
    floor_int,
    kernel,
)
from drive_agent.sim.render.materials import surface
from drive_agent.sim.render.noise import cell_hash
from drive_agent.sim.render.sky import Atmosphere, gradient, sky_color

ZERO, HALF, ONE, TWO, FOUR = F32(0.0), F32(0.5), F32(1.0), F32(2.0), F32(4.0)
SKY_DEPTH_M = F32(1000.0)
SKY = labels.SKY


class ShadowMap(NamedTuple):
    """What the sun sees: closeness of the nearest far side."""

    closeness: np.ndarray  # float32 (h, w)
    seen_from: View
    bias_m: np.float32


class Light(NamedTuple):
    """Everything that lights a surface."""

    air: Atmosphere
    town_shadow: ShadowMap
    traffic_shadow: ShadowMap
    lamps: GroundMap
    traffic: TrafficGround
    light_states: np.ndarray  # uint8 (lights,)


class Picture(NamedTuple):
    """Arrays to be filled."""

    bgra: np.ndarray  # uint8 (h, w, 4)
    depth_m: np.ndarray  # float32 (h, w), along the camera's forward axis; sky 1000
    tag: np.ndarray  # uint8 (h, w)
    instance: np.ndarray  # int32 (h, w)


@device
def _sunlit(shadow: ShadowMap, x: float, y: float, z: float) -> float:
    """Share of the sun that reaches a point: the four nearest texels, interpolated."""
    view = shadow.seen_from
    ax, ay, az = x - view.position[0], y - view.position[1], z - view.position[2]
    axes = view.axes
    u = view.center_x + view.focal * (ax * axes[1, 0] + ay * axes[1, 1] + az * axes[1, 2]) - HALF
    v = view.center_y - view.focal * (ax * axes[2, 0] + ay * axes[2, 1] + az * axes[2, 2]) - HALF
    column, row = floor_int(u), floor_int(v)
    texels = shadow.closeness
    if column < 0 or row < 0 or column >= texels.shape[1] - 1 or row >= texels.shape[0] - 1:
        return ONE
    limit = shadow.bias_m - (ax * axes[0, 0] + ay * axes[0, 1] + az * axes[0, 2])
    fu, fv = u - F32(column), v - F32(row)
    near = ZERO
    if texels[row, column] <= limit:
        near += ONE - fu
    if texels[row, column + 1] <= limit:
        near += fu
    far = ZERO
    if texels[row + 1, column] <= limit:
        far += ONE - fu
    if texels[row + 1, column + 1] <= limit:
        far += fu
    return near * (ONE - fv) + far * fv


@device
def _irradiance(light: Light, x, y, z, nx, ny, nz, is_ground):
    """Light that falls on a point: sky, sun, lamps; returns r, g, b and the sunlit share."""
    air = light.air
    sky = F32(0.68) + F32(0.32) * nz
    if is_ground:
        sky *= ONE - F32(0.62) * look_up(light.traffic.beams, light.traffic.shade, x, y)
    r, g, b = air.ambient[0] * sky, air.ambient[1] * sky, air.ambient[2] * sky
    sun = nx * air.sun_direction[0] + ny * air.sun_direction[1] + nz * air.sun_direction[2]
    sunlit = ZERO
    if sun > ZERO and air.sun_color[0] > ZERO:
        sunlit = _sunlit(light.town_shadow, x, y, z)
        if sunlit > ZERO:
            sunlit = min(sunlit, _sunlit(light.traffic_shadow, x, y, z))
        sun *= sunlit
        r, g, b = r + sun * air.sun_color[0], g + sun * air.sun_color[1], b + sun * air.sun_color[2]
    if air.night > F32(0.3):
        pool = look_up(light.lamps, light.lamps.value, x, y)
        if pool > ZERO:
            above = z - look_up(light.lamps, light.lamps.height, x, y)
            pool *= max(ZERO, ONE - max(ZERO, above) * F32(0.14)) * (F32(0.55) + F32(0.45) * nz)
        beam = look_up(light.traffic.beams, light.traffic.beams.value, x, y)
        if beam > ZERO:
            above = z - look_up(light.traffic.beams, light.traffic.beams.height, x, y)
            beam *= max(ZERO, ONE - max(ZERO, above - F32(0.8)) * F32(0.5))
        r += F32(0.75) * pool + F32(0.9) * beam
        g += F32(0.62) * pool + F32(0.88) * beam
        b += F32(0.40) * pool + F32(0.78) * beam
    return r, g, b, sunlit


@device
def _point_color(
    light: Light, triangles: Triangles, t, instances: Instances, i, x, y, z, dx, dy, dz, length, footprint
):
    """Colour of a point of triangle t seen along the unit direction d from `length` metres away."""
    air = light.air
    r, g, b, gloss, glow = surface(
        triangles,
        t,
        instances,
        i,
        x,
        y,
        z,
        footprint,
        air.wetness,
        air.night,
        air.lit_windows,
        light.light_states,
    )
    if glow < ONE:
        nx, ny, nz = triangles.normals[t, 0], triangles.normals[t, 1], triangles.normals[t, 2]
        if i > 0:
            turn = instances.rotations[i]
            nx, ny, nz = (
                turn[0, 0] * nx + turn[0, 1] * ny + turn[0, 2] * nz,
                turn[1, 0] * nx + turn[1, 1] * ny + turn[1, 2] * nz,
                turn[2, 0] * nx + turn[2, 1] * ny + turn[2, 2] * nz,
            )
        is_ground = i == 0 and nz > F32(0.7)
        light_r, light_g, light_b, sunlit = _irradiance(light, x, y, z, nx, ny, nz, is_ground)
        shown = ONE - glow
        r, g, b = r * (glow + shown * light_r), g * (glow + shown * light_g), b * (glow + shown * light_b)
        if gloss > ZERO:
            facing = dx * nx + dy * ny + dz * nz
            rx, ry, rz = dx - TWO * facing * nx, dy - TWO * facing * ny, dz - TWO * facing * nz
            grazing = ONE + facing
            share = gloss * (F32(0.25) + F32(0.75) * grazing * grazing * grazing)
            sky_r, sky_g, sky_b = gradient(air, rz)
            glint = rx * air.sun_direction[0] + ry * air.sun_direction[1] + rz * air.sun_direction[2]
            if glint > F32(0.9):
                glint *= glint
                glint *= glint
                glint *= glint
                glint *= glint
                glint *= glint * sunlit * FOUR
                sky_r, sky_g, sky_b = (
                    sky_r + glint * air.sun_color[0],
                    sky_g + glint * air.sun_color[1],
                    sky_b + glint * air.sun_color[2],
                )
            r, g, b = r + (sky_r - r) * share, g + (sky_g - g) * share, b + (sky_b - b) * share
    if length > air.fog_start_m:
        haze = ONE - math.exp(-(length - air.fog_start_m) * air.fog_per_m)
        if glow == ONE:
            haze *= F32(0.6)
        r, g, b = r + (air.fog[0] - r) * haze, g + (air.fog[1] - g) * haze, b + (air.fog[2] - b) * haze
    if glow < ONE:
        return min(r, F32(1.3)), min(g, F32(1.3)), min(b, F32(1.3))
    return r, g, b


class Distinct(NamedTuple):
    """Scratch of one thread: the distinct triangles among the samples of a pixel, with sums over their samples."""

    who: np.ndarray  # int32 (samples,), row of Projected, -1 sky
    weight: np.ndarray  # int32 (samples,), number of samples
    closeness: np.ndarray  # float32 (samples,)
    u: np.ndarray  # float32 (samples,), sample columns
    v: np.ndarray  # float32 (samples,), sample rows


def distinct_buffers(scale: int) -> Distinct:
    """Room for the scale x scale samples of a pixel."""
    samples = scale * scale
    ints = (np.empty(samples, np.int32) for _ in range(2))
    floats = (np.empty(samples, np.float32) for _ in range(3))
    return Distinct(*ints, *floats)


@device
def _gather(nearest, winner, row, column, scale, distinct: Distinct) -> int:
    """Fill `distinct` for a pixel and return the number of its triangles."""
    count = 0
    for j in range(row * scale, row * scale + scale):
        for k in range(column * scale, column * scale + scale):
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
def _to_byte(value: float) -> np.uint8:
    return np.uint8(min(math.sqrt(max(value, ZERO)) * F32(255), F32(255)))


@kernel
def shade(
    view: View,
    scale: int,
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
    """Fill the rows [top, bottom) of `picture` from a visibility buffer of scale x scale samples a pixel.

    A triangle is shaded at the mean place of its samples, the middle of the pixel where it fills it. Closeness is
    linear on the screen, so the mean of its samples is the exact depth of that place.
    """
    samples = F32(scale * scale)
    axes, eye, air = view.axes, view.position, light.air
    for row in range(top, bottom):
        for column in range(picture.tag.shape[1]):
            count = _gather(nearest, winner, row, column, scale, distinct)
            largest = 0
            for m in range(1, count):
                if distinct.weight[m] > distinct.weight[largest]:
                    largest = m
            red, green, blue = ZERO, ZERO, ZERO
            for m in range(count):
                weight = F32(distinct.weight[m])
                u, v = distinct.u[m] / weight, distinct.v[m] / weight
                a, c = (u - view.center_x) / view.focal, (view.center_y - v) / view.focal
                dx = axes[0, 0] + a * axes[1, 0] + c * axes[2, 0]
                dy = axes[0, 1] + a * axes[1, 1] + c * axes[2, 1]
                dz = axes[0, 2] + a * axes[1, 2] + c * axes[2, 2]
                stretch = math.sqrt(ONE + a * a + c * c)
                q = distinct.who[m]
                if q < 0:
                    r, g, b = sky_color(air, dx / stretch, dy / stretch, dz / stretch)
                    if m == largest:
                        picture.depth_m[row, column] = SKY_DEPTH_M
                        picture.tag[row, column] = SKY
                        picture.instance[row, column] = 0
                else:
                    t, i = projected.triangle[q], projected.instance[q]
                    depth = weight / distinct.closeness[m]
                    r, g, b = _point_color(
                        light,
                        triangles,
                        t,
                        instances,
                        i,
                        eye[0] + depth * dx,
                        eye[1] + depth * dy,
                        eye[2] + depth * dz,
                        dx / stretch,
                        dy / stretch,
                        dz / stretch,
                        depth * stretch,
                        depth * F32(scale) / view.focal,
                    )
                    if m == largest:
                        picture.depth_m[row, column] = depth
                        picture.tag[row, column] = triangles.tags[t]
                        picture.instance[row, column] = instances.ids[i] if i > 0 else triangles.objects[t]
                share = weight / samples
                red, green, blue = red + r * share, green + g * share, blue + b * share
            if air.rain > ZERO:
                streak = cell_hash(F32(column), F32((row + 3 * column) // 14), 17)
                if streak < F32(0.09) * air.rain:
                    fall = F32(0.16) * air.rain
                    red, green, blue = (
                        red + (air.fog[0] - red) * fall,
                        green + (air.fog[1] - green) * fall,
                        blue + (air.fog[2] - blue) * fall,
                    )
            # Lamps are brighter than white: all channels shrink together, so that they keep their hue.
            brightest = max(red, max(green, blue))
            if brightest > ONE:
                red, green, blue = red / brightest, green / brightest, blue / brightest
            picture.bgra[row, column, 0] = _to_byte(blue)
            picture.bgra[row, column, 1] = _to_byte(green)
            picture.bgra[row, column, 2] = _to_byte(red)
            picture.bgra[row, column, 3] = 255
