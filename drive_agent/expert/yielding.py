"""Whom to let pass at a junction: does a car on a crossing lane reach the common area while we are in it?

Knows the junction's `Passage` and the cars of one tick, nothing of speeds to drive. World frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.junction import WAIT_BEFORE_M, Passage, Rank
from drive_agent.expert.others import Others
from drive_agent.expert.pace import Pace
from drive_agent.types import LightState

ON_LANE_M, ON_LANE_COS = 2.2, 0.7  # a car belongs to a lane point nearer and better aligned than this
MARGIN_S, LEAST_MARGIN_S = 1.2, 0.4  # spare time before the other arrives: at first, and after a long wait
CALM_S = 20.0  # over which a driver who waits comes to take the smaller gap
AFTER_S = 0.3  # behind one who leaves
CREEP_MPS = 0.4  # slower counts as waiting
CLEAR_M = 1.0  # from the tail to an area that one has left and waits behind
COMMITTED_M = 1.0  # so far past a place it is too late to wait there
PAST_LINE_M = 2.0  # further over the line there is no waiting at it
STARTING_REACH_M = 14.0  # a waiting car this near the common area may start any moment
STOPS_MPS2, STOPS_M = 5.0, 2.0  # who needs more to stop so far before the common area will not stop
MERGE_S, MERGE_M = (
    0.25,
    2.0,
)  # to keep to who comes behind us on the lane that we share: time at their speed, plus
MERGE_TIMES_S = np.arange(0.0, 5.1, 0.25)  # how long that has to hold


@dataclass(frozen=True)
class Conflict:
    """Someone to let pass: which actor, and where to wait for it."""

    actor_id: int
    wait_m: float  # route station for the bumper
    moving: bool


@dataclass(frozen=True)
class OwnCar:
    """What the others have to be compared with."""

    actor_id: int
    front_m: float  # route station of the bumper
    length_m: float
    pace: Pace
    waited_s: float = 0.0  # how long it has let others pass

    @property
    def margin_s(self) -> float:
        """Spare time asked for: the longer one waits, the less."""
        share = min(self.waited_s / CALM_S, 1.0)
        return MARGIN_S + share * (LEAST_MARGIN_S - MARGIN_S)


def conflict(
    passage: Passage, own: OwnCar, others: Others, lights: dict[str, LightState], *, patient: bool
) -> Conflict | None:
    """The first road user to let pass, or None when the way through is free.

    `patient` is False once we have waited long for cars that do not move: those are then taken to let us go.
    """
    if not len(passage.points) or not len(others.ids):
        return None
    who, point = _matches(passage, others)
    if not len(who):
        return None
    speed, half_m = others.speed[who], others.half[who, 0]
    to_area, rank, inside = passage.to_area_m[point], passage.rank[point], passage.inside[point]
    heedless = _is_heedless(to_area - half_m, speed, others.emergency[who])
    coming = _may_come(passage, point, lights) | inside | heedless
    begin_s, end_s = _their_window(to_area, passage.area_m[point], half_m, speed)
    own_begin_s, own_end_s = _own_window(passage, point, own)
    moving_now = speed >= CREEP_MPS
    starts_soon = (
        ~moving_now & (rank == Rank.WE_YIELD) & (to_area < STARTING_REACH_M) & (to_area > 0.0) & patient
    )
    margin_s = 0.0 if _is_committed(passage, own) else own.margin_s
    behind_us = _comes_too_near(passage, point, own, others, who, own_begin_s, margin_s)
    overlap = (begin_s - margin_s < own_end_s) & (own_begin_s < end_s + AFTER_S)
    meets = np.where(passage.merges[point], behind_us, overlap) & (own_end_s > 0.0)
    entered = own.front_m > passage.own_begin_m[point] + COMMITTED_M  # clear the junction
    must = (
        np.isin(rank, (Rank.WE_YIELD, Rank.SIGNALS))
        | heedless
        | inside & (begin_s < own_begin_s)
        | (rank == Rank.FIRST_COME) & _they_first(begin_s, own_begin_s, others.ids[who], own.actor_id)
    )
    yes = coming & (moving_now | starts_soon) & meets & must & ~entered
    if not yes.any():
        return None
    rows = np.flatnonzero(yes)
    waits_m = [_wait_at(passage, k, own) for k in point[rows]]
    first = int(np.argmin(waits_m))  # a car that may take several ways: the nearest counts
    return Conflict(
        int(others.ids[who[rows[first]]]),
        waits_m[first],
        bool(moving_now[rows].any()),
    )


def _is_committed(passage: Passage, own: OwnCar) -> bool:
    """Whether we are in the way of one stream: then it is better to go on than to be careful with the next."""
    begin_m, end_m = _streams(passage).T
    return bool(((own.front_m > begin_m + COMMITTED_M) & (own.front_m - own.length_m < end_m)).any())


def _streams(passage: Passage) -> np.ndarray:
    """Route stations (k, 2) where we cross or join those that may go first, in order."""
    wary = np.isin(passage.rank, (Rank.FIRST_COME, Rank.WE_YIELD))
    return np.unique(np.column_stack([passage.own_begin_m, passage.own_end_m])[wary], axis=0)


def _is_heedless(way_m: np.ndarray, speed: np.ndarray, emergency: np.ndarray) -> np.ndarray:
    """Whether each will come whoever goes first: has beacons, or is too fast to stop before the common area."""
    stops_m = np.maximum(way_m - STOPS_M, 0.1)
    too_fast = (way_m > 0.0) & (speed**2 > 2.0 * STOPS_MPS2 * stops_m)
    return (too_fast | emergency) & (speed > CREEP_MPS)


def _comes_too_near(
    passage: Passage,
    point: np.ndarray,
    own: OwnCar,
    others: Others,
    who: np.ndarray,
    own_begin_s: np.ndarray,
    margin_s: float,
) -> np.ndarray:
    """(m,) who, on the lane that we come to share, would have to brake for us or is beside us.

    Both are seen by their way to where the shared piece of the junction ends; who is ahead of us is a leader.
    """
    speed, half_m = others.speed[who], others.half[who, 0]
    times_s = own_begin_s[:, None] + MERGE_TIMES_S
    our_head_m = own.front_m + own.pace.way_at(times_s) - passage.own_end_m[point][:, None]
    in_area_m = speed[:, None] * times_s - passage.to_area_m[point][:, None]
    bend_share = np.minimum(passage.turn_mps[point] / np.maximum(speed, 0.1), 1.0)[:, None]
    their_center_m = np.where(in_area_m > 0.0, in_area_m * bend_share, in_area_m)
    their_center_m -= passage.area_m[point][:, None]
    is_leader = their_center_m[:, 0] - half_m > our_head_m[:, 0] + AFTER_S * speed
    spare_m = MERGE_M + speed * (MERGE_S + margin_s - LEAST_MARGIN_S)
    left_m = our_head_m - own.length_m - their_center_m - half_m[:, None]
    return ~is_leader & (left_m < spare_m[:, None]).any(1)


def _matches(passage: Passage, others: Others) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (actor row, watched point) of vehicles that are on a watched lane."""
    distance2 = (
        (others.center**2).sum(1)[:, None]
        + (passage.points**2).sum(1)[None]
        - 2.0 * others.center @ passage.points.T
    )
    near = (distance2 < ON_LANE_M**2) & ~others.walker[:, None]
    who, point = np.nonzero(near)
    aligned = np.cos(others.yaw[who] - passage.headings[point]) > ON_LANE_COS
    return who[aligned], point[aligned]


