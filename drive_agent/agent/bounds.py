"""How fast a plan may be by what the same reply tells ahead: a light, a stop sign, a lead, people.

The told target speed weighs everything that it was learnt with, above all what the car ahead does. What the reply knows
beside it is not outvoted by that. Numbers in, speeds out; knows nothing of replies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.types import LightState

BRAKE_MPS2 = 1.8  # to a line or a lead
DECEL_MPS2 = 4.0  # what a plan brakes with at most ...
EMERGENCY_MPS2 = 8.0  # ... and where a lead is too near for that
TOUCH_M = 1.0  # a told gap may be so much too long
LAST_BRAKE_MPS2 = {LightState.RED: 5.0, LightState.YELLOW: 3.5}  # what would need more is driven past
# from the standing car to what it stands before
LIGHT_SPARE_M, STOP_SPARE_M, LEAD_SPARE_M, PERSON_SPARE_M = 1.5, 1.5, 3.0, 3.0
SETTLE_M = 1.5  # who stands within this of the stopping place stays there
STANDING_MPS = 0.6  # slower cars stand
CLOSE_M, PATIENCE_S = 4.0, 3.0  # who has just stopped so near behind somebody lets them go first, for so long
PERSON_CLOSE_M, PERSON_PATIENCE_S = 6.0, 8.0  # the same before people
PREVIEW_S = 0.5  # what a controller needs to follow


@dataclass(frozen=True)
class Ahead:
    """What is told ahead. Ways are from the front bumper; None where there is nothing."""

    light: LightState  # RED or YELLOW where one has to stop for it
    light_m: float
    stop_m: float | None  # to the line of a stop sign that is still to be obeyed
    gap_m: float | None  # to the lead
    lead_speed_mps: float
    person_m: float | None = None  # to whoever walks into the own way
    stood_s: float = 0.0  # how long the own car has been standing


def top_speed(ahead: Ahead, speed_mps: float) -> float:
    """The highest speed that keeps to all of it, inf where nothing binds."""
    return min(
        speed_to_light(ahead.light, ahead.light_m, speed_mps),
        speed_to_stop_sign(ahead.stop_m, speed_mps),
        speed_behind_lead(ahead.gap_m, ahead.lead_speed_mps, speed_mps, ahead.stood_s),
        speed_before_person(ahead.person_m, speed_mps, ahead.stood_s),
    )


def speed_to_light(state: LightState, way_m: float, speed_mps: float) -> float:
    """The speed that still stops before the line of a red or yellow light; inf for others, or where it is too near."""
    if state not in LAST_BRAKE_MPS2 or speed_mps**2 > 2 * LAST_BRAKE_MPS2[state] * way_m:
        return np.inf
    if speed_mps < STANDING_MPS and way_m - LIGHT_SPARE_M < SETTLE_M:
        return 0.0
    return _speed_to(way_m - LIGHT_SPARE_M, speed_mps)


def speed_to_stop_sign(way_m: float | None, speed_mps: float) -> float:
    """The speed that still stops before the line of a stop sign; inf where there is none, or it is too near."""
    if way_m is None or speed_mps**2 > 2 * LAST_BRAKE_MPS2[LightState.RED] * way_m:
        return np.inf
    return _speed_to(way_m - STOP_SPARE_M, speed_mps)


def speed_behind_lead(
    gap_m: float | None, lead_speed_mps: float, speed_mps: float, stood_s: float = np.inf
) -> float:
    """The speed that still stops behind a lead, should it brake as well; inf where there is none.

    Who has stood for a while decides by the target speed alone when to go: a lead that is not there must not hold a car
    for ever.
    """
    if gap_m is None:
        return np.inf
    if speed_mps < STANDING_MPS:
        return 0.0 if gap_m < CLOSE_M and stood_s < PATIENCE_S else np.inf
    return _speed_to(gap_m - LEAD_SPARE_M, speed_mps, lead_speed_mps)


def speed_before_person(way_m: float | None, speed_mps: float, stood_s: float = np.inf) -> float:
    """The speed that still stops before somebody on foot; inf where there is nobody, or for who has waited long."""
    if way_m is None:
        return np.inf
    if speed_mps < STANDING_MPS:
        return 0.0 if way_m < PERSON_CLOSE_M and stood_s < PERSON_PATIENCE_S else np.inf
    return _speed_to(way_m - PERSON_SPARE_M, speed_mps)


def hardest_brake_mps2(ahead: Ahead, speed_mps: float) -> float:
    """What the plan brakes with at most: more where comfortable braking would end in a lead or a person."""
    late = _is_late(ahead.gap_m, speed_mps - ahead.lead_speed_mps) or _is_late(ahead.person_m, speed_mps)
    return EMERGENCY_MPS2 if late else DECEL_MPS2


def _is_late(way_m: float | None, closing_mps: float) -> bool:
    return way_m is not None and closing_mps > 0.0 and closing_mps**2 > 2 * DECEL_MPS2 * (way_m - TOUCH_M)


def _speed_to(room_m: float, speed_mps: float, then_mps: float = 0.0) -> float:
    """The speed that brakes to `then_mps` within `room_m` metres, a little ahead of time."""
    return float(np.sqrt(2 * BRAKE_MPS2 * max(room_m - PREVIEW_S * speed_mps, 0.0) + then_mps**2))
