"""What makes a vehicle drive as it does: the physics control of every blueprint, and what a control means to the
motion.

The single-track model has no engine of its own: torque curve, gears and wheel radius are summed up as the
force and the top speed of each gear and the power at the wheels, so a changed control changes how a car
drives.

Gains marked "fitted" make the recorded control of CARLA's Lincoln MKZ 2017 (in recordings published with
ScenarioRunner) drive as that car does in the same recordings. No part in this model have: `moi`, the damping
rates at full throttle and with the clutch disengaged, `gear_switch_time`, `clutch_strength`, down-shift
ratios, `use_sweep_wheel_collision`, the stiffness at full load and along, and a steering angle of rear
wheels; they are kept and given back.
"""

import math
from dataclasses import replace

import numpy as np

from drive_agent.sim.catalogue import VehicleModel
from drive_agent.sim.physics_control import Gear, PhysicsControl, Wheel

STEERING_CURVE_STEP_KMH = 20.0
STEERING_CURVE_POINTS = 8
FASTEST_LAUNCH_MPS2 = 8.0  # what tyres put on the road from a standstill
STANDARD_BRAKE_MPS2 = 11.5  # at full pedal; fitted
GRIP_PER_TYRE_FRICTION = 1.8 / 3.5  # fitted

_DRIVE_GAIN = 0.41  # of the engine's torque, what arrives at the wheels; fitted
_BRAKE_GAIN = 2.16  # fitted
_COAST_MPS2_PER_DAMPING = 3.9 / 2.0  # engine braking per damping with the clutch engaged; fitted
_FRONT_STIFFNESS, _REAR_STIFFNESS, _STANDARD_STIFFNESS = 8.6, 7.1, 20.0  # fitted
_MASS_FORWARD_PER_M = 0.383  # of the control's centre of mass, the shift that shows in the motion; fitted
_YAW_INERTIA = 0.76  # of a homogeneous box; fitted
_AIR_KG_PER_M3 = 1.2
_LAUNCH_PER_POWER = 65.0  # m/s^2 per kW/kg; fitted
_SLOWEST_LAUNCH_MPS2 = 2.5
_POWER_PER_FORCE = 2.29  # N cm per W: makes the MKZ's curve out of the MKZ's power
_RADPS_PER_RPM = math.pi / 30.0


MKZ_2017 = PhysicsControl(
    torque_curve=(
        (1000.0, 347.0), (1500.0, 523.0), (2000.0, 606.0), (3000.0, 695.0), (4000.0, 677.0),
        (5300.0, 607.0), (6500.0, 466.0),
    ),
    max_rpm=6500.0,
    moi=1.0,
    damping_full_throttle=0.05,
    damping_clutch_engaged=2.0,
    damping_clutch_disengaged=0.35,
    use_gear_autobox=True,
    gear_switch_time_s=0.0,
    clutch_strength=10.0,
    final_ratio=3.21,
    gears=(
        Gear(4.584, 0.23, 0.54), Gear(2.964, 0.23, 0.50), Gear(1.912, 0.23, 0.46), Gear(1.446, 0.23, 0.46),
        Gear(1.0, 0.23, 0.46), Gear(0.746, 0.23, 0.46),
    ),
    mass_kg=1696.0,
    drag_coefficient=0.3,
    center_of_mass_m=(0.6, 0.0, -0.3),
    steering_curve=((0.0, 1.0), (20.0, 0.9), (60.0, 0.8), (120.0, 0.7)),
    wheels=(
        *(Wheel(3.5, 0.25, 70.0, 35.5, 800.0, 0.0, 3.0, 20.0, 3000.0),) * 2,
        *(Wheel(3.5, 0.25, 0.0, 35.5, 800.0, 1600.0, 3.0, 20.0, 3000.0),) * 2,
    ),
    use_sweep_wheel_collision=False,
)  # fmt: skip
_PATROL = replace(
    MKZ_2017,
    torque_curve=(
        (1000.0, 262.2), (1500.0, 531.05), (2500.0, 881.6), (3100.0, 974.7), (3800.0, 974.7), (4700.0, 897.75),
        (5500.0, 784.7), (6000.0, 632.7),
    ),
    max_rpm=6000.0,
    damping_full_throttle=0.15,
    final_ratio=4.814,
    gears=(
        Gear(5.08, 0.25, 0.58), Gear(2.804, 0.17, 0.54), Gear(1.783, 0.17, 0.50), Gear(1.26, 0.25, 0.50),
        Gear(1.0, 0.25, 0.50), Gear(0.835, 0.25, 0.50),
    ),
    mass_kg=2355.0,
    center_of_mass_m=(0.3, 0.0, -0.3),
    wheels=(
        *(Wheel(3.5, 0.25, 70.0, 39.0, 1300.0, 0.0, 5.0, 20.0, 4000.0),) * 2,
        *(Wheel(3.5, 0.25, 0.0, 39.0, 1300.0, 2600.0, 5.0, 20.0, 4000.0),) * 2,
    ),
)  # fmt: skip
_RECORDED = {
    "vehicle.lincoln.mkz_2017": MKZ_2017,
    "vehicle.lincoln.mkz_2020": MKZ_2017,
    "vehicle.nissan.patrol": _PATROL,
}


