"""What stands or creeps in the own lane for good, and is not a queue at a light, a sign or a junction.

Knows nothing of how to get past it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.beside_route import BesideRoute
from drive_agent.expert.others import Others
from drive_agent.types import ObjectKind

STANDING_MPS = 0.3
STANDING_S = 3.0  # a vehicle that has stood so long may stand for good
TRAFFIC_S, DRIVES_MPS = 20.0, 1.0  # one that was seen driving before drives on sooner or later
SLOW_MPS = 4.5  # a cyclist slower than this is not followed
QUEUE_REACH_M = 25.0  # who stands so near before a stopping place waits there
QUEUE_GAP_M = 12.0  # who stands so near behind somebody who waits or drives waits too
TOGETHER_M = 22.0  # between things nearer to each other than this there is no going back to the lane
PASSED_M = 1.5  # behind the rear axle: the tail is past


@dataclass(frozen=True)
class Block:
    """Things in the own lane that are passed in one go. Stations and sides are the route's."""

    tail_m: float
    head_m: float
    right_m: float
    left_m: float
    speed_mps: float
    what: str
    actor_id: int  # of the first of them


class BlockFinder:
    """Finds the next block. Its only memory: since when each vehicle stands, and which were seen driving."""

    def __init__(self, stopping_places_m: tuple[float, ...]) -> None:
        """`stopping_places_m`: route stations of stop lines and of junctions' begins."""
        self._places_m = np.array(sorted(stopping_places_m))
        self._standing_since_us: dict[int, int] = {}
        self._traffic: set[int] = set()

    def look(
        self, time_us: int, axle_m: float, half_width_m: float, others: Others, beside: BesideRoute
    ) -> Block | None:
        """The first block that the tail has not passed, None when there is none."""
        lasting = self._blocking(time_us, others, beside) & (beside.head_m > axle_m - PASSED_M)
        rows = np.flatnonzero(lasting & beside.overlaps(0.0, half_width_m))
        if not len(rows):
            return None
        rows = rows[np.argsort(beside.tail_m[rows], kind="stable")]
        members = [rows[0]]
        for row in rows[1:]:
            if beside.tail_m[row] - max(beside.head_m[members]) > TOGETHER_M:
                break
            members.append(row)
        members = np.array(members)
        first = int(beside.rows[members[0]])
        tail_m, head_m = float(beside.tail_m[members].min()), float(beside.head_m[members].max())
        level = np.flatnonzero(lasting & (beside.head_m > tail_m) & (beside.tail_m < head_m))
        right_m, left_m = _extent(beside, members, level, 2.0 * half_width_m)
        return Block(
            tail_m=tail_m,
            head_m=head_m,
            right_m=right_m,
            left_m=left_m,
            speed_mps=float(max(beside.along_mps[members].max(), 0.0)),
            what=_name(int(others.kind[first])),
            actor_id=int(others.ids[first]),
        )

    def _blocking(self, time_us: int, others: Others, beside: BesideRoute) -> np.ndarray:
        """(n,) whether each is a thing, a slow cyclist, or a vehicle that stands and does not queue."""
        kind, speed = others.kind[beside.rows], others.speed[beside.rows]
        standing = (speed < STANDING_MPS) & np.isin(kind, (ObjectKind.VEHICLE, ObjectKind.CYCLIST))
        ids = others.ids[beside.rows]
        stood_us = self._stood_us(time_us, ids, standing)
        self._traffic.update(ids[speed > DRIVES_MPS].tolist())
        patience_s = np.where(np.isin(ids, list(self._traffic)), TRAFFIC_S, STANDING_S)
        for_good = standing & (stood_us >= patience_s * 1e6) & ~self._queueing(kind, standing, beside)
        creeping = (kind == ObjectKind.CYCLIST) & (beside.along_mps > 0.0) & (speed < SLOW_MPS)
        return (kind == ObjectKind.PROP) | for_good | creeping & ~standing

    def _stood_us(self, time_us: int, ids: np.ndarray, standing: np.ndarray) -> np.ndarray:
        known = self._standing_since_us
        self._standing_since_us = {int(k): known.get(int(k), time_us) for k in ids[standing]}
        return np.array([time_us - self._standing_since_us.get(int(k), time_us) for k in ids])

    def _queueing(self, kind: np.ndarray, standing: np.ndarray, beside: BesideRoute) -> np.ndarray:
        """(n,) whether each waits: before a stopping place, or behind somebody who waits, drives on or walks."""
        waiting = np.zeros(len(kind), bool)
        lane = beside.overlaps(0.0, 1.0)
        goes = ~standing & (kind != ObjectKind.PROP) & lane
        for row in np.argsort(-beside.head_m, kind="stable"):
            if not (standing[row] and lane[row]):
                continue
            head_m = beside.head_m[row]
            at_line = ((self._places_m > head_m - 3.0) & (self._places_m < head_m + QUEUE_REACH_M)).any()
            gap_m = beside.tail_m - head_m
            behind = ((waiting | goes) & (gap_m > -0.5) & (gap_m < QUEUE_GAP_M)).any()
            waiting[row] = at_line or behind
        return waiting


def _extent(
    beside: BesideRoute, members: np.ndarray, level: np.ndarray, width_m: float
) -> tuple[float, float]:
    """From side to side, with what stands so close beside the block that no car fits between."""
    right_m, left_m = float(beside.right_m[members].min()), float(beside.left_m[members].max())
    for row in level[np.argsort(beside.right_m[level], kind="stable")]:
        if left_m < beside.left_m[row] and beside.right_m[row] < left_m + width_m:
            left_m = float(beside.left_m[row])
    for row in level[np.argsort(-beside.left_m[level], kind="stable")]:
        if right_m > beside.right_m[row] and beside.left_m[row] > right_m - width_m:
            right_m = float(beside.right_m[row])
    return right_m, left_m


def _name(kind: int) -> str:
    names = {ObjectKind.PROP: "things on the road", ObjectKind.CYCLIST: "a slow cyclist"}
    return names.get(ObjectKind(kind), "a standing vehicle")
