"""A path that misses the next route point is bent to it, any other stays as it was told."""

import numpy as np
import pytest

from drive_agent.agent.route_keeping import keep_to_route

AHEAD = np.column_stack([np.arange(4.0, 44.0, 4.0), np.zeros(10)])


@pytest.mark.parametrize(
    "point", [(30.0, 4.0), (30.0, -4.0), (4.0, 20.0), (-20.0, 8.0), (50.0, 20.0)], ids=str
)
def test_a_path_that_passes_or_cannot_be_judged_stays(point):
    assert keep_to_route(AHEAD, np.array([point, (80.0, 0.0)])) is AHEAD
    assert keep_to_route(AHEAD, np.zeros((0, 2))) is AHEAD


@pytest.mark.parametrize("left_m", [10.0, -10.0])
def test_a_path_that_misses_the_next_point_is_bent_to_it_and_begins_as_before(left_m):
    bent = keep_to_route(AHEAD, np.array([(28.0, left_m), (60.0, 3 * left_m)]))
    np.testing.assert_allclose(bent[6], (28.0, left_m))  # passes the point
    assert abs(bent[0, 1]) < 0.25  # where the wheels are, little changes
    assert (np.diff(np.sign(left_m) * bent[:, 1]) >= 0).all()
    np.testing.assert_allclose(bent[7:] - AHEAD[7:], [(0.0, left_m)] * 3)
