"""RPCs about what stands in the town: its objects, street lamps, map layers, rays, and the shapes that debuggers draw."""

import math
from typing import Any

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.poses import IDENTITY, compose
from drive_agent.sim.raycast import Touch
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.scans import surroundings
from drive_agent.sim.wire import (
    Encoded,
    RequestError,
    decode_bool,
    decode_integer,
    decode_list,
    decode_number,
    decode_text,
    decode_vector,
    encode_box,
    encode_transform,
)

TABLE = MethodTable()
_ANY_LABEL = 255
_MOST_LAYERS = 0xFFFF
_SHAPE_MEMBERS = (2, 3, 2, 3, 3, 2, 3, 2, 3)  # of the variants of DebugShape


# ---- objects ---------------------------------------------------------------------------------------------------------


@TABLE.value
def get_all_level_BBs(client: Client, label: Any = _ANY_LABEL) -> Encoded:  # noqa: N802 - the wire's name
    """Boxes of everything with this label, in the world frame: the town's objects, then vehicles, walkers and props."""
    kind = _label(label)
    boxes = [box for _, box, _ in _static_objects(client, kind)]
    movers = client.world.body_owners
    return boxes + [_world_box(client, actor) for actor in movers if kind in (_ANY_LABEL, *actor.tags)]


@TABLE.value
def get_environment_objects(client: Client, label: Any = _ANY_LABEL) -> Encoded:
    """`EnvironmentObject` for the town's static objects with this label. Ids count from 1."""
    return [
        [
            encode_transform(IDENTITY._replace(x=box[0][0], y=box[0][1], z=box[0][2], yaw=box[2][1])),
            box,
            index + 1,
            _object_name(client, index),
            kind,
        ]
        for index, box, kind in _static_objects(client, _label(label))
    ]


@TABLE.void
def enable_environment_objects(client: Client, ids: Any, enabled: Any) -> None:
    """Take static objects away, or put them back: for collisions, rays and pictures. Unknown ids are passed over."""
    wanted = {
        decode_integer(number, "object id", 0, 2**64 - 1) - 1 for number in decode_list(ids, "object ids")
    }
    world = client.world
    known = wanted & set(range(len(world.scene.labels)))
    disabled = (
        world.scene.disabled - known if decode_bool(enabled, "enable") else world.scene.disabled | known
    )
    world.scene = world.scene.without(disabled)


@TABLE.value
def get_names_of_all_objects(client: Client) -> Encoded:
    """Names of the static objects, those of `get_environment_objects`."""
    return [_object_name(client, index) for index in range(len(client.world.scene.labels))]


def _refuse_texture(client: Client, names: Any, parameter: Any, texture: Any) -> None:
    """Surfaces are computed, not painted with pictures."""
    known = set(get_names_of_all_objects(client))
    if not any(decode_text(name, "object name") in known for name in decode_list(names, "object names")):
        raise RequestError("unable to find Actor to apply the texture")
    raise RequestError(
        "textures cannot be applied: surfaces are computed in this server, not painted with pictures"
    )


TABLE.void(_refuse_texture, "apply_color_texture_to_objects")
TABLE.void(_refuse_texture, "apply_float_color_texture_to_objects")


def _label(value: Any) -> int:
    return decode_integer(value, "label", 0, _ANY_LABEL)


def _object_name(client: Client, index: int) -> str:
    return f"{client.world.scene.type_id(index)}_{index + 1}"


def _static_objects(client: Client, label: int) -> list[tuple[int, Encoded, int]]:
    """Index, `BoundingBox` and label of each static object with this label, disabled ones too."""
    scene = client.world.scene
    return [
        (index, encode_box(box[:3], box[3:6], 0, (0.0, math.degrees(box[6]), 0.0)), kind)
        for index, (box, kind) in enumerate(
            zip(scene.scenery.static_boxes.tolist(), scene.labels.tolist(), strict=True)
        )
        if label in (_ANY_LABEL, kind)
    ]


def _world_box(client: Client, actor: Actor) -> Encoded:
    pose = client.world.pose_of(actor)
    x, y, z = actor.center
    center = compose(pose, IDENTITY._replace(x=x, y=y, z=z))
    return encode_box(center[:3], actor.half_extents, actor.id, pose[3:])


# ---- rays ------------------------------------------------------------------------------------------------------------


