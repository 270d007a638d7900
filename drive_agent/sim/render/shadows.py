"""Shadow maps: the world as the sun sees it. One for the whole town, one for the actors around a place."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render.kernel import F32, Draws, Instances, Projected, Triangles, View
from drive_agent.sim.render.lighting import ShadowMap
from drive_agent.sim.render.raster import fill, project

EMPTY = F32(-1e9)
SUN_DISTANCE_M = 600.0


def sun_view(center: np.ndarray, toward_sun: np.ndarray, extent_m: float, texels: int) -> View:
    """An orthographic view along the sun's rays that covers `extent_m` around a centre (3,)."""
    forward = -np.asarray(toward_sun, float)
    right = np.cross([0.0, 0.0, 1.0], forward)
    right /= np.linalg.norm(right)
    axes = np.stack([forward, right, np.cross(forward, right)])
    half = F32(texels / 2.0)
    return View(
        (np.asarray(center, float) - forward * SUN_DISTANCE_M).astype(np.float32),
        np.ascontiguousarray(axes, np.float32),
        F32(texels / extent_m),
        half,
        half,
        texels,
        texels,
        EMPTY,
        -EMPTY,
        True,
    )


def shadow_map(
    view: View, triangles: Triangles, draws: Draws, instances: Instances, scratch: Projected, bias_m: float
) -> ShadowMap:
    """Draw `draws` as the sun sees them. `scratch` has room for two triangles per triangle drawn."""
    closeness = np.full((view.height, view.width), EMPTY, np.float32)
    winner = np.empty((view.height, view.width), np.int32)
    count = project(view, triangles, draws, instances, scratch)
    fill(scratch, count, closeness, winner, 0, view.height)
    return ShadowMap(closeness, view, F32(bias_m))
