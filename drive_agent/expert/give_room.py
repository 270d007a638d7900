"""Making room for others: to the right for who comes over the middle of the road, aside for beacons from behind.

Knows nothing of what blocks the own lane.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from drive_agent.expert.beside_route import BesideRoute
from drive_agent.expert.detour import EDGE_M, Way, is_free
from drive_agent.expert.others import EgoPose, Others
from drive_agent.expert.room import Room
from drive_agent.expert.shift import Shift, ramp_length_m

INVADER_MARGIN_M = 0.7
INVADER_REACH_M = 70.0
ONCOMING_MPS = -2.0
BEACON_REACH_M = 70.0
KEEP_S = 2.0  # how long room is kept after the last one


def room_for_oncoming(beside: BesideRoute, room: Room, ego: EgoPose, axle_m: float) -> Way | None:
    """A shift to the right for vehicles that come over the middle of the road; None when none does."""
    near = (beside.head_m > axle_m - 2.0) & (beside.tail_m < axle_m + INVADER_REACH_M)
    invading = near & (beside.along_mps < ONCOMING_MPS) & (beside.right_m < room.own_left_m - 0.1)
    rows = np.flatnonzero(invading & (beside.right_m > -ego.half_width_m) & (beside.left_m > 1.0))
    if not len(rows):
        return None
    wanted_m = float(beside.right_m[rows].min()) - ego.half_width_m - INVADER_MARGIN_M
    edge_m = room.right_m + ego.half_width_m + EDGE_M
    left_m = max(wanted_m, edge_m)
    if left_m > -0.1:
        return None
    shift = Shift(left_m, axle_m, ramp_length_m(left_m, ego.speed_mps))
    return Way(shift, "own", "oncoming vehicles that come over the middle")


def room_for_beacons(
    others: Others, beside: BesideRoute, room: Room, ego: EgoPose, axle_m: float
) -> Way | None:
    """A shift out of the lane of an emergency vehicle that comes from behind; None when none does.

    Onto the lane beside where that is free, else to the edge of the own one.
    """
    rear_m = axle_m - (ego.length_m - ego.front_m)
    gap_m = rear_m - beside.head_m
    coming = others.emergency[beside.rows] & (beside.along_mps > 2.0)
    coming &= (gap_m < BEACON_REACH_M) & (beside.tail_m < axle_m + ego.front_m)
    rows = np.flatnonzero(coming & beside.overlaps(0.0, ego.half_width_m))
    if not len(rows):
        return None
    what = "an emergency vehicle"
    for left_m in _neighbours(room, ego):
        way = Way(_moved_over(left_m, ego, axle_m), "same", what)
        rest = replace_rows(beside, ~others.emergency[beside.rows])
        if is_free(way, ego, axle_m, rest):
            return way
    edge_m = min(room.right_m + ego.half_width_m + EDGE_M, 0.0)
    return Way(_moved_over(edge_m, ego, axle_m), "own", what)


def _neighbours(room: Room, ego: EgoPose) -> list[float]:
    """Middles of the lanes beside, the right one first."""
    width_m = room.own_left_m - room.own_right_m
    right_m, left_m = room.own_right_m - 0.5 * width_m, room.own_left_m + 0.5 * width_m
    out = []
    if right_m - ego.half_width_m > room.right_m + EDGE_M:
        out.append(right_m)
    if left_m + ego.half_width_m < room.same_left_m - EDGE_M:
        out.append(left_m)
    return out


def _moved_over(left_m: float, ego: EgoPose, axle_m: float) -> Shift:
    return Shift(left_m, axle_m, ramp_length_m(left_m, max(ego.speed_mps, 3.0)), math.inf)


def replace_rows(beside: BesideRoute, keep: np.ndarray) -> BesideRoute:
    """Only some of the road users."""
    return replace(beside, **{name: getattr(beside, name)[keep] for name in beside.__dataclass_fields__})


def ended(way: Way, ego: EgoPose, axle_m: float) -> Way:
    """The same way with the return beginning here."""
    back_m = ramp_length_m(way.shift.left_m, max(ego.speed_mps, 3.0))
    return replace(way, shift=replace(way.shift, until_m=axle_m, back_m=back_m))
