"""Where across the road to drive: on the route, round what blocks it, or aside to make room, and when to wait for that.

One decision at a time, kept until it is done: that is its memory. Knows nothing of lights, junctions' right of way or
speeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from drive_agent.expert.beside_route import BesideRoute, beside_route
from drive_agent.expert.blockers import TOGETHER_M, Block, BlockFinder
from drive_agent.expert.corridor import RouteTrack
from drive_agent.expert.detour import (
    PASS_MPS,
    WAIT_M,
    Way,
    is_free,
    prolonged,
    to_be_driven,
    wait_m,
    ways_round,
)
from drive_agent.expert.give_room import KEEP_S, ended, room_for_beacons, room_for_oncoming
from drive_agent.expert.others import EgoPose, Others
from drive_agent.expert.room import RoadRoom, Room
from drive_agent.expert.shift import AHEAD, Shift, ramp_length_m

NEAR_M = 0.25  # beside the ego's own swath: nearer things are in the way
LOOK_M = 60.0
WATCH_M, WATCH_S = (
    45.0,
    5.0,
)  # the lane of the oncoming traffic is watched so long, from so near, before it is used
BESIDE_BLOCK_M = 6.0  # the road must be wide enough so far before and behind a block
ROOM_AHEAD_M = 30.0
EDGE_MPS = 4.0  # at the road's edge, while an emergency vehicle passes
WIDER_M = 0.2
HEAD_START_S = 2.0  # decides so long before it must steer, sooner than it would brake


@dataclass(frozen=True)
class Aside:
    """What the path does beside following the route. `reason` is empty when that is all."""

    shift: Shift = AHEAD
    wait_m: float | None = None  # route station for the bumper, until the way round is free
    slow_mps: float = math.inf
    reason: str = ""


ON_ROUTE = Aside()


class LateralPlanner:
    """Call `step` every tick, in order."""

    def __init__(self, track: RouteTrack, room: RoadRoom, stopping_places_m: tuple[float, ...]) -> None:
        self._track, self._room = track, room
        self._blocks = BlockFinder(stopping_places_m)
        self._round: Way | None = None
        self._made: Way | None = None  # room made for others
        self._wanted_us = 0  # when somebody needed it last
        self._watched: tuple[int, int] | None = None  # the block by whose side we watch, and since when

    def step(self, time_us: int, ego: EgoPose, others: Others, axle_m: float, offset_m: float) -> Aside:
        """The decision for now. The rear axle is at a station of the route and so far left of it."""
        beside = beside_route(self._track, axle_m, others)
        block = self._blocks.look(time_us, axle_m, ego.half_width_m + NEAR_M, others, beside)
        if block is not None and block.tail_m > axle_m + LOOK_M:
            block = None
        if self._round is not None:
            self._round = self._gone_on(self._round, block, ego, beside, axle_m, offset_m)
        if self._round is None and block is not None:
            waiting = self._begin_round(time_us, block, ego, beside, axle_m)
            if waiting is not None:
                return waiting
        if self._round is not None:
            self._made = None
            return Aside(self._round.shift, reason=self._round.reason)
        return self._make_room(time_us, ego, others, beside, axle_m)

    def _begin_round(
        self, time_us: int, block: Block, ego: EgoPose, beside: BesideRoute, axle_m: float
    ) -> Aside | None:
        """Begins to drive round a block, or says where to wait; None for neither."""
        way = ways_round(block, self._room_beside(block), ego, axle_m)
        if way is None:
            return None
        watched_s = self._watched_s(time_us, block, axle_m)
        near_m = max(ramp_length_m(way.shift.left_m, ego.speed_mps), WAIT_M + ego.front_m + 2.0)
        if block.tail_m - axle_m > near_m + HEAD_START_S * ego.speed_mps:
            return None
        if way.over == "oncoming" and watched_s < WATCH_S:
            why = f"watching the oncoming lane before driving round {way.what}"
        elif is_free(way, ego, axle_m, beside, top_mps=self._top_mps):
            self._round = way
            return None
        else:
            why = f"waiting for a gap to drive round {way.what}"
        # Where to drive is shown while waiting too: who only sees cannot tell how long one has watched, and would
        # learn the mean of a way round and none.
        return Aside(to_be_driven(way, block, ego, axle_m), wait_m(block, way), reason=why)

    @property
    def _top_mps(self) -> float:
        return min(PASS_MPS, self._track.limit_mps)

    def _watched_s(self, time_us: int, block: Block, axle_m: float) -> float:
        """How long the ego has been near a block."""
        if block.tail_m - axle_m > WATCH_M:
            return 0.0
        if self._watched is None or self._watched[0] != block.actor_id:
            self._watched = (block.actor_id, time_us)
        return (time_us - self._watched[1]) * 1e-6

    def _gone_on(
        self,
        way: Way,
        block: Block | None,
        ego: EgoPose,
        beside: BesideRoute,
        axle_m: float,
        offset_m: float,
    ) -> Way | None:
        """The way that is under way, brought up to date; None when it is done or better not begun."""
        if block is not None and block.tail_m < way.shift.until_m + TOGETHER_M:
            again = ways_round(block, self._room_beside(block), ego, axle_m)
            way = prolonged(way, block, ego, axle_m)
            if again is not None and again.shift.left_m / way.shift.left_m > 1.0:
                way = replace(way, over=again.over, shift=replace(way.shift, left_m=again.shift.left_m))
            begun = abs(offset_m) > abs(way.shift.left_m) / 4.0
            if not begun and not is_free(way, ego, axle_m, beside, top_mps=self._top_mps, started=True):
                return None
        return None if axle_m > way.shift.end_m else way

    def _room_beside(self, block: Block) -> Room:
        return self._room.between(block.tail_m - BESIDE_BLOCK_M, block.head_m + BESIDE_BLOCK_M)

    def _make_room(
        self, time_us: int, ego: EgoPose, others: Others, beside: BesideRoute, axle_m: float
    ) -> Aside:
        room = self._room.between(axle_m + ego.front_m, axle_m + ROOM_AHEAD_M)
        beacons = room_for_beacons(others, beside, room, ego, axle_m)
        wanted = beacons or room_for_oncoming(beside, room, ego, axle_m)
        if wanted is not None:
            self._wanted_us = time_us
            if self._made is None or self._made.has_ended or _is_wider(wanted, self._made):
                self._made = wanted
        elif self._made is not None and time_us - self._wanted_us > KEEP_S * 1e6:
            self._made = self._made if self._made.has_ended else ended(self._made, ego, axle_m)
        if self._made is None or axle_m > self._made.shift.end_m:
            self._made = None
            return ON_ROUTE
        at_edge = beacons is not None and self._made.over == "own"
        slow_mps = EDGE_MPS if at_edge else math.inf
        return Aside(self._made.shift, slow_mps=slow_mps, reason=f"making room for {self._made.what}")


def _is_wider(way: Way, than: Way) -> bool:
    return abs(way.shift.left_m) > abs(than.shift.left_m) + WIDER_M
