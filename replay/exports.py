"""A log in the formats of other tools: Foxglove's common schemas (Rerun reads them too), CARLA's recorder, and tables for a
spreadsheet.

Each export is a function from a log and a folder to the files that it wrote. Knows nothing of pages and videos.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from drive_agent.types import PlanError
from replay.episode import Timeline
from replay.foxglove import write_foxglove
from replay.recorder_export import write_recording

TICK_COLUMNS = (
    "time_s", "x_m", "y_m", "yaw_rad", "speed_mps", "throttle", "steer", "brake", "guard", "target_mps", "steer_error",
    "plan_age_s", "sees_light", "free_ahead_m", "road_users_seen", "model_ms", "plan_error",
)  # fmt: skip
EVENT_COLUMNS = ("time_s", "kind", "x_m", "y_m", "value", "other_id", "message")


def export_csv(log: Path, out: Path) -> list[Path]:
    """ticks.csv (world frame, rear axle, steer left positive) and events.csv. Raises ValueError for a log without ticks."""
    timeline = Timeline(log)
    out.mkdir(parents=True, exist_ok=True)
    ticks = [_tick(timeline, index) for index in range(len(timeline.moments))]
    events = [
        [
            f"{(e.time_us - timeline.start_us) / 1e6:.3f}",
            e.kind,
            f"{e.x_m:.3f}",
            f"{e.y_m:.3f}",
            e.value,
            e.other_id,
            e.message,
        ]
        for e in timeline.events
    ]
    return [_table(out / "ticks.csv", TICK_COLUMNS, ticks), _table(out / "events.csv", EVENT_COLUMNS, events)]


def export_foxglove(log: Path, out: Path) -> list[Path]:
    """One .mcap with pictures, transforms and scenes in Foxglove's schemas."""
    out.mkdir(parents=True, exist_ok=True)
    return [write_foxglove(log, out / f"{log.parent.name}_foxglove.mcap")]


def export_recording(log: Path, out: Path) -> list[Path]:
    """One .log of CARLA's recorder, called as the Leaderboard calls its own (RouteScenario_<id>_rep<k>.log)."""
    out.mkdir(parents=True, exist_ok=True)
    return [write_recording(log, out / f"RouteScenario_{log.parent.name}.log")]


EXPORTS: dict[str, Callable[[Path, Path], list[Path]]] = {
    "csv": export_csv, "foxglove": export_foxglove, "carla_recorder": export_recording,
}  # fmt: skip


def _tick(timeline: Timeline, index: int) -> list:
    moment = timeline.moments[index]
    time_s, pose, record, scene = (
        (moment.time_us - timeline.start_us) / 1e6,
        moment.pose,
        moment.record,
        moment.scene,
    )
    row: list = [
        f"{time_s:.3f}",
        f"{pose.x_m:.3f}",
        f"{pose.y_m:.3f}",
        f"{pose.yaw_rad:.4f}",
        f"{moment.speed_mps:.3f}",
    ]
    if record is None:
        row += [""] * 6
    else:
        command = record.command
        row += [f"{v:.4f}" for v in (command.throttle, command.steer, command.brake)]
        row += [record.guard, f"{record.longitudinal.target:.3f}", f"{record.lateral.error:.4f}"]
    row.append("" if moment.plan is None else f"{(moment.time_us - moment.plan.time_us) / 1e6:.2f}")
    if scene is None:
        row += ["", "", ""]
    else:
        gap = "" if scene.lead_gap_m is None else f"{scene.lead_gap_m:.1f}"
        row += [scene.light.name.lower(), gap, len(scene.objects)]
    model_ms = record.timings_ms.get("model", np.nan) if record else np.nan
    error = record.plan_error if record else None
    return [
        *row,
        "" if np.isnan(model_ms) else f"{model_ms:.1f}",
        error.reason if isinstance(error, PlanError) else "",
    ]


def _table(path: Path, columns: tuple[str, ...], rows: list[list]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return path


def _harmless(cell: object) -> object:
    """A spreadsheet runs text that begins like a formula; what a model said must stay text."""
    is_formula = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") and not _is_number(cell)
    return f"'{cell}" if is_formula else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
