"""RPCs that drive vehicles and walk walkers: controls, physics parameters, vehicle lights, doors, wheels, telemetry."""

import math
from typing import Any

from drive_agent import doors
from drive_agent.sim import car_doors, vehicle_parts
from drive_agent.sim.ackermann import DEFAULT_GAINS, AckermannDriver
from drive_agent.sim.blueprints import vehicle_model
from drive_agent.sim.physics_control import decode_physics_control
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.vehicle_parameters import factory_control, set_parameters, wheel_positions
from drive_agent.sim.wire import (
    Encoded,
    RequestError,
    decode_bool,
    decode_id,
    decode_integer,
    decode_list,
    decode_number,
    decode_vector,
)

TABLE = MethodTable()
_LOWEST_GEAR, _HIGHEST_GEAR = -1, 100
_ALL_DOORS = 6  # carla.VehicleDoor: four doors, hood, trunk, and 6 for all of them

# ---- controls --------------------------------------------------------------------------------------------------------


@TABLE.void
def apply_control_to_vehicle(client: Client, actor_id: Any, control: Any) -> None:
    """`VehicleControl`; values beyond their range are clamped, as in CARLA."""
    row = client.vehicle(actor_id)
    throttle, steer, brake, hand_brake, reverse, manual, gear = decode_list(control, "vehicle control", 7)
    # three floats that add up to a finite one are finite: the common case in one test
    if not (
        type(throttle) is type(steer) is type(brake) is float and math.isfinite(throttle + steer + brake)
    ):
        throttle, steer, brake = (
            decode_number(value, "pedal or wheel") for value in (throttle, steer, brake)
        )
    gear = decode_integer(gear, "gear", -(2**31), 2**31 - 1)
    row["throttle"] = 0.0 if throttle < 0.0 else 1.0 if throttle > 1.0 else throttle
    row["brake"] = 0.0 if brake < 0.0 else 1.0 if brake > 1.0 else brake
    row["steer"] = -1.0 if steer < -1.0 else 1.0 if steer > 1.0 else steer
    row["hand_brake"], row["manual_gear_shift"] = bool(hand_brake), bool(manual)
    row["reverse"] = gear < 0 if manual else bool(reverse)
    if manual:
        row["gear"] = min(max(gear, _LOWEST_GEAR), _HIGHEST_GEAR)
    if client.world.ackermann:
        client.world.ackermann.pop(actor_id, None)


@TABLE.void
def apply_ackermann_control_to_vehicle(client: Client, actor_id: Any, control: Any) -> None:
    """Drive by steering angle and speed until the next ordinary control."""
    actor = client.vehicle_actor(actor_id)
    driver = AckermannDriver(actor, gains=actor.ackermann_gains or list(DEFAULT_GAINS))
    driver.aim(control)
    client.world.ackermann[actor.id] = driver


@TABLE.value
def get_ackermann_controller_settings(client: Client, actor_id: Any) -> Encoded:
    """Gains as last applied; CARLA's defaults at first."""
    return client.vehicle_actor(actor_id).ackermann_gains or list(DEFAULT_GAINS)


@TABLE.void
def apply_ackermann_controller_settings(client: Client, actor_id: Any, gains: Any) -> None:
    """All six are kept; the speed's proportional gain says how fast this server's controller works."""
    actor = client.vehicle_actor(actor_id)
    numbers = decode_list(gains, "ackermann gains", len(DEFAULT_GAINS))
    actor.ackermann_gains = [decode_number(value, "ackermann gain") for value in numbers]
    if actor.id in client.world.ackermann:
        client.world.ackermann[actor.id].gains = actor.ackermann_gains


@TABLE.void
def apply_control_to_walker(client: Client, actor_id: Any, control: Any) -> None:
    """`WalkerControl`."""
    row = client.walker(actor_id)
    direction, speed, jump = decode_list(control, "walker control", 3)
    direction, speed, jump = (
        decode_vector(direction, "direction"), decode_number(speed, "speed"), decode_bool(jump, "jump"),
    )  # fmt: skip
    row["direction"], row["speed_mps"], row["jump"] = direction, speed, jump