@TABLE.value
def project_point(client: Client, start: Any, direction: Any, distance: Any) -> Encoded:
    """Whether a ray meets something within distance metres, and where first: `[hit, LabelledPoint]`."""
    origin, towards = np.array(decode_vector(start, "start")), np.array(decode_vector(direction, "direction"))
    length = float(np.linalg.norm(towards))
    if length == 0.0 or not math.isfinite(length):
        raise RequestError(f"direction is {direction}: expected a direction")
    reach = decode_number(distance, "distance")
    direction = towards / length
    for touch in surroundings(client.world).along(origin, direction, reach):
        return [True, _labelled_point(origin, direction, touch)]
    return [False, [[0.0, 0.0, 0.0], 0]]


@TABLE.value
def cast_ray(client: Client, start: Any, end: Any) -> Encoded:
    """Everything between two points, the nearest first: `[LabelledPoint]`, each thing once, where the ray enters it."""
    origin = np.array(decode_vector(start, "start"))
    towards = np.array(decode_vector(end, "end")) - origin
    reach = float(np.linalg.norm(towards))
    if reach == 0.0 or not math.isfinite(reach):
        return []
    direction = towards / reach
    touches = surroundings(client.world).along(origin, direction, reach)
    return [_labelled_point(origin, direction, touch) for touch in touches]


def _labelled_point(origin: np.ndarray, direction: np.ndarray, touch: Touch) -> Encoded:
    return [(origin + direction * touch.distance_m).tolist(), touch.tag]


# ---- street lamps and layers -----------------------------------------------------------------------------------------


@TABLE.value
def query_lights_state(client: Client, endpoint: Any = "") -> Encoded:
    """`[LightState]` of the street lamps."""
    return client.world.lamps.encode()


@TABLE.void
def update_lights_state(client: Client, endpoint: Any, states: Any, discard_client: Any) -> None:
    """Switch street lamps."""
    decode_bool(discard_client, "discard_client")
    client.world.lamps.apply(states)


@TABLE.void
def update_day_night_cycle(client: Client, endpoint: Any, active: Any) -> None:
    """Whether the sun switches the street lamps."""
    world = client.world
    world.lamps.set_day_night_cycle(active=decode_bool(active, "active"), weather=world.weather)


@TABLE.void
def load_map_layer(client: Client, layers: Any) -> None:
    """Without effect, as on CARLA's maps that have no layers (those whose name does not end in _Opt)."""
    decode_integer(layers, "map layers", 0, _MOST_LAYERS)


@TABLE.void
def unload_map_layer(client: Client, layers: Any) -> None:
    """Without effect, as `load_map_layer`."""
    decode_integer(layers, "map layers", 0, _MOST_LAYERS)


@TABLE.void
def set_annotations_traverse_translucency(client: Client, enabled: Any) -> None:
    """Without effect: windows are opaque to every camera here."""
    decode_bool(enabled, "enable")


# ---- debug shapes ----------------------------------------------------------------------------------------------------


@TABLE.void
def draw_debug_shape(client: Client, shape: Any) -> None:
    """Checked and not drawn: cameras show the world without notes."""
    (variant, members), color, life_time, persistent = _debug_shape(shape)
    if len(decode_list(members, "shape")) != _SHAPE_MEMBERS[decode_integer(variant, "shape kind", 0, 8)]:
        raise RequestError(
            f"shape {variant} is {str(members)[:80]}: expected {_SHAPE_MEMBERS[variant]} members"
        )
    for part in decode_list(color, "color", 3):
        decode_integer(part, "color", 0, 255)
    decode_number(life_time, "life time")
    decode_bool(persistent, "persistent lines")


def _debug_shape(shape: Any) -> Encoded:
    members = decode_list(shape, "debug shape", 4)
    decode_list(members[0], "shape", 2)
    return members


@TABLE.void
def clear_debug_shape(client: Client) -> None:
    """Nothing to clear."""


@TABLE.void
def clear_debug_string(client: Client) -> None:
    """Nothing to clear."""


# ---- gravity of the inertial units -----------------------------------------------------------------------------------


@TABLE.value
def get_imui_gravity(client: Client) -> float:
    """What inertial units feel at rest, m/s^2."""
    return client.world.imu_gravity_mps2


@TABLE.void
def set_imui_gravity(client: Client, gravity: Any) -> None:
    """What inertial units feel at rest, m/s^2; the world's own gravity stays."""
    client.world.imu_gravity_mps2 = decode_number(gravity, "gravity")
