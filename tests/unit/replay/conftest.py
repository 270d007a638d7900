"""Synthetic drives along a straight street, written through the real log: 6 s, a red light run, a hostile plan reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, front_rig
from drive_agent.types import (
    CameraImage,
    Command,
    ControlTerms,
    Decision,
    EgoState,
    Forecast,
    Frame,
    LightState,
    Maneuver,
    ObjectKind,
    Plan,
    Reply,
    Scene,
    SceneObject,
    Truth,
)
from tests.worlds import TICK_US, header, straight_route, street, truth

SPEED_MPS = 8.0
SECONDS = 6.0
STOP_M = 40.0
CAR_X_M = 75.0
HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>&'
MODEL_EVERY = 5


def image(name: str, time_us: int) -> CameraImage:
    """A grey picture whose brightness tells its time."""
    mount = front_rig()[name]
    rgb = np.full((mount.height, mount.width, 3), 40 + time_us // 100_000, np.uint8)
    ok, jpeg = cv2.imencode(".jpg", rgb)
    assert ok
    return CameraImage(name, time_us, rgb, jpeg.tobytes())


def decision(now: Truth, held: Plan | None, *, pictures: bool) -> Decision:
    """What the model would say: straight on at the own speed; a car 20 m ahead; on other ticks the plan is held."""
    time_us, terms = now.time_us, ControlTerms(SPEED_MPS, 0.0, 0.0, 0.0, 0.0, saturated=False)
    command = Command(0.3, 0.0, 0.0)
    if held is not None and now.frame_id % MODEL_EVERY:
        return Decision(command, terms, terms, "", held)
    plan = Plan(
        time_us,
        np.column_stack([np.arange(1.0, 33.0), np.zeros(32)]),
        np.arange(1, 7) / 2,
        np.full(6, SPEED_MPS),
        HOSTILE,
    )
    if not pictures:
        return Decision(command, terms, terms, "", plan)
    images = {name: image(name, time_us) for name in ("wide", "narrow")}
    ego = EgoState(time_us, 0.0, 0.0, 0.0, SPEED_MPS, 0.0, 0.0, 50.0)
    frame = Frame(
        time_us,
        images,
        {},
        ego,
        np.zeros((1, 4)),
        np.zeros((2, 2)),
        (Maneuver.LEFT,) * 2,
        Maneuver.LANE_FOLLOW,
    )
    scene = Scene((SceneObject(ObjectKind.VEHICLE, 0.9, 20.0, 0.0, 0.0, 4.0),), LightState.RED, 0.8, 17.0)
    forecast = Forecast(np.array([[[24.0, 0.0], [28.0, 0.0], [32.0, 0.0]]]))
    return Decision(
        command, terms, terms, "", plan, frame=frame, scene=scene, forecast=forecast, reply=Reply(HOSTILE),
        timings_ms={"frame": 1.0, "model": 60.0},
    )  # fmt: skip


def write_drive(
    path: Path,
    route_id: str = "7",
    *,
    pictures: bool = True,
    taken_over_at: int = 1000,
    outcome: Outcome | None = None,
) -> Path:
    """Drive straight over a red light at STOP_M; a car stands at CAR_X_M. From tick `taken_over_at` on nobody is asked."""
    head = replace(
        header(straight_route(180), route_id),
        config={"model": {"kind": "embedded", "rig": "front", "period_s": 0.25}},
    )
    held = None
    with EpisodeWriter(path, head, street(200.0, STOP_M)) as log:
        for tick in range(1, round(SECONDS * 1e6 / TICK_US) + 1):
            x = 10.0 + REAR_AXLE_TO_ORIGIN_M + SPEED_MPS * tick * TICK_US / 1e6
            lights = {"s1": LightState.RED}
            now = truth(tick, x, speed_mps=SPEED_MPS, others={5: (CAR_X_M, -1.75, 0.0)}, lights=lights)
            decided = decision(now, held, pictures=pictures and tick < taken_over_at)
            held = decided.plan
            log.write(now, decided)
        if outcome is not None:
            log.finish(outcome)
    return path


@pytest.fixture(scope="session")
def drive_writer() -> Callable[..., Path]:
    return write_drive


@pytest.fixture(scope="session")
def log_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole drive with pictures."""
    return write_drive(
        tmp_path_factory.mktemp("drive") / "log.mcap", outcome=Outcome("Completed", "", 3.0, SECONDS)
    )


@pytest.fixture(scope="session")
def blind_log_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive without pictures, as the expert makes them."""
    path = tmp_path_factory.mktemp("blind") / "log.mcap"
    return write_drive(path, pictures=False, outcome=Outcome("Completed", "", 3.0, SECONDS))


@pytest.fixture(scope="session")
def forked_log_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive that somebody takes over who does not look: from tick 60 on."""
    path = tmp_path_factory.mktemp("forked") / "log.mcap"
    return write_drive(path, taken_over_at=60, outcome=Outcome("Completed", "", 3.0, SECONDS))


@pytest.fixture(scope="session")
def cut_log_path(log_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a killed process leaves."""
    data = log_path.read_bytes()
    path = tmp_path_factory.mktemp("cut") / "log.mcap"
    path.write_bytes(data[: len(data) * 6 // 10])
    return path
