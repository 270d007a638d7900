"""RPCs about traffic lights."""

from typing import Any

from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.wire import (
    Encoded,
    LightState,
    decode_bool,
    decode_number,
    encode_box,
)

TABLE = MethodTable()


@TABLE.void
def set_traffic_light_state(client: Client, actor_id: Any, state: Any) -> None:
    """Show a state until the group's next change."""
    client.world.signals.set_state(client.light(actor_id), state)


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
    client.world.signals.group_of[client.light(actor_id)].frozen = decode_bool(frozen, "frozen")


@TABLE.void
def freeze_all_traffic_lights(client: Client, frozen: Any) -> None:
    """Stop or restart all cycles."""
    client.world.signals.freeze_all(frozen=decode_bool(frozen, "frozen"))


@TABLE.void
def reset_traffic_light_group(client: Client, actor_id: Any) -> None:
    """Back to the start of the cycle."""
    signals = client.world.signals
    signals.reset_group(signals.group_of[client.light(actor_id)])


@TABLE.void
def reset_all_traffic_lights(client: Client) -> None:
    """All groups back to the start of their cycles."""
    client.world.signals.reset()


@TABLE.value
def get_group_traffic_lights(client: Client, actor_id: Any) -> Encoded:
    """Ids of all lights of the same junction."""
    world = client.world
    return [world.light_actors[index].id for index in world.signals.members(client.light(actor_id))]


@TABLE.value
def get_light_boxes(client: Client, actor_id: Any) -> Encoded:
    """The housing of the bulbs, in the world."""
    actor = client.world.light_actors[client.light(actor_id)]
    center = (actor.pose.x, actor.pose.y, actor.pose.z + 4.5)
    return [encode_box(center, (0.25, 0.25, 0.55), actor.id, (0.0, actor.pose.yaw, 0.0))]