def factory_control(model: VehicleModel) -> PhysicsControl:
    """The control of a blueprint: recorded for three, for the others that of the MKZ fitted to mass, power and size."""
    recorded = _RECORDED.get(model.type_id)
    if recorded is not None:
        return recorded
    radius_cm = 100.0 * max(0.25, min(0.5, 0.47 * model.half_extents_m[2]))
    launch = _LAUNCH_PER_POWER * model.power_w / 1000.0 / model.mass_kg
    force = min(FASTEST_LAUNCH_MPS2, max(_SLOWEST_LAUNCH_MPS2, launch)) * model.mass_kg
    peak_nm = force * radius_cm / 100.0 / (_DRIVE_GAIN * MKZ_2017.gears[0].ratio * MKZ_2017.final_ratio)
    strongest_nm = max(torque for _, torque in MKZ_2017.torque_curve)
    # strong and slow or weak and fast: the revolutions make the power right where force and power are not the MKZ's
    faster = _POWER_PER_FORCE * model.power_w / (force * radius_cm)
    brake_nm = STANDARD_BRAKE_MPS2 * model.mass_kg * radius_cm / 100.0 / (4.0 * _BRAKE_GAIN)
    wheels = tuple(
        replace(
            wheel,
            radius_cm=radius_cm,
            max_brake_torque_nm=brake_nm,
            max_handbrake_torque_nm=2.0 * brake_nm if wheel.max_handbrake_torque_nm else 0.0,
        )
        for wheel in MKZ_2017.wheels
    )
    return replace(
        MKZ_2017,
        torque_curve=tuple((rpm * faster, nm / strongest_nm * peak_nm) for rpm, nm in MKZ_2017.torque_curve),
        max_rpm=MKZ_2017.max_rpm * faster,
        damping_clutch_engaged=0.25 if model.base_type == "bicycle" else MKZ_2017.damping_clutch_engaged,
        mass_kg=model.mass_kg,
        center_of_mass_m=(0.209 * model.wheelbase_m, 0.0, -0.3),
        wheels=wheels,
    )


