"""How fast: the lowest of what limit, curves, lights, signs, objects and right of way allow, with its reason.

All of it is a function of the scene as it is now, so that a driver who only sees can learn it. Knows nothing of
steering.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from drive_agent.expert.situation import Finding, Lead
from drive_agent.types import Cause, LightState, ObjectKind

BRAKE_MPS2 = 1.8  # comfortable braking to a known place
ACCEL_MPS2 = 2.0
HARD_BRAKE_MPS2 = 5.0  # how fast the profile may fall
YELLOW_BRAKE_MPS2 = 3.5  # a yellow that needs more braking than this to the very line is driven through
LIGHT_SPARE_M = 1.5  # stopping places before the line
STOP_SPARE_M = 1.0
YIELD_SPARE_M = 0.5
NEAR_ENOUGH_M = 0.25  # no creeping over the last bit
SETTLE_M, SETTLE_SIGN_M = 1.5, 0.5  # who stands within this of the stopping place stays there
STANDING_MPS = 0.3
WALKER_SPARE_M = 3.0
STANDSTILL_GAP_M = 3.0
HEADWAY_S = 1.0
SLOW_LEAD_MPS = 2.5
CLEAR_OF_LINE_M = 2.0  # from the tail to the line, when one comes to stand beyond it
PREVIEW_S = 0.5  # the target is the speed wanted this much later: what a controller can still reach
PROFILE_TIMES_S = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
STEP_S = 0.25


@dataclass(frozen=True)
class Bound:
    """Something that limits the speed: a place to stand still at, or a lead to follow."""

    way_m: float  # to where the car must stand, for a moving lead: to its tail
    spare_m: float
    reason: str
    lead_speed_mps: float = 0.0
    headway_s: float = 0.0
    settle_m: float = SETTLE_M

    def room(self, driven_m: float = 0.0, after_s: float = 0.0) -> float:
        """Way to brake in after `driven_m` metres and `after_s` seconds, metres."""
        way_m = self.way_m - self.spare_m - driven_m + self.lead_speed_mps * after_s
        return way_m + self.lead_speed_mps**2 / (2.0 * BRAKE_MPS2)

    def speed(self, driven_m: float, after_s: float = 0.0) -> float:
        """Highest speed after `driven_m` metres and `after_s` seconds.

        v with  free way = v * headway + (v^2 - lead^2) / (2 b):  Gipps' safe speed (1981) without reaction lag;
        for a place to stand still it is sqrt(2 b way).
        """
        room = self.room(driven_m, after_s)
        if room < NEAR_ENOUGH_M:
            return 0.0
        lag = BRAKE_MPS2 * self.headway_s
        return math.sqrt(lag**2 + 2.0 * BRAKE_MPS2 * room) - lag


def bounds(found: Finding) -> list[Bound]:
    """Everything to stop for or to follow. Who stands near enough to a stopping place is taken to be there."""
    all_bounds = _bounds(found)
    if found.ego.speed_mps > STANDING_MPS:
        return all_bounds
    return [replace(b, way_m=b.spare_m) if 0.0 < b.room() < b.settle_m else b for b in all_bounds]


def _bounds(found: Finding) -> list[Bound]:
    out = []
    if found.light_m is not None and must_stop_at(found.light, found.light_m, found.ego.speed_mps):
        out.append(Bound(found.light_m, LIGHT_SPARE_M, f"{found.light.name.lower()} light"))
    elif found.light_m is not None and no_room_behind(found.light_m, found.lead, found.ego.length_m):
        out.append(Bound(found.light_m, LIGHT_SPARE_M, "queue behind the stop line"))
    if found.stop_m is not None:
        out.append(
            Bound(0.0 if found.stop_held else found.stop_m, STOP_SPARE_M, "stop sign", settle_m=SETTLE_SIGN_M)
        )
    if found.lead is not None:
        out.append(_behind(found.lead))
    if found.yield_m is not None:
        out.append(Bound(found.yield_m, YIELD_SPARE_M, "traffic with right of way", settle_m=SETTLE_SIGN_M))
    if found.aside.wait_m is not None:
        way_m = found.aside.wait_m - found.corridor.begin_m - found.ego.front_m
        out.append(Bound(way_m, YIELD_SPARE_M, found.aside.reason, settle_m=SETTLE_SIGN_M))
    return out


def must_stop_at(light: LightState, way_m: float, speed_mps: float) -> bool:
    """Red always; yellow when one can stop before the line, so also when standing at it."""
    if light == LightState.YELLOW:
        return way_m > speed_mps**2 / (2.0 * YELLOW_BRAKE_MPS2)
    return light == LightState.RED


def no_room_behind(line_m: float, lead: Lead | None, length_m: float) -> bool:
    """Whether one would come to stand on a stop line, because a slow lead is just behind it."""
    if lead is None or lead.kind == ObjectKind.WALKER or lead.speed_mps > SLOW_LEAD_MPS:
        return False
    return 0.0 < line_m < lead.gap_m < line_m + length_m + STANDSTILL_GAP_M + CLEAR_OF_LINE_M


def _behind(lead: Lead) -> Bound:
    if lead.kind == ObjectKind.WALKER:
        return Bound(lead.gap_m, WALKER_SPARE_M, "person")
    what = "thing on the road" if lead.kind == ObjectKind.PROP else "vehicle"
    return Bound(lead.gap_m, STANDSTILL_GAP_M, what, lead.speed_mps, HEADWAY_S)


def cruise_speed(cruise_mps: np.ndarray, driven_m: float) -> float:
    """Speed of a car alone after `driven_m` metres of the corridor, whose values are 1 m apart."""
    place = min(driven_m, len(cruise_mps) - 1.001)
    k, share = int(place), place % 1.0
    return float(cruise_mps[k] + share * (cruise_mps[k + 1] - cruise_mps[k]))


def target_speed(found: Finding, limits: list[Bound]) -> tuple[float, Bound | None]:
    """The speed wanted `PREVIEW_S` from now, and what bounds it (None: limit or curve)."""
    driven_m = found.ego.speed_mps * PREVIEW_S
    speed, by = cruise_speed(found.corridor.cruise_mps, driven_m), None
    for bound in limits:
        allowed = bound.speed(driven_m, PREVIEW_S)
        if allowed < speed:
            speed, by = allowed, bound
    return speed, by


def profile(found: Finding, limits: list[Bound]) -> np.ndarray:
    """Speeds at `PROFILE_TIMES_S` of a car that keeps to all bounds from now on."""
    speed, driven_m, speeds = found.ego.speed_mps, 0.0, []
    for k in range(round(PROFILE_TIMES_S[-1] / STEP_S)):
        ahead_m = driven_m + speed * STEP_S
        wanted = cruise_speed(found.corridor.cruise_mps, ahead_m)
        for bound in limits:
            wanted = min(wanted, bound.speed(ahead_m, (k + 1) * STEP_S))
        after = min(max(wanted, speed - HARD_BRAKE_MPS2 * STEP_S, 0.0), speed + ACCEL_MPS2 * STEP_S)
        driven_m += 0.5 * (speed + after) * STEP_S
        speed = after
        speeds.append(speed)
    return np.array(speeds[round(PROFILE_TIMES_S[0] / STEP_S) - 1 :: round(PROFILE_TIMES_S[0] / STEP_S)])


CAUSES = {  # the reason of a bound -> what it is an instance of
    "red light": Cause.RED_LIGHT,
    "yellow light": Cause.YELLOW_LIGHT,
    "queue behind the stop line": Cause.QUEUE,
    "stop sign": Cause.STOP_SIGN,
    "vehicle": Cause.VEHICLE,
    "thing on the road": Cause.OBSTACLE,
    "person": Cause.PERSON,
    "traffic with right of way": Cause.RIGHT_OF_WAY,
    "gap in the lane to join": Cause.GAP,
}


def cause(found: Finding, target_mps: float, by: Bound | None) -> Cause:
    """What the target speed answers to, as `reason` says it in words."""
    if found.aside.reason and (by is None or by.reason == found.aside.reason):
        return Cause.OBSTACLE
    if by is None:
        return Cause.CURVE if target_mps < found.corridor.limit_mps - 0.5 else Cause.FREE
    return CAUSES[by.reason]


def reason(found: Finding, target_mps: float, by: Bound | None) -> str:
    """One clause that says why this speed."""
    if found.aside.reason and (by is None or by.reason == found.aside.reason):
        return found.aside.reason
    if by is None:
        slower = target_mps < found.corridor.limit_mps - 0.5
        return "slowing down for a curve" if slower else "following the lane, nothing in the way"
    if by.reason == "vehicle" and by.lead_speed_mps > 0.5:
        return f"following a vehicle {by.way_m:.0f} m ahead"
    if by.reason.startswith("gap"):
        return "finding a gap in the lane to join"
    if by.reason.startswith("traffic"):
        return "yielding to traffic with right of way"
    if found.ego.speed_mps < 0.3 and target_mps < 0.5:
        return f"waiting for a {by.reason}"
    return f"stopping for a {by.reason} {max(by.way_m, 0.0):.0f} m ahead"
