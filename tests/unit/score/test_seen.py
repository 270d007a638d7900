"""Perception and prediction figures on a street where everything is known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drive_agent.log.store import Episode, EpisodeWriter
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, RIGS
from drive_agent.score.drive_record import DriveRecord
from drive_agent.score.planned import Planned, plan_poses
from drive_agent.score.seen import Seen, in_view, match
from drive_agent.types import (
    Command,
    ControlTerms,
    Decision,
    Forecast,
    LightState,
    ObjectKind,
    Plan,
    Reply,
    Scene,
    SceneObject,
)
from tests.worlds import EGO_LANE_Y, TICK_US, header, straight_route, street, truth

TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
SPEED_MPS, OTHER_MPS = 8.0, 4.0
CALL_EACH = 5


def scene_at(tick: int, *, wrong_by_m: float) -> tuple[Scene, Forecast, float]:
    """What a perfect model would say of the car ahead, but for its forecast; and a car that is not there."""
    ego_m = SPEED_MPS * tick * TICK_US / 1e6
    gap_m = 30.0 + OTHER_MPS * tick * TICK_US / 1e6 - ego_m + REAR_AXLE_TO_ORIGIN_M
    car = SceneObject(ObjectKind.VEHICLE, 0.9, gap_m, 0.0, 0.0, OTHER_MPS)
    ghost = SceneObject(ObjectKind.WALKER, 0.5, 10.0, 8.0, 0.0, 1.0)
    ahead = np.array([[gap_m + OTHER_MPS * t, wrong_by_m * t / 3.0] for t in (1.0, 2.0, 3.0)])
    return Scene((car, ghost), LightState.RED, 0.9, gap_m), Forecast(np.stack([ahead, ahead])), gap_m


def drive(folder: Path, wrong_by_m: float = 0.0, plan_mps: float = SPEED_MPS) -> DriveRecord:
    """4 s behind a slower car towards a red light, a model call each fifth tick."""
    path, road_map = folder / "log.mcap", street(400.0, stop_m=45.0)
    signal = road_map.stop_lines[0].signal_id
    head = header(straight_route(200))
    head = replace(head, config={"model": {"kind": "embedded", "rig": "front"}})
    with EpisodeWriter(path, head, road_map) as log:
        for tick in range(80):
            now = truth(
                tick, SPEED_MPS * tick * TICK_US / 1e6, speed_mps=SPEED_MPS,
                others={5: (30.0 + OTHER_MPS * tick * TICK_US / 1e6, EGO_LANE_Y, OTHER_MPS)},
            )  # fmt: skip
            now = replace(now, lights={signal: LightState.RED})
            scene, forecast, _ = scene_at(tick, wrong_by_m=wrong_by_m)
            plan = Plan(
                now.time_us, np.array([[10.0, 0.0], [40.0, 0.0]]), np.array([3.0]), np.array([plan_mps])
            )
            decision = Decision(
                Command(0, 0, 0), TERMS, TERMS, "", plan, reply=Reply("x"), scene=scene, forecast=forecast
            )
            silent = Decision(Command(0, 0, 0), TERMS, TERMS, "", None)
            log.write(now, silent if tick % CALL_EACH else decision)
    with Episode.open(path) as episode:
        return DriveRecord(episode)


def test_a_perfect_model_gets_perfect_figures_but_for_its_ghost(tmp_path):
    seen = Seen()
    seen.add(drive(tmp_path))
    figures = seen.figures()
    assert figures["calls_with_a_scene"] == 16
    assert figures["detection"]["recall"] == 1.0 and figures["detection"]["precision"] == 0.5
    assert figures["detection"]["center_error_m"] == pytest.approx(0.0, abs=1e-6)
    assert figures["detection"]["speed_error_mps"] == pytest.approx(0.0, abs=1e-6)
    assert figures["detection"]["people"] == {"to_see": 0, "found": 0, "false_alarms": 16}
    assert figures["light"]["accuracy"] == 1.0 and figures["light"]["recall"]["green"] is None
    cars = figures["prediction"]["vehicles"]
    assert cars["count"] == 4  # calls whose next 3 s were driven
    assert cars["min_ade_m"] == pytest.approx(0.0, abs=1e-6) and cars["miss_rate"] == 0.0


def test_a_wrong_forecast_misses(tmp_path):
    seen = Seen()
    seen.add(drive(tmp_path, wrong_by_m=3.0))
    cars = seen.figures()["prediction"]["vehicles"]
    assert cars["min_ade_m"] == pytest.approx(2.0) and cars["min_fde_m"] == pytest.approx(3.0)
    assert cars["miss_rate"] == 1.0 and cars["epa"] == 0.0


def test_a_run_without_a_model_has_no_figures():
    assert Seen().figures()["detection"]["recall"] is None
    assert Planned().figures()["l2_m"] == {"1s": None, "2s": None, "3s": None}


def test_matching_is_one_to_one_and_prefers_the_better_score():
    told, true = np.array([[0.0, 0.0], [0.5, 0.0], [9.0, 0.0]]), np.array([[0.2, 0.0], [5.0, 0.0]])
    assert match(told, [0.3, 0.9, 0.8], true) == {1: 0}
    assert match(told, [0.9, 0.3, 0.8], true) == {0: 0}


def test_in_view_is_before_the_cameras_and_near():
    cameras = RIGS["front"]().cameras
    assert in_view(np.array([[20.0, 0.0], [-20.0, 0.0], [60.0, 0.0]]), cameras).tolist() == [
        True,
        False,
        False,
    ]


def test_a_plan_that_is_driven_is_right_and_safe(tmp_path):
    planned = Planned()
    planned.add(drive(tmp_path))
    figures = planned.figures()
    assert figures["plans"] == 4
    assert figures["l2_m"] == {name: pytest.approx(0.0, abs=1e-6) for name in ("1s", "2s", "3s")}
    assert figures["sub_scores"] == pytest.approx({
        "no_collision": 1.0, "drivable_area": 1.0, "progress": 1.0, "time_to_collision": 1.0, "comfort": 1.0,
        "pdms_style": 1.0,
    })  # fmt: skip


def test_a_plan_into_the_car_ahead_collides(tmp_path):
    planned = Planned()
    planned.add(drive(tmp_path, plan_mps=16.0))
    figures = planned.figures()
    assert figures["l2_m"]["3s"] == pytest.approx(24.0, abs=0.1)
    assert figures["sub_scores"]["no_collision"] == 0.0 and figures["sub_scores"]["pdms_style"] == 0.0


def test_poses_of_a_plan_follow_its_path_at_its_speeds():
    plan = Plan(0, np.array([[0.0, 0.0], [5.0, 0.0], [5.0, 50.0]]), np.array([1.0]), np.array([10.0]))
    poses = plan_poses(plan)
    np.testing.assert_allclose(poses[0], [5.0, 0.0, math.pi / 2], atol=1e-6)
    np.testing.assert_allclose(poses[1], [5.0, 5.0, math.pi / 2], atol=1e-6)
    standing = plan_poses(Plan(0, np.zeros((2, 2)), np.array([1.0]), np.array([0.0])))
    np.testing.assert_array_equal(standing, np.zeros((6, 3)))
