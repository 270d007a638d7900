"""Maps of the ground seen from above: light of street lamps, light of headlamps, and the dark under vehicles.

One lookup a pixel replaces a loop over lamps. Light is scalar; its colour is chosen where it is used.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.kernel import F32, Scalar, device, floor_int, kernel

ZERO, ONE = F32(0.0), F32(1.0)
LAMP_RANGE_M = 17.0
BEAM_RANGE_M = 38.0  # of the low beam; the high one reaches twice as far


class GroundMap(NamedTuple):
    """A value per square of ground and the height of that ground."""

    value: np.ndarray  # float32 (rows along y, columns along x)
    height: np.ndarray  # float32, same shape, metres
    x0: np.float32  # world, metres, of the first column's centre
    y0: np.float32
    cells_per_m: np.float32


@device
def look_up(ground: GroundMap, values: np.ndarray, x: Scalar, y: Scalar) -> Scalar:
    """Bilinear value at world (x, y), 0 outside."""
    u = (x - ground.x0) * ground.cells_per_m
    v = (y - ground.y0) * ground.cells_per_m
    column, row = floor_int(u), floor_int(v)
    if column < 0 or row < 0 or column >= values.shape[1] - 1 or row >= values.shape[0] - 1:
        return ZERO
    fu, fv = u - F32(column), v - F32(row)
    near = values[row, column] + (values[row, column + 1] - values[row, column]) * fu
    far = values[row + 1, column] + (values[row + 1, column + 1] - values[row + 1, column]) * fu
    return near + (far - near) * fv


@kernel
def _add_lamps(
    lamps: np.ndarray,
    value: np.ndarray,
    height: np.ndarray,
    x0: Scalar,
    y0: Scalar,
    cells_per_m: Scalar,
    reach: Scalar,
) -> None:
    for k in range(lamps.shape[0]):
        column0 = int((lamps[k, 0] - reach - x0) * cells_per_m)
        row0 = int((lamps[k, 1] - reach - y0) * cells_per_m)
        span = int(2 * reach * cells_per_m) + 1
        for row in range(max(0, row0), min(value.shape[0], row0 + span)):
            for column in range(max(0, column0), min(value.shape[1], column0 + span)):
                dx = x0 + column / cells_per_m - lamps[k, 0]
                dy = y0 + row / cells_per_m - lamps[k, 1]
                share = 1.0 - math.sqrt(dx * dx + dy * dy) / reach
                if share > 0.0:
                    light = share * share * lamps[k, 3]
                    if light > value[row, column]:
                        height[row, column] = lamps[k, 2]
                    value[row, column] += light


def lamp_map(lamps: np.ndarray, low: np.ndarray, high: np.ndarray, cells_per_m: float = 0.5) -> GroundMap:
    """Light pools of street lamps. lamps: float64 (n, 3), foot of each pool (x, y, ground height), metres."""
    shape = (int((high[1] - low[1]) * cells_per_m) + 2, int((high[0] - low[0]) * cells_per_m) + 2)
    dark = np.zeros(shape, np.float32)
    empty = GroundMap(dark, dark, F32(low[0]), F32(low[1]), F32(cells_per_m))
    feet = np.asarray(lamps, np.float64).reshape(-1, 3)
    return relit_lamp_map(empty, np.column_stack([feet, np.ones(len(feet))]), low)


def relit_lamp_map(like: GroundMap, lamps: np.ndarray, low: np.ndarray) -> GroundMap:
    """A lamp map of the same ground. lamps: float64 (n, 4), foot of each pool and its brightness, 1 is normal, 0 is off."""
    value, height = np.zeros_like(like.value), np.zeros_like(like.height)
    _add_lamps(lamps, value, height, low[0], low[1], float(like.cells_per_m), LAMP_RANGE_M)
    return like._replace(value=value, height=height)


class TrafficGround(NamedTuple):
    """What actors do to the ground around one place: headlamp light, and shade of the sky under bodies."""

    beams: GroundMap
    shade: np.ndarray  # float32, same shape as beams.value, 0 open sky .. 1 covered


@kernel
def _add_actors(
    poses: np.ndarray, beams: np.ndarray, shade: np.ndarray, height: np.ndarray, x0: Scalar, y0: Scalar,
    cells_per_m: Scalar, with_beams: Scalar,
) -> None:  # fmt: skip
    """poses: float64 (n, 7) x, y, z, yaw_rad, half-length, half-width, beam (0 off, 1 low, 2 high)."""
    rows, columns = shade.shape
    for k in range(poses.shape[0]):
        x, y, yaw, half_length, half_width = poses[k, 0], poses[k, 1], poses[k, 3], poses[k, 4], poses[k, 5]
        lit = with_beams and poses[k, 6] > 0.0
        beam_m = BEAM_RANGE_M * poses[k, 6]
        c, s = math.cos(yaw), math.sin(yaw)
        reach = half_length + (beam_m if lit else 1.0)
        row0, row1 = int((y - reach - y0) * cells_per_m), int((y + reach - y0) * cells_per_m) + 2
        column0, column1 = int((x - reach - x0) * cells_per_m), int((x + reach - x0) * cells_per_m) + 2
        for row in range(max(0, row0), min(rows, row1)):
            for column in range(max(0, column0), min(columns, column1)):
                dx, dy = x0 + column / cells_per_m - x, y0 + row / cells_per_m - y
                ahead, aside = dx * c + dy * s, abs(-dx * s + dy * c)
                out = max(abs(ahead) - half_length, aside - half_width)
                if out < 0.6:
                    cover = min(1.0, (0.6 - out) / 0.9)
                    shade[row, column] = max(shade[row, column], cover)
                    height[row, column] = poses[k, 2]
                front = ahead - half_length
                if lit and front > 0.0 and front < beam_m:
                    width = 1.2 + 0.28 * front
                    across = max(0.0, 1.0 - (aside / width) ** 2)
                    along = min(1.0, front / 3.0) * (1.0 - front / beam_m) ** 2
                    beams[row, column] += 1.6 * across * along
                    height[row, column] = poses[k, 2]


def traffic_ground(
    poses: np.ndarray,
    center_x: float,
    center_y: float,
    half_size_m: float,
    cells_per_m: float,
    *,
    with_beams: bool,
) -> TrafficGround:
    """Stamp actors onto the ground around a centre. poses: float64 (n, 7), see `_add_actors`."""
    side = int(2 * half_size_m * cells_per_m)
    beams, shade, height = (np.zeros((side, side), np.float32) for _ in range(3))
    x0, y0 = center_x - half_size_m, center_y - half_size_m
    _add_actors(poses, beams, shade, height, x0, y0, cells_per_m, with_beams)
    return TrafficGround(GroundMap(beams, height, F32(x0), F32(y0), F32(cells_per_m)), shade)
