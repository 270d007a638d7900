"""What the renderer is asked for and what it returns, and the pinhole camera. CARLA axes and degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.render.kernel import F32, View

NEAR_M, FAR_M = 0.1, 5000.0


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in the world; `fov_deg` is horizontal. Pixel centres lie at half-integers."""

    width: int
    height: int
    fov_deg: float
    x: float
    y: float
    z: float
    pitch_deg: float
    yaw_deg: float
    roll_deg: float

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"camera size is {self.width}x{self.height}; expected at least 1x1")
        if not 0.0 < self.fov_deg < 179.0:
            raise ValueError(f"camera fov is {self.fov_deg} deg; expected between 0 and 179")


@dataclass(frozen=True)
class DrawnActor:
    """An actor to draw, at the pose CARLA reports for it.

    The origin of vehicles and props is the middle of the bottom face of their box, that of walkers the middle of the
    box (their feet are `half_extents[2]` below it).
    """

    id: int
    type_id: str  # CARLA blueprint id, for example "vehicle.tesla.model3"
    x: float
    y: float
    z: float
    pitch_deg: float
    yaw_deg: float
    roll_deg: float
    half_extents: tuple[float, float, float]  # metres: half length, half width, half height
    color_rgb: tuple[int, int, int]  # 0..255
    light_flags: int  # carla.VehicleLightState
    wheel_steer_deg: float
    speed_mps: float


@dataclass(frozen=True)
class Buffers:
    """Pictures of one camera, all of the same visible surfaces."""

    bgra: np.ndarray  # uint8 (h, w, 4)
    depth_m: np.ndarray  # float32 (h, w), along the forward axis; sky 1000
    tag: np.ndarray  # uint8 (h, w), see labels.py
    instance: np.ndarray  # int32 (h, w), actor id; static objects negative; surfaces and sky 0


def rotation_matrix(pitch_deg: float, yaw_deg: float, roll_deg: float) -> np.ndarray:
    """float64 (3, 3) with columns forward, right, up: `carla.Transform.get_matrix` without the translation."""
    cp, sp = math.cos(math.radians(pitch_deg)), math.sin(math.radians(pitch_deg))
    cy, sy = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    cr, sr = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
    return np.array(
        [
            [cp * cy, cy * sp * sr - sy * cr, -cy * sp * cr - sy * sr],
            [cp * sy, sy * sp * sr + cy * cr, -sy * sp * cr + cy * sr],
            [sp, -cp * sr, cp * cr],
        ]
    )


def camera_view(camera: Camera, scale: int) -> View:
    """The camera in units of samples, `scale` samples along each side of a pixel."""
    width, height = camera.width * scale, camera.height * scale
    focal = width / (2.0 * math.tan(math.radians(camera.fov_deg) / 2.0))
    axes = rotation_matrix(camera.pitch_deg, camera.yaw_deg, camera.roll_deg).T
    return View(
        np.array([camera.x, camera.y, camera.z], np.float32),
        np.ascontiguousarray(axes, np.float32),
        F32(focal),
        F32(width / 2.0),
        F32(height / 2.0),
        width,
        height,
        F32(NEAR_M),
        F32(FAR_M),
        False,
    )
