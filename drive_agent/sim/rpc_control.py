"""RPCs that drive vehicles and walk walkers: controls, physics parameters, vehicle lights, telemetry."""

import math
from typing import Any

from drive_agent.sim.ackermann import DEFAULT_GAINS, AckermannDriver
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.vehicle_dynamics import GRIP_PER_TYRE_FRICTION, resample_steering_curve
from drive_agent.sim.wire import (
    Encoded,
    RequestError,
    decode_bool,
    decode_id,
    decode_number,
    decode_vector,
)

TABLE = MethodTable()


@TABLE.void
def apply_control_to_vehicle(client: Client, actor_id: Any, control: Any) -> None:
    """`VehicleControl`; values beyond their range are clamped, as in CARLA."""
    row = client.vehicle(actor_id)
    try:
        throttle, steer, brake, hand_brake, reverse, manual, gear = control
        total = throttle + steer + brake
    except (TypeError, ValueError) as error:
        raise RequestError(f"vehicle control is {control!r}: expected seven members") from error
    if not math.isfinite(total):
        raise RequestError(f"vehicle control is {control!r}: expected finite numbers")
    row["throttle"] = 0.0 if throttle < 0.0 else 1.0 if throttle > 1.0 else throttle
    row["brake"] = 0.0 if brake < 0.0 else 1.0 if brake > 1.0 else brake
    row["steer"] = -1.0 if steer < -1.0 else 1.0 if steer > 1.0 else steer
    row["hand_brake"], row["manual_gear_shift"] = bool(hand_brake), bool(manual)
    row["reverse"] = gear < 0 if manual else bool(reverse)
    if manual:
        row["gear"] = gear
    if client.world.ackermann:
        client.world.ackermann.pop(actor_id, None)


@TABLE.void
def apply_ackermann_control_to_vehicle(client: Client, actor_id: Any, control: Any) -> None:
    """Drive by steering angle and speed until the next ordinary control."""
    client.vehicle(actor_id)
    driver = AckermannDriver(client.world.actors.get(actor_id))
    driver.aim(control)
    client.world.ackermann[actor_id] = driver


@TABLE.value
def get_ackermann_controller_settings(client: Client, actor_id: Any) -> Encoded:
    """CARLA's default gains; this server's controller is fixed."""
    client.vehicle(actor_id)
    return DEFAULT_GAINS


@TABLE.void
def apply_ackermann_controller_settings(client: Client, actor_id: Any, gains: Any) -> None:
    """Refused: this server's controller is fixed."""
    raise RequestError("the gains of the ackermann controller are fixed in this server")


@TABLE.void
def apply_control_to_walker(client: Client, actor_id: Any, control: Any) -> None:
    """`WalkerControl`."""
    row = client.walker(actor_id)
    if not isinstance(control, list) or len(control) != 3:
        raise RequestError(f"walker control is {control!r}: expected [direction, speed, jump]")
    row["direction"] = decode_vector(control[0], "direction")
    row["speed_mps"], row["jump"] = decode_number(control[1], "speed"), decode_bool(control[2], "jump")


@TABLE.value
def get_physics_control(client: Client, actor_id: Any) -> Encoded:
    """`VehiclePhysicsControl` out of the single-track parameters."""
    row, actor = client.vehicle(actor_id), client.world.actors.get(actor_id)
    pose, (_, width, height) = client.world.pose_of(actor), actor.half_extents
    cos, sin, radius = math.cos(row["yaw"]), math.sin(row["yaw"]), max(0.25, 0.45 * height)
    lock = math.degrees(float(row["max_steer_rad"]))
    wheels = []
    for along, front in ((float(row["front_m"]), True), (-float(row["rear_m"]), False)):
        for across in (-0.85 * width, 0.85 * width):
            place = (
                pose.x + along * cos - across * sin,
                pose.y + along * sin + across * cos,
                pose.z + radius,
            )
            wheels.append(
                [float(row["friction"]) / GRIP_PER_TYRE_FRICTION, 0.25, lock if front else 0.0, 100 * radius, 1500.0, 0.0 if front else 3000.0,
                 2.0, 17.0, 1000.0, [100.0 * value for value in place]]
            )  # fmt: skip
    gears = [[ratio, 0.5, 0.65] for ratio in (4.6, 2.5, 1.6, 1.1, 0.85, 0.7)]
    torque = float(row["max_force"]) * radius / 10.0
    curve = [[20.0 * index, float(value)] for index, value in enumerate(row["steering_curve"])]
    return [
        [[0.0, torque], [3000.0, torque], [6000.0, 0.8 * torque]], 6000.0, 1.0, 0.15, 2.0, 0.35, True, 0.5, 10.0, 4.0, gears,
        float(row["mass"]), 0.3, [0.5 * float(row["rear_m"] - row["front_m"]), 0.0, 0.0], curve, wheels, True,
    ]  # fmt: skip


@TABLE.void
def apply_physics_control(client: Client, actor_id: Any, control: Any) -> None:
    """Mass, steering curve, lock and tyre friction are taken over; the rest has no part in this model."""
    row = client.vehicle(actor_id)
    mass, curve, wheels = decode_number(control[11], "mass"), control[14], control[15]
    if mass <= 0.0:
        raise RequestError(f"mass is {mass}: expected more than zero kg")
    scale = mass / float(row["mass"])
    row["mass"], row["yaw_inertia"] = mass, row["yaw_inertia"] * scale
    if curve:
        points = tuple((decode_number(p[0], "speed"), decode_number(p[1], "steering")) for p in curve)
        row["steering_curve"] = resample_steering_curve(points)
    if wheels:
        lock = max(decode_number(wheel[2], "max_steer_angle") for wheel in wheels)
        row["max_steer_rad"] = math.radians(lock)
        friction = sum(decode_number(wheel[0], "tire_friction") for wheel in wheels) / len(wheels)
        row["friction"] = friction * GRIP_PER_TYRE_FRICTION


@TABLE.value
def get_vehicle_light_state(client: Client, actor_id: Any) -> Encoded:
    """Light flags of a vehicle."""
    return [int(client.vehicle(actor_id)["light_flags"])]


@TABLE.void
def set_vehicle_light_state(client: Client, actor_id: Any, flags: Any) -> None:
    """Light flags: `[u32]`, or bare in a batch."""
    value = flags[0] if isinstance(flags, list) and flags else flags
    client.vehicle(actor_id)["light_flags"] = decode_id(value, "light flags")


@TABLE.value
def get_vehicle_light_states(client: Client) -> Encoded:
    """Light flags of all vehicles."""
    vehicles = client.world.vehicles
    flags = vehicles.rows["light_flags"].tolist()
    return [[actor.id, value] for actor, value in zip(vehicles.owners, flags, strict=True)]


@TABLE.value
def get_wheel_steer_angle(client: Client, actor_id: Any, wheel: Any) -> float:
    """Degrees of a front wheel; rear wheels do not steer."""
    row = client.vehicle(actor_id)
    return math.degrees(float(row["steer_rad"])) if wheel in (0, 1) else 0.0


@TABLE.value
def get_telemetry_data(client: Client, actor_id: Any) -> Encoded:
    """`VehicleTelemetryData` without wheels: this model has none."""
    row = client.vehicle(actor_id)
    speed, throttle = float(row["forward_mps"]), float(row["throttle"])
    rpm = 800.0 + 5200.0 * min(1.0, abs(speed) % 7.0 / 7.0)
    return [
        speed,
        float(row["steer"]),
        throttle,
        float(row["brake"]),
        rpm,
        int(row["gear"]),
        float(row["drag"]),
        [],
    ]
