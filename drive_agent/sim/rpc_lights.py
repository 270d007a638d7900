"""RPCs about traffic lights."""

import math
from typing import Any

from drive_agent.sim.actors import Kind
from drive_agent.sim.poses import IDENTITY, compose
from drive_agent.sim.render.furniture import HEAD_HALF_EXTENTS_M
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.wire import (
    Encoded,
    LightState,
    RequestError,
    decode_bool,
    decode_integer,
    decode_number,
    encode_box,
)

TABLE = MethodTable()


@TABLE.void
def set_traffic_light_state(client: Client, actor_id: Any, state: Any) -> None:
    """Show a state until the group's next change."""
    client.world.signals.set_state(client.light(actor_id), decode_integer(state, "traffic light state", 0, 4))


@TABLE.void
def set_traffic_light_green_time(client: Client, actor_id: Any, seconds: Any) -> None:
    """How long green lasts."""
    client.world.signals.set_duration(
        client.light(actor_id), LightState.GREEN, decode_number(seconds, "green time")
    )


@TABLE.void
def set_traffic_light_yellow_time(client: Client, actor_id: Any, seconds: Any) -> None:
    """How long yellow lasts."""
    client.world.signals.set_duration(
        client.light(actor_id), LightState.YELLOW, decode_number(seconds, "yellow time")
    )


@TABLE.void
def set_traffic_light_red_time(client: Client, actor_id: Any, seconds: Any) -> None:
    """How long all stay red after this light's yellow."""
    client.world.signals.set_duration(
        client.light(actor_id), LightState.RED, decode_number(seconds, "red time")
    )


@TABLE.void
def freeze_traffic_light(client: Client, actor_id: Any, frozen: Any) -> None:
    """Stop or restart the cycle of this light's group."""
    client.world.signals.group_of(client.light(actor_id))["frozen"] = decode_bool(frozen, "frozen")


@TABLE.void
def freeze_all_traffic_lights(client: Client, frozen: Any) -> None:
    """Stop or restart all cycles."""
    client.world.signals.freeze_all(frozen=decode_bool(frozen, "frozen"))


@TABLE.void
def reset_traffic_light_group(client: Client, actor_id: Any) -> None:
    """Back to the start of the cycle."""
    client.world.signals.reset_group_of(client.light(actor_id))


@TABLE.void
def reset_all_traffic_lights(client: Client) -> None:
    """All groups back to the start of their cycles."""
    client.world.signals.reset()


@TABLE.value
def get_group_traffic_lights(client: Client, actor_id: Any) -> Encoded:
    """Ids of all lights of the same junction."""
    world, actor = client.world, client.world.actors.find(actor_id)
    if actor is None or actor.kind is not Kind.LIGHT:
        reason = "actor not found" if actor is None else "actor is not a traffic light"
        raise RequestError(f"unable to get group traffic lights: {reason}")
    return [world.light_actors[index].id for index in world.signals.members(actor.slot)]


@TABLE.value
def get_light_boxes(client: Client, actor_id: Any) -> Encoded:
    """`BoundingBox` of every head of the light, in the world, where it is drawn."""
    index = client.light(actor_id)
    name = client.world.signals.lights[index].signal_id
    boxes = []
    for drawn in client.world.scene.scenery.lights:
        if drawn.signal_id == name:
            mast = IDENTITY._replace(x=drawn.x, y=drawn.y, z=drawn.z, yaw=math.degrees(drawn.yaw_rad))
            for x, y, z in drawn.heads:
                center = compose(mast, IDENTITY._replace(x=x, y=y, z=z))
                boxes.append(encode_box(center[:3], HEAD_HALF_EXTENTS_M, actor_id, mast[3:]))
    return boxes
