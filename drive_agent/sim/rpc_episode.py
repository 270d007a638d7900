"""RPCs about the episode: version, map, settings, weather, lights of the scene, traffic managers."""

from typing import Any

import numpy as np

from drive_agent.sim.blueprints import LIBRARY
from drive_agent.sim.maps import Town, TownError, build_town, load_town
from drive_agent.sim.poses import IDENTITY
from drive_agent.sim.raycast import HIT, NOTHING, cast_rays
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.scans import labels_and_ids
from drive_agent.sim.settings import EpisodeSettings
from drive_agent.sim.wire import (
    PROTOCOL_VERSION,
    WORLD_STREAM_ID,
    Encoded,
    RequestError,
    decode_bool,
    decode_number,
    decode_text,
    decode_vector,
    encode_box,
    encode_transform,
    stream_token,
)
from drive_agent.sim.world import World
from scenarios import towns

TABLE = MethodTable()
OPENDRIVE_MAP = "OpenDriveMap"
_WEATHER_SIZE = 14
_ANY_LABEL = 255


@TABLE.value
def version(client: Client) -> str:
    """The protocol's version."""
    return PROTOCOL_VERSION


@TABLE.value
def get_episode_info(client: Client) -> Encoded:
    """`EpisodeInfo`."""
    return [client.world.episode_id, [stream_token(WORLD_STREAM_ID, client.world.stream_port)]]


@TABLE.value
def get_sensor_token(client: Client, stream_id: int) -> Encoded:
    """Where to subscribe to a stream."""
    return [stream_token(stream_id, client.world.stream_port)]


@TABLE.value
def get_episode_settings(client: Client) -> Encoded:
    """`EpisodeSettings`."""
    return client.world.settings.encoded


@TABLE.value
def set_episode_settings(client: Client, settings: Any) -> int:
    """New settings; returns the present frame."""
    client.world.settings = EpisodeSettings.decode(settings)
    return client.world.frame


@TABLE.value
def tick_cue(client: Client) -> int:
    """The frame of the tick that the server runs after this reply."""
    return client.world.frame + 1


@TABLE.value
def get_map_info(client: Client) -> Encoded:
    """`MapInfo`."""
    town = client.world.town
    return [f"Carla/Maps/{town.name}", [encode_transform(pose) for pose in town.spawn_points]]


@TABLE.value
def get_map_data(client: Client) -> str:
    """The OpenDRIVE text."""
    return client.world.town.opendrive_text


@TABLE.value
def get_required_files(client: Client, folder: Any = "") -> Encoded:
    """None: the client parses map data itself, and crashes on traffic manager caches that it did not write."""
    return []


@TABLE.value
def request_file(client: Client, name: Any) -> bytes:
    """No files are offered."""
    raise RequestError(f"file {name!r} is not offered: get_required_files lists none")


@TABLE.value
def get_available_maps(client: Client) -> Encoded:
    """Names for `load_world`."""
    return [f"/Game/Carla/Maps/{name}" for name in towns.names()]


@TABLE.void
def load_new_episode(client: Client, name: Any, reset_settings: Any, map_layers: Any = 0) -> None:
    """Replace the world: a town's name, "" for the present one, or the map given by `copy_opendrive_to_file`."""
    world, name = client.world, decode_text(name, "map name").split("/")[-1]
    try:
        if name in ("", world.town.name) and name != OPENDRIVE_MAP:
            town = world.town
        elif name == OPENDRIVE_MAP:
            town = _custom_town(world)
        else:
            town = load_town(name)
    except TownError as error:
        raise RequestError(str(error)) from error
    if decode_bool(reset_settings, "reset_settings"):
        world.settings = world.starting_settings
    world.load(town)


def _custom_town(world: World) -> Town:
    if world.custom_opendrive is None:
        raise RequestError("no OpenDRIVE map was given: call generate_opendrive_world")
    if world.town.name == OPENDRIVE_MAP and world.town.opendrive_text == world.custom_opendrive:
        return world.town
    return build_town(OPENDRIVE_MAP, world.custom_opendrive)


@TABLE.void
def copy_opendrive_to_file(client: Client, text: Any, parameters: Any) -> None:
    """Keep the map for the `load_new_episode` that follows."""
    client.world.custom_opendrive = decode_text(text, "OpenDRIVE map")


@TABLE.value
def get_actor_definitions(client: Client) -> Encoded:
    """The blueprint library."""
    return [blueprint.encode() for blueprint in LIBRARY.values()]


@TABLE.value
def get_weather_parameters(client: Client) -> Encoded:
    """`WeatherParameters`."""
    return client.world.weather


@TABLE.void
def set_weather_parameters(client: Client, weather: Any) -> None:
    """New weather: it changes the pictures, not the grip."""
    if not isinstance(weather, list) or len(weather) != _WEATHER_SIZE:
        raise RequestError(f"weather is {weather!r}: expected {_WEATHER_SIZE} numbers")
    client.world.weather = [decode_number(value, "weather parameter") for value in weather]


