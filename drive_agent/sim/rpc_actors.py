"""RPCs about actors: spawn, destroy, move, drive, walk, lights, traffic lights, batches."""

import math
from typing import Any

import numpy as np

from drive_agent.sim import cameras
from drive_agent.sim.ackermann import DEFAULT_GAINS, AckermannDriver
from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.vehicle_dynamics import GRIP_PER_TYRE_FRICTION, resample_steering_curve
from drive_agent.sim.wire import (
    Encoded,
    LightState,
    Pose,
    RequestError,
    decode_bool,
    decode_id,
    decode_number,
    decode_text,
    decode_transform,
    decode_vector,
    encode_box,
)

TABLE = MethodTable()


# ---- life ------------------------------------------------------------------------------------------------------------


@TABLE.value
def spawn_actor(client: Client, description: Any, transform: Any) -> Encoded:
    """A new actor."""
    return _spawn(client, description, transform, None).encode(client.world.stream_port)


@TABLE.value
def spawn_actor_with_parent(
    client: Client, description: Any, transform: Any, parent_id: Any, attachment: Any = 0, socket: Any = ""
) -> Encoded:
    """A new actor fixed to another; spring arms are rigid too (the attachment byte of a batch is uninitialised memory)."""
    parent = client.world.actors.get(parent_id)
    return _spawn(client, description, transform, parent).encode(client.world.stream_port)


def _spawn(client: Client, description: Any, transform: Any, parent: Actor | None) -> Actor:
    if not isinstance(description, list) or len(description) < 3 or not isinstance(description[2], list):
        raise RequestError(f"actor description is {description!r}: expected [uid, id, attributes]")
    type_id = decode_text(description[1], "blueprint id")
    for entry in description[2]:
        if not isinstance(entry, list) or len(entry) != 3:
            raise RequestError(f"attribute is {entry!r}: expected [id, type, value]")
    if type_id in cameras.KINDS:
        cameras.check_camera(
            cameras.DEFAULT_IMAGE | {str(entry[0]): str(entry[2]) for entry in description[2]}
        )
    return client.world.spawn(type_id, description, decode_transform(transform), parent)


@TABLE.value
def destroy_actor(client: Client, actor_id: Any) -> bool:
    """Remove an actor."""
    client.world.destroy(client.world.actors.get(actor_id))
    return True


@TABLE.value
def get_actors_by_id(client: Client, ids: Any) -> Encoded:
    """`Actor` of each known id."""
    found = (client.world.actors.find(actor_id) for actor_id in ids)
    return [actor.encode(client.world.stream_port) for actor in found if actor is not None]


@TABLE.value
def get_spectator(client: Client) -> Encoded:
    """The spectator."""
    return client.world.spectator.encode(client.world.stream_port)


