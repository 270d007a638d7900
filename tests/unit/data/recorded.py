"""A short drive along the street with one camera and two others, as a log: what clips and exports are tested on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.rig import nuscenes_rig
from drive_agent.types import CameraImage, Command, ControlTerms, Decision, EgoState, Frame, Maneuver
from tests.worlds import TICK_US, header, straight_route, street, truth

SPEED_MPS = 6.0
FIRST_PICTURE = 3  # ticks
TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)


def picture(time_us: int) -> CameraImage:
    mount = nuscenes_rig()["CAM_FRONT"]
    rgb = np.full((mount.height, mount.width, 3), time_us // 50_000 % 200, np.uint8)
    return CameraImage("CAM_FRONT", time_us, rgb, cv2.imencode(".jpg", rgb)[1].tobytes())


def write_drive(run: Path, seconds: float = 6.0, *, turn: bool = False, name: str = "7_rep0") -> Path:
    """A run folder with one route: straight on at 6 m/s (or in a gentle bend), a car ahead, one that comes later."""
    log_path = run / "routes" / name / "log.mcap"
    settings = {"model": {"kind": "embedded", "period_s": 0.25, "rig": "nuscenes"}, "routes": ["7"]}
    head = replace(header(straight_route(120)), config=settings)
    with EpisodeWriter(log_path, head, street(140, stop_m=100)) as log:
        x_m, y_m, yaw = 10.0, -1.75, 0.0
        for tick in range(round(seconds / 0.05)):
            others = {5: (40.0 + 0.1 * tick, 1.75, 2.0)}
            if tick > 40:
                others[6] = (70.0, -1.75, 0.0)
            now = truth(tick, x_m, y_m, yaw_rad=yaw, speed_mps=SPEED_MPS, others=others)
            log.write(now, decision(tick * TICK_US) if tick % 5 == FIRST_PICTURE else None)
            x_m, y_m = x_m + SPEED_MPS * 0.05 * np.cos(yaw), y_m + SPEED_MPS * 0.05 * np.sin(yaw)
            yaw += 0.01 if turn else 0.0
        log.finish(Outcome("Completed", "", 1.0, seconds))
    return run


def decision(time_us: int) -> Decision:
    ego = EgoState(time_us, 0.0, 0.0, 0.0, SPEED_MPS, 0.0, 0.0, 50.0)
    frame = Frame(
        time_us, {"CAM_FRONT": picture(time_us)}, {}, ego, np.zeros((1, 4)), np.zeros((1, 2)),
        (Maneuver.LANE_FOLLOW,), Maneuver.LANE_FOLLOW,
    )  # fmt: skip
    return Decision(Command(0.0, 0.0, 0.0), TERMS, TERMS, "", None, frame=frame)
