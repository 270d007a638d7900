"""What clients read and write of a car's physics, and that each number they write shows in how it drives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.physics_control import PhysicsControl, Wheel, decode_physics_control
from drive_agent.sim.vehicle_dynamics import VEHICLE, new_vehicle, step_vehicles
from drive_agent.sim.vehicle_parameters import MKZ_2017, factory_control, set_parameters, wheel_positions
from drive_agent.sim.wire import RequestError

MODELS = {model.type_id: model for model in VEHICLES}
MKZ = MODELS["vehicle.lincoln.mkz_2017"]
TICK_S = 0.05


def changed(**changes: object) -> PhysicsControl:
    return replace(MKZ_2017, **changes)  # type: ignore[arg-type]


def with_wheels(front: dict[str, float], rear: dict[str, float] | None = None) -> PhysicsControl:
    wheels: list[Wheel] = []
    for index, wheel in enumerate(MKZ_2017.wheels):
        wheels.append(replace(wheel, **(front if index < 2 else front if rear is None else rear)))
    return changed(wheels=tuple(wheels))


def drive(control: PhysicsControl, seconds: float, **fields: float) -> np.ndarray:
    vehicles = np.zeros(1, VEHICLE)
    vehicles[0] = new_vehicle(MKZ)
    set_parameters(vehicles[0], control, MKZ)
    for name, value in fields.items():
        vehicles[name] = value
    for _ in range(round(seconds / TICK_S)):
        step_vehicles(vehicles, TICK_S)
    return vehicles[0]


def speed(control: PhysicsControl, seconds: float = 3.0, **fields: float) -> float:
    return float(drive(control, seconds, **({"throttle": 1.0} | fields))["forward_mps"])


@pytest.mark.parametrize("type_id", sorted(MODELS))
def test_every_control_comes_back_as_it_was_sent(type_id: str) -> None:
    model = MODELS[type_id]
    control = factory_control(model)
    encoded = control.encode(wheel_positions(new_vehicle(model), control, model))
    assert decode_physics_control(encoded) == control
    assert len(encoded) == 17
    assert len(encoded[15]) == 4


def test_the_mkz_has_the_recorded_control() -> None:
    encoded = factory_control(MKZ).encode([(0.0, 0.0, 0.0)] * 4)
    assert (encoded[11], encoded[1], encoded[9], encoded[10][0][0]) == (1696.0, 6500.0, 3.21, 4.584)
    assert [wheel[2] for wheel in encoded[15]] == [70.0, 70.0, 0.0, 0.0]
    assert [wheel[5] for wheel in encoded[15]] == [0.0, 0.0, 1600.0, 1600.0]


@pytest.mark.parametrize("type_id", sorted(MODELS))
def test_a_blueprint_drives_with_its_mass_and_its_power(type_id: str) -> None:
    model = MODELS[type_id]
    row = new_vehicle(model)
    assert row["mass"] == model.mass_kg
    assert row["front_m"] + row["rear_m"] == pytest.approx(model.wheelbase_m)
    if type_id not in ("vehicle.nissan.patrol",):
        assert row["power"] == pytest.approx(0.755 * model.power_w, rel=0.05)
    assert row["brake_force"] / row["mass"] == pytest.approx(11.5, rel=0.07)


def test_wheels_stand_on_their_axles() -> None:
    row = new_vehicle(MKZ)
    row["x"], row["y"], row["yaw"] = 10.0, 20.0, np.pi / 2
    front_left, front_right, rear_left, _ = wheel_positions(row, MKZ_2017, MKZ)
    assert front_left[1] - rear_left[1] == pytest.approx(2.871)
    assert front_left[0] - front_right[0] == pytest.approx(2 * 0.85 * 1.064)  # y right is -x there
    assert front_left[2] == pytest.approx(0.355)


def test_a_heavier_car_gains_speed_more_slowly() -> None:
    assert speed(changed(mass_kg=2.5 * 1696.0)) < 0.6 * speed(MKZ_2017)


def test_half_the_torque_is_half_the_pull() -> None:
    weak = changed(torque_curve=tuple((rpm, nm / 2) for rpm, nm in MKZ_2017.torque_curve))
    assert speed(weak, 1.0) == pytest.approx(0.45 * speed(MKZ_2017, 1.0), rel=0.15)


def test_lower_revolutions_lower_the_top_speed() -> None:
    assert speed(changed(max_rpm=1500.0), 30.0) == pytest.approx(
        1500 * np.pi / 30 * 0.355 / (0.746 * 3.21), rel=0.03
    )


def test_a_gear_held_by_hand_ends_at_its_own_top_speed() -> None:
    first = drive(MKZ_2017, 12.0, throttle=1.0, manual_gear_shift=1, gear=1)
    assert first["forward_mps"] == pytest.approx(6500 * np.pi / 30 * 0.355 / (4.584 * 3.21), rel=0.03)
    third_start = drive(MKZ_2017, 1.0, throttle=1.0, manual_gear_shift=1, gear=3)["forward_mps"]
    assert third_start < 0.55 * drive(MKZ_2017, 1.0, throttle=1.0)["forward_mps"]


def test_neutral_neither_pulls_nor_brakes() -> None:
    rolling = drive(MKZ_2017, 2.0, throttle=1.0, forward_mps=10.0, manual_gear_shift=1, gear=0)
    assert 9.4 < rolling["forward_mps"] < 9.8


def test_weaker_brakes_stop_later() -> None:
    weak = with_wheels({"max_brake_torque_nm": 200.0})
    full, quarter = (
        20.0 - speed(control, 1.0, throttle=0.0, brake=1.0, forward_mps=20.0, coast=0.0)
        for control in (MKZ_2017, weak)
    )
    assert quarter == pytest.approx(full / 4, rel=0.2)


def test_the_hand_brake_has_its_own_torque() -> None:
    none = with_wheels({}, {"max_handbrake_torque_nm": 0.0})
    held, free = (
        speed(control, 1.0, throttle=0.0, hand_brake=1, forward_mps=20.0, coast=0.0)
        for control in (MKZ_2017, none)
    )
    assert held < 14.0
    assert free > 19.0


def test_steering_lock_and_curve_bound_the_turn() -> None:
    turning = {"throttle": 0.2, "forward_mps": 3.0, "steer": 0.5}
    wide = abs(float(drive(MKZ_2017, 0.5, **turning)["steer_rad"]))
    narrow = abs(float(drive(with_wheels({"max_steer_angle_deg": 35.0}, {}), 0.5, **turning)["steer_rad"]))
    soft = abs(float(drive(changed(steering_curve=((0.0, 0.5), (120.0, 0.5))), 0.5, **turning)["steer_rad"]))
    assert narrow == pytest.approx(0.52 * wide, rel=0.1)
    assert soft == pytest.approx(0.52 * wide, rel=0.15)


def test_slippery_tyres_hold_less_across() -> None:
    turning = {"throttle": 0.5, "forward_mps": 15.0, "steer": 0.5}
    grip, ice = (
        drive(control, 1.0, **turning) for control in (MKZ_2017, with_wheels({"tire_friction": 0.5}))
    )
    assert abs(grip["yaw_rate"] * grip["forward_mps"]) > 2.5 * abs(ice["yaw_rate"] * ice["forward_mps"])


def test_slippery_rear_tyres_let_the_tail_out() -> None:
    turning = {"throttle": 0.5, "forward_mps": 15.0, "steer": 0.3}
    loose = drive(with_wheels({}, {"tire_friction": 0.8}), 0.8, **turning)
    steady = drive(MKZ_2017, 0.8, **turning)
    angle = [abs(np.arctan2(row["lateral_mps"], row["forward_mps"])) for row in (loose, steady)]
    assert angle[0] > 2.0 * angle[1]


@pytest.mark.parametrize(
    ("index", "value", "message"),
    [(11, 0.0, "mass is 0"), (11, float("nan"), "mass"), (10, [], "forward gears is 0"), (15, [], "wheels is 0"), (0, [], "torque_curve"),
     (1, -5.0, "max_rpm is -5"), (13, [1.0], "center_of_mass"), (6, 3, "autobox")],
)  # fmt: skip
def test_what_no_car_can_have_is_refused(index: int, value: object, message: str) -> None:
    encoded = MKZ_2017.encode([(0.0, 0.0, 0.0)] * 4)
    encoded[index] = value
    with pytest.raises(RequestError, match=message):
        decode_physics_control(encoded)
