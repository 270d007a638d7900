"""A drive as curves, and what went on at each of its events: all that a page shows of it but the roads and pictures."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drive_agent.log.schema import TickRecord
from drive_agent.score.drive_record import VX, VY, DriveRecord
from drive_agent.score.events import Event
from drive_agent.types import Forecast, LightState, Maneuver, Plan, Scene

MODEL_STAGE = "model"  # of a tick's timings


@dataclass(frozen=True)
class Said:
    """What was decided at a tick, and what the model said last, then or before."""

    record: TickRecord | None  # None where nothing was decided
    plan: Plan | None
    scene: Scene | None
    forecast: Forecast | None
    scene_us: int  # when the scene was told
    maneuver: Maneuver | None


@dataclass(frozen=True)
class Note:
    """What the car and the model did at an event."""

    speed_mps: float
    light: LightState | None  # None: the model told no scene
    gap_m: float | None
    road_users: int
    planned_mps: float | None  # at the end of the plan, None without one
    reason: str
    guard: str


@dataclass(frozen=True)
class Course:
    """World frame, rear axle; a row each tick. NaN where there is no plan to aim at, or nothing was decided."""

    times_us: np.ndarray  # (n,)
    track: np.ndarray  # (n, 2)
    speeds_mps: np.ndarray  # (n,)
    targets_mps: np.ndarray  # (n,)
    steers: np.ndarray  # (n,)
    model_us: np.ndarray  # (k,) when the model was asked, and how long it took
    model_ms: np.ndarray  # (k,)
    notes: tuple[Note, ...]  # one each event


def course_of(drive: DriveRecord, events: Sequence[Event]) -> Course:
    """The curves of a drive, empty for one that ended before its first tick."""
    times_us = [truth.time_us for truth in drive.truths]
    speeds_mps = [float(np.hypot(truth.ego[VX], truth.ego[VY])) for truth in drive.truths]
    said = list(what_was_said(times_us, {record.time_us: record for record in drive.ticks}))
    asked = [
        (now, each.record.timings_ms[MODEL_STAGE])
        for now, each in zip(times_us, said, strict=True)
        if each.record is not None and MODEL_STAGE in each.record.timings_ms
    ]
    at = [max(bisect.bisect_right(times_us, event.time_us) - 1, 0) for event in events]
    return Course(
        times_us=np.array(times_us, np.int64),
        track=np.array([drive.pose(k)[:2] for k in range(len(times_us))]).reshape(-1, 2),
        speeds_mps=np.array(speeds_mps),
        targets_mps=np.array([_target_mps(each) for each in said]),
        steers=np.array([each.record.command.steer if each.record else np.nan for each in said]),
        model_us=np.array([now for now, _ in asked], np.int64),
        model_ms=np.array([spent for _, spent in asked], float),
        notes=tuple(_note(speeds_mps[k], said[k]) for k in at),
    )


def what_was_said(times_us: Iterable[int], records: Mapping[int, TickRecord]) -> Iterator[Said]:
    """For each tick, `records` by their times; what the model said is carried on until it speaks again."""
    scene, forecast, scene_us, maneuver, asked_us = None, None, 0, None, 0
    for now in times_us:
        record = records.get(now)
        plan = record.plan if record else None
        if record and record.reply is not None:
            asked_us = now
        elif plan is not None and plan.time_us > asked_us:  # somebody drives on who asks nobody: after a fork
            scene, forecast = None, None
        if record and record.scene is not None:
            scene, forecast, scene_us = record.scene, record.forecast, now
        if record and record.frame is not None:
            maneuver = record.frame.maneuver
        yield Said(record, plan, scene, forecast, scene_us, maneuver)


def _target_mps(said: Said) -> float:
    return said.record.longitudinal.target if said.record and said.plan is not None else float("nan")


def _note(speed_mps: float, said: Said) -> Note:
    scene, plan = said.scene, said.plan
    return Note(
        speed_mps=speed_mps,
        light=None if scene is None else scene.light,
        gap_m=None if scene is None else scene.lead_gap_m,
        road_users=0 if scene is None else len(scene.objects),
        planned_mps=None if plan is None else float(plan.speeds_mps[-1]),
        reason="" if plan is None else plan.reason,
        guard=said.record.guard if said.record else "",
    )
