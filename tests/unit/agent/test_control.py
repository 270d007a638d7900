"""The controller holds a lane and a speed on a simple car, and says what it did."""

import math

import numpy as np
import pytest

from drive_agent.agent.control import ControlConfig, Controller, aim_point, move_plan
from drive_agent.geometry import from_frame, to_frame
from drive_agent.types import EgoState, Plan

WHEELBASE_M, MAX_STEER_RAD, DT_S = 2.86, math.radians(38.5), 0.05


def state(time_us=0, x=0.0, y=0.0, yaw=0.0, speed=0.0) -> EgoState:
    return EgoState(time_us, x, y, yaw, speed, 0.0, 0.0, 50.0)


def plan_along(path_world: np.ndarray, now: EgoState, speed: float) -> Plan:
    near = int(np.argmin(np.hypot(*(path_world - (now.x_m, now.y_m)).T)))
    path = to_frame(path_world[near : near + 40], now.x_m, now.y_m, now.yaw_rad)
    return Plan(now.time_us, path, np.array([0.5, 3.0]), np.array([speed, speed]))


def drive(path_world, now, speed, steps, replan_every=5):
    control, out, plan, then = Controller(ControlConfig()), [], None, now
    for k in range(steps):
        if k % replan_every == 0:
            plan, then = plan_along(path_world, now, speed), now
        command, lateral, longitudinal = control.step(plan, then, now)
        accel = 4.0 * command.throttle - 8.0 * command.brake
        v = max(0.0, now.speed_mps + accel * DT_S)
        yaw = now.yaw_rad + v / WHEELBASE_M * math.tan(command.steer * MAX_STEER_RAD) * DT_S
        now = state(
            now.time_us + 50_000,
            now.x_m + v * math.cos(yaw) * DT_S,
            now.y_m + v * math.sin(yaw) * DT_S,
            yaw,
            v,
        )
        out.append((now, command, lateral, longitudinal))
    return out


def test_converges_to_a_straight_lane_from_an_offset():
    line = np.column_stack([np.arange(0, 300.0), np.zeros(300)])
    trace = drive(line, state(y=1.0, speed=8.0), 8.0, 200)
    assert abs(trace[-1][0].y_m) < 0.1
    assert max(abs(now.y_m) for now, *_ in trace[100:]) < 0.2


def test_holds_a_tight_curve():
    angle = np.arange(0, math.pi / 2, 1 / 12.0)
    curve = np.column_stack([20 + 12 * np.sin(angle), 12 - 12 * np.cos(angle)])
    path = np.concatenate(
        [np.column_stack([np.arange(0, 20.0), np.zeros(20)]), curve, [[32, 12 + k] for k in range(1, 60)]]
    )
    trace = drive(path, state(speed=5.0), 5.0, 180)
    errors = [np.min(np.hypot(*(path - (now.x_m, now.y_m)).T)) for now, *_ in trace]
    assert max(errors) < 0.9


def test_reaches_and_holds_the_speed():
    line = np.column_stack([np.arange(0, 400.0), np.zeros(400)])
    speeds = [now.speed_mps for now, *_ in drive(line, state(), 8.0, 400)]
    assert speeds[-1] == pytest.approx(8.0, abs=0.5)
    assert max(speeds) < 9.0


def test_stands_still_when_the_plan_says_so():
    line = np.column_stack([np.arange(0, 100.0), np.zeros(100)])
    trace = drive(line, state(speed=3.0), 0.0, 60)
    assert trace[-1][0].speed_mps == 0.0
    assert all(command.throttle == 0.0 and command.brake > 0 for _, command, *_ in trace)


def test_the_log_adds_up():
    plan = Plan(0, np.array([[2.0, 0.0], [30.0, 6.0]]), np.array([0.5, 3.0]), np.array([5.0, 5.0]))
    command, lateral, longitudinal = Controller(ControlConfig()).step(plan, state(), state())
    assert command.steer == pytest.approx(lateral.p + lateral.i + lateral.d)
    assert longitudinal.target == 5.0 and longitudinal.error == 5.0


def test_a_plan_is_moved_to_now():
    then, now = state(), state(time_us=400_000, x=2.0, y=1.0, yaw=0.3, speed=5.0)
    plan = Plan(0, np.array([[5.0, 0.0], [10.0, 2.0]]), np.array([0.5, 3.0]), np.array([5.0, 5.0]))
    path, age_s = move_plan(plan, then, now)
    np.testing.assert_allclose(from_frame(path, now.x_m, now.y_m, now.yaw_rad), plan.path_ego, atol=1e-12)
    assert age_s == pytest.approx(0.4)


def test_the_aim_lies_ahead_of_the_nearest_place():
    path = np.column_stack([np.arange(-5, 20.0), np.zeros(25)])
    np.testing.assert_allclose(aim_point(path, 4.0), [4.0, 0.0], atol=1e-9)
