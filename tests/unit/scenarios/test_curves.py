"""Polylines with rounded corners: they meet their ends, never kink, and never bend tighter than they say."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.towns.curves import Curve, Piece, connect, moved, rounded, wrap


def end_of(piece: Piece) -> tuple[float, float, float]:
    """Pose at the end of a straight or an arc."""
    k, heading = piece.curvature_inv_m, piece.heading_rad
    if k == 0:
        return moved((piece.x_m, piece.y_m, heading), piece.length_m)
    turned = heading + k * piece.length_m
    return (
        piece.x_m + (math.sin(turned) - math.sin(heading)) / k,
        piece.y_m - (math.cos(turned) - math.cos(heading)) / k,
        turned,
    )


def assert_smooth(curve: Curve) -> None:
    for before, after in zip(curve.pieces, curve.pieces[1:], strict=False):
        x_m, y_m, heading = end_of(before)
        assert (x_m, y_m) == pytest.approx((after.x_m, after.y_m), abs=1e-6)  # a shorter piece is left out
        assert wrap(heading - after.heading_rad) == pytest.approx(0.0, abs=2e-3)


angles = st.floats(-2.2, 2.2)


@settings(deadline=None)
@given(turn=angles, ahead_m=st.floats(8, 40), beyond_m=st.floats(8, 40), heading=st.floats(-3, 3))
def test_a_turn_joins_both_poses(turn, ahead_m, beyond_m, heading):
    start = (3.0, -7.0, heading)
    corner = moved(start, ahead_m)
    end = moved((*corner[:2], heading + turn), beyond_m)
    curve = connect(start, end)
    assert_smooth(curve)
    first, last = curve.pieces[0], end_of(curve.pieces[-1])
    assert (first.x_m, first.y_m) == pytest.approx(start[:2])
    assert last[:2] == pytest.approx(end[:2], abs=1e-9)
    assert wrap(last[2] - end[2]) == pytest.approx(0.0, abs=2e-3)


@settings(deadline=None)
@given(offset_m=st.floats(-8, 8), length_m=st.floats(20, 60))
def test_a_sideways_shift_is_an_s(offset_m, length_m):
    curve = connect((0.0, 0.0, 0.5), moved((0.0, 0.0, 0.5), length_m, offset_m))
    assert_smooth(curve)
    assert curve.smallest_radius_m() > 6.0
    assert sum(piece.length_m * piece.curvature_inv_m for piece in curve.pieces) == pytest.approx(
        0.0, abs=1e-9
    )


def test_radius_of_the_parallel_line():
    curve = rounded([(0, 0), (20, 0), (20, 20)], [10.0])  # a left turn of radius 10
    assert curve.smallest_radius_m() == pytest.approx(10.0)
    assert curve.smallest_radius_m(2.0) == pytest.approx(8.0)
    assert curve.smallest_radius_m(-2.0) == pytest.approx(12.0)
    assert curve.length_m == pytest.approx(20.0 + 5 * math.pi)


def test_stubs_stay_straight():
    curve = rounded([(0, 0), (30, 0), (30, 30)], [1000.0], stub_m=12.0)
    assert curve.pieces[0].length_m == pytest.approx(12.0)
    assert curve.smallest_radius_m() == pytest.approx(18.0)


def test_a_bend_without_room_is_refused():
    with pytest.raises(ValueError, match="no room for the bend"):
        rounded([(0, 0), (10, 0), (10, 30)], [20.0], stub_m=12.0)
