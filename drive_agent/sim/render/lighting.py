"""How light falls on a point and comes back from it: sun with shadows, sky, lamps, gloss and fog."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.ground import GroundMap, TrafficGround, look_up
from drive_agent.sim.render.kernel import F32, Instances, Scalar, Triangles, View, device, floor_int
from drive_agent.sim.render.materials import LAMPS_ON, Conditions, surface
from drive_agent.sim.render.sky import Atmosphere, gradient
from drive_agent.sim.render.vectors import Color, Vector, dot, fading, mixed, plus, scaled, times

ZERO, HALF, ONE, TWO, FOUR = F32(0.0), F32(0.5), F32(1.0), F32(2.0), F32(4.0)
BRIGHTEST = F32(1.3)  # of a surface that is lit; only lamps are brighter
LAMP_COLOR: Color = (F32(0.75), F32(0.62), F32(0.40))
BEAM_COLOR: Color = (F32(0.90), F32(0.88), F32(0.78))


class ShadowMap(NamedTuple):
    """What the sun sees: closeness of the nearest far side."""

    closeness: np.ndarray  # float32 (h, w)
    seen_from: View
    bias_m: np.float32


class Light(NamedTuple):
    """Everything that lights a surface or changes its looks."""

    air: Atmosphere
    now: Conditions
    town_shadow: ShadowMap
    traffic_shadow: ShadowMap
    lamps: GroundMap
    traffic: TrafficGround


@device
def _sunlit(shadow: ShadowMap, point: Vector) -> Scalar:
    """Share of the sun that reaches a point: the four nearest texels, interpolated."""
    view, texels = shadow.seen_from, shadow.closeness
    x, y, z = point[0] - view.position[0], point[1] - view.position[1], point[2] - view.position[2]
    axes = view.axes
    u = view.center_x + view.focal * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]) - HALF
    v = view.center_y - view.focal * (x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]) - HALF
    column, row = floor_int(u), floor_int(v)
    if column < 0 or row < 0 or column >= texels.shape[1] - 1 or row >= texels.shape[0] - 1:
        return ONE
    limit = shadow.bias_m - (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2])
    fu, fv = u - F32(column), v - F32(row)
    near = (ONE - fu if texels[row, column] <= limit else ZERO) + (
        fu if texels[row, column + 1] <= limit else ZERO
    )
    row += 1
    far = (ONE - fu if texels[row, column] <= limit else ZERO) + (
        fu if texels[row, column + 1] <= limit else ZERO
    )
    return near * (ONE - fv) + far * fv


@device
def _lamp_light(light: Light, point: Vector, normal_z: Scalar) -> Color:
    """Light of street lamps and headlamps; both fade with the height above their ground."""
    x, y, z = point
    pool = look_up(light.lamps, light.lamps.value, x, y)
    if pool > ZERO:
        above = max(ZERO, z - look_up(light.lamps, light.lamps.height, x, y))
        pool *= max(ZERO, ONE - above * F32(0.14)) * (F32(0.55) + F32(0.45) * normal_z)
    beams = light.traffic.beams
    beam = look_up(beams, beams.value, x, y)
    if beam > ZERO:
        above = max(ZERO, z - look_up(beams, beams.height, x, y) - F32(0.8))
        beam *= max(ZERO, ONE - above * HALF)
    return plus(scaled(LAMP_COLOR, pool), BEAM_COLOR, beam)


@device
def _irradiance(light: Light, point: Vector, normal: Vector, is_ground: Scalar) -> tuple[Color, Scalar]:
    """Light that falls on a point from sky, sun and lamps; and the share of the sun that reaches it."""
    air = light.air
    sky = F32(0.68) + F32(0.32) * normal[2]
    if is_ground:
        sky *= ONE - F32(0.62) * look_up(light.traffic.beams, light.traffic.shade, point[0], point[1])
    total = scaled(air.ambient, sky)
    facing = dot(normal, air.sun_direction)
    sunlit = ZERO
    if facing > ZERO and air.sun_color[0] > ZERO:
        sunlit = _sunlit(light.town_shadow, point)
        if sunlit > ZERO:
            sunlit = min(sunlit, _sunlit(light.traffic_shadow, point))
        total = plus(total, air.sun_color, facing * sunlit)
    if air.night > LAMPS_ON:
        total = plus(total, _lamp_light(light, point, normal[2]), ONE)
    return total, sunlit


@device
def mirror_strength(facing: Scalar) -> Scalar:
    """How much of what comes from the mirrored direction is seen; `facing` is the ray's part along the normal, below 0."""
    grazing = ONE + facing
    return F32(0.25) + F32(0.75) * grazing * grazing * grazing


@device
def _reflection(air: Atmosphere, ray: Vector, normal: Vector, sunlit: Scalar) -> tuple[Color, Scalar]:
    """Sky and sun mirrored in a glossy surface, and its strength at this angle (Schlick's approximation, rougher)."""
    facing = dot(ray, normal)
    mirrored = plus(ray, normal, -TWO * facing)
    color = gradient(air, mirrored[2])
    glint = dot(mirrored, air.sun_direction)
    if glint > F32(0.9):
        glint *= glint
        glint *= glint
        glint *= glint
        glint *= glint
        color = plus(color, air.sun_color, glint * glint * sunlit * FOUR)
    return color, mirror_strength(facing)


@device
def _world_normal(triangles: Triangles, t: int, instances: Instances, i: int) -> Vector:
    x, y, z = triangles.normals[t, 0], triangles.normals[t, 1], triangles.normals[t, 2]
    if i == 0:
        return x, y, z
    turn = instances.rotations[i]
    return (
        turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z,
        turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z,
        turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z,
    )


@device
def point_color(
    light: Light,
    triangles: Triangles,
    t: int,
    instances: Instances,
    i: int,
    point: Vector,
    ray: Vector,
    length: Scalar,
    footprint: Scalar,
) -> Color:
    """Colour of a point of triangle t of instance i, seen along the unit vector `ray` from `length` metres away."""
    air = light.air
    color, gloss, glow = surface(triangles, t, instances, i, point, footprint, light.now)
    if glow < ONE:
        normal = _world_normal(triangles, t, instances, i)
        is_ground = i == 0 and normal[2] > F32(0.7)
        received, sunlit = _irradiance(light, point, normal, is_ground)
        shown = ONE - glow
        color = times(
            color, (glow + shown * received[0], glow + shown * received[1], glow + shown * received[2])
        )
        if gloss > ZERO:
            mirrored, strength = _reflection(air, ray, normal, sunlit)
            color = mixed(color, mirrored, gloss * strength)
    if length > air.fog_start_m:
        # fog is thickest below and thins with height: half way along a ray that climbs stands for all of it
        thinner = ONE
        if ray[2] > ZERO:
            thinner = fading(air.fog_falloff_per_m * HALF * ray[2] * length)
        haze = ONE - fading((length - air.fog_start_m) * air.fog_per_m * thinner)
        # Lamps pierce fog farther than lit surfaces do.
        color = mixed(color, air.fog, haze * F32(0.6) if glow == ONE else haze)
    if glow == ONE:
        return color
    return min(color[0], BRIGHTEST), min(color[1], BRIGHTEST), min(color[2], BRIGHTEST)
