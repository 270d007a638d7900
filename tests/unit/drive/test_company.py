"""While a scenario is played, cars near the ego drive, far ones stand, and nobody stands for so long that he is taken away."""

from __future__ import annotations

import numpy as np

from drive_agent.drive.company import shares

TAKEN_AWAY_S = 90.0  # by the client's traffic manager
QUIET_S = 10.0  # nobody of the first three is roused then


def test_near_cars_drive_and_far_cars_stand():
    near, between, far = shares(np.array([20.0, 37.5, 60.0]), 0.0, QUIET_S)
    assert (near, between, far) == (1.0, 0.5, 0.0)


def test_a_faster_ego_moves_cars_that_are_farther_away():
    assert shares(np.array([50.0]), 0.0, QUIET_S) == 0.0
    assert shares(np.array([50.0]), 12.0, QUIET_S) == 1.0


def test_nobody_stands_long_enough_to_be_taken_away_and_few_are_roused_at_a_time():
    times_s = np.arange(0.0, 300.0, 0.05)
    driven = np.array([shares(np.full(20, 200.0), 0.0, time_s) for time_s in times_s]) > 0.0
    for car in driven.T:
        assert np.diff(times_s[car], prepend=0.0, append=times_s[-1]).max() < TAKEN_AWAY_S
    assert driven.sum(axis=1).max() <= 2