def _may_come(passage: Passage, point: np.ndarray, lights: dict[str, LightState]) -> np.ndarray:
    """Whether the light of each approach lets its traffic go (approaches without a light always do)."""
    go = np.array([lights[s] in (LightState.GREEN, LightState.YELLOW) for s in passage.signals] + [True])
    return go[passage.signal[point]]


def _their_window(
    to_area: np.ndarray, area_m: np.ndarray, half_length: np.ndarray, speed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """When the others enter and leave the common area, seconds from now."""
    pace = np.maximum(speed, 2.0)
    return (to_area - half_length) / pace, (to_area + area_m + half_length) / pace


def _own_window(passage: Passage, point: np.ndarray, own: OwnCar) -> tuple[np.ndarray, np.ndarray]:
    """When our bumper enters and our tail leaves the common area, seconds from now; -1 when it has left."""
    enter = np.maximum(passage.own_begin_m[point] - own.front_m, 0.0)
    leave = passage.own_end_m[point] - own.front_m + own.length_m
    return own.pace.time_for(enter), np.where(leave > 0.0, own.pace.time_for(leave), -1.0)


def _they_first(begin_s: np.ndarray, own_begin_s: np.ndarray, ids: np.ndarray, own_id: int) -> np.ndarray:
    """First come, first served; within half a second the smaller id goes."""
    tie = np.abs(begin_s - own_begin_s) < 0.5
    return np.where(tie, ids < own_id, begin_s < own_begin_s)


def _wait_at(passage: Passage, point: int, own: OwnCar) -> float:
    """At the junction's line, where the tail will not be on it when the light changes; once past it, before the area.

    Where the tail would then stand in another area, before that one too, unless we are there already.
    """
    if own.front_m < passage.wait_m + PAST_LINE_M:
        return passage.wait_m
    at_area_m = wait_m = float(passage.own_begin_m[point]) - WAIT_BEFORE_M
    for begin_m, end_m in _streams(passage)[::-1]:
        if begin_m < wait_m + WAIT_BEFORE_M and wait_m - own.length_m < end_m + CLEAR_M:
            wait_m = float(begin_m) - WAIT_BEFORE_M
    return at_area_m if own.front_m > wait_m + COMMITTED_M else wait_m
