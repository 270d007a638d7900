"""Where two drives part, and why: small worlds in which one thing differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.types import (
    Command,
    ControlTerms,
    Decision,
    Forecast,
    LightState,
    ObjectKind,
    Plan,
    Scene,
    SceneObject,
)
from replay.compare import compare_logs
from tests.worlds import TICK_US, header, straight_route, street, truth

ROUTE, MAP = straight_route(180), street(200.0)
SECONDS, CHANGE_S, BRAKE_S = 8.0, 2.0, 3.0
TERMS = ControlTerms(8.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
Change = Callable[[Decision], Decision]


def usual(tick: int) -> Decision:
    plan = Plan(
        tick * TICK_US,
        np.column_stack([np.arange(1.0, 33.0), np.zeros(32)]),
        np.arange(1, 7) / 2,
        np.full(6, 8.0),
    )
    seen = SceneObject(ObjectKind.VEHICLE, 0.9, 15.0, 3.5, np.pi, 4.0)
    forecast = Forecast(np.array([[[11.0, 3.5], [7.0, 3.5], [3.0, 3.5]]]))
    scene = Scene((seen,), LightState.NONE, 0.9, None)
    return Decision(Command(0.3, 0.0, 0.0), TERMS, TERMS, "", plan, scene=scene, forecast=forecast)


def drive(
    path: Path, change: Change = lambda decision: decision, *, brakes: bool = False, car_m: float = 60.0
) -> Path:
    """8 m/s along the street; from CHANGE_S on the decisions are changed, from BRAKE_S on the car may slow down."""
    x, speed = 10.0, 8.0
    with EpisodeWriter(path, header(ROUTE), MAP) as log:
        for tick in range(round(SECONDS * 1e6 / TICK_US)):
            time_s = tick * TICK_US / 1e6
            speed = max(speed - 0.2, 2.0) if brakes and time_s >= BRAKE_S else speed
            x += speed * TICK_US / 1e6
            changed = change(usual(tick)) if time_s >= CHANGE_S else usual(tick)
            car = car_m if time_s >= CHANGE_S else 60.0
            log.write(truth(tick, x, speed_mps=speed, others={5: (car, 1.75, 0.0)}), changed)
        log.finish(Outcome("Completed", "", 1.0, SECONDS))
    return path


def with_scene(**parts: object) -> Change:
    return lambda decision: replace(decision, scene=replace(decision.scene, **parts))


def slower(decision: Decision) -> Decision:
    return replace(decision, plan=replace(decision.plan, speeds_mps=np.full(6, 2.0)))


def red_and_slower(decision: Decision) -> Decision:
    return slower(with_scene(light=LightState.RED)(decision))


CASES: dict[str, tuple[str, Change]] = {
    "sees a light": ("perception", red_and_slower),
    "sees nobody": ("perception", with_scene(objects=())),
    "a gap": ("perception", with_scene(lead_gap_m=9.0)),
    "expects otherwise": (
        "forecast",
        lambda d: replace(d, forecast=Forecast(d.forecast.positions_ego + 3.0)),
    ),
    "plans slower": ("plan", slower),
    "no plan": ("plan", lambda d: replace(d, plan=None)),
    "brakes": ("control", lambda d: replace(d, command=Command(0.0, 0.0, 0.6))),
    "is stopped": ("control", lambda d: replace(d, guard="plan too old")),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_thing_that_differs_is_the_cause(case, tmp_path):
    cause, change = CASES[case]
    usual_drive = drive(tmp_path / "a.mcap")
    other = drive(tmp_path / "b.mcap", change, brakes=True)
    parted = compare_logs(usual_drive, other)
    assert parted.cause == cause and parted.what
    assert parted.time_s == pytest.approx(CHANGE_S, abs=0.051) and parted.other_time_s == pytest.approx(
        CHANGE_S, abs=0.051
    )
    assert compare_logs(other, usual_drive).cause == cause


def test_somebody_elsewhere_is_the_worlds_doing(tmp_path):
    parted = compare_logs(
        drive(tmp_path / "a.mcap"), drive(tmp_path / "b.mcap", red_and_slower, brakes=True, car_m=45.0)
    )
    assert parted.cause == "world" and "tesla" in parted.what


def test_what_changes_nothing_on_the_road_is_no_parting(tmp_path):
    parted = compare_logs(drive(tmp_path / "a.mcap"), drive(tmp_path / "b.mcap", slower))
    assert parted.time_s is None and "identical from the first tick" in parted.what


def test_other_speed_without_a_reason_is_said_so(tmp_path):
    parted = compare_logs(drive(tmp_path / "a.mcap"), drive(tmp_path / "b.mcap", brakes=True))
    assert parted.cause == "shades" and parted.time_s > BRAKE_S


def test_a_longer_wait_is_no_parting(tmp_path):
    """Two drives that stand at the same place for different times and drive the same before and after."""

    def waiting(path: Path, wait_ticks: int) -> Path:
        speeds = np.concatenate(
            [np.linspace(8, 0, 40), np.zeros(wait_ticks), np.linspace(0, 8, 60), np.full(40, 8.0)]
        )
        places = 10 + np.cumsum(speeds) * TICK_US / 1e6
        with EpisodeWriter(path, header(ROUTE), MAP) as log:
            for tick, (x, speed) in enumerate(zip(places, speeds, strict=True)):
                log.write(truth(tick, float(x), speed_mps=float(speed)), usual(tick))
            log.finish(Outcome("Completed", "", 1.0, SECONDS))
        return path

    assert compare_logs(waiting(tmp_path / "a.mcap", 20), waiting(tmp_path / "b.mcap", 70)).time_s is None


def test_drives_of_different_routes_are_refused(tmp_path):
    other = tmp_path / "b.mcap"
    with EpisodeWriter(other, header(straight_route(90)), MAP) as log:
        log.write(truth(0, 10.0), usual(0))
    with pytest.raises(ValueError, match="different routes"):
        compare_logs(drive(tmp_path / "a.mcap"), other)
