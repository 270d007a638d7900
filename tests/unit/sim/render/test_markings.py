import carla
import numpy as np
import pytest

from drive_agent.sim.render import markings

UP = np.array([0.0, 0.0, 1.0])


def test_dashes_have_their_length_and_period() -> None:
    edge = np.array([[x, 0.0, 0.0] for x in np.arange(0.0, 60.1, 2.0)])
    right = np.tile([0.0, 1.0, 0.0], (len(edge), 1))
    dashes = markings._line(edge, right, 0.12, markings.WHITE, broken=True)
    starts = [float(dash.corners[..., 0].min()) for dash in dashes]
    assert np.allclose(np.diff(starts), markings.PERIOD_M)
    for dash in dashes:
        assert np.ptp(dash.corners[..., 0]) == pytest.approx(markings.DASH_M, abs=1e-4)
        assert np.ptp(dash.corners[..., 1]) == pytest.approx(0.12, abs=1e-5)


def test_crosswalk_corners_are_split_where_a_ring_closes() -> None:
    ring = [(0, 0), (0, 8), (3, 8), (3, 0), (0, 0)]
    points = [carla.Location(float(x + shift), float(y), 0.0) for shift in (0, 20) for x, y in ring]
    rings = markings.crosswalk_rings(points)
    assert [len(r) for r in rings] == [4, 4]
    assert rings[1][0].tolist() == [20.0, 0.0, 0.0]


def test_a_stop_line_lies_before_its_place() -> None:
    left, right, forward = np.array([5.0, -1.5, 0]), np.array([5.0, 1.5, 0]), np.array([1.0, 0, 0])
    for mesh in (markings.stop_line(left, right, forward), markings.give_way_line(left, right, forward)):
        assert mesh.corners[..., 0].max() == pytest.approx(5.0)
        assert mesh.corners[..., 0].min() == pytest.approx(5.0 - markings.STOP_LINE_M)
        assert np.abs(mesh.corners[..., 1]).max() <= 1.5 + 1e-5
