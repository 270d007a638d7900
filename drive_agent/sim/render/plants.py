"""Trees, bushes, hedges and grass."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, Rgb, cylinder, join, mesh_of, quads, shaded, sphere

BARK, BIRCH_BARK = (0.36, 0.28, 0.20), (0.82, 0.80, 0.75)
LEAVES, NEEDLES, POPLAR, BIRCH = (
    (0.30, 0.44, 0.16),
    (0.16, 0.30, 0.17),
    (0.33, 0.46, 0.20),
    (0.40, 0.52, 0.20),
)
HEDGE, GRASS = (0.24, 0.37, 0.14), (0.42, 0.49, 0.22)
STREET_KINDS = range(5)  # broad trees
WILD_KINDS = range(5, 15)  # of all sorts, made of fewer triangles: they stand farther away
_FIRS, _POPLARS, _BIRCHES = range(5, 8), range(8, 10), range(10, 12)


def _trunk(height: float, radius: float, color: Rgb = BARK) -> Mesh:
    return cylinder(
        radius, height + 0.6, (0, 0, (height - 0.4) / 2), color, labels.VEGETATION, end_radius=0.65 * radius, sides=6, caps=False
    )  # fmt: skip


def _leaves(
    radii: tuple[float, float, float], center: tuple[float, float, float], color: Rgb, fine: int
) -> Mesh:
    return sphere(radii, center, color, labels.VEGETATION, materials.FOLIAGE, fine)


@lru_cache
def tree(kind: int) -> Mesh:
    """One of a few trees 5 to 11 m high, trunk at the origin; the same number is always the same tree."""
    rng = np.random.default_rng(100 + kind)
    if kind in _FIRS:
        return _fir(rng)
    if kind in _POPLARS:
        return _poplar(rng)
    if kind in _BIRCHES:
        return _birch(rng)
    return _broad(rng, 1 if kind in STREET_KINDS else 0)


def _broad(rng: np.random.Generator, fine: int) -> Mesh:
    trunk = rng.uniform(2.0, 2.8)
    parts = [_trunk(trunk + 0.6, 0.17)]
    for level in range(4):
        radius = rng.uniform(1.0, 1.5) * (1.15 - 0.13 * level)
        spread = 0.9 if level < 3 else 0.3
        center = (rng.uniform(-spread, spread), rng.uniform(-spread, spread), trunk + 0.6 + 0.75 * level)
        shade = 0.85 + 0.09 * level
        color = (LEAVES[0] * shade, LEAVES[1] * shade * rng.uniform(0.92, 1.08), LEAVES[2] * shade)
        radii = (radius, radius * rng.uniform(0.85, 1.1), radius * rng.uniform(0.75, 0.9))
        parts.append(_leaves(radii, center, color, fine if level % 2 else 0))
    return join(parts)


def _fir(rng: np.random.Generator) -> Mesh:
    """Cones upon cones, narrower and lighter towards the top."""
    height, radius = rng.uniform(7.0, 9.5), rng.uniform(1.5, 2.0)
    parts = [_trunk(1.2, 0.16)]
    levels = 4
    for level in range(levels):
        low = 0.9 + (height - 0.9) * level / (levels + 0.6)
        high = low + (height - 0.9) / (levels - 1.2)
        wide = radius * (1.0 - 0.21 * level)
        color = shaded(NEEDLES, 0.85 + 0.10 * level)
        parts.append(
            cylinder(
                wide, min(high, height) - low, (0, 0, (low + min(high, height)) / 2), color, labels.VEGETATION, materials.FOLIAGE,
                sides=7, end_radius=0.05, turn_rad=rng.uniform(0, 1), caps=False,
            )
        )  # fmt: skip
    return join(parts)


def _poplar(rng: np.random.Generator) -> Mesh:
    """A slim column."""
    height = rng.uniform(8.5, 10.5)
    parts = [_trunk(1.8, 0.2)]
    for level, wide in enumerate((1.05, 1.2, 0.85)):
        middle = 1.4 + height * (0.22 + 0.27 * level)
        radii = (wide, wide * rng.uniform(0.85, 1.1), 0.24 * height)
        center = (rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), middle)
        parts.append(_leaves(radii, center, shaded(POPLAR, 0.86 + 0.08 * level), 0))
    return join(parts)


def _birch(rng: np.random.Generator) -> Mesh:
    """A white trunk under a light crown."""
    trunk = rng.uniform(3.0, 3.8)
    parts = [_trunk(trunk + 1.2, 0.13, BIRCH_BARK)]
    for level in range(3):
        wide = rng.uniform(0.8, 1.2) * (1.1 - 0.18 * level)
        center = (rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), trunk + 0.9 * level)
        parts.append(_leaves((wide, wide, 1.15 * wide), center, shaded(BIRCH, 0.86 + 0.1 * level), 0))
    return join(parts)


@lru_cache
def bush() -> Mesh:
    """A round bush about 1.2 m high at the origin."""
    return join(
        [
            _leaves((0.8, 0.7, 0.65), (0, 0, 0.45), (0.27, 0.40, 0.15), 0),
            _leaves((0.6, 0.6, 0.5), (0.6, 0.3, 0.35), (0.30, 0.43, 0.17), 0),
        ]
    )


@lru_cache
def tuft() -> Mesh:
    """A tuft of tall grass 0.5 m high at the origin."""
    blades = [
        cylinder(0.16, 0.5, (x, y, 0.22), shaded(GRASS, shade), labels.VEGETATION, materials.FOLIAGE, sides=3, end_radius=0.02,
                 turn_rad=turn, caps=False)
        for x, y, shade, turn in ((0.0, 0.0, 1.0, 0.0), (0.22, 0.1, 0.85, 0.5), (-0.06, 0.24, 1.1, 1.0))
    ]  # fmt: skip
    return join(blades)


def hedge(line: np.ndarray, height_m: float, half_width_m: float, rng: np.random.Generator) -> Mesh:
    """A hedge over a nearly straight polyline (n, 3) on the ground: uneven as hedges are that nobody cuts."""
    count = len(line)
    forward = line[-1] - line[0]
    aside = np.array([-forward[1], forward[0], 0.0]) / np.hypot(forward[0], forward[1])
    tall = height_m * rng.uniform(0.82, 1.18, count)
    profile = ((-1.0, -0.15), (-1.05, 0.6), (-0.45, 1.0), (0.5, 0.97), (1.05, 0.55), (1.0, -0.15))
    rings = np.empty((count, len(profile), 3))
    for k, (across, up) in enumerate(profile):
        wide = half_width_m * across * rng.uniform(0.85, 1.2, count)
        rings[:, k] = line + aside * wide[:, None] + np.array([0.0, 0.0, 1.0]) * (tall * up)[:, None]
    sides = [
        quads(rings[:-1, k], rings[1:, k], rings[1:, k + 1], rings[:-1, k + 1])
        for k in range(len(profile) - 1)
    ]
    for ring in (rings[0], rings[-1]):
        sides.append(
            np.stack([np.stack([ring[0], ring[k], ring[k + 1]]) for k in range(1, len(profile) - 1)])
        )
    middle = line.mean(0) + [0, 0, height_m / 2]
    triangles = np.concatenate(sides)
    colors = np.asarray(HEDGE) * rng.uniform(0.85, 1.15, (len(triangles), 1))
    return mesh_of(triangles, colors, labels.VEGETATION, materials.FOLIAGE, middle)
