"""CARLA's 14 weather numbers become light and air for the shader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from drive_agent.sim.render.kernel import F32
from drive_agent.sim.render.sky import Atmosphere

# The shadow map is drawn again when the sun has moved; whole steps keep slow weather changes cheap.
SUN_STEP_DEG = 0.5
_USUAL_MIE, _USUAL_RAYLEIGH = 0.03, 0.0331  # of CARLA's presets: the sky is as it was painted
_STORM = 100.0  # wind intensity at which rain falls at 45 degrees


@dataclass(frozen=True)
class Weather:
    """`carla.WeatherParameters` in its own order and units; the defaults are a clear noon."""

    cloudiness: float = 15.0  # percent
    precipitation: float = 0.0  # percent
    precipitation_deposits: float = 0.0  # percent
    wind_intensity: float = 0.0
    sun_azimuth_deg: float = 45.0
    sun_altitude_deg: float = 60.0
    fog_density: float = 2.0  # percent
    fog_distance: float = 0.75  # metres
    fog_falloff: float = 0.1
    wetness: float = 0.0  # percent
    scattering: float = 1.0
    mie: float = 0.03
    rayleigh: float = 0.0331
    dust_storm: float = 0.0

    @staticmethod
    def from_carla(values: Sequence[float]) -> Weather:
        """14 floats in CARLA's order. CARLA marks "leave as it is" by negative numbers: they mean the default.

        A sun below the horizon is a negative altitude between -90 and 0, so only -1 means "default" there.
        """
        names = [field.name for field in fields(Weather)]
        if len(values) != len(names):
            raise ValueError(f"weather has {len(values)} values; expected {len(names)}: {', '.join(names)}")
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"weather {list(values)} is not finite; expected 14 finite floats")
        given = {}
        for name, value in zip(names, values, strict=True):
            untouched = value == -1.0 if name == "sun_altitude_deg" else value < 0.0
            if not untouched:
                given[name] = float(value)
        return Weather(**given)


def _mix(a: npt.ArrayLike, b: npt.ArrayLike, share: float) -> np.ndarray:
    return np.asarray(a, float) * (1.0 - share) + np.asarray(b, float) * share


def _triple(values: np.ndarray) -> tuple[np.float32, np.float32, np.float32]:
    """Three float32, as kernels want them."""
    return F32(values[0]), F32(values[1]), F32(values[2])


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _sun_direction(weather: Weather) -> np.ndarray:
    """Unit vector (3,) towards the light that casts shadows: the sun, by night a moon."""
    altitude = round(weather.sun_altitude_deg / SUN_STEP_DEG) * SUN_STEP_DEG
    azimuth = math.radians(round(weather.sun_azimuth_deg / SUN_STEP_DEG) * SUN_STEP_DEG)
    if altitude < -4.0:
        altitude = 50.0
    altitude = math.radians(max(altitude, 4.0))
    flat = math.cos(altitude)
    return np.array([flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(altitude)])


def _scattered(color: np.ndarray, weather: Weather) -> np.ndarray:
    """A sky colour with more or less of its hue (Rayleigh: small particles) and of a white haze (Mie: large ones)."""
    hue = 0.4 + 0.6 * min(weather.rayleigh / _USUAL_RAYLEIGH, 2.0)
    grey = float(color.mean())
    haze = min(max((weather.mie - _USUAL_MIE) * 2.0, 0.0), 0.6)
    return _mix(np.maximum(grey + (color - grey) * hue, 0.0), np.full(3, max(0.8, grey) * grey**0.5), haze)


def _glare(weather: Weather) -> float:
    """How strongly the air about the sun shines."""
    large = min(max(weather.mie / _USUAL_MIE, 0.0), 16.0) ** 0.5
    return min(max(weather.scattering, 0.0), 4.0) ** 0.5 * large


def atmosphere(weather: Weather) -> Atmosphere:
    """Colours and strengths; tuned by eye so that noon, dusk, fog, rain and night are told apart at once."""
    day = _ramp(weather.sun_altitude_deg, -7.0, 8.0)
    high_sun = _ramp(weather.sun_altitude_deg, 2.0, 28.0)
    clouds = min(weather.cloudiness / 100.0, 1.0)
    overcast = _ramp(clouds, 0.45, 1.0)
    dust = min(weather.dust_storm / 100.0, 1.0)
    horizon = _mix(_mix([0.95, 0.55, 0.30], [0.60, 0.70, 0.82], high_sun), [0.58, 0.60, 0.63], overcast)
    zenith = _mix(_mix([0.22, 0.28, 0.50], [0.13, 0.29, 0.66], high_sun), [0.45, 0.47, 0.50], overcast)
    horizon, zenith = _scattered(horizon, weather), _scattered(zenith, weather)
    dim = 1.0 - 0.28 * overcast - 0.12 * min(weather.precipitation / 100.0, 1.0)
    horizon = _mix([0.020, 0.024, 0.038], horizon * dim, day)
    zenith = _mix([0.004, 0.006, 0.016], zenith * dim, day)
    horizon = _mix(horizon, np.array([0.55, 0.40, 0.24]) * (0.1 + 0.9 * day), dust)
    sun = _mix([1.00, 0.55, 0.28], [1.10, 1.05, 0.95], high_sun) * (0.25 + 0.85 * high_sun) * day
    sun = sun * (1.0 - 0.97 * overcast) * (1.0 - 0.8 * dust)
    if weather.sun_altitude_deg < -4.0:
        sun = np.array([0.022, 0.026, 0.040]) * (1.0 - 0.8 * overcast)
    ambient_day = _mix([0.42, 0.40, 0.42], [0.47, 0.50, 0.56], high_sun) * dim * (0.70 + 0.30 * high_sun)
    ambient_day = ambient_day * (1.0 + 0.25 * overcast)
    ambient = _mix([0.030, 0.034, 0.050], ambient_day, day)
    night = 1.0 - _ramp(weather.sun_altitude_deg, -6.0, 6.0)
    cloud_color = _mix([0.035, 0.038, 0.05], _mix([0.93, 0.92, 0.92], [0.62, 0.63, 0.66], overcast), day)
    fog = _mix(horizon, [0.66, 0.68, 0.70], 0.6 * day) * (0.7 + 0.3 * day)
    fog = fog * (0.9 + 0.1 * min(max(weather.scattering, 0.0), 3.0))
    density = min(weather.fog_density / 100.0, 1.0)
    thick = _ramp(density, 0.15, 0.7)
    zenith, cloud_color = _mix(zenith, fog, thick), _mix(cloud_color, fog, 0.8 * thick)
    precipitation = min(weather.precipitation / 100.0, 1.0)
    fog_per_m = 0.0005 + 0.045 * density**1.5 + 0.03 * dust + 0.002 * precipitation
    return Atmosphere(
        horizon=_triple(horizon),
        zenith=_triple(zenith),
        fog=_triple(_mix(horizon, fog, min(1.0, 3 * density))),
        sun_direction=_triple(_sun_direction(weather)),
        sun_color=_triple(sun),
        ambient=_triple(ambient),
        cloud_color=_triple(cloud_color),
        cloud_cover=F32(0.15 + 0.85 * clouds),
        sun_glare=F32((1.0 - overcast) * day * (1.0 - dust) * _glare(weather)),
        fog_per_m=F32(fog_per_m),
        fog_falloff_per_m=F32(min(max(weather.fog_falloff, 0.0), 5.0)),
        fog_start_m=F32(min(max(weather.fog_distance, 0.0), 200.0)),
        wetness=F32(min(max(weather.wetness, weather.precipitation_deposits) / 100.0, 1.0)),
        rain=F32(precipitation),
        rain_slant=F32(min(max(weather.wind_intensity, 0.0) / _STORM, 1.5)),
        night=F32(night),
        lit_windows=F32(0.45 * night),
    )
