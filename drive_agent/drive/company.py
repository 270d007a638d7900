"""How fast background cars drive while a scenario is played, by their distance from the ego.

The Leaderboard's background activity (ScenarioRunner's background_activity.py) lets cars near the ego drive freely, slows
those that are farther away and stops the farthest, and its scenarios clear or stop what is left. Otherwise an ego that
waits for what a scenario puts in its way is compared with cars that know of no scenario.
"""

from __future__ import annotations

import numpy as np

FREE_M, STAND_M, REACH_S = 30.0, 45.0, 1.7  # the Leaderboard's; the faster the ego, the farther
# a TrafficManager takes away who has stood for 90 s
ROUSE_EVERY_S, ROUSE_FOR_S = 60.0, 3.0


def shares(gaps_m: np.ndarray, ego_mps: float, time_s: float) -> np.ndarray:
    """What share (n,) of their speed cars drive at distances (n,) from the ego.

    Who stands is let drive a little now and then, one after the other.
    """
    beyond_m = gaps_m - REACH_S * ego_mps
    near = np.clip((STAND_M - beyond_m) / (STAND_M - FREE_M), 0.0, 1.0)
    turns_s = time_s + ROUSE_EVERY_S * np.arange(len(gaps_m)) / max(len(gaps_m), 1)
    return np.where(turns_s % ROUSE_EVERY_S < ROUSE_FOR_S, 1.0, near)
