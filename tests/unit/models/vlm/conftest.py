"""Look-alike checkpoints, made once a session, and a frame to ask about."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from drive_agent.rig import CameraMount
from drive_agent.types import CameraImage, EgoState, Frame, Maneuver
from tests.lookalike import make

CAMERAS = (
    CameraMount("wide", 224, 112, math.radians(90), 2.9, 0.0, 1.6),
    CameraMount("left", 112, 112, math.radians(70), 1.5, 0.5, 1.5, yaw_rad=math.radians(55)),
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def middle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("middle"), "middle")


@pytest.fixture(scope="session")
def frame() -> Frame:
    rng = np.random.default_rng(5)
    pictures = {}
    for mount in CAMERAS:
        bgr = rng.integers(0, 255, (mount.height, mount.width, 3), dtype=np.uint8)
        jpeg = cv2.imencode(".jpg", bgr)[1]
        rgb = np.ascontiguousarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[:, :, ::-1])
        pictures[mount.name] = CameraImage(mount.name, 0, rgb, jpeg.tobytes())
    history = np.array([[-1.0, -4.0, 0.0, 0.0], [-0.5, -2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    return Frame(
        0, pictures, {}, EgoState(0, 0.0, 0.0, 0.0, 4.0, 0.1, 0.0, 10.0), history,
        np.array([[10.0, 0.0], [20.0, 0.0]]), (Maneuver.LANE_FOLLOW,) * 2, Maneuver.LANE_FOLLOW,
    )  # fmt: skip
