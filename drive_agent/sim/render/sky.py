"""Sky, sun disc and clouds, and the one value that says how the air and the light are at the moment."""

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.kernel import F32, device
from drive_agent.sim.render.noise import value_noise

ZERO, ONE = F32(0.0), F32(1.0)


class Atmosphere(NamedTuple):
    """Light and air of the whole picture. Colours are linear; made by weather.py."""

    horizon: np.ndarray  # float32 (3,)
    zenith: np.ndarray  # float32 (3,)
    fog: np.ndarray  # float32 (3,), colour that distance fades to
    sun_direction: np.ndarray  # float32 (3,), unit, towards the sun (by night towards the moon)
    sun_color: np.ndarray  # float32 (3,), irradiance of a surface that faces it
    ambient: np.ndarray  # float32 (3,), irradiance from the whole sky
    cloud_cover: np.float32  # 0..1
    cloud_color: np.ndarray  # float32 (3,)
    sun_glare: np.float32  # 0..1, brightness of the disc and its halo
    fog_per_m: np.float32  # extinction
    fog_start_m: np.float32
    wetness: np.float32  # 0..1
    rain: np.float32  # 0..1
    night: np.float32  # 0..1: lamps on, windows lit
    lit_windows: np.float32  # 0..1, share of windows with light


@device
def gradient(air: Atmosphere, up: float) -> tuple[float, float, float]:
    """Clear sky for a direction whose vertical component is `up`."""
    t = min(max(up, ZERO), ONE)
    t = ONE - t
    t = ONE - t * t * t
    return (
        air.horizon[0] + (air.zenith[0] - air.horizon[0]) * t,
        air.horizon[1] + (air.zenith[1] - air.horizon[1]) * t,
        air.horizon[2] + (air.zenith[2] - air.horizon[2]) * t,
    )


@device
def sky_color(air: Atmosphere, dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """Sky with sun and clouds in a unit direction."""
    r, g, b = gradient(air, dz)
    toward_sun = dx * air.sun_direction[0] + dy * air.sun_direction[1] + dz * air.sun_direction[2]
    if toward_sun > F32(0.9) and air.sun_glare > ZERO:
        halo = toward_sun * toward_sun
        halo = halo * halo
        halo = halo * halo
        halo = halo * halo
        halo = halo * halo * F32(0.35) * air.sun_glare
        if toward_sun > F32(0.9994):
            halo = air.sun_glare * F32(1.5)
        r, g, b = r + halo, g + halo * F32(0.9), b + halo * F32(0.7)
    if dz > F32(0.02) and air.cloud_cover > ZERO:
        spread = F32(1.3) / (dz + F32(0.08))
        u, v = dx * spread, dy * spread
        shape = F32(0.55) * value_noise(u, v) + F32(0.3) * value_noise(u * F32(2.3), v * F32(2.3))
        shape += F32(0.15) * value_noise(u * F32(5.1), v * F32(5.1))
        cover = min(max((shape - (ONE - air.cloud_cover)) * F32(3), ZERO), ONE) * min(dz * F32(6), ONE)
        r += (air.cloud_color[0] - r) * cover
        g += (air.cloud_color[1] - g) * cover
        b += (air.cloud_color[2] - b) * cover
    return r, g, b
