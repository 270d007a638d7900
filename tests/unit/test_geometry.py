"""Frames are inverses of each other, paths keep their arc length, offsets have the right sign."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from drive_agent.geometry import (
    arc_length,
    box_corners,
    from_frame,
    project,
    resample,
    to_frame,
    wrap_angle,
)

METRES = st.floats(-1e3, 1e3)
ANGLES = st.floats(-20.0, 20.0)
POINTS = arrays.arrays(float, (5, 2), elements=METRES)
CORNER = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])


@given(ANGLES)
def test_a_wrapped_angle_is_the_same_direction_within_half_a_turn(angle):
    wrapped = wrap_angle(angle)
    assert -np.pi <= wrapped < np.pi
    assert np.cos(wrapped) == pytest.approx(np.cos(angle), abs=1e-9)
    assert np.sin(wrapped) == pytest.approx(np.sin(angle), abs=1e-9)


@given(POINTS, METRES, METRES, ANGLES)
def test_into_a_frame_and_out_again(points, x, y, yaw):
    np.testing.assert_allclose(from_frame(to_frame(points, x, y, yaw), x, y, yaw), points, atol=1e-9)


def test_left_of_a_pose_is_positive_y():
    np.testing.assert_allclose(to_frame([[5.0, 8.0]], 5.0, 7.0, 0.0), [[0.0, 1.0]], atol=1e-12)
    np.testing.assert_allclose(to_frame([[4.0, 7.0]], 5.0, 7.0, np.pi / 2), [[0.0, 1.0]], atol=1e-12)


def test_arc_length_goes_round_the_corner():
    np.testing.assert_allclose(arc_length(CORNER), [0.0, 10.0, 20.0])


def test_resampling_follows_the_path_and_goes_on_straight():
    found = resample(CORNER, np.array([0.0, 4.0, 13.0, 20.0, 26.0]))
    np.testing.assert_allclose(found, [[0, 0], [4, 0], [10, 3], [10, 10], [10, 16]], atol=1e-12)


def test_projection_tells_station_and_side():
    assert project(CORNER, np.array([4.0, 1.5])) == pytest.approx((4.0, 1.5))
    assert project(CORNER, np.array([4.0, -1.5])) == pytest.approx((4.0, -1.5))
    assert project(CORNER, np.array([12.0, 5.0])) == pytest.approx((15.0, -2.0))
    assert project(CORNER, np.array([10.0, 99.0]))[0] == pytest.approx(20.0)


@given(st.floats(0.5, 19.5), st.floats(-1.0, 1.0))
def test_projection_undoes_resampling(station, offset):
    line = np.array([[0.0, 0.0], [20.0, 0.0]])
    on_line = resample(line, np.array([station]))[0]
    assert project(line, on_line + (0.0, offset)) == pytest.approx((station, offset), abs=1e-9)


def test_corners_go_counter_clockwise_from_the_front_left():
    np.testing.assert_allclose(
        box_corners(1.0, 2.0, 0.0, 2.0, 1.0), [[3.0, 3.0], [-1.0, 3.0], [-1.0, 1.0], [3.0, 1.0]]
    )
    np.testing.assert_allclose(box_corners(0.0, 0.0, np.pi / 2, 2.0, 1.0)[0], [-1.0, 2.0], atol=1e-12)
