"""The few numbers in which the published rule sets for closed-loop driving differ, beside the score formula.

Sources: carla-simulator/leaderboard and scenario_runner, branches leaderboard-2.0 and -2.1 (identical criteria);
Thinklab-SJTU/Bench2Drive 0.0.4.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    blocked_s: float  # standing still for longer ends the route
    speed_checkpoints: int  # parts of the route whose mean speed is compared with the traffic's
    every_speed: bool  # report each part's speed, not only those slower than the traffic
    max_ticks: int | None  # a longer drive ends as "tick_runtime"


LEADERBOARD_2 = Rules(blocked_s=180.0, speed_checkpoints=4, every_speed=False, max_ticks=None)
BENCH2DRIVE = Rules(blocked_s=60.0, speed_checkpoints=20, every_speed=True, max_ticks=4000)
