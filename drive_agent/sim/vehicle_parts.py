"""Wheels and telemetry of a vehicle, worked out of the single-track model that moves it. Pure functions of its row.

The model has one wheel an axle; what it says of the axle is shared by the two wheels that clients ask for.
"""

import math

import numpy as np

from drive_agent.sim.catalogue import VehicleModel
from drive_agent.sim.physics_control import PhysicsControl
from drive_agent.sim.vehicle_dynamics import GRAVITY_MPS2
from drive_agent.sim.vehicle_parameters import wheel_positions
from drive_agent.sim.wire import Encoded, Pose

FRONT_LEFT, FRONT_RIGHT, REAR_LEFT, REAR_RIGHT = range(4)  # carla.VehicleWheelLocation
WHEELS = (FRONT_LEFT, FRONT_RIGHT, REAR_LEFT, REAR_RIGHT)
_IDLE_RPM = 800.0
_SLIP_ABOVE_MPS = 0.5


def wheel_places(row: np.void, control: PhysicsControl, model: VehicleModel) -> list[Pose]:
    """Hub of each wheel in the vehicle's frame, turned as it is steered; order as in WHEELS."""
    at_origin = row.copy()
    for name in ("x", "y", "z", "yaw"):
        at_origin[name] = 0.0
    places = wheel_positions(at_origin, control, model)
    return [
        Pose(*place, 0.0, steer_angle_deg(row, wheel), 0.0)
        for place, wheel in zip(places, WHEELS, strict=True)
    ]


def steer_angle_deg(row: np.void, wheel: int) -> float:
    """How far a wheel is turned, right positive: the inner front wheel more than the outer (Ackermann), rear ones not."""
    middle = float(row["steer_rad"])
    if wheel not in (FRONT_LEFT, FRONT_RIGHT) or abs(middle) < 1e-9:
        return 0.0
    shift = float(row["half_track"]) / float(row["front_m"] + row["rear_m"])
    is_inner = (wheel == FRONT_RIGHT) == (middle > 0.0)
    cotangent = 1.0 / math.tan(abs(middle)) + (-shift if is_inner else shift)
    return math.degrees(math.copysign(math.atan2(1.0, cotangent), middle))


def engine_rpm(row: np.void) -> float:
    """Speed of the engine that the wheels turn through the present gear, at least idle."""
    gear = min(max(abs(int(row["gear"])), 1), int(row["gear_count"])) - 1
    turned = abs(float(row["forward_mps"])) / float(row["gear_top_mps"][gear]) * float(row["max_rpm"])
    return min(float(row["max_rpm"]), max(_IDLE_RPM, turned))


def telemetry(row: np.void, control: PhysicsControl) -> Encoded:
    """`VehicleTelemetryData`: speed along the vehicle in m/s, drag in N, then the wheels."""
    speed = float(row["forward_mps"])
    return [
        speed,
        float(row["steer"]),
        float(row["throttle"]),
        float(row["brake"]),
        engine_rpm(row),
        int(row["gear"]),
        float(row["drag"]) * speed * speed,
        [_wheel_telemetry(row, control, wheel) for wheel in WHEELS],
    ]


def _wheel_telemetry(row: np.void, control: PhysicsControl, wheel: int) -> Encoded:
    """`WheelTelemetry` of a wheel that rolls without slip, bears half its axle's load and gives a quarter of the push."""
    front = wheel in (FRONT_LEFT, FRONT_RIGHT)
    arm, other_arm = float(row["front_m"]), float(row["rear_m"])
    if not front:
        arm, other_arm = -other_arm, arm
    mass, speed = float(row["mass"]), float(row["forward_mps"])
    load = 0.5 * mass * GRAVITY_MPS2 * other_arm / float(row["front_m"] + row["rear_m"])
    slip = 0.0
    if abs(speed) > _SLIP_ABOVE_MPS:
        sideways = float(row["lateral_mps"]) + arm * float(row["yaw_rate"])
        slip = math.radians(steer_angle_deg(row, wheel)) - math.atan2(sideways, abs(speed))
    cos, sin = math.cos(float(row["yaw"])), math.sin(float(row["yaw"]))
    ax, ay, _ = (float(value) for value in row["world_acceleration"])
    along, across = mass * (ax * cos + ay * sin) / 4.0, mass * (-ax * sin + ay * cos) / 4.0
    radius = control.wheels[wheel].radius_cm / 100.0
    return [
        control.wheels[wheel].tire_friction, slip, 0.0, speed / radius, load, 1.0, along * radius, along, across,
        along / load, across / load,
    ]  # fmt: skip
