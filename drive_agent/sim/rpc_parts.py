"""RPCs about the named parts of actors: one component, and of vehicles the base and the wheels as bones. No sockets."""

from typing import Any

from drive_agent.sim.actors import Actor, ActorError, Kind
from drive_agent.sim.blueprints import vehicle_model
from drive_agent.sim.poses import IDENTITY, compose
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.vehicle_parameters import factory_control
from drive_agent.sim.vehicle_parts import wheel_places
from drive_agent.sim.wire import Encoded, Pose, decode_text, encode_transform

TABLE = MethodTable()
_COMPONENT = "Mesh"
_BASE = "VehicleBase"
_WHEELS = ("Wheel_Front_Left", "Wheel_Front_Right", "Wheel_Rear_Left", "Wheel_Rear_Right")


@TABLE.value
def get_actor_component_names(client: Client, actor_id: Any) -> Encoded:
    """One: the actor as a whole."""
    client.world.actors.get(actor_id)
    return [_COMPONENT]


@TABLE.value
def get_actor_component_world_transform(client: Client, actor_id: Any, name: Any) -> Encoded:
    """`Transform` of the component: the actor's."""
    return encode_transform(client.world.pose_of(_with_component(client, actor_id, name)))


@TABLE.value
def get_actor_component_relative_transform(client: Client, actor_id: Any, name: Any) -> Encoded:
    """`Transform` of the component in the actor: none."""
    _with_component(client, actor_id, name)
    return encode_transform(IDENTITY)


@TABLE.value
def get_actor_bone_names(client: Client, actor_id: Any) -> Encoded:
    """Base and wheels of a vehicle."""
    return list(_bones(client, client.world.actors.get(actor_id)))


@TABLE.value
def get_actor_bone_relative_transforms(client: Client, actor_id: Any) -> Encoded:
    """`Transform` of each bone in the actor."""
    return [encode_transform(pose) for pose in _bones(client, client.world.actors.get(actor_id)).values()]


@TABLE.value
def get_actor_bone_world_transforms(client: Client, actor_id: Any) -> Encoded:
    """`Transform` of each bone in the world."""
    return _world_bones(client, client.world.actors.get(actor_id))


@TABLE.value
def get_vehicle_bone_world_transforms(client: Client, actor_id: Any) -> Encoded:
    """`Transform` of each bone of a vehicle in the world."""
    return _world_bones(client, client.vehicle_actor(actor_id))


def _no_sockets(client: Client, actor_id: Any) -> Encoded:
    client.world.actors.get(actor_id)
    return []


for _name in (
    "get_actor_socket_names", "get_actor_socket_world_transforms", "get_actor_socket_relative_transforms",
):  # fmt: skip
    TABLE.value(_no_sockets, _name)


def _with_component(client: Client, actor_id: Any, name: Any) -> Actor:
    actor = client.world.actors.get(actor_id)
    if decode_text(name, "component name") != _COMPONENT:
        raise ActorError(f"Component {name[:80]!r} not found: expected {_COMPONENT!r}", actor_id)
    return actor


def _world_bones(client: Client, actor: Actor) -> Encoded:
    place = client.world.pose_of(actor)
    return [encode_transform(compose(place, pose)) for pose in _bones(client, actor).values()]


def _bones(client: Client, actor: Actor) -> dict[str, Pose]:
    """Pose of each bone in the actor."""
    if actor.kind is not Kind.VEHICLE:
        return {}
    model = vehicle_model(actor.type_id)
    control = actor.physics_control or factory_control(model)
    wheels = wheel_places(client.world.vehicles.rows[actor.slot], control, model)
    return {_BASE: IDENTITY} | dict(zip(_WHEELS, wheels, strict=True))