@TABLE.value
def get_actor_bounding_box(client: Client, actor_id: Any) -> Encoded:
    """`BoundingBox`; empty for an unknown actor: an error here would end the process of a traffic manager's user."""
    actor = client.world.actors.find(actor_id)
    return actor.encode_box() if actor is not None else encode_box((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


# ---- motion ----------------------------------------------------------------------------------------------------------


@TABLE.void
def set_actor_transform(client: Client, actor_id: Any, transform: Any) -> None:
    """Teleport; velocity is kept."""
    client.world.move(client.world.actors.get(actor_id), decode_transform(transform))


@TABLE.void
def set_actor_location(client: Client, actor_id: Any, location: Any) -> None:
    """Teleport without turning."""
    world, actor = client.world, client.world.actors.get(actor_id)
    world.move(actor, Pose(*decode_vector(location, "location"), *world.pose_of(actor)[3:]))


@TABLE.void
def set_walker_state(client: Client, actor_id: Any, transform: Any, speed: Any) -> None:
    """Teleport a walker and set its speed."""
    world, actor = client.world, client.world.actors.get(actor_id)
    world.place(actor, decode_transform(transform))
    _walker(client, actor_id)["speed_mps"] = decode_number(speed, "speed")


@TABLE.void
def set_actor_target_velocity(client: Client, actor_id: Any, velocity: Any) -> None:
    """World velocity in m/s, at once."""
    actor, (x, y, z) = client.world.actors.get(actor_id), decode_vector(velocity, "velocity")
    if actor.kind is Kind.VEHICLE:
        row = _vehicle(client, actor_id)
        cos, sin = math.cos(row["yaw"]), math.sin(row["yaw"])
        row["forward_mps"], row["lateral_mps"] = x * cos + y * sin, -x * sin + y * cos
        row["vertical_mps"] = z if z > 0.0 else 0.0
        row["grounded"] = 0 if z > 0.0 else row["grounded"]
    elif actor.kind is Kind.WALKER:
        row, speed = _walker(client, actor_id), math.hypot(x, y)
        row["speed_mps"] = speed
        if speed > 0.0:
            row["direction"] = (x / speed, y / speed, 0.0)


@TABLE.void
def set_actor_target_angular_velocity(client: Client, actor_id: Any, velocity: Any) -> None:
    """Yaw rate from the z component, deg/s, at once."""
    if client.world.actors.get(actor_id).kind is Kind.VEHICLE:
        _vehicle(client, actor_id)["yaw_rate"] = math.radians(decode_vector(velocity, "angular velocity")[2])


@TABLE.void
def enable_actor_constant_velocity(client: Client, actor_id: Any, velocity: Any) -> None:
    """Keep this velocity in the vehicle's own axes, m/s."""
    row, (forward, right, _) = _vehicle(client, actor_id), decode_vector(velocity, "velocity")
    row["constant_velocity"], row["constant_forward_mps"], row["constant_lateral_mps"] = 1, forward, right


@TABLE.void
def disable_actor_constant_velocity(client: Client, actor_id: Any) -> None:
    """Back to pedals."""
    _vehicle(client, actor_id)["constant_velocity"] = 0


@TABLE.void
def set_actor_simulate_physics(client: Client, actor_id: Any, enabled: Any) -> None:
    """Without physics an actor stays where it is put, at rest."""
    row, enabled = _body(client, actor_id), decode_bool(enabled, "enabled")
    if row is None:
        return
    actor = client.world.actors.get(actor_id)
    if actor.kind is Kind.PROP:
        return
    row["simulate_physics"] = enabled
    if actor.kind is Kind.VEHICLE:
        row["grounded"] = 0
        if not enabled:
            row["forward_mps"], row["lateral_mps"], row["vertical_mps"], row["yaw_rate"] = 0.0, 0.0, 0.0, 0.0
    elif not enabled:
        row["velocity"], row["acceleration"] = 0.0, 0.0


@TABLE.void
def set_actor_enable_gravity(client: Client, actor_id: Any, enabled: Any) -> None:
    """Without gravity an actor above the ground stays there."""
    row, enabled = _body(client, actor_id), decode_bool(enabled, "enabled")
    if row is not None and client.world.actors.get(actor_id).kind is not Kind.PROP:
        row["gravity"] = enabled


@TABLE.void
def set_actor_collisions(client: Client, actor_id: Any, enabled: Any) -> None:
    """Whether anything can touch it."""
    row, enabled = _body(client, actor_id), decode_bool(enabled, "enabled")
    if row is not None:
        row["collisions"] = enabled


@TABLE.void
def set_actor_dead(client: Client, actor_id: Any) -> None:
    """A dead actor no longer moves by itself."""
    actor = client.world.actors.get(actor_id)
    if actor.kind is Kind.WALKER:
        _walker(client, actor_id)["speed_mps"] = 0.0


@TABLE.void
def add_actor_impulse(client: Client, actor_id: Any, impulse: Any) -> None:
    """N s, world axes."""
    row, (x, y, z) = _vehicle(client, actor_id), decode_vector(impulse, "impulse")
    cos, sin, mass = math.cos(row["yaw"]), math.sin(row["yaw"]), float(row["mass"])
    row["forward_mps"] += (x * cos + y * sin) / mass
    row["lateral_mps"] += (-x * sin + y * cos) / mass
    if z > 0.0:
        row["vertical_mps"] += z / mass
        row["grounded"] = 0


@TABLE.void
def add_actor_force(client: Client, actor_id: Any, force: Any) -> None:
    """N in the plane, world axes, during the next tick."""
    row = _vehicle(client, actor_id)
    row["force"] = np.add(row["force"], decode_vector(force, "force"))


@TABLE.void
def add_actor_angular_impulse(client: Client, actor_id: Any, impulse: Any) -> None:
    """N m s about the vertical, the z component."""
    row = _vehicle(client, actor_id)
    row["yaw_rate"] += decode_vector(impulse, "angular impulse")[2] / float(row["yaw_inertia"])


@TABLE.void
def add_actor_torque(client: Client, actor_id: Any, torque: Any) -> None:
    """N m about the vertical, the z component, during the next tick."""
    _vehicle(client, actor_id)["torque"] += decode_vector(torque, "torque")[2]


# ---- control ---------------------------------------------------------------------------------------------------------


@TABLE.void
def apply_control_to_vehicle(client: Client, actor_id: Any, control: Any) -> None:
    """`VehicleControl`; values beyond their range are clamped, as in CARLA."""
    row = _vehicle(client, actor_id)
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
    _vehicle(client, actor_id)
    driver = AckermannDriver(client.world.actors.get(actor_id))
    driver.aim(control)
    client.world.ackermann[actor_id] = driver


@TABLE.value
def get_ackermann_controller_settings(client: Client, actor_id: Any) -> Encoded:
    """CARLA's default gains; this server's controller is fixed."""
    _vehicle(client, actor_id)
    return DEFAULT_GAINS


@TABLE.void
def apply_ackermann_controller_settings(client: Client, actor_id: Any, gains: Any) -> None:
    """Refused: this server's controller is fixed."""
    raise RequestError("the gains of the ackermann controller are fixed in this server")


@TABLE.void
def apply_control_to_walker(client: Client, actor_id: Any, control: Any) -> None:
    """`WalkerControl`."""
    row = _walker(client, actor_id)
    if not isinstance(control, list) or len(control) != 3:
        raise RequestError(f"walker control is {control!r}: expected [direction, speed, jump]")
    row["direction"] = decode_vector(control[0], "direction")
    row["speed_mps"], row["jump"] = decode_number(control[1], "speed"), decode_bool(control[2], "jump")


@TABLE.value
def get_physics_control(client: Client, actor_id: Any) -> Encoded:
    """`VehiclePhysicsControl` out of the single-track parameters."""
    row, actor = _vehicle(client, actor_id), client.world.actors.get(actor_id)
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
    row = _vehicle(client, actor_id)
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
    return [int(_vehicle(client, actor_id)["light_flags"])]


@TABLE.void
def set_vehicle_light_state(client: Client, actor_id: Any, flags: Any) -> None:
    """Light flags: `[u32]`, or bare in a batch."""
    value = flags[0] if isinstance(flags, list) and flags else flags
    _vehicle(client, actor_id)["light_flags"] = decode_id(value, "light flags")


@TABLE.value
def get_vehicle_light_states(client: Client) -> Encoded:
    """Light flags of all vehicles."""
    vehicles = client.world.vehicles
    flags = vehicles.rows["light_flags"].tolist()
    return [[actor.id, value] for actor, value in zip(vehicles.owners, flags, strict=True)]


@TABLE.value
def get_wheel_steer_angle(client: Client, actor_id: Any, wheel: Any) -> float:
    """Degrees of a front wheel; rear wheels do not steer."""
    row = _vehicle(client, actor_id)
    return math.degrees(float(row["steer_rad"])) if wheel in (0, 1) else 0.0


@TABLE.value
def get_telemetry_data(client: Client, actor_id: Any) -> Encoded:
    """`VehicleTelemetryData` without wheels: this model has none."""
    row = _vehicle(client, actor_id)
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


# ---- traffic lights --------------------------------------------------------------------------------------------------


@TABLE.void
def set_traffic_light_state(client: Client, actor_id: Any, state: Any) -> None:
    """Show a state until the group's next change."""
    client.world.signals.set_state(_light(client, actor_id), state)


@TABLE.void
def set_traffic_light_green_time(client: Client, actor_id: Any, seconds: Any) -> None:
    """How long green lasts."""
    client.world.signals.set_duration(
        _light(client, actor_id), LightState.GREEN, decode_number(seconds, "green time")
    )


@TABLE.void
def set_traffic_light_yellow_time(client: Client, actor_id: Any, seconds: Any) -> None:
    """How long yellow lasts."""
    client.world.signals.set_duration(
        _light(client, actor_id), LightState.YELLOW, decode_number(seconds, "yellow time")
    )


@TABLE.void
def set_traffic_light_red_time(client: Client, actor_id: Any, seconds: Any) -> None:
    """How long all stay red after this light's yellow."""
    client.world.signals.set_duration(
        _light(client, actor_id), LightState.RED, decode_number(seconds, "red time")
    )


@TABLE.void
def freeze_traffic_light(client: Client, actor_id: Any, frozen: Any) -> None:
    """Stop or restart the cycle of this light's group."""
    client.world.signals.group_of[_light(client, actor_id)].frozen = decode_bool(frozen, "frozen")


@TABLE.void
def freeze_all_traffic_lights(client: Client, frozen: Any) -> None:
    """Stop or restart all cycles."""
    client.world.signals.freeze_all(frozen=decode_bool(frozen, "frozen"))


@TABLE.void
def reset_traffic_light_group(client: Client, actor_id: Any) -> None:
    """Back to the start of the cycle."""
    signals = client.world.signals
    signals.reset_group(signals.group_of[_light(client, actor_id)])


@TABLE.void
def reset_all_traffic_lights(client: Client) -> None:
    """All groups back to the start of their cycles."""
    client.world.signals.reset()


@TABLE.value
def get_group_traffic_lights(client: Client, actor_id: Any) -> Encoded:
    """Ids of all lights of the same junction."""
    world = client.world
    return [world.light_actors[index].id for index in world.signals.members(_light(client, actor_id))]


@TABLE.value
def get_light_boxes(client: Client, actor_id: Any) -> Encoded:
    """The housing of the bulbs, in the world."""
    actor = client.world.light_actors[_light(client, actor_id)]
    center = (actor.pose.x, actor.pose.y, actor.pose.z + 4.5)
    return [encode_box(center, (0.25, 0.25, 0.55), actor.id, (0.0, actor.pose.yaw, 0.0))]


# ---- parts -----------------------------------------------------------------------------------------------------------


@TABLE.value
def get_actor_component_names(client: Client, actor_id: Any) -> Encoded:
    """None: actors have no named parts here."""
    client.world.actors.get(actor_id)
    return []


@TABLE.value
def get_actor_bone_names(client: Client, actor_id: Any) -> Encoded:
    """None."""
    client.world.actors.get(actor_id)
    return []


@TABLE.value
def get_actor_socket_names(client: Client, actor_id: Any) -> Encoded:
    """None."""
    client.world.actors.get(actor_id)
    return []


# ---- rows ------------------------------------------------------------------------------------------------------------


def _vehicle(client: Client, actor_id: Any) -> np.void:
    """The row of a vehicle, or RequestError."""
    actor = client.world.actors.get(actor_id)
    if actor.kind is not Kind.VEHICLE:
        raise RequestError(f"actor {actor_id} is {actor.type_id}: expected a vehicle")
    return client.world.vehicles.rows[actor.slot]


def _walker(client: Client, actor_id: Any) -> np.void:
    """The row of a walker, or RequestError."""
    actor = client.world.actors.get(actor_id)
    if actor.kind is not Kind.WALKER:
        raise RequestError(f"actor {actor_id} is {actor.type_id}: expected a walker")
    return client.world.walkers.rows[actor.slot]


def _body(client: Client, actor_id: Any) -> np.void | None:
    """The row of anything with a body; None for sensors, signals and the spectator."""
    world, actor = client.world, client.world.actors.get(actor_id)
    tables = {Kind.VEHICLE: world.vehicles, Kind.WALKER: world.walkers, Kind.PROP: world.props}
    table = tables.get(actor.kind)
    return table.rows[actor.slot] if table is not None else None


def _light(client: Client, actor_id: Any) -> int:
    """The index of a traffic light, or RequestError."""
    actor = client.world.actors.get(actor_id)
    if actor.kind is not Kind.LIGHT:
        raise RequestError(f"actor {actor_id} is {actor.type_id}: expected a traffic light")
    return actor.slot