def set_parameters(row: np.ndarray | np.void, control: PhysicsControl, model: VehicleModel) -> None:
    """Write what the control means into the parameter fields of a VEHICLE ()."""
    half_length, half_width, half_height = model.half_extents_m
    mass = control.mass_kg
    front, rear = control.wheels[:2], control.wheels[2:]
    radius_m = sum(wheel.radius_cm for wheel in control.wheels) / 400.0
    row["mass"] = mass
    row["yaw_inertia"] = _YAW_INERTIA * mass * ((2 * half_length) ** 2 + (2 * half_width) ** 2) / 12
    shift = _MASS_FORWARD_PER_M * control.center_of_mass_m[0]
    row["front_m"] = min(0.8, max(0.2, 0.5 - shift / model.wheelbase_m)) * model.wheelbase_m
    row["rear_m"] = model.wheelbase_m - row["front_m"]
    for axle, wheels, stiffness in (("front", front, _FRONT_STIFFNESS), ("rear", rear, _REAR_STIFFNESS)):
        grip = sum(wheel.tire_friction for wheel in wheels) / 2.0
        stiff = sum(wheel.lat_stiff_value for wheel in wheels) / 2.0
        row[f"{axle}_friction"] = grip * GRIP_PER_TYRE_FRICTION
        row[f"{axle}_stiffness"] = stiffness * stiff / _STANDARD_STIFFNESS
    loads = (row["rear_m"] / model.wheelbase_m, row["front_m"] / model.wheelbase_m)
    row["friction"] = loads[0] * row["front_friction"] + loads[1] * row["rear_friction"]
    row["max_steer_rad"] = math.radians(max(wheel.max_steer_angle_deg for wheel in front))
    row["steering_curve"] = resample_steering_curve(control.steering_curve)
    row["half_track"] = 0.8 * half_width if model.wheels > 2 else 0.0
    row["drag"] = 0.5 * _AIR_KG_PER_M3 * control.drag_coefficient * 4.0 * half_width * half_height
    row["coast"] = _COAST_MPS2_PER_DAMPING * control.damping_clutch_engaged
    row["brake_force"] = _BRAKE_GAIN * sum(wheel.max_brake_torque_nm for wheel in control.wheels) / radius_m
    row["hand_brake_force"] = (
        _BRAKE_GAIN * sum(wheel.max_handbrake_torque_nm for wheel in control.wheels) / radius_m
    )
    _set_drivetrain(row, control, radius_m)


def _set_drivetrain(row: np.ndarray | np.void, control: PhysicsControl, radius_m: float) -> None:
    strongest_nm = max(0.0, *(torque for _, torque in control.torque_curve), 0.0)
    row["power"] = _DRIVE_GAIN * max(
        0.0, *(rpm * _RADPS_PER_RPM * nm for rpm, nm in control.torque_curve), 0.0
    )
    row["gear_count"], row["max_rpm"], row["wheel_radius_m"] = len(control.gears), control.max_rpm, radius_m
    for index, gear in enumerate(control.gears):
        ratio = gear.ratio * control.final_ratio
        force = _DRIVE_GAIN * strongest_nm * ratio / radius_m
        row["gear_force"][index] = min(force, FASTEST_LAUNCH_MPS2 * control.mass_kg)
        row["gear_top_mps"][index] = control.max_rpm * _RADPS_PER_RPM * radius_m / ratio
        row["gear_up_mps"][index] = row["gear_top_mps"][index] * gear.up_ratio


def resample_steering_curve(points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """(speed in km/h, fraction of the lock) at any speeds -> fractions at the fixed speeds the model uses."""
    speeds = np.arange(STEERING_CURVE_POINTS) * STEERING_CURVE_STEP_KMH
    ordered = sorted(points)
    return np.interp(speeds, [speed for speed, _ in ordered], [fraction for _, fraction in ordered])


def wheel_positions(
    row: np.ndarray | np.void, control: PhysicsControl, model: VehicleModel
) -> list[tuple[float, float, float]]:
    """Where the wheels of a VEHICLE () are in the world, m, in their order."""
    cos, sin = math.cos(row["yaw"]), math.sin(row["yaw"])
    track = 0.85 * model.half_extents_m[1] if model.wheels > 2 else 0.0
    axles = ((float(row["front_m"]), control.wheels[:2]), (-float(row["rear_m"]), control.wheels[2:]))
    return [
        (
            float(row["x"]) + along * cos - across * sin,
            float(row["y"]) + along * sin + across * cos,
            float(row["z"]) + wheel.radius_cm / 100.0,
        )
        for along, wheels in axles
        for wheel, across in zip(wheels, (-track, track), strict=True)
    ]
