"""Letters and digits for signs, as flat bars that face backwards (towards the driver who comes from -x)."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, Rgb, join, mesh_of

# Strokes of a seven-segment display, (y0, z0, y1, z1) in a cell 1 wide and 2 high around its centre.
_SEGMENTS = {
    "a": (-0.5, 1.0, 0.5, 1.0),
    "b": (0.5, 0.0, 0.5, 1.0),
    "c": (0.5, -1.0, 0.5, 0.0),
    "d": (-0.5, -1.0, 0.5, -1.0),
    "e": (-0.5, -1.0, -0.5, 0.0),
    "f": (-0.5, 0.0, -0.5, 1.0),
    "g": (-0.5, 0.0, 0.5, 0.0),
    "m": (0.0, -1.0, 0.0, 1.0),
}
_STROKES = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "S": "afgcd", "T": "am", "O": "abcdef", "P": "abefg",
}  # fmt: skip


def text(characters: str, height_m: float, x: float, z: float, color: Rgb) -> Mesh:
    """Characters side by side around y = 0 in the plane x, facing -x. Unknown characters raise KeyError."""
    unit, stroke = height_m / 2, height_m * 0.09
    meshes = []
    for k, character in enumerate(characters):
        middle = (k - (len(characters) - 1) / 2) * unit * 1.5
        for segment in _STROKES[character]:
            y0, z0, y1, z1 = np.array(_SEGMENTS[segment]) * unit + [middle, z, middle, z]
            low = [min(y0, y1) - stroke, min(z0, z1) - stroke]
            high = [max(y0, y1) + stroke, max(z0, z1) + stroke]
            a, b, c, d = ([x, *p] for p in (low, [high[0], low[1]], high, [low[0], high[1]]))
            meshes.append(
                mesh_of(
                    [[a, b, c], [a, c, d]],
                    color,
                    labels.TRAFFIC_SIGNS,
                    materials.SIGN,
                    np.array([x + 1.0, 0, z]),
                )
            )
    return join(meshes)
