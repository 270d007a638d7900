"""Open car doors as things of their own in the ground truth. No call of the carla client tells which doors are open, so
whoever opened them has to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from drive_agent.doors import DOORS, HALF_LENGTH_M, HALF_WIDTH_M, open_door
from drive_agent.types import ActorInfo, ObjectKind, Truth

DOOR_TYPE = "vehicle.door"
_HALF_HEIGHT_M = 0.6


def with_open_doors(truth: Truth, doors: Mapping[int, frozenset[int]]) -> Truth:
    """The truth with one prop for each open door. `doors`: actor id -> its open doors, as in `drive_agent.doors`.

    Their ids are negative; the door of a car that is gone is gone too.
    """
    rows, infos = [], {}
    for actor, opened in doors.items():
        if actor in truth.ids:
            car, row = truth.infos[actor], truth.actors[truth.ids.index(actor)]
            for door in sorted(opened):
                info = _info(actor, door)
                infos[info.id] = info
                rows.append(_row(car, row, door))
    if not rows:
        return truth
    actors = np.concatenate([truth.actors, np.array(rows)])
    return replace(truth, ids=(*truth.ids, *infos), actors=actors, infos=truth.infos | infos)


def _info(actor: int, door: int) -> ActorInfo:
    door_id = -(len(DOORS) * actor + door)
    size = (HALF_LENGTH_M, HALF_WIDTH_M, _HALF_HEIGHT_M)
    return ActorInfo(door_id, DOOR_TYPE, "", ObjectKind.PROP, *size, 0.0, 0.0)


def _row(car: ActorInfo, row: np.ndarray, door: int) -> np.ndarray:
    """A row of `Truth.actors`; a door moves as its car does."""
    ahead_m, left_m, turned_rad = open_door(door, car.half_length_m, car.half_width_m)
    ahead_m += car.center_forward_m
    cos, sin = math.cos(row[3]), math.sin(row[3])
    out = row.copy()
    out[0] += ahead_m * cos - left_m * sin
    out[1] += ahead_m * sin + left_m * cos
    out[3] = math.remainder(row[3] + turned_rad, math.tau)
    return out
