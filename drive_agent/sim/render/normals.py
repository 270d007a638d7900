"""Surface normals of a picture, read off the visibility buffer: of the triangle that depth, tag and instance are of."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render.kernel import Instances, Projected, Triangles
from drive_agent.sim.render.shade import SAMPLES, SAMPLES_PER_SIDE


def surface_normals(
    winner: np.ndarray, projected: Projected, triangles: Triangles, instances: Instances
) -> np.ndarray:
    """float32 (h, w, 3), unit, world axes; zero for the sky. winner: int32 (2 h, 2 w), row of `projected`, -1 sky."""
    side = SAMPLES_PER_SIDE
    samples = np.stack([winner[j::side, k::side] for j in range(side) for k in range(side)])
    votes = np.stack([(samples == samples[k]).sum(0) for k in range(SAMPLES)])
    chosen = np.take_along_axis(samples, votes.argmax(0)[None], 0)[0]
    is_sky = chosen < 0
    rows = np.where(is_sky, 0, chosen)
    own = triangles.normals[projected.triangle[rows]]
    normals = np.einsum("hwij,hwj->hwi", instances.rotations[projected.instance[rows]], own)
    normals[is_sky] = 0.0
    return normals.astype(np.float32)