@TABLE.void
def set_actor_autopilot(client: Client, actor_id: Any, enabled: Any) -> None:
    """Nothing to do here: the traffic manager lives in the client and sends controls."""
    client.vehicle_actor(actor_id)
    decode_bool(enabled, "enabled")


# ---- physics ---------------------------------------------------------------------------------------------------------


@TABLE.value
def get_physics_control(client: Client, actor_id: Any) -> Encoded:
    """`VehiclePhysicsControl` as last applied, with the wheels where they are now."""
    actor = client.vehicle_actor(actor_id)
    model, row = vehicle_model(actor.type_id), client.vehicle(actor_id)
    control = actor.physics_control or factory_control(model)
    return control.encode(wheel_positions(row, control, model))


@TABLE.void
def apply_physics_control(client: Client, actor_id: Any, control: Any) -> None:
    """The vehicle drives by the new parameters from the next tick on."""
    actor = client.vehicle_actor(actor_id)
    actor.physics_control = decode_physics_control(control)
    set_parameters(client.vehicle(actor_id), actor.physics_control, vehicle_model(actor.type_id))


@TABLE.void
def restore_physx_physics(client: Client, actor_id: Any) -> None:
    """Nothing to do: a vehicle has no other physics here."""
    client.vehicle_actor(actor_id)


# ---- lights, doors, wheels, telemetry --------------------------------------------------------------------------------


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
    return list(zip(vehicles.ids.tolist(), vehicles.rows["light_flags"].tolist(), strict=True))


@TABLE.void
def open_vehicle_door(client: Client, actor_id: Any, door: Any) -> None:
    """Swings open at once and stands in the way of others. Hood and trunk are drawn shut."""
    row = client.vehicle(actor_id)
    row["open_doors"] |= _door_bits(door)


@TABLE.void
def close_vehicle_door(client: Client, actor_id: Any, door: Any) -> None:
    """See above."""
    row = client.vehicle(actor_id)
    row["open_doors"] &= ~_door_bits(door)


def _door_bits(door: Any) -> int:
    number = decode_integer(door, "door", 0, _ALL_DOORS)
    return sum(car_doors.bits(k) for k in doors.DOORS if number in (k, _ALL_DOORS))


@TABLE.value
def get_wheel_steer_angle(client: Client, actor_id: Any, wheel: Any) -> float:
    """Degrees, right positive."""
    return vehicle_parts.steer_angle_deg(client.vehicle(actor_id), _wheel(wheel))


@TABLE.void
def set_wheel_steer_direction(client: Client, actor_id: Any, wheel: Any, angle_deg: Any) -> None:
    """Turn the front wheels, for the eye: under physics the next tick turns them as the vehicle is steered."""
    row, angle = client.vehicle(actor_id), decode_number(angle_deg, "angle")
    if not -90.0 < angle < 90.0:
        raise RequestError(f"angle is {angle}: expected between -90 and 90 degrees")
    if _wheel(wheel) in (vehicle_parts.FRONT_LEFT, vehicle_parts.FRONT_RIGHT):
        row["steer_rad"] = math.radians(angle)


@TABLE.value
def get_telemetry_data(client: Client, actor_id: Any) -> Encoded:
    """`VehicleTelemetryData`."""
    actor = client.vehicle_actor(actor_id)
    control = actor.physics_control or factory_control(vehicle_model(actor.type_id))
    return vehicle_parts.telemetry(client.vehicle(actor_id), control)


@TABLE.void
def show_vehicle_debug_telemetry(client: Client, actor_id: Any, enabled: Any) -> None:
    """Checked; there is no screen to show it on."""
    client.vehicle_actor(actor_id)
    decode_bool(enabled, "enabled")


def _wheel(value: Any) -> int:
    return decode_integer(value, "wheel", 0, 3)
