"""How the ego of a clip moved, told as its own sensors would: from its poses until then, never later ones."""

from __future__ import annotations

import numpy as np

from drive_agent.data.clips import Clip
from drive_agent.data.rigid import yaw_of
from drive_agent.geometry import wrap_angle
from drive_agent.types import EgoState

STOPPED_MPS, SINCE_STOP_MAX_M = 0.1, 50.0


def ego_states(clip: Clip) -> list[EgoState]:
    """The ego's own state at each key frame, from its poses until then."""
    states: list[EgoState] = []
    for key in clip.frames:
        pose, yaw = key.ego_to_world, yaw_of(key.ego_to_world)
        x, y = pose[:2, 3]
        if not states:
            states.append(EgoState(key.time_us, x, y, yaw, 0.0, 0.0, 0.0, 0.0))
            continue
        last = states[-1]
        step_s = (key.time_us - last.time_us) / 1e6
        moved = float(np.hypot(x - last.x_m, y - last.y_m))
        speed = moved / step_s
        since_stop = 0.0 if speed < STOPPED_MPS else min(last.since_stop_m + moved, SINCE_STOP_MAX_M)
        turn = float(wrap_angle(yaw - last.yaw_rad)) / step_s
        states.append(
            EgoState(key.time_us, x, y, yaw, speed, (speed - last.speed_mps) / step_s, turn, since_stop)
        )
    return states
