"""A moving sphere stops where an exhaustive search along its way says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.sim.sweep import sweep_sphere

# A square of two triangles at x = 10 that faces the origin
_CORNERS = np.array([[10, -2, -2], [10, 2, -2], [10, 2, 2], [10, -2, 2]], float)
WALL = _CORNERS[[[0, 1, 2], [0, 2, 3]]]
TOWARD = np.array([[-1.0, 0, 0]] * 2)
AHEAD = np.array([1.0, 0, 0])


def sweep(
    origin: tuple, direction: np.ndarray = AHEAD, radius: float = 0.5, reach: float = 50.0
) -> tuple[float, int]:
    return sweep_sphere(WALL, TOWARD, np.array(origin, float), direction, radius, reach)


def test_a_wall_stops_it_one_radius_early() -> None:
    assert sweep((0, 0.3, 0.1))[0] == pytest.approx(9.5)


def test_an_edge_and_a_corner_are_passed_or_touched_by_their_distance() -> None:
    assert sweep((0, 2.3, 0))[0] == pytest.approx(10 - 0.4)
    assert sweep((0, 2.3, 2.2))[0] == pytest.approx(10 - np.sqrt(0.25 - 0.09 - 0.04))
    assert sweep((0, 2.6, 0)) == (50.0, -1)


def test_it_stops_at_once_where_it_touches_already() -> None:
    assert sweep((9.8, 0, 0))[0] == 0.0


def test_the_inner_side_and_what_lies_beyond_the_reach_do_not_stop_it() -> None:
    assert sweep((20, 0, 0), -AHEAD)[1] == -1
    assert sweep((0, 0, 0), reach=9.0)[1] == -1


def gaps(centers: np.ndarray) -> np.ndarray:
    """Distance of points (n, 3) from the square."""
    nearest = np.column_stack([np.full(len(centers), 10.0), np.clip(centers[:, 1:], -2, 2)])
    return np.linalg.norm(centers - nearest, axis=1)


@settings(max_examples=60)
@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(0.05, 1.0))
def test_it_goes_as_far_as_small_steps_do(y: float, z: float, up: float, aside: float, radius: float) -> None:
    origin, direction = np.array([0.0, y, z]), np.array([1.0, aside, up])
    direction /= np.linalg.norm(direction)
    distance, row = sweep(tuple(origin), direction, radius, 30.0)

    def along(end: float) -> np.ndarray:
        return gaps(origin + direction * np.linspace(0, end, 3000)[:, None])

    assert along(distance).min() > radius - 1e-6
    if row >= 0:
        assert along(distance)[-1] == pytest.approx(radius, abs=1e-6)
    else:
        assert along(30.0).min() > radius - 0.02
