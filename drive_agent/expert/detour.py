"""How to get round what blocks the own lane: the smallest shift that clears it, and whether its way is free now.

Within the lane if that is enough, else over a lane of the own direction, else through that of the oncoming traffic.
Knows nothing of speeds to drive elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from drive_agent.expert.beside_route import BesideRoute
from drive_agent.expert.blockers import Block
from drive_agent.expert.others import EgoPose
from drive_agent.expert.room import Room
from drive_agent.expert.shift import Shift, ramp_length_m

MARGINS_M = (0.6, 0.4)  # beside what is passed: wanted, and where there is no more room
MOVING_MARGIN_M = 0.9  # beside a cyclist
EDGE_M = 0.15  # own side to the border of the road
OVER_LINE_M = 0.2  # so little over the line is still in the own lane
WAIT_M = 7.0  # bumper to what blocks, while waiting: room to steer out
CLOSE_M = 3.5  # the same, where one shifts inside the lane
TIGHT_M, TIGHT_EXTRA_M = 5.0, 0.6  # from standstill so near, a car steers out late: it wants more beside
AFTER_M = 1.0  # from the head of the block to where the way back begins
ACCEL_MPS2 = 1.8
PASS_MPS = 9.0
START_MPS = 5.0  # from standstill the way out is as long as at this speed, where there is room
ONCOMING_MPS = -1.0  # slower does not count as coming
SPARE_M, SPARE_S = (
    6.0,
    1.0,
)  # between the return and the next oncoming car; seconds only for going, not for going on
REAR_GAP_M, REAR_GAP_S = 4.0, 2.5
SIDE_SPARE_M = 0.4
CLEAR_SHARE = 0.6  # of the way back, after which the oncoming lane is free again


@dataclass(frozen=True)
class Way:
    """A shift round a block, and whose lane it needs."""

    shift: Shift
    over: str  # "own", "same" or "oncoming"
    what: str

    @property
    def has_ended(self) -> bool:
        """Whether it is known where it leads back."""
        return not math.isinf(self.shift.until_m)

    @property
    def reason(self) -> str:
        side = "left" if self.shift.left_m > 0.0 else "right"
        through = {
            "own": f"keeping to the {side} of the lane",
            "same": f"over the lane on the {side}",
            "oncoming": "through the lane of the oncoming traffic",
        }
        return f"driving round {self.what} {through[self.over]}"


def ways_round(block: Block, room: Room, ego: EgoPose, axle_m: float) -> Way | None:
    """The way that is least aside, None where the road has no room. Own lane first, then own direction."""
    margins = (MOVING_MARGIN_M, *MARGINS_M) if block.speed_mps > 0.5 else MARGINS_M
    for margin_m in margins:
        found = []
        for left_m in (
            block.left_m + ego.half_width_m + margin_m,
            block.right_m - ego.half_width_m - margin_m,
        ):
            over = _over(left_m, room, ego.half_width_m)
            if over is not None:
                found.append((("own", "same", "oncoming").index(over), abs(left_m), left_m, over))
        if found:
            _, _, left_m, over = min(found)
            if over != "own" and _starts_close(block, ego, axle_m):
                wider_m = left_m + math.copysign(TIGHT_EXTRA_M, left_m)
                left_m = wider_m if _over(wider_m, room, ego.half_width_m) == over else left_m
            return Way(_shift(left_m, block, ego, axle_m), over, block.what)
    return None


def _starts_close(block: Block, ego: EgoPose, axle_m: float) -> bool:
    """Whether the ego stands so near behind the block, as who has queued behind it does, that it steers out late."""
    return ego.speed_mps < 0.5 and block.tail_m - (axle_m + ego.front_m) < TIGHT_M


def _over(left_m: float, room: Room, half_width_m: float) -> str | None:
    """Whose lanes a car that far left of the route needs, None when the road is not wide enough."""
    left_side_m, right_side_m = left_m + half_width_m, left_m - half_width_m
    if left_side_m > room.left_m - EDGE_M or right_side_m < room.right_m + EDGE_M:
        return None
    if left_side_m > room.same_left_m + OVER_LINE_M:
        return "oncoming"
    inside = left_side_m < room.own_left_m + OVER_LINE_M and right_side_m > room.own_right_m - OVER_LINE_M
    return "own" if inside else "same"


def _shift(left_m: float, block: Block, ego: EgoPose, axle_m: float) -> Shift:
    wanted_m = ramp_length_m(left_m, max(ego.speed_mps, START_MPS))
    begin_m = max(block.tail_m - wanted_m, axle_m)
    back_m = ramp_length_m(left_m, PASS_MPS)
    until_m = passed_m(block, ego, axle_m)
    return Shift(left_m, begin_m, max(block.tail_m - begin_m, 2.0), until_m, back_m)


def passed_m(block: Block, ego: EgoPose, axle_m: float) -> float:
    """Where the rear axle will be past the block, which may move meanwhile."""
    gain_mps = max(ego.speed_mps, 6.0) - block.speed_mps
    after_m = AFTER_M + block.speed_mps
    moved_m = block.speed_mps * max(block.head_m + after_m - axle_m, 0.0) / gain_mps
    return block.head_m + after_m + moved_m


def prolonged(way: Way, block: Block, ego: EgoPose, axle_m: float) -> Way:
    """The same way, to the end of a block that moves or turns out to be longer."""
    until_m = max(passed_m(block, ego, axle_m), axle_m)
    return replace(way, shift=replace(way.shift, until_m=until_m))


def wait_m(block: Block, way: Way) -> float:
    """Station of the bumper for waiting until the way is free."""
    return block.tail_m - (CLOSE_M if way.over == "own" else WAIT_M)


def to_be_driven(way: Way, block: Block, ego: EgoPose, axle_m: float) -> Shift:
    """The shift as it will be driven once the way is free: from where the car waits."""
    begin_m = max(wait_m(block, way) - ego.front_m, axle_m)
    return replace(way.shift, begin_m=begin_m, ramp_m=max(block.tail_m - begin_m, 2.0))


def is_free(
    way: Way,
    ego: EgoPose,
    axle_m: float,
    beside: BesideRoute,
    *,
    top_mps: float = PASS_MPS,
    started: bool = False,
) -> bool:
    """Whether the way may be driven now, no faster than `top_mps`.

    `started`: less to spare is enough for going on than for going.
    """
    if way.over == "own":
        return True
    strip = beside.overlaps(way.shift.left_m, ego.half_width_m + SIDE_SPARE_M)
    mine = beside.overlaps(0.0, ego.half_width_m) & (np.abs(beside.across_mps) < 0.5)
    new = strip & ~mine
    if _comes_from_behind(beside, new, ego, axle_m).any():
        return False
    if way.over == "same":
        return True
    clear_m = way.shift.until_m + CLEAR_SHARE * way.shift.back_m
    pass_s = travel_s(max(clear_m - axle_m, 0.0), ego.speed_mps, top_mps) + (0.0 if started else SPARE_S)
    return not _meets(beside, strip, clear_m, pass_s, ego, axle_m).any()


def _comes_from_behind(beside: BesideRoute, new: np.ndarray, ego: EgoPose, axle_m: float) -> np.ndarray:
    """(n,) who would have to brake, or is beside us."""
    rear_m, front_m = axle_m - (ego.length_m - ego.front_m), axle_m + ego.front_m
    beside_us = (beside.head_m > rear_m - REAR_GAP_M) & (beside.tail_m < front_m + 1.0)
    gap_m = rear_m - beside.head_m
    faster_mps = np.maximum(beside.along_mps - ego.speed_mps, 0.0)
    soon = (gap_m > 0.0) & (gap_m < REAR_GAP_M + REAR_GAP_S * faster_mps)
    return new & (beside.along_mps > ONCOMING_MPS) & (beside_us | soon & (beside.along_mps > 1.0))


def _meets(
    beside: BesideRoute, strip: np.ndarray, clear_m: float, pass_s: float, ego: EgoPose, axle_m: float
) -> np.ndarray:
    """(n,) who stands in the way through, or is there before we are back in our lane, at `clear_m` after `pass_s`."""
    back_m = clear_m + ego.front_m
    there_m = beside.tail_m + np.minimum(beside.along_mps, 0.0) * pass_s
    coming = (beside.along_mps < ONCOMING_MPS) & (beside.head_m > axle_m) & (there_m < back_m + SPARE_M)
    stands = (np.abs(beside.along_mps) <= -ONCOMING_MPS) & (beside.head_m > axle_m + ego.front_m)
    return strip & (coming | stands & (beside.tail_m < clear_m))


def travel_s(way_m: float, speed_mps: float, top_mps: float) -> float:
    """Time for a way, accelerating to the speed of the pass."""
    top_mps = max(top_mps, speed_mps)
    run_up_m = (top_mps**2 - speed_mps**2) / (2.0 * ACCEL_MPS2)
    if way_m <= run_up_m:
        return (math.sqrt(speed_mps**2 + 2.0 * ACCEL_MPS2 * way_m) - speed_mps) / ACCEL_MPS2
    return (top_mps - speed_mps) / ACCEL_MPS2 + (way_m - run_up_m) / top_mps
