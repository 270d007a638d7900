"""RPCs about the episode: version, map, settings, weather, traffic managers."""

from typing import Any

from drive_agent.sim.blueprints import LIBRARY
from drive_agent.sim.maps import GeneratedMap, Town, TownError, build_town, load_town
from drive_agent.sim.render.streets import StreetSettings
from drive_agent.sim.rpc import Client, MethodTable
from drive_agent.sim.settings import EpisodeSettings
from drive_agent.sim.wire import (
    PROTOCOL_VERSION,
    WORLD_STREAM_ID,
    Encoded,
    RequestError,
    decode_bool,
    decode_id,
    decode_integer,
    decode_list,
    decode_number,
    decode_text,
    encode_transform,
    stream_token,
)
from drive_agent.sim.world import World

TABLE = MethodTable()
OPENDRIVE_MAP = "OpenDriveMap"
_NAVIGATION_FOLDER = "Nav"
_WEATHER_SIZE = 14
_GENERATION_PARAMETERS = 7
_FINEST_STEP_M = 0.25  # between the vertices of generated streets


@TABLE.value
def version(client: Client) -> str:
    """The protocol's version."""
    return PROTOCOL_VERSION


@TABLE.value
def get_episode_info(client: Client) -> Encoded:
    """`EpisodeInfo`."""
    return [client.world.episode_id, [stream_token(WORLD_STREAM_ID, client.world.stream_port)]]


@TABLE.value
def get_sensor_token(client: Client, stream_id: Any) -> Encoded:
    """Where to subscribe to a stream."""
    return [stream_token(decode_id(stream_id, "stream id"), client.world.stream_port)]


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
    """The mesh that pedestrians walk on; nothing for the map, which the client parses itself, nor for traffic managers:
    the client crashes on caches that it did not write."""
    navigation = client.world.town.navigation if decode_text(folder, "folder") == _NAVIGATION_FOLDER else None
    return [navigation.name] if navigation else []


@TABLE.value
def request_file(client: Client, name: Any) -> bytes:
    """A file that `get_required_files` lists; no name reaches the disk."""
    navigation, name = client.world.town.navigation, decode_text(name, "file")
    if navigation is None or name != navigation.name:
        raise RequestError(f"file {name[:80]!r} is not offered: ask for one that get_required_files lists")
    return navigation.content


@TABLE.value
def get_navigation_mesh(client: Client) -> bytes:
    """The same mesh; empty, as for a CARLA map without one, where there is no pavement."""
    navigation = client.world.town.navigation
    return navigation.content if navigation else b""


@TABLE.value
def get_available_maps(client: Client) -> Encoded:
    """Names for `load_world`."""
    return [f"/Game/Carla/Maps/{name}" for name in client.world.library.names()]


@TABLE.void
def load_new_episode(client: Client, name: Any, reset_settings: Any, map_layers: Any = 0) -> None:
    """Replace the world: a town's name, "" for the present one, or the map given by `copy_opendrive_to_file`."""
    world, name = client.world, decode_text(name, "map name").split("/")[-1]
    resets = decode_bool(reset_settings, "reset_settings")
    decode_integer(map_layers, "map layers", 0, 0xFFFF)
    town = find_town(world, name)
    if resets:
        world.settings = world.starting_settings
    world.load(town)


def find_town(world: World, name: str) -> Town:
    """The town that a client means, without CARLA's folders; RequestError for none."""
    if name.endswith(".xodr"):
        raise RequestError(
            f"Map '{name}' not found: a client gives a map's text with generate_opendrive_world"
        )
    try:
        if name in ("", world.town.name) and name != OPENDRIVE_MAP:
            return world.town
        return _custom_town(world) if name == OPENDRIVE_MAP else load_town(name, world.library)
    except TownError as error:
        raise RequestError(f"Map '{name}' not found: {error}") from error


def _custom_town(world: World) -> Town:
    given, present = world.generated_map, world.town
    if given is None:
        raise RequestError("no OpenDRIVE map was given: call generate_opendrive_world")
    if present.name == OPENDRIVE_MAP and (present.opendrive_text, present.streets) == (
        given.opendrive_text,
        given.streets,
    ):
        return present
    return build_town(OPENDRIVE_MAP, given.opendrive_text, given.streets)


@TABLE.void
def copy_opendrive_to_file(client: Client, text: Any, parameters: Any) -> None:
    """Keep the map for the `load_new_episode` that follows."""
    opendrive_text = decode_text(text, "OpenDRIVE map")
    client.world.generated_map = GeneratedMap(opendrive_text, _decode_streets(parameters))


def _decode_streets(parameters: Any) -> StreetSettings:
    """`OpendriveGenerationParameters`. Junctions are always smooth and roads of any length one mesh: two are not used."""
    step_m, _, wall_height_m, extra_m, smooth, visible, walkable = decode_list(
        parameters, "generation parameters", _GENERATION_PARAMETERS
    )
    for value, name in ((smooth, "smooth_junctions"), (walkable, "enable_pedestrian_navigation")):
        decode_bool(value, name)
    step_m = decode_number(step_m, "vertex_distance")
    if step_m <= 0.0:
        raise RequestError(f"vertex_distance is {step_m}: expected metres, more than 0")
    return StreetSettings(
        max(step_m, _FINEST_STEP_M),
        max(decode_number(wall_height_m, "wall_height"), 0.0),
        max(decode_number(extra_m, "additional_width"), 0.0),
        decode_bool(visible, "enable_mesh_visibility"),
    )


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
    numbers = decode_list(weather, "weather", _WEATHER_SIZE)
    client.world.weather = [decode_number(value, "weather parameter") for value in numbers]
    client.world.lamps.weather_changed(client.world.weather)


# ---- traffic managers ------------------------------------------------------------------------------------------------


def _port(value: Any) -> int:
    return decode_integer(value, "port", 0, 0xFFFF)


@TABLE.value
def is_traffic_manager_running(client: Client, port: Any) -> bool:
    """Whether some client runs a traffic manager on this port."""
    return _port(port) in client.world.traffic_managers


@TABLE.value
def get_traffic_manager_running(client: Client, port: Any) -> Encoded:
    """Address and port of that traffic manager, or "" and 0."""
    entry = client.world.traffic_managers.get(_port(port))
    return [entry[0], port] if entry else ["", 0]


@TABLE.value
def add_traffic_manager_running(client: Client, address: Any) -> bool:
    """Note a traffic manager; false if the port is taken."""
    host, port = decode_list(address, "address", 2)
    host, port = decode_text(host, "host"), _port(port)
    if port in client.world.traffic_managers:
        return False
    client.world.traffic_managers[port] = (host, client.id)
    return True


@TABLE.value
def destroy_traffic_manager(client: Client, port: Any) -> bool:
    """Forget a traffic manager."""
    return client.world.traffic_managers.pop(_port(port), None) is not None
