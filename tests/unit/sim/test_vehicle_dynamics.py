"""A car does what cars do: figures of an ordinary saloon, and no surprises at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle, step_vehicles, update_world_motion
from drive_agent.sim.vehicle_parameters import resample_steering_curve

SALOON = next(model for model in VEHICLES if model.type_id == "vehicle.lincoln.mkz_2017")
TICK_S = 0.05


def car(**fields: float) -> np.ndarray:
    vehicles = np.zeros(1, VEHICLE)
    vehicles[0] = new_vehicle(SALOON)
    for name, value in fields.items():
        vehicles[name] = value
    return vehicles


def drive(vehicles: np.ndarray, seconds: float) -> None:
    for _ in range(round(seconds / TICK_S)):
        step_vehicles(vehicles, TICK_S)


def test_reaches_100_kmh_as_fast_as_carla_cars() -> None:
    vehicles, ticks = car(throttle=1.0), 0
    while vehicles["forward_mps"][0] < 100 / 3.6:
        step_vehicles(vehicles, TICK_S)
        ticks += 1
    assert 5.0 < ticks * TICK_S < 8.0


def test_full_braking_from_100_kmh_ends_at_rest_after_about_30_m() -> None:
    vehicles = car(brake=1.0, forward_mps=100 / 3.6)
    drive(vehicles, 6.0)
    assert 22.0 < vehicles["x"][0] < 35.0
    assert vehicles["forward_mps"][0] == 0.0


def test_a_little_throttle_sets_a_car_going() -> None:
    vehicles = car(throttle=0.25)
    drive(vehicles, 5.0)
    assert vehicles["forward_mps"][0] > 1.0


def test_stands_still_without_throttle() -> None:
    vehicles = car()
    drive(vehicles, 2.0)
    assert (vehicles["x"][0], vehicles["forward_mps"][0]) == (0.0, 0.0)


def test_coasts_to_a_stop_and_never_backwards() -> None:
    vehicles = car(forward_mps=3.0)
    for _ in range(400):
        step_vehicles(vehicles, TICK_S)
        assert vehicles["forward_mps"][0] >= 0.0
    assert vehicles["forward_mps"][0] == 0.0


def test_reverse_drives_backwards_and_not_fast() -> None:
    vehicles = car(throttle=1.0, reverse=1)
    drive(vehicles, 20.0)
    assert -11.0 < vehicles["forward_mps"][0] < -5.0


# What two recordings of CARLA's Lincoln MKZ 2017 show in steady turns: speed, steering, yaw rate
RECORDED_TURNS = [(6.58, 0.3, 0.65), (10.28, 0.3, 1.02), (13.65, 0.3, 1.10)]


@pytest.mark.parametrize(("speed", "steer", "yaw_rate"), RECORDED_TURNS)
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_turns_as_recorded_cars_do(speed: float, steer: float, yaw_rate: float, side: float) -> None:
    vehicles = car(steer=side * steer, forward_mps=speed, throttle=0.5, pedal=0.5)
    drive(vehicles, 0.5)
    now = vehicles["forward_mps"][0]
    assert vehicles["yaw_rate"][0] == pytest.approx(side * yaw_rate * now / speed, rel=0.2)


def test_cornering_is_limited_by_grip() -> None:
    vehicles = car(steer=1.0, throttle=0.5, forward_mps=20.0)
    drive(vehicles, 2.0)
    assert abs(vehicles["forward_mps"][0] * vehicles["yaw_rate"][0]) < 2.0 * 9.81


def test_a_slope_pulls_downhill() -> None:
    up, down = (car(grade=math.radians(angle), throttle=0.6) for angle in (10.0, -10.0))
    drive(up, 2.0)
    drive(down, 2.0)
    assert down["forward_mps"][0] - up["forward_mps"][0] > 2.0


def test_the_hand_brake_holds_on_a_slope() -> None:
    vehicles = car(grade=math.radians(-10.0), hand_brake=1)
    drive(vehicles, 2.0)
    assert vehicles["forward_mps"][0] == 0.0


def test_without_physics_nothing_moves() -> None:
    vehicles = car(throttle=1.0, simulate_physics=0)
    drive(vehicles, 1.0)
    assert vehicles["x"][0] == 0.0


def test_a_force_acts_for_one_tick() -> None:
    vehicles = car(constant_velocity=0)
    vehicles["force"][0] = (SALOON.mass_kg * 10.0, 0.0, 0.0)
    vehicles["coast"] = 0.0
    step_vehicles(vehicles, TICK_S)
    assert vehicles["forward_mps"][0] == pytest.approx(0.5, rel=0.1)
    assert not vehicles["force"].any()


def test_steering_curve_is_kept_at_its_points() -> None:
    assert resample_steering_curve(((0.0, 1.0), (120.0, 0.5)))[[0, 3, 6]] == pytest.approx([1.0, 0.75, 0.5])


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1), st.integers(0, 1), st.integers(0, 1)),
        min_size=1, max_size=10,
    ),
    st.floats(-10, 40), st.floats(-10, 10), st.floats(-3, 3), st.sampled_from([0.01, 0.05, 0.1, 0.5]),
)  # fmt: skip
def test_any_driving_stays_finite_and_repeats_exactly(
    pedals: list[tuple], forward: float, lateral: float, yaw_rate: float, delta_s: float
) -> None:
    ends = []
    for _ in range(2):
        vehicles = car(forward_mps=forward, lateral_mps=lateral, yaw_rate=yaw_rate)
        for throttle, brake, steer, hand_brake, reverse in pedals:
            vehicles["throttle"], vehicles["brake"], vehicles["steer"] = throttle, brake, steer
            vehicles["hand_brake"], vehicles["reverse"] = hand_brake, reverse
            for _ in range(5):
                step_vehicles(vehicles, delta_s)
        ends.append(vehicles.tobytes())
        assert all(
            np.isfinite(vehicles[name]).all()
            for name in ("x", "y", "yaw", "forward_mps", "lateral_mps", "yaw_rate")
        )
        assert abs(vehicles["forward_mps"][0]) < 100.0
    assert ends[0] == ends[1]


# What a recording of CARLA's Lincoln MKZ 2017 shows: pitch and roll in degrees per m/s^2
RECORDED_PITCH, RECORDED_ROLL = 0.0185, -0.063


def test_the_body_pitches_under_acceleration_as_recorded() -> None:
    vehicles = car(throttle=1.0)
    drive(vehicles, 1.0)
    before = float(vehicles["forward_mps"][0])
    step_vehicles(vehicles, TICK_S)
    gained = (float(vehicles["forward_mps"][0]) - before) / TICK_S
    assert math.degrees(vehicles["squat"][0]) == pytest.approx(RECORDED_PITCH * gained, rel=0.1)
    vehicles["throttle"], vehicles["brake"] = 0.0, 1.0
    drive(vehicles, 0.3)
    assert math.degrees(vehicles["squat"][0]) < -0.1


def test_the_body_rolls_outwards_in_a_turn_as_recorded() -> None:
    vehicles = car(throttle=0.4, forward_mps=12.0, steer=0.2)
    drive(vehicles, 1.0)
    across = float(vehicles["forward_mps"][0] * vehicles["yaw_rate"][0])
    assert across > 4.0
    assert math.degrees(vehicles["sway"][0]) == pytest.approx(RECORDED_ROLL * across, rel=0.15)


def test_a_motorcycle_leans_into_the_turn() -> None:
    model = next(model for model in VEHICLES if model.type_id == "vehicle.yamaha.yzf")
    vehicles = np.zeros(1, VEHICLE)
    vehicles[0] = new_vehicle(model)
    vehicles["throttle"], vehicles["forward_mps"], vehicles["steer"] = 0.4, 10.0, 0.05
    drive(vehicles, 1.0)
    across = float(vehicles["forward_mps"][0] * vehicles["yaw_rate"][0])
    assert vehicles["sway"][0] == pytest.approx(math.atan(across / 9.81), rel=0.15)
    assert vehicles["sway"][0] > 0.1


def test_the_rate_of_turn_has_the_signs_of_the_angles() -> None:
    """Nose up is a turn from z to x, the right side down one from z to y: both count backwards about their axes."""
    vehicles = car(pitch=0.02, roll=0.01, yaw_rate=0.3)
    update_world_motion(vehicles, TICK_S)
    assert vehicles["world_turn"][0] == pytest.approx([-0.01 / TICK_S, -0.02 / TICK_S, 0.3])
    vehicles = car(pitch=0.02, yaw=math.pi / 2)
    update_world_motion(vehicles, TICK_S)
    assert vehicles["world_turn"][0] == pytest.approx([0.02 / TICK_S, 0.0, 0.0], abs=1e-9)


def test_the_gearbox_shifts_up_with_speed_and_shows_reverse() -> None:
    gears = []
    for speed in (0.0, 8.0, 12.0, 20.0, 40.0, 60.0):
        vehicles = car(forward_mps=speed)
        update_world_motion(vehicles, TICK_S)
        gears.append(int(vehicles["gear"][0]))
    assert gears == sorted(gears)
    assert (gears[0], gears[-1]) == (1, 6)
    vehicles = car(reverse=1)
    update_world_motion(vehicles, TICK_S)
    assert vehicles["gear"][0] == -1
