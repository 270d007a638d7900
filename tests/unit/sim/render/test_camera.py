import math

import carla
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.render.camera import Camera, camera_view, rotation_matrix

ANGLE = st.floats(-179.0, 179.0)


@given(pitch=st.floats(-89.0, 89.0), yaw=ANGLE, roll=ANGLE)
def test_axes_are_those_of_the_carla_client(pitch: float, yaw: float, roll: float) -> None:
    expected = np.array(carla.Transform(carla.Location(), carla.Rotation(pitch, yaw, roll)).get_matrix())[
        :3, :3
    ]
    assert np.allclose(rotation_matrix(pitch, yaw, roll), expected, atol=1e-5)


def test_focal_length_follows_the_horizontal_field_of_view() -> None:
    view = camera_view(Camera(224, 112, 90.0, 0, 0, 0, 0, 0, 0), 2)
    assert view.focal == pytest.approx(224.0)
    assert (view.width, view.height) == (448, 224)
    assert camera_view(Camera(100, 50, 60.0, 0, 0, 0, 0, 0, 0), 1).focal == pytest.approx(
        50 / math.tan(math.pi / 6)
    )


@pytest.mark.parametrize(("size", "fov"), [((0, 10), 90.0), ((10, 10), 0.0), ((10, 10), 180.0)])
def test_impossible_cameras_are_refused(size: tuple[int, int], fov: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        Camera(*size, fov, 0, 0, 0, 0, 0, 0)
