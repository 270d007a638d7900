"""Whom to let pass at a junction: does a car on a crossing lane reach the common area while we are in it?

Knows the junction's `Passage` and the cars of one tick, nothing of speeds to drive. World frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.junction import WAIT_BEFORE_M, Passage, Rank
from drive_agent.expert.others import EgoPose, Others
from drive_agent.types import LightState

ON_LANE_M, ON_LANE_COS = 2.2, 0.7  # a car belongs to a lane point nearer and better aligned than this
ACCEL_MPS2 = 2.0
MARGIN_S = 1.5  # spare time before the other arrives: a start takes longer than the formula says
CREEP_MPS = 0.4  # slower counts as waiting
PAST_LINE_M = 2.0  # further over the line there is no waiting at it
STARTING_REACH_M = 14.0  # a waiting car this near the common area may start any moment


@dataclass(frozen=True)
class Conflict:
    """Someone to let pass: which actor, and where to wait for it."""

    actor_id: int
    wait_m: float  # route station for the bumper
    moving: bool


def conflict(
    passage: Passage,
    ego: EgoPose,
    own_id: int,
    front_station_m: float,
    others: Others,
    lights: dict[str, LightState],
    *,
    patient: bool,
) -> Conflict | None:
    """The first road user to let pass, or None when the way through is free.

    `patient` is False once we have waited long for cars that do not move: those are then taken to let us go.
    """
    if not len(passage.points) or not len(others.ids):
        return None
    who, point = _matches(passage, others)
    if not len(who):
        return None
    speed = others.speed[who]
    to_area, rank, inside = passage.to_area_m[point], passage.rank[point], passage.inside[point]
    coming = _may_come(passage, point, lights) | inside
    begin_s, end_s = _their_window(to_area, passage.area_m[point], others.half[who, 0], speed)
    own_begin_s, own_end_s = _own_window(passage, point, ego, front_station_m)
    ahead = own_end_s > 0.0
    moving_now = speed >= CREEP_MPS
    starts_soon = (
        ~moving_now & (rank == Rank.WE_YIELD) & (to_area < STARTING_REACH_M) & (to_area > 0.0) & patient
    )
    moving = moving_now | starts_soon
    overlap = (begin_s - MARGIN_S < own_end_s) & (own_begin_s < end_s + 0.5)
    entered = front_station_m > passage.own_begin_m[point] + 0.5  # too late to wait: clear the junction
    must = (
        (rank == Rank.WE_YIELD)
        | inside & (begin_s < own_begin_s)
        | (rank == Rank.FIRST_COME) & _they_first(begin_s, own_begin_s, others.ids[who], own_id)
    )
    yes = coming & moving & ahead & overlap & must & ~entered
    if not yes.any():
        return None
    rows = np.flatnonzero(yes)
    first = rows[
        np.argmin(passage.own_begin_m[point[rows]])
    ]  # a car that may take several ways: the nearest counts
    return Conflict(
        int(others.ids[who[first]]),
        _wait_at(passage, point[first], front_station_m),
        bool(moving_now[rows].any()),
    )


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


def _own_window(
    passage: Passage, point: np.ndarray, ego: EgoPose, front_station_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """When our bumper enters and our tail leaves the common area, accelerating up to turning speed."""
    enter = np.maximum(passage.own_begin_m[point] - front_station_m, 0.0)
    leave = passage.own_end_m[point] - front_station_m + ego.length_m
    return _time_for(enter, ego.speed_mps), np.where(leave > 0.0, _time_for(leave, ego.speed_mps), -1.0)


def _time_for(way_m: np.ndarray, speed_mps: float, top_mps: float = 6.0) -> np.ndarray:
    """Time to drive a way, accelerating from `speed_mps` to at most `top_mps`."""
    top = max(top_mps, speed_mps)
    way = np.maximum(way_m, 0.0)
    run_up_s = (top - speed_mps) / ACCEL_MPS2
    run_up_m = 0.5 * (top + speed_mps) * run_up_s
    within = (np.sqrt(speed_mps**2 + 2.0 * ACCEL_MPS2 * np.minimum(way, run_up_m)) - speed_mps) / ACCEL_MPS2
    return np.where(way <= run_up_m, within, run_up_s + (way - run_up_m) / top)


def _they_first(begin_s: np.ndarray, own_begin_s: np.ndarray, ids: np.ndarray, own_id: int) -> np.ndarray:
    """First come, first served; within half a second the smaller id goes."""
    tie = np.abs(begin_s - own_begin_s) < 0.5
    return np.where(tie, ids < own_id, begin_s < own_begin_s)


def _wait_at(passage: Passage, point: int, front_station_m: float) -> float:
    """At the junction's line, where the tail will not be on it when the light changes; once past it, before the area."""
    at_area = float(passage.own_begin_m[point]) - WAIT_BEFORE_M
    return at_area if front_station_m > passage.wait_m + PAST_LINE_M else passage.wait_m
