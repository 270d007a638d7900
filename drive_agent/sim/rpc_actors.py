"""RPCs about any actor: spawn, destroy, look up, move."""

import math
from typing import Any

import numpy as np

from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.descriptions import check_description
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.wire import (
    Encoded,
    Pose,
    RequestError,
    decode_bool,
    decode_list,
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
    parent = client.world.actors.find(parent_id)
    if parent is None:
        raise RequestError("unable to attach actor: parent actor not found")
    decode_text(socket, "socket")
    return _spawn(client, description, transform, parent).encode(client.world.stream_port)


def _spawn(client: Client, description: Any, transform: Any, parent: Actor | None) -> Actor:
    type_id = check_description(description)
    return client.world.spawn(type_id, description, decode_transform(transform), parent)


@TABLE.value
def destroy_actor(client: Client, actor_id: Any) -> bool:
    """Remove an actor."""
    actor = client.world.actors.find(actor_id)
    if actor is None:
        raise RequestError("unable to destroy actor: not found")
    client.world.destroy(actor)
    return True


@TABLE.value
def get_actors_by_id(client: Client, ids: Any) -> Encoded:
    """`Actor` of each known id."""
    found = (client.world.actors.find(actor_id) for actor_id in decode_list(ids, "actor ids"))
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
    """Put a walker's feet somewhere; it walks the way it faces."""
    row, feet, speed_mps = client.walker(actor_id), decode_transform(transform), decode_number(speed, "speed")
    direction = (math.cos(math.radians(feet.yaw)), math.sin(math.radians(feet.yaw)), 0.0)
    row["speed_mps"], row["direction"] = speed_mps, direction
    row["velocity"] = [speed_mps * part for part in direction]
    standing = Pose(feet.x, feet.y, feet.z + float(row["half_extents"][2]), 0.0, feet.yaw, 0.0)
    client.world.place(client.world.actors.get(actor_id), standing)


@TABLE.void
def set_actor_target_velocity(client: Client, actor_id: Any, velocity: Any) -> None:
    """World velocity in m/s, at once."""
    actor, (x, y, z) = client.world.actors.get(actor_id), decode_vector(velocity, "velocity")
    if actor.kind is Kind.VEHICLE:
        row = client.vehicle(actor_id)
        cos, sin = math.cos(row["yaw"]), math.sin(row["yaw"])
        row["forward_mps"], row["lateral_mps"] = x * cos + y * sin, -x * sin + y * cos
        row["vertical_mps"] = z if z > 0.0 else 0.0
        row["grounded"] = 0 if z > 0.0 else row["grounded"]
    elif actor.kind is Kind.WALKER:
        row, speed = client.walker(actor_id), math.hypot(x, y)
        row["speed_mps"] = speed
        if speed > 0.0:
            row["direction"] = (x / speed, y / speed, 0.0)


@TABLE.void
def set_actor_target_angular_velocity(client: Client, actor_id: Any, velocity: Any) -> None:
    """Yaw rate from the z component, deg/s, at once."""
    if client.world.actors.get(actor_id).kind is Kind.VEHICLE:
        client.vehicle(actor_id)["yaw_rate"] = math.radians(decode_vector(velocity, "angular velocity")[2])


@TABLE.void
def enable_actor_constant_velocity(client: Client, actor_id: Any, velocity: Any) -> None:
    """Keep this velocity in the vehicle's own axes, m/s."""
    row, (forward, right, _) = client.vehicle(actor_id), decode_vector(velocity, "velocity")
    row["constant_velocity"], row["constant_forward_mps"], row["constant_lateral_mps"] = 1, forward, right


@TABLE.void
def disable_actor_constant_velocity(client: Client, actor_id: Any) -> None:
    """Back to pedals."""
    client.vehicle(actor_id)["constant_velocity"] = 0


@TABLE.void
def set_actor_simulate_physics(client: Client, actor_id: Any, enabled: Any) -> None:
    """Without physics an actor stays where it is put, at rest."""
    row, enabled = client.body(actor_id), decode_bool(enabled, "enabled")
    if row is None:
        return
    actor = client.world.actors.get(actor_id)
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
    row, enabled = client.body(actor_id), decode_bool(enabled, "enabled")
    if row is not None:
        row["gravity"] = enabled


@TABLE.void
def set_actor_collisions(client: Client, actor_id: Any, enabled: Any) -> None:
    """Whether anything can touch it."""
    row, enabled = client.body(actor_id), decode_bool(enabled, "enabled")
    if row is not None:
        row["collisions"] = enabled


@TABLE.void
def set_actor_dead(client: Client, actor_id: Any) -> None:
    """A dead walker stops and obeys no more."""
    row = client.walker(actor_id)
    row["speed_mps"], row["jump"] = 0.0, 0
    client.world.actors.get(actor_id).dead = True


@TABLE.void
def add_actor_impulse(client: Client, actor_id: Any, impulse: Any) -> None:
    """N s, world axes."""
    _push(client.vehicle(actor_id), decode_vector(impulse, "impulse"))


@TABLE.void
def add_actor_impulse_at_location(client: Client, actor_id: Any, impulse: Any, location: Any) -> None:
    """N s at a place in the world: it pushes and turns."""
    row, push = client.vehicle(actor_id), decode_vector(impulse, "impulse")
    turn = _moment(row, push, decode_vector(location, "location"))
    _push(row, push)
    row["yaw_rate"] += turn / float(row["yaw_inertia"])


@TABLE.void
def add_actor_force_at_location(client: Client, actor_id: Any, force: Any, location: Any) -> None:
    """N at a place in the world, during the next tick."""
    row, push = client.vehicle(actor_id), decode_vector(force, "force")
    turn = _moment(row, push, decode_vector(location, "location"))
    row["force"] = np.add(row["force"], push)
    row["torque"] += turn


def _moment(row: np.void, push: tuple[float, float, float], place: tuple[float, float, float]) -> float:
    """About the vertical through the vehicle's origin."""
    return (place[0] - float(row["x"])) * push[1] - (place[1] - float(row["y"])) * push[0]


def _push(row: np.void, impulse: tuple[float, float, float]) -> None:
    x, y, z = impulse
    cos, sin, mass = math.cos(row["yaw"]), math.sin(row["yaw"]), float(row["mass"])
    row["forward_mps"] += (x * cos + y * sin) / mass
    row["lateral_mps"] += (-x * sin + y * cos) / mass
    if z > 0.0:
        row["vertical_mps"] += z / mass
        row["grounded"] = 0


@TABLE.void
def add_actor_force(client: Client, actor_id: Any, force: Any) -> None:
    """N in the plane, world axes, during the next tick."""
    row = client.vehicle(actor_id)
    row["force"] = np.add(row["force"], decode_vector(force, "force"))


@TABLE.void
def add_actor_angular_impulse(client: Client, actor_id: Any, impulse: Any) -> None:
    """N m s about the vertical, the z component."""
    row = client.vehicle(actor_id)
    row["yaw_rate"] += decode_vector(impulse, "angular impulse")[2] / float(row["yaw_inertia"])


@TABLE.void
def add_actor_torque(client: Client, actor_id: Any, torque: Any) -> None:
    """N m about the vertical, the z component, during the next tick."""
    client.vehicle(actor_id)["torque"] += decode_vector(torque, "torque")[2]
