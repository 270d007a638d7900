"""What the server answers to the calls that every client makes, byte by byte, as text that a person can read.

A reply appears as its layout (types of MessagePack, `x*3` for three alike) and, where no value in it is a matter of tuning,
as its bytes. The world is one street without weather, traffic or town, so a difference is a change of the protocol.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np

from drive_agent.carla_recorder import (
    RECORDS,
    Appeared,
    Attribute,
    Frame,
    Physics,
    frame_bytes,
    header_bytes,
)
from drive_agent.sim import wire
from drive_agent.sim.event_camera import EVENT
from drive_agent.sim.maps import build_town
from drive_agent.sim.rpc import Client, Dispatcher
from drive_agent.sim.server import all_methods
from drive_agent.sim.settings import starting_settings
from drive_agent.sim.world import World
from tests.conformance.conftest import ONE_STREET

PATH = Path(__file__).with_name("replies.txt")

_PLACE = [[50.0, 1.75, 0.5], [0.0, 90.0, 0.0]]
_SETTINGS = [True, False, [True, 0.05], True, 0.01, 10, 0.0, False, 3000.0, 2000.0, True]
_WEATHER = [float(number) for number in range(14)]
_SPAWN = [0, [[0, "sensor.other.gnss", [["role_name", 4, "golden"]]], _PLACE, [False], 0, "", []]]
_CONTROL = [0.5, -0.25, 0.0, False, False, False, 0]
# The ids are those of a fresh world: 1 is the spectator, then the actors in the order of their spawns.
_CAR, _SENSOR, _NOBODY = 2, 3, 999

# method, arguments, whether every value of the reply is fixed
CALLS: tuple[tuple[str, list, bool], ...] = (
    ("version", [], True),
    ("get_episode_info", [], True),
    ("get_sensor_token", [1], True),
    ("get_episode_settings", [], True),
    ("set_episode_settings", [_SETTINGS], True),
    ("get_map_info", [], False),
    ("get_required_files", ["Nav"], True),
    ("query_lights_state", ["me"], True),
    ("spawn_actor", [[0, "vehicle.tesla.model3", []], _PLACE], False),
    ("spawn_actor_with_parent", [[0, "sensor.other.gnss", []], [[0.0] * 3] * 2, _CAR, 0, ""], True),
    ("spawn_actor", [[0, "vehicle.tesla.model3", []], _PLACE], True),
    ("get_actors_by_id", [[_SENSOR, _NOBODY]], True),
    ("get_spectator", [], True),
    ("get_actor_bounding_box", [_CAR], False),
    ("get_actor_bounding_box", [_NOBODY], True),
    ("apply_control_to_vehicle", [_CAR, _CONTROL], True),
    ("apply_control_to_vehicle", [_NOBODY, _CONTROL], True),
    ("get_physics_control", [_CAR], False),
    ("get_telemetry_data", [_CAR], False),
    ("set_vehicle_light_state", [_CAR, [40]], True),
    ("get_vehicle_light_state", [_CAR], True),
    ("get_vehicle_light_states", [], True),
    ("set_weather_parameters", [_WEATHER], True),
    ("get_weather_parameters", [], True),
    ("apply_batch", [[[_SPAWN], [[1, _NOBODY]], [[2, [_CAR, _CONTROL]]], [[18, [_CAR, 3]]]], False], True),
    ("project_point", [[50.0, 1.75, 10.0], [0.0, 0.0, -1.0], 1.0], True),
    ("cast_ray", [[10.0, 1.75, 10.0], [10.0, 1.75, 5.0]], True),
    ("get_light_boxes", [_CAR], True),
    ("get_ackermann_controller_settings", [_CAR], True),
    ("is_traffic_manager_running", [8000], True),
    ("add_traffic_manager_running", [["10.0.0.1", 8000]], True),
    ("get_traffic_manager_running", [8000], True),
    ("show_recorder_file_info", ["none.log", True], False),
    ("show_recorder_collisions", ["none.log", 97, 97], False),
    ("show_recorder_actors_blocked", ["none.log", 30.0, 100.0], False),
    ("start_recorder", ["../none.log", False], False),
    ("replay_file", ["none.log", 0.0, 0.0, 0, False, [[-10.0, 0.0, 5.0], [-25.0, 0.0, 0.0]]], False),
    ("stop_recorder", [], True),
    ("stop_replayer", [True], True),
    ("set_replayer_time_factor", [2.0], True),
    ("set_replayer_ignore_hero", [True], True),
    ("set_replayer_ignore_spectator", [True], True),
    ("destroy_actor", [_SENSOR], True),
    ("destroy_actor", [_SENSOR], True),
    ("tick_cue", [], True),
    ("make_tea", [], True),
)


def layout(value: object) -> str:
    """Types of a MessagePack value."""
    if isinstance(value, list | tuple):
        parts = [(part, len(list(alike))) for part, alike in groupby(map(layout, value))]
        return "[" + " ".join(part if count == 1 else f"{part}*{count}" for part, count in parts) + "]"
    return {bool: "bool", int: "int", float: "float", str: "str", bytes: "bin", type(None): "nil"}[
        type(value)
    ]


def _hex(data: bytes) -> str:
    lines = [data[at : at + 32].hex(" ", -4) for at in range(0, len(data), 32)]
    return "\n         ".join(lines)


def _entry(title: str, shape: str, data: bytes | None) -> str:
    text = f"{title}\n  layout {shape}\n"
    return text if data is None else f"{text}  bytes  {_hex(data)}\n"


def _streams() -> list[str]:
    """Messages of the streams, made of numbers that stand for themselves."""
    record = np.zeros(1, wire.VEHICLE_RECORD)
    record["id"], record["state"], record["pose"] = 9, 1, (1, 2, 3, 4, 5, 6)
    record["throttle"], record["gear"], record["speed_limit_kmh"] = 0.5, -1, 50
    message = wire.snapshot_message(
        frame=3, elapsed_s=0.15, delta_s=0.05, episode_id=2, platform_s=9.0, records=record.view(np.uint8)
    )
    lidar = wire.lidar_header(0.5, np.array([2, 1]))
    event = np.array([(3, 2, 50_000_000, 1)], EVENT)
    up = np.array([[[0.0, 0.0, 1.0]]], np.float32)
    return [
        _entry("stream: snapshot with one vehicle", "header episode record", message),
        _entry("stream: image header", "width height fov", wire.image_header(320, 180, 90.0)),
        _entry("stream: lidar header, two channels", "angle channels counts", lidar),
        _entry("stream: an event of an event camera", "x y ns polarity", event.tobytes()),
        _entry("stream: a pixel of a normals camera", "B G R A", wire.encode_normals(up).tobytes()),
    ]


def _recording() -> list[str]:
    """The head of a recorder file, and a frame with one record of every packet, its numbers counted up."""
    records = {}
    for packet, kind in RECORDS.items():
        row = np.zeros(1, kind)
        for number, name in enumerate(kind.names or (), start=1):
            row[name] = number
        records[packet] = row
    attributes = (Attribute(4, "role_name", "golden"),)
    born = Appeared(2, 1, (100.0, -200.0, 3.5), (0.0, 1.5, 90.0), 26, "vehicle.tesla.model3", attributes)
    row = (1.0, 0.5, 0.25)
    physics = Physics(
        2, 6500.0, 1.0, (0.25, 2.0, 0.5), True, 10.0, 3.25, 1696.0, 0.5, (0.5, 0.0, -0.25),
        (row[:2],), (row,), (row[:2],), (row * 4,),
    )  # fmt: skip
    frame = Frame(1, 0.05, 0.0, (born,), records, (physics,), 0.5, 7)
    return [
        _entry("recording: head", "version magic time map", header_bytes("Town01", 1637671165)),
        _entry("recording: a frame", "start packets end", frame_bytes(frame)),
    ]


def transcript() -> str:
    """The whole text."""
    world = World(build_town("OneStreet", ONE_STREET), seed=0, settings=starting_settings(synchronous=True))
    client, dispatcher = Client(world, 1), Dispatcher(all_methods())
    entries = []
    for method, arguments, is_fixed in CALLS:
        reply = dispatcher.dispatch(client, method, arguments)
        data = wire.pack([1, 7, None, reply])  # a response to request 7
        entries.append(_entry(f"{method} {arguments}", layout(reply), data if is_fixed else None))
    return "\n".join(entries + _streams() + _recording())
