"""Dense labels from a simulator's depth and semantic pictures: depth, classes and lit bulbs per cell of a picture.

Knows CARLA's tags and encodings, nothing of its client.
"""

from __future__ import annotations

import numpy as np

from drive_agent.data.shards import CLASSES, encode_depth
from drive_agent.rig import CELL_PX
from drive_agent.types import LightState

FAR_PLANE_M = 1000.0  # of CARLA's depth camera
# carla.CityObjectLabel -> index of data.shards.CLASSES; what is not named here is "other"
TAGS = {
    "road": (1, 25), "marking": (24,), "pavement": (2,), "terrain": (9, 10), "sky": (11,),
    "vehicle": (14, 15, 16, 18, 19), "walker": (12, 13), "sign_or_light": (7, 8),
}  # fmt: skip
TRAFFIC_LIGHT_TAG = 7
BRIGHT, SATURATED = 110, 0.55  # of a lit bulb; an unlit one is nearly black


def _class_of_tag() -> np.ndarray:
    table = np.full(256, CLASSES.index("other"), dtype=np.uint8)
    for name, tags in TAGS.items():
        table[list(tags)] = CLASSES.index(name)
    return table


CLASS_OF_TAG = _class_of_tag()


def decode_depth(bgra: np.ndarray) -> np.ndarray:
    """Metres (h, w) along the optical axis from a raw picture of CARLA's depth camera (h, w, 4)."""
    value = (
        bgra[..., 2].astype(np.float32) + bgra[..., 1] * np.float32(256) + bgra[..., 0] * np.float32(65536)
    )
    return value * np.float32(FAR_PLANE_M / (256**3 - 1))


def _cells(values: np.ndarray) -> np.ndarray:
    """(h, w) as (rows, columns, pixels of a cell)."""
    h, w = values.shape
    blocks = values.reshape(h // CELL_PX, CELL_PX, w // CELL_PX, CELL_PX)
    return blocks.transpose(0, 2, 1, 3).reshape(h // CELL_PX, w // CELL_PX, CELL_PX * CELL_PX)


def depth_cells(depth_m: np.ndarray) -> np.ndarray:
    """Mean log depth, uint8 (rows, columns)."""
    return _cells(encode_depth(depth_m)).mean(-1).astype(np.uint8)


def class_cells(tags: np.ndarray) -> np.ndarray:
    """Histogram of the classes scaled to 255, uint8 (rows, columns, classes)."""
    cells = _cells(CLASS_OF_TAG[tags])
    rows, columns, pixels = cells.shape
    offset = np.arange(rows * columns)[:, None] * len(CLASSES)
    counts = np.bincount(
        (cells.reshape(-1, pixels) + offset).ravel(), minlength=rows * columns * len(CLASSES)
    )
    return (counts.reshape(rows, columns, len(CLASSES)) * 255 // pixels).astype(np.uint8)


def bulb_cells(rgb: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """Colour of a lit bulb in each cell (types.LightState, 0 for none), uint8 (rows, columns)."""
    r, g, b = (rgb[..., k].astype(np.float32) for k in range(3))
    top, low = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
    lit = (tags == TRAFFIC_LIGHT_TAG) & (top > BRIGHT) & (top - low > SATURATED * top)
    color = np.zeros(tags.shape, dtype=np.uint8)
    color[lit & (r == top) & (g < 0.5 * r)] = LightState.RED
    color[lit & (r == top) & (g >= 0.5 * r)] = LightState.YELLOW
    color[lit & (g == top) & (g > r)] = LightState.GREEN
    counts = np.stack([(_cells(color) == state).sum(-1) for state in range(4)], -1)
    counts[..., 0] = 0
    return counts.argmax(-1).astype(np.uint8)
