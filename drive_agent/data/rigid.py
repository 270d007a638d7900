"""Rigid transforms in space, as matrices and as nuScenes' quaternions (w first). Knows only numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rigid(rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """The 4 x 4 transform of a rotation matrix and a translation."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation
    return matrix


def about_z(yaw_rad: float) -> np.ndarray:
    """Rotation matrix (3, 3)."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def yaw_of(matrix: np.ndarray) -> float:
    """Heading of the x axis of a transform (3, 3) or (4, 4)."""
    return float(np.arctan2(matrix[1, 0], matrix[0, 0]))


def rotation_matrix(quaternion: Sequence[float] | np.ndarray) -> np.ndarray:
    """Rotation matrix (3, 3) of a quaternion of any length but 0."""
    w, x, y, z = np.asarray(quaternion, float) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_of(matrix: np.ndarray) -> np.ndarray:
    """Unit quaternion with w >= 0 of a rotation matrix (3, 3), by its largest component (Shepperd's method)."""
    xx, yy, zz = np.diag(matrix)
    (_, xy, xz), (yx, _, yz), (zx, zy, _) = matrix
    rows = np.array(
        [
            [1 + xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz],
        ]
    )
    row = rows[int(np.argmax(np.diag(rows)))]
    unit = row / np.linalg.norm(row)
    return unit if unit[0] >= 0 else -unit
