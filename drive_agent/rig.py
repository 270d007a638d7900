"""Cameras on the car: where they sit, how they project. Knows nothing of simulators or pictures.

Poses are in the ego frame (rear axle on the ground, x forward, y left, z up); yaw is left positive, pitch up positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# CARLA's vehicle origin lies mid-vehicle; ours on the rear axle. Half the wheelbase of vehicle.lincoln.mkz_2020.
REAR_AXLE_TO_ORIGIN_M = 1.43
FRONT_M = 3.8  # from the rear axle to its front bumper

CELL_PX = 7  # side of the cells that dense labels and object maps are told in


@dataclass(frozen=True)
class CameraMount:
    """One pinhole camera."""

    name: str
    width: int
    height: int
    fov_rad: float  # horizontal
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0

    @property
    def focal_px(self) -> float:
        return self.width / 2 / math.tan(self.fov_rad / 2)

    @property
    def ego_to_camera(self) -> np.ndarray:
        """Rotation (3, 3): ego axes -> camera axes (x right, y down, z forward)."""
        cy, sy = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        cp, sp = math.cos(self.pitch_rad), math.sin(self.pitch_rad)
        forward = np.array([cy * cp, sy * cp, sp])
        right = np.array([sy, -cy, 0.0])
        return np.stack([right, np.cross(forward, right), forward])

    def project(self, points_ego: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (n, 2) and depths (n,) of ego points (n, 3). Depth <= 0 is behind the camera (pixel meaningless)."""
        in_camera = (
            np.asarray(points_ego, dtype=float) - (self.x_m, self.y_m, self.z_m)
        ) @ self.ego_to_camera.T
        depth = in_camera[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        pixels = self.focal_px * in_camera[:, :2] / safe[:, None] + (self.width / 2, self.height / 2)
        return pixels, depth

    def ray(self, pixels: np.ndarray) -> np.ndarray:
        """Directions (n, 3) in the ego frame of pixels (n, 2), scaled to depth 1 along the optical axis."""
        pixels = np.asarray(pixels, dtype=float)
        flat = (pixels - (self.width / 2, self.height / 2)) / self.focal_px
        return np.concatenate([flat, np.ones((len(flat), 1))], 1) @ self.ego_to_camera


def cell_grid(camera: CameraMount) -> tuple[int, int]:
    """Rows and columns of cells of a camera's picture."""
    return camera.height // CELL_PX, camera.width // CELL_PX


@dataclass(frozen=True)
class Rig:
    """A set of cameras with distinct names."""

    name: str
    cameras: tuple[CameraMount, ...]

    def __post_init__(self) -> None:
        names = [c.name for c in self.cameras]
        if len(set(names)) != len(names):
            raise ValueError(f"camera names must differ, got {names}")

    def __getitem__(self, name: str) -> CameraMount:
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise KeyError(f"no camera {name!r} in rig {self.name!r}; it has {[c.name for c in self.cameras]}")


def front_rig() -> Rig:
    """The embedded model's two cameras: a wide one for the street, a narrow one for lights and what is far ahead."""
    return Rig(
        "front",
        (
            CameraMount("wide", 224, 112, math.radians(90), 2.9, 0.0, 1.6),
            CameraMount("narrow", 112, 112, math.radians(22.6), 2.9, 0.0, 1.6, pitch_rad=math.radians(4)),
        ),
    )


def nuscenes_rig(width: int = 320, height: int = 180) -> Rig:
    """Six cameras placed and aimed like those of nuScenes (CC BY-NC-SA data set, calibration of its first scenes)."""
    mounts = (
        ("CAM_FRONT", 64.6, 1.70, 0.02, 1.51, 0.0),
        ("CAM_FRONT_LEFT", 64.6, 1.57, 0.50, 1.51, 55.0),
        ("CAM_FRONT_RIGHT", 64.6, 1.55, -0.49, 1.50, -56.0),
        ("CAM_BACK", 89.3, 0.03, 0.0, 1.57, 180.0),
        ("CAM_BACK_LEFT", 64.6, 1.04, 0.48, 1.59, 108.0),
        ("CAM_BACK_RIGHT", 64.6, 1.06, -0.48, 1.56, -110.0),
    )
    return Rig(
        "nuscenes",
        tuple(
            CameraMount(name, width, height, math.radians(fov), x, y, z, math.radians(yaw))
            for name, fov, x, y, z, yaw in mounts
        ),
    )


def surround_rig() -> Rig:
    """The embedded model's two cameras and nuScenes' six around the car: the model sees two, the log keeps all."""
    return Rig("surround", front_rig().cameras + nuscenes_rig().cameras)


def front_640_rig() -> Rig:
    """nuScenes' front camera alone, in a size that a stock model sees well: 299 visual tokens."""
    return Rig("front_640", nuscenes_rig(640, 360).cameras[:1])


def nuscenes_640_rig() -> Rig:
    """nuScenes' six cameras in that size."""
    return nuscenes_rig(640, 360)


RIGS = {
    "front": front_rig,
    "nuscenes": nuscenes_rig,
    "surround": surround_rig,
    "front_640": front_640_rig,
    "nuscenes_640": nuscenes_640_rig,
}
