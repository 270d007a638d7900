"""Comfort pieces, their bounds, and the filter against the definition."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.score.comfort import Comfort, MotionTrace, smooth
from drive_agent.types import Truth
from tests.worlds import truth

TICK_S = 0.05


def drive(accel_mps2: np.ndarray, yaw_rate_radps: float = 0.0) -> Comfort | None:
    """A drive along +x with an acceleration at each tick."""
    trace = MotionTrace()
    for k, accel in enumerate(accel_mps2):
        tick: Truth = truth(k, 0.0, 0.0, speed_mps=5.0)
        tick.actors[0, 7:] = (yaw_rate_radps, accel, 0.0)
        trace.add(tick)
    return trace.comfort()


def test_a_smooth_drive_is_comfortable() -> None:
    assert drive(np.full(60, 1.0)) == Comfort(1.0, 1.0)


def test_hard_braking_spoils_the_second_it_happens_in() -> None:
    accel = np.zeros(80)
    accel[20:40] = -6.0
    comfort = drive(accel)
    assert comfort is not None and comfort.official == pytest.approx(0.75)


def test_the_official_bound_on_yaw_rates_is_in_degrees_by_mistake() -> None:
    assert drive(np.zeros(40), yaw_rate_radps=0.1) == Comfort(0.0, 1.0)


def test_an_incomplete_last_second_is_dropped_and_a_short_drive_taken_whole() -> None:
    accel = np.zeros(50)
    accel[40:] = -6.0
    assert drive(accel) == Comfort(1.0, 1.0)
    assert drive(np.full(10, -6.0)) == Comfort(0.0, 0.0)
    assert drive(np.zeros(2)) is None


def test_the_filter_keeps_parabolas_and_knows_their_slope() -> None:
    t = np.arange(30) * TICK_S
    values = 3.0 - 2.0 * t + 5.0 * t**2
    np.testing.assert_allclose(smooth(values), values, atol=1e-12)
    np.testing.assert_allclose(smooth(values, TICK_S), -2.0 + 10.0 * t, atol=1e-10)
