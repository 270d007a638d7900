"""Do oriented rectangles overlap: exactly, by separating axes, for whole arrays. Knows nothing of cars."""

from __future__ import annotations

import numpy as np


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Bool (...): do rectangles (..., 5) given as centre x, y, width, length, yaw share an area (shapes broadcast).

    Two rectangles are apart if and only if they are apart along an axis of one of them (separating axis theorem).
    """
    gap = second[..., :2] - first[..., :2]
    turn = second[..., 4] - first[..., 4]
    cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    along_1, across_1 = _projected(gap, first[..., 4])
    along_2, across_2 = _projected(gap, second[..., 4])
    width_1, length_1 = first[..., 2] / 2, first[..., 3] / 2
    width_2, length_2 = second[..., 2] / 2, second[..., 3] / 2
    return (
        (along_1 < length_1 + length_2 * cos + width_2 * sin)
        & (across_1 < width_1 + length_2 * sin + width_2 * cos)
        & (along_2 < length_2 + length_1 * cos + width_1 * sin)
        & (across_2 < width_2 + length_1 * sin + width_1 * cos)
    )


def _projected(gap: np.ndarray, yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.abs(cos * gap[..., 0] + sin * gap[..., 1]), np.abs(cos * gap[..., 1] - sin * gap[..., 0])