@TABLE.value
def get_all_level_BBs(client: Client, label: Any = _ANY_LABEL) -> Encoded:  # noqa: N802 - the wire's name
    """Boxes of the town's static objects with this label, in the world frame."""
    return [box for _, box, _ in _static_objects(client, label)]


@TABLE.value
def get_environment_objects(client: Client, label: Any = _ANY_LABEL) -> Encoded:
    """`EnvironmentObject` for the town's static objects with this label."""
    scene = client.world.scene
    return [
        [encode_transform(IDENTITY._replace(x=box[0][0], y=box[0][1], z=box[0][2], yaw=box[2][1])), box, index,
         f"{scene.type_id(index)}_{index}", kind]
        for index, box, kind in _static_objects(client, label)
    ]  # fmt: skip


def _static_objects(client: Client, label: Any) -> list[tuple[int, Encoded, int]]:
    scene = client.world.scene
    objects = []
    for index, (box, kind) in enumerate(zip(scene.grid.boxes.tolist(), scene.labels.tolist(), strict=True)):
        if label in (_ANY_LABEL, kind):
            yaw_deg = box[6] * 57.29577951308232
            objects.append((index, encode_box(box[:3], box[3:6], 0, (0.0, yaw_deg, 0.0)), kind))
    return objects


@TABLE.value
def project_point(client: Client, start: Any, direction: Any, distance: Any) -> Encoded:
    """Whether a ray meets something within distance metres, and where: `[hit, LabelledPoint]`."""
    origin, towards = np.array(decode_vector(start)), np.array(decode_vector(direction))
    reach = decode_number(distance, "distance")
    return _first_hit(client, origin, towards, reach)


@TABLE.value
def cast_ray(client: Client, start: Any, end: Any) -> Encoded:
    """The first thing between two points: `[LabelledPoint]`, empty for nothing."""
    origin, towards = np.array(decode_vector(start)), np.array(decode_vector(end)) - decode_vector(start)
    hit, point = _first_hit(client, origin, towards, float(np.linalg.norm(towards)))
    return [point] if hit else []


def _first_hit(client: Client, origin: np.ndarray, towards: np.ndarray, reach: float) -> Encoded:
    length = float(np.linalg.norm(towards))
    if length == 0.0:
        raise RequestError("the ray has no direction")
    world, hits, direction = client.world, np.zeros(1, HIT), towards / length
    cast_rays(
        origin,
        direction[None],
        reach,
        world.bodies,
        -1,
        world.scene.grid,
        world.town.ground,
        True,
        True,
        0.0,
        hits,
    )
    if hits["target"][0] == NOTHING:
        return [False, [[0.0, 0.0, 0.0], 0]]
    label, _ = labels_and_ids(world, hits["target"])
    return [True, [(origin + direction * hits["distance"][0]).tolist(), int(label[0])]]


@TABLE.value
def query_lights_state(client: Client, endpoint: Any = "") -> Encoded:
    """Street lamps that can be switched: there are none."""
    return []


@TABLE.value
def is_traffic_manager_running(client: Client, port: Any) -> bool:
    """Whether some client runs a traffic manager on this port."""
    return port in client.world.traffic_managers


@TABLE.value
def get_traffic_manager_running(client: Client, port: Any) -> Encoded:
    """Address and port of that traffic manager, or "" and 0."""
    entry = client.world.traffic_managers.get(port)
    return [entry[0], port] if entry else ["", 0]


@TABLE.value
def add_traffic_manager_running(client: Client, address: Any) -> bool:
    """Note a traffic manager; false if the port is taken."""
    host, port = address
    if port in client.world.traffic_managers:
        return False
    client.world.traffic_managers[port] = (decode_text(host, "address"), client.id)
    return True


@TABLE.value
def destroy_traffic_manager(client: Client, port: Any) -> bool:
    """Forget a traffic manager."""
    return client.world.traffic_managers.pop(port, None) is not None


def _refuse_recorder(client: Client, *arguments: Any) -> None:
    raise RequestError(
        "the recorder is not offered by this server: drive-agent writes its own log of every run"
    )


for _name in (
    "start_recorder", "show_recorder_file_info", "show_recorder_collisions", "show_recorder_actors_blocked", "replay_file",
):  # fmt: skip
    TABLE.value(_refuse_recorder, _name)


def _accept(client: Client, *arguments: Any) -> None:
    """Accepted, without any effect: there is nothing of the kind in this world, and nothing a client could read back."""


for _name in (
    "load_map_layer", "unload_map_layer", "update_lights_state", "update_day_night_cycle", "enable_environment_objects",
    "draw_debug_shape", "clear_debug_shape", "clear_debug_string", "stop_recorder", "stop_replayer",
    "set_replayer_time_factor", "set_replayer_ignore_hero", "set_replayer_ignore_spectator",
    "set_annotations_traverse_translucency", "enable_sensor_for_ros", "disable_sensor_for_ros", "console_command",
    "set_actor_autopilot", "show_vehicle_debug_telemetry", "open_vehicle_door", "close_vehicle_door",
):  # fmt: skip
    TABLE.void(_accept, _name)
