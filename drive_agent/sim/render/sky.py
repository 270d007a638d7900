"""Sky, sun disc and clouds, and the one value that says how the air and the light are at the moment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.kernel import F32, Scalar, device
from drive_agent.sim.render.noise import value_noise
from drive_agent.sim.render.vectors import Color, Vector, dot, mixed, plus

ZERO, ONE = F32(0.0), F32(1.0)
HALO: Color = (F32(1.0), F32(0.9), F32(0.7))
INSIDE_DISC = F32(0.9994)  # cosine of the angle to the sun's centre; larger than the real sun, as in a glare


class Atmosphere(NamedTuple):
    """Light and air of the whole picture. Colours are linear (r, g, b) of float32; made by weather.py."""

    horizon: Color
    zenith: Color
    fog: Color  # what distance fades to
    sun_direction: Vector  # unit, towards the sun (by night towards the moon)
    sun_color: Color  # irradiance of a surface that faces it
    ambient: Color  # irradiance from the whole sky
    cloud_color: Color
    cloud_cover: np.float32  # 0..1
    sun_glare: np.float32  # 0..1, brightness of the disc and its halo
    fog_per_m: np.float32  # extinction
    fog_start_m: np.float32
    wetness: np.float32  # 0..1
    fog_falloff_per_m: np.float32  # how fast fog thins with height
    rain: np.float32  # 0..1
    rain_slant: np.float32  # sideways per downwards: wind
    night: np.float32  # 0..1: lamps on, windows lit
    lit_windows: np.float32  # 0..1, share of windows with light


@device
def gradient(air: Atmosphere, up: Scalar) -> Color:
    """Clear sky for a direction whose vertical component is `up`."""
    down = ONE - min(max(up, ZERO), ONE)
    return mixed(air.horizon, air.zenith, ONE - down * down * down)


@device
def _cloud_share(air: Atmosphere, ray: Vector) -> Scalar:
    """How much of the sky a cloud covers in a direction: three octaves of noise on a flat layer."""
    spread = F32(1.3) / (ray[2] + F32(0.08))
    u, v = ray[0] * spread, ray[1] * spread
    shape = F32(0.55) * value_noise(u, v)
    if shape + F32(0.451) < ONE - air.cloud_cover:
        return ZERO  # whatever the finer octaves add
    shape += F32(0.3) * value_noise(u * F32(2.3), v * F32(2.3))
    if shape + F32(0.151) < ONE - air.cloud_cover:
        return ZERO
    shape += F32(0.15) * value_noise(u * F32(5.1), v * F32(5.1))
    share = min(max((shape - (ONE - air.cloud_cover)) * F32(3), ZERO), ONE)
    return share * min(ray[2] * F32(6), ONE)


@device
def sky_color(air: Atmosphere, ray: Vector) -> Color:
    """Sky with sun and clouds in a unit direction."""
    color = gradient(air, ray[2])
    toward_sun = dot(ray, air.sun_direction)
    if toward_sun > F32(0.9) and air.sun_glare > ZERO:
        halo = toward_sun * toward_sun
        halo *= halo
        halo *= halo
        halo *= halo
        halo *= halo
        glare = F32(1.5) if toward_sun > INSIDE_DISC else F32(0.35) * halo * halo
        color = plus(color, HALO, glare * air.sun_glare)
    if ray[2] > F32(0.02) and air.cloud_cover > ZERO:
        color = mixed(color, air.cloud_color, _cloud_share(air, ray))
    return color
