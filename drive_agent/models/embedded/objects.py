"""Road users between pictures and the ego frame: what a cell of an object map means, and how peaks become objects.

A cell answers for an object whose centre it shows (after Zhou et al., "Objects as Points", 2019). Heading and motion
are told relative to the ray through the cell, because that is how a picture shows them; distance as a logarithm.
"""

from __future__ import annotations

import numpy as np

from drive_agent.models.embedded.config import HORIZONS_S
from drive_agent.rig import CELL_PX, CameraMount, cell_grid

KINDS = 3  # vehicle, cyclist, walker: values of types.ObjectKind
CENTER_HEIGHT_M = np.array([0.75, 0.9, 0.9])  # of each kind, above the ground

# Columns of an object map. The first three are logits of "the centre of a vehicle / cyclist / walker is here".
DEPTH, COLUMN, SIN, COS, SPEED, HALF_LENGTH, HALF_WIDTH, MOTION = 3, 4, 5, 6, 7, 8, 9, 10

_DEPTH_UNIT_M = 10.0
_SPEED_UNIT_MPS = 5.0

FIELDS = ("kind", "score", "x_m", "y_m", "heading_rad", "speed_mps", "half_length_m", "half_width_m") + tuple(
    f"d{axis}{second:.0f}_m" for second in HORIZONS_S for axis in "xy"
)


def _rotate(vectors: np.ndarray, angle_rad: np.ndarray) -> np.ndarray:
    """Vectors (..., k, 2) turned by angles (...)."""
    cos, sin = np.cos(angle_rad)[..., None], np.sin(angle_rad)[..., None]
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], -1)


def encode(objects: np.ndarray, camera: CameraMount) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a camera's object map should say about labelled objects (..., 13) (the data set's `objects` columns).

    Returns the place (..., 2) of the centres in cells (row, column, fractional), the values (..., 13) for the columns
    from DEPTH on, and whether the centre lies in the picture (...).
    """
    kind, x, y, heading, speed, half_length, half_width = np.moveaxis(objects[..., :7].astype(float), -1, 0)
    height = CENTER_HEIGHT_M[np.clip(kind, 0, KINDS - 1).astype(int)]
    pixels, depth = camera.project(np.stack([x, y, height], -1).reshape(-1, 3))
    place, depth = (pixels[:, ::-1] / CELL_PX).reshape(*kind.shape, 2), depth.reshape(kind.shape)
    rows, columns = cell_grid(camera)
    row, column = place[..., 0], place[..., 1]
    inside = (kind >= 0) & (depth > 0.5) & (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    bearing = np.arctan2(y - camera.y_m, x - camera.x_m)
    motion = objects[..., 7:13].reshape(*kind.shape, len(HORIZONS_S), 2)
    motion = _rotate(motion, -bearing) / (_SPEED_UNIT_MPS * np.array(HORIZONS_S)[:, None])
    values = [
        np.log(np.maximum(depth, 0.5) / _DEPTH_UNIT_M),
        column - np.floor(column) - 0.5,
        np.sin(heading - bearing),
        np.cos(heading - bearing),
        speed / _SPEED_UNIT_MPS,
        np.log(np.maximum(half_length, 0.1)),
        np.log(np.maximum(half_width, 0.1)),
    ]
    values = np.concatenate([np.stack(values, -1), motion.reshape(*kind.shape, 2 * len(HORIZONS_S))], -1)
    return place, values.astype(np.float32), inside


def decode(cells: np.ndarray, at: np.ndarray, camera: CameraMount) -> np.ndarray:
    """Inverse of `encode`: values (n, 13) of the cells (row, column) `at` (n, 2) as columns 2.. of FIELDS, (n, 12)."""
    depth = _DEPTH_UNIT_M * np.exp(np.clip(cells[:, 0], -3.0, 2.3))
    pixels = np.stack([(at[:, 1] + 0.5 + np.clip(cells[:, 1], -0.5, 0.5)), at[:, 0] + 0.5], -1) * CELL_PX
    ground = depth[:, None] * camera.ray(pixels)[:, :2] + (camera.x_m, camera.y_m)
    bearing = np.arctan2(ground[:, 1] - camera.y_m, ground[:, 0] - camera.x_m)
    heading = np.arctan2(cells[:, 2], cells[:, 3]) + bearing
    motion = cells[:, 7:13].reshape(-1, len(HORIZONS_S), 2)
    motion = _rotate(motion * (_SPEED_UNIT_MPS * np.array(HORIZONS_S)[:, None]), bearing)
    state = [
        ground,
        ((heading + np.pi) % (2 * np.pi) - np.pi)[:, None],
        np.maximum(cells[:, 4:5], 0.0) * _SPEED_UNIT_MPS,
        np.exp(np.clip(cells[:, 5:7], -2.5, 2.5)),
    ]
    return np.concatenate([*state, motion.reshape(len(cells), 2 * len(HORIZONS_S))], 1)


def peaks(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Cells (k, 3) (row, column, kind) of a score map (rows, columns, kinds) that beat their eight neighbours."""
    best = scores.max(-1)
    padded = np.pad(best, 1, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max((2, 3))
    row, column = np.nonzero((best >= around) & (best > threshold))
    return np.stack([row, column, scores[row, column].argmax(-1)], -1)


def lift(
    maps: list[np.ndarray], cameras: tuple[CameraMount, ...], threshold: float = 0.4, limit: int = 32
) -> np.ndarray:
    """Objects (n, len(FIELDS)) in the ego frame from one frame's object maps, the surest first.

    `maps` holds (cell rows, cell columns, OBJECT_OUTPUTS) for each camera, raw. One road user seen by two cameras, or
    twice by one, is told once: the surer one stays.
    """
    found = []
    for cells, camera in zip(maps, cameras, strict=True):
        scores = 1 / (1 + np.exp(-cells[..., :KINDS].astype(float)))
        at = peaks(scores, threshold)
        row, column, kind = at.T
        state = decode(cells[row, column, DEPTH:].astype(float), at[:, :2], camera)
        found.append(np.concatenate([kind[:, None], scores[row, column, kind][:, None], state], 1))
    objects = np.concatenate(found)
    return _without_doubles(objects[np.argsort(-objects[:, 1], kind="stable")])[:limit].astype(np.float32)


def _without_doubles(objects: np.ndarray) -> np.ndarray:
    """Objects (sorted, surest first) without those that lie on a surer one of the same kind.

    Depth errs with distance and bearing hardly does, so nearness is judged apart along and across the view.
    """
    distance = np.hypot(objects[:, 2], objects[:, 3])
    bearing = np.arctan2(objects[:, 3], objects[:, 2])
    along = np.abs(distance[:, None] - distance) < np.maximum(2.0, 0.15 * distance)
    across = np.abs(bearing[:, None] - bearing) * distance < 1.0 + 0.02 * distance
    same = along & across & (objects[:, None, 0] == objects[:, 0])
    keep = np.ones(len(objects), dtype=bool)
    for k in range(len(objects)):
        if keep[k]:
            keep[k + 1 :] &= ~same[k, k + 1 :]
    return objects[keep]
