"""Poses agree with the client's own transforms."""

from __future__ import annotations

import carla
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.poses import compose, relative, rotate, rotation_matrix, unrotate
from drive_agent.sim.wire import Pose

angles = st.floats(-180.0, 180.0)
pitches = st.floats(-80.0, 80.0)
places = st.floats(-100.0, 100.0)
poses = st.builds(Pose, places, places, places, pitches, angles, angles)


def as_carla(pose: Pose) -> carla.Transform:
    return carla.Transform(carla.Location(*pose[:3]), carla.Rotation(*pose[3:]))


@given(poses)
def test_rotation_is_that_of_the_client(pose: Pose) -> None:
    matrix = np.array(as_carla(pose).get_matrix())[:3, :3]
    assert np.array(rotation_matrix(*pose[3:])) == pytest.approx(matrix, abs=1e-5)


@given(poses, poses)
def test_composition_is_the_product_of_the_client_matrices(parent: Pose, child: Pose) -> None:
    expected = np.array(as_carla(parent).get_matrix()) @ np.array(as_carla(child).get_matrix())
    assert np.array(as_carla(compose(parent, child)).get_matrix()) == pytest.approx(expected, abs=2e-3)


@given(poses, st.tuples(places, places, places))
def test_unrotate_undoes_rotate(pose: Pose, vector: tuple[float, float, float]) -> None:
    rotation = rotation_matrix(*pose[3:])
    assert unrotate(rotation, rotate(rotation, vector)) == pytest.approx(vector, abs=1e-9)


@given(poses, poses)
def test_relative_undoes_compose(parent: Pose, child: Pose) -> None:
    back = compose(parent, relative(parent, child))
    expected, found = (np.array(as_carla(pose).get_matrix()) for pose in (child, back))
    assert found == pytest.approx(expected, abs=1e-3)
