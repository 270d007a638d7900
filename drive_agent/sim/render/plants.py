"""Trees and bushes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, cylinder, join, sphere

BARK = (0.36, 0.28, 0.20)
KINDS = 5


@lru_cache
def tree(kind: int) -> Mesh:
    """One of a few tree shapes about 6 m high, trunk at the origin; the same number is always the same tree."""
    rng = np.random.default_rng(100 + kind)
    trunk = rng.uniform(2.0, 2.8)
    parts = [
        cylinder(
            0.17,
            trunk + 0.8,
            (0, 0, (trunk + 0.2) / 2),
            BARK,
            labels.VEGETATION,
            end_radius=0.11,
            sides=6,
            caps=False,
        )
    ]
    for level in range(4):
        radius = rng.uniform(1.0, 1.5) * (1.15 - 0.13 * level)
        spread = 0.9 if level < 3 else 0.3
        center = (rng.uniform(-spread, spread), rng.uniform(-spread, spread), trunk + 0.6 + 0.75 * level)
        shade = 0.85 + 0.09 * level
        color = (0.30 * shade, 0.44 * shade * rng.uniform(0.92, 1.08), 0.16 * shade)
        radii = (radius, radius * rng.uniform(0.85, 1.1), radius * rng.uniform(0.75, 0.9))
        parts.append(
            sphere(
                radii, center, color, labels.VEGETATION, materials.FOLIAGE, subdivisions=1 if level % 2 else 0
            )
        )
    return join(parts)


@lru_cache
def bush() -> Mesh:
    """A round bush about 1.2 m high at the origin."""
    return join(
        [
            sphere(
                (0.8, 0.7, 0.65), (0, 0, 0.45), (0.27, 0.40, 0.15), labels.VEGETATION, materials.FOLIAGE, 0
            ),
            sphere(
                (0.6, 0.6, 0.5), (0.6, 0.3, 0.35), (0.30, 0.43, 0.17), labels.VEGETATION, materials.FOLIAGE, 0
            ),
        ]
    )
