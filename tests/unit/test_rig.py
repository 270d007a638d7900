"""Cameras project to where one looks, and a pixel's ray leads back to what it shows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.rig import CELL_PX, RIGS, CameraMount, Rig, cell_grid

CAMERAS = [camera for build in RIGS.values() for camera in build().cameras]
LEVEL = CameraMount("level", 200, 100, math.radians(90), 1.0, 0.0, 1.5)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
def test_axes_of_a_camera_are_a_rotation(camera):
    axes = camera.ego_to_camera
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)


@given(
    st.sampled_from(CAMERAS),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.5, 200.0),
)
def test_a_ray_projects_to_its_own_pixel_and_depth(camera, across, down, depth):
    pixel = np.array([[across * camera.width, down * camera.height]])
    point = (camera.x_m, camera.y_m, camera.z_m) + depth * camera.ray(pixel)
    pixels, depths = camera.project(point)
    np.testing.assert_allclose(pixels, pixel, atol=1e-6)
    assert depths[0] == pytest.approx(depth)


def test_ahead_is_the_middle_left_is_left_and_the_ground_is_below():
    pixels, depth = LEVEL.project(np.array([[11.0, 0.0, 1.5], [11.0, 10.0, 1.5], [11.0, 0.0, 0.0]]))
    np.testing.assert_allclose(pixels, [[100.0, 50.0], [0.0, 50.0], [100.0, 65.0]], atol=1e-9)
    np.testing.assert_allclose(depth, 10.0)


def test_what_is_behind_has_no_positive_depth():
    _, depth = LEVEL.project(np.array([[0.0, 0.0, 1.5], [-20.0, 3.0, 0.0]]))
    assert (depth < 0).all()


def test_pitch_looks_up_and_yaw_looks_left():
    up = CameraMount("up", 200, 100, math.radians(90), 0.0, 0.0, 0.0, pitch_rad=0.2)
    left = CameraMount("left", 200, 100, math.radians(90), 0.0, 0.0, 0.0, yaw_rad=0.2)
    np.testing.assert_allclose(up.ray([[100.0, 50.0]]), [[math.cos(0.2), 0.0, math.sin(0.2)]], atol=1e-12)
    np.testing.assert_allclose(left.ray([[100.0, 50.0]]), [[math.cos(0.2), math.sin(0.2), 0.0]], atol=1e-12)


def test_cells_cover_the_pictures_of_the_front_rig_exactly():
    for camera in RIGS["front"]().cameras:
        rows, columns = cell_grid(camera)
        assert (rows * CELL_PX, columns * CELL_PX) == (camera.height, camera.width)


def test_cameras_are_found_by_name():
    rig = RIGS["front"]()
    assert rig["wide"] is rig.cameras[0]
    with pytest.raises(KeyError, match=r"'rear'.*'wide', 'narrow'"):
        rig["rear"]
    with pytest.raises(ValueError, match="must differ"):
        Rig("twice", (LEVEL, LEVEL))
