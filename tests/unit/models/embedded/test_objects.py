"""Objects survive the way into a picture's cells and back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.models.embedded.network import OBJECT_OUTPUTS
from drive_agent.models.embedded.objects import DEPTH, FIELDS, KINDS, encode, lift
from drive_agent.rig import cell_grid, front_rig

CAMERAS = front_rig().cameras


def row(kind: int, x: float, y: float, heading: float, speed: float) -> np.ndarray:
    motion = [c * speed * t for t in (1, 2, 3) for c in (np.cos(heading), np.sin(heading))]
    return np.array([kind, x, y, heading, speed, 2.3, 0.9, *motion], dtype=np.float32)


def draw(objects: np.ndarray, camera) -> np.ndarray:
    """A raw object map that says exactly what the labels say."""
    cells = np.full((*cell_grid(camera), OBJECT_OUTPUTS), 0.0, dtype=np.float32)
    cells[..., :KINDS] = -9.0
    place, values, inside = encode(objects, camera)
    for k in np.flatnonzero(inside):
        r, c = np.floor(place[k]).astype(int)
        cells[r, c, int(objects[k, 0])] = 9.0 - 0.1 * k
        cells[r, c, DEPTH:] = values[k]
    return cells


@given(
    st.integers(0, 2),
    st.floats(8, 45),
    st.floats(-0.6, 0.6),
    st.floats(-3.1, 3.1),
    st.floats(0, 12),
)
@settings(max_examples=60, deadline=None)
def test_one_object_comes_back_once(kind: int, x: float, slope: float, heading: float, speed: float) -> None:
    label = row(kind, x, slope * (x - 2.9), heading, speed)
    found = lift([draw(label[None], camera) for camera in CAMERAS], CAMERAS)
    assert found.shape == (1, len(FIELDS))
    np.testing.assert_allclose(found[0, [0, 2, 3, 5, 6, 7]], label[[0, 1, 2, 4, 5, 6]], atol=0.02, rtol=1e-3)
    assert abs(np.angle(np.exp(1j * (found[0, 4] - heading)))) < 1e-3
    np.testing.assert_allclose(found[0, 8:], label[7:], atol=0.02, rtol=1e-3)


def test_two_cars_side_by_side_stay_two() -> None:
    labels = np.stack([row(0, 20, 0.0, 0, 5), row(0, 20, 3.5, 0, 5)])
    assert len(lift([draw(labels, camera) for camera in CAMERAS], CAMERAS)) == 2


def test_nothing_is_found_in_an_empty_map() -> None:
    empty = np.zeros((0, 13), dtype=np.float32)
    assert lift([draw(empty, camera) for camera in CAMERAS], CAMERAS).shape == (0, len(FIELDS))


def test_what_is_behind_is_not_in_a_picture() -> None:
    for camera in CAMERAS:
        assert not encode(row(0, -10, 0, 0, 5)[None], camera)[2].any()
