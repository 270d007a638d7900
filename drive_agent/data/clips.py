"""A recorded drive as key frames: what open loop reads, whether it comes from nuScenes or from a run of ours.

A `Clip` is one scene; poses and boxes are in its world frame, right-handed, z up. The ego frame is the rear axle on
the ground, the lidar frame that of LIDAR_TOP (x right, y forward), which published planners speak in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

KEY_FRAME_S = 0.5
LIDAR_T = np.array([0.943713, 0.0, 1.84023])  # where nuScenes' car carries LIDAR_TOP, for drives without one
LIDAR_YAW_RAD = -np.pi / 2


@dataclass(frozen=True)
class Boxes:
    """Annotated agents of one key frame, in world; row k is agent `instances[k]`."""

    instances: tuple[str, ...]
    categories: tuple[str, ...]  # nuScenes' category names
    centers: np.ndarray  # (n, 3)
    sizes: np.ndarray  # (n, 3) width, length, height
    axes: np.ndarray  # (n, 3) unit vector to each box's front
    visibility: np.ndarray  # (n,) nuScenes' token 1 to 4, 0 where it is not told
    points: np.ndarray  # (n,) lidar and radar points inside
    attributes: tuple[
        str, ...
    ]  # what each does, in nuScenes' words ("vehicle.moving"); "" where it is not told


@dataclass(frozen=True)
class CameraShot:
    """One picture of a key frame, not read yet."""

    name: str
    time_us: int
    width: int
    height: int
    intrinsic: np.ndarray  # (3, 3)
    camera_to_ego: np.ndarray  # (4, 4); camera axes x right, y down, z forward
    read: Callable[[], bytes]  # the JPEG; raises ValueError when the file is not there


@dataclass(frozen=True)
class KeyFrame:
    """One sample."""

    token: str
    time_us: int
    ego_to_world: np.ndarray  # (4, 4)
    lidar_to_ego: np.ndarray  # (4, 4)
    boxes: Boxes
    cameras: tuple[CameraShot, ...]


@dataclass(frozen=True)
class Clip:
    """One scene, key frames 0.5 s apart in order."""

    name: str
    location: str
    frames: tuple[KeyFrame, ...]
