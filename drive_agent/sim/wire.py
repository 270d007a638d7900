"""CARLA 0.9.16 on the wire: encodings of RPC results, stream messages, the world snapshot. Pure: no socket, no world.

Version-critical numbers (stream type ids, command indexes, enums) live here and nowhere else.
All byte orders are little endian; angles are degrees in the order pitch, yaw, roll; axes are CARLA's (z up, y right).
"""

import math
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import msgpack
import numpy as np

PROTOCOL_VERSION = "0.9.16"
WORLD_STREAM_ID = 1

Encoded = list[Any]


class RequestError(Exception):
    """A request that cannot be served; its text is what the user of the client sees as RuntimeError."""


class Packed(bytes):
    """A result that is MessagePack already."""


# Any value -> one MessagePack message. One packer for all, as each brings 256 KiB of memory along.
pack: Callable[[Any], bytes] = msgpack.Packer().pack


class Pose(NamedTuple):
    """A CARLA transform: metres and degrees, left-handed axes."""

    x: float
    y: float
    z: float
    pitch: float
    yaw: float
    roll: float


_NOWHERE = Pose(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class StreamType(IntEnum):
    """First field of every stream message: selects the client's deserialiser."""

    COLLISION = 0
    DEPTH = 1
    NORMALS = 2
    DVS = 3
    GNSS = 4
    IMU = 5
    OBSTACLE = 7
    OPTICAL_FLOW = 8
    RADAR = 9
    LIDAR_SEMANTIC = 10
    LIDAR = 11
    RGB = 13
    SEMANTIC = 14
    INSTANCE = 15
    WORLD = 17


_WORLD = int(StreamType.WORLD)


class LightState(IntEnum):
    """State of a traffic light."""

    RED = 0
    YELLOW = 1
    GREEN = 2
    OFF = 3
    UNKNOWN = 4


class AttributeType(IntEnum):
    """Type of a blueprint attribute."""

    BOOL = 1
    INT = 2
    FLOAT = 3
    STRING = 4
    RGB = 5


# Index of a batch command's variant -> the RPC with the same payload.
COMMAND_METHODS = (
    "spawn_actor",
    "destroy_actor",
    "apply_control_to_vehicle",
    "apply_ackermann_control_to_vehicle",
    "apply_control_to_walker",
    "apply_physics_control",
    "set_actor_transform",
    "set_walker_state",
    "set_actor_target_velocity",
    "set_actor_target_angular_velocity",
    "add_actor_impulse",
    "add_actor_force",
    "add_actor_angular_impulse",
    "add_actor_torque",
    "set_actor_simulate_physics",
    "set_actor_enable_gravity",
    "set_actor_autopilot",
    "show_vehicle_debug_telemetry",
    "set_vehicle_light_state",
    "set_actor_location",
    "console_command",
    "set_traffic_light_state",
)

_TOKEN = struct.Struct("<IHBB16s")
_STREAM_HEADER = struct.Struct("<QQd6f")
_SNAPSHOT_HEADER = struct.Struct(_STREAM_HEADER.format + "Qdf3iI")  # of the stream and of the episode
_IMAGE_HEADER = struct.Struct("<IIf")
_TCP = 1
_ADDRESS_AS_CONNECTED = 0

_UNION = 65  # offset of the part of a record that depends on the kind of actor
_RECORD_SIZE = 119
_COMMON_FIELDS: dict[str, tuple[Any, int]] = {
    "id": ("<u4", 0),
    "state": ("u1", 4),
    "pose": (("<f4", 6), 5),
    "velocity": (("<f4", 3), 29),
    "angular_velocity": (("<f4", 3), 41),
    "acceleration": (("<f4", 3), 53),
}


def _record_dtype(extra: dict[str, tuple[Any, int]]) -> np.dtype:
    fields = _COMMON_FIELDS | extra
    return np.dtype(
        {
            "names": list(fields),
            "formats": [form for form, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": _RECORD_SIZE,
        }
    )


# One actor in the snapshot; the four types are views of the same 119 bytes.
RECORD = _record_dtype({"union": ("V54", _UNION)})
VEHICLE_RECORD = _record_dtype(
    {
        "throttle": ("<f4", _UNION),
        "steer": ("<f4", _UNION + 4),
        "brake": ("<f4", _UNION + 8),
        "hand_brake": ("u1", _UNION + 12),
        "reverse": ("u1", _UNION + 13),
        "manual_gear_shift": ("u1", _UNION + 14),
        "gear": ("<i4", _UNION + 15),
        "speed_limit_kmh": ("<f4", _UNION + 19),
        "light_state": ("u1", _UNION + 23),
        "has_light": ("u1", _UNION + 24),
        "light_id": ("<u4", _UNION + 25),
        "failure": ("u1", _UNION + 29),
    }
)
WALKER_RECORD = _record_dtype(
    {"direction": (("<f4", 3), _UNION), "speed": ("<f4", _UNION + 12), "jump": ("u1", _UNION + 16)}
)
SIGNAL_RECORD = _record_dtype(
    {
        "sign_id": ("S32", _UNION),
        "green_s": ("<f4", _UNION + 32),
        "yellow_s": ("<f4", _UNION + 36),
        "red_s": ("<f4", _UNION + 40),
        "elapsed_s": ("<f4", _UNION + 44),
        "pole_index": ("<u4", _UNION + 48),
        "frozen": ("u1", _UNION + 52),
        "light_state": ("u1", _UNION + 53),
    }
)


# ---- results of RPCs -------------------------------------------------------------------------------------------------


def value_result(value: Any) -> Encoded:
    """`Response<T>`, success."""
    return [[1, value]]


def value_error(message: str) -> Encoded:
    """`Response<T>`, failure."""
    return [[0, [message]]]


def void_result() -> Encoded:
    """`Response<void>`, success."""
    return [[False]]


def void_error(message: str) -> Encoded:
    """`Response<void>`, failure."""
    return [[True, [message]]]


# ---- values ----------------------------------------------------------------------------------------------------------


def encode_vector(x: float, y: float, z: float) -> Encoded:
    """`Vector3D` or `Location`."""
    return [float(x), float(y), float(z)]


def encode_transform(pose: Pose) -> Encoded:
    """`Transform`: location, then pitch, yaw, roll."""
    return [[pose.x, pose.y, pose.z], [pose.pitch, pose.yaw, pose.roll]]


def encode_box(
    center: Sequence[float],
    extent: Sequence[float],
    actor_id: int = 0,
    rotation: Sequence[float] = (0.0, 0.0, 0.0),
) -> Encoded:
    """`BoundingBox`: centre and half sizes in metres, rotation as pitch, yaw, roll in degrees."""
    return [encode_vector(*center), encode_vector(*extent), encode_vector(*rotation), actor_id]


def _shown(value: Any) -> str:
    """The value as an error names it: the beginning will do."""
    return repr(value)[:80]


def decode_number(value: Any, name: str) -> float:
    """A finite number, or RequestError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RequestError(f"{name} is {_shown(value)}: expected a finite number")
    return float(value)


def decode_vector(value: Any, name: str = "vector") -> tuple[float, float, float]:
    """Three finite numbers, or RequestError."""
    if not isinstance(value, list) or len(value) != 3:
        raise RequestError(f"{name} is {_shown(value)}: expected three numbers")
    x, y, z = value
    if type(x) is float and type(y) is float and type(z) is float and math.isfinite(x + y + z):
        return x, y, z
    return decode_number(x, f"{name}.x"), decode_number(y, f"{name}.y"), decode_number(z, f"{name}.z")


def decode_transform(value: Any) -> Pose:
    """`Transform`, or RequestError."""
    if not isinstance(value, list) or len(value) != 2:
        raise RequestError(f"transform is {_shown(value)}: expected [location, rotation]")
    return Pose(*decode_vector(value[0], "location"), *decode_vector(value[1], "rotation"))


def decode_bool(value: Any, name: str) -> bool:
    """A boolean, or RequestError."""
    if not isinstance(value, bool):
        raise RequestError(f"{name} is {_shown(value)}: expected a boolean")
    return value


def decode_text(value: Any, name: str) -> str:
    """A string, or RequestError."""
    if not isinstance(value, str):
        raise RequestError(f"{name} is {_shown(value)}: expected text")
    return value


def decode_integer(value: Any, name: str, low: int, high: int) -> int:
    """An integer from low to high, or RequestError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(f"{name} is {_shown(value)}: expected an integer from {low} to {high}")
    return value


def decode_id(value: Any, name: str = "actor id") -> int:
    """An unsigned 32-bit integer, or RequestError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
        raise RequestError(f"{name} is {_shown(value)}: expected an unsigned 32-bit integer")
    return value


def decode_list(value: Any, name: str, length: int | None = None) -> list[Any]:
    """A list, of this length if one is given, or RequestError."""
    if not isinstance(value, list) or (length is not None and len(value) != length):
        members = "" if length is None else f" of {length} members"
        raise RequestError(f"{name} is {_shown(value)}: expected a list{members}")
    return value


# ---- streams ---------------------------------------------------------------------------------------------------------


def stream_token(stream_id: int, port: int) -> bytes:
    """24 bytes naming a stream. No address: the client uses the host it is already connected to."""
    return _TOKEN.pack(stream_id, port, _TCP, _ADDRESS_AS_CONNECTED, b"")


def stream_header(kind: StreamType, frame: int, elapsed_s: float, pose: Pose) -> bytes:
    """The 48 bytes that begin every stream message."""
    return _STREAM_HEADER.pack(kind, frame, elapsed_s, *pose)


def image_header(width: int, height: int, fov_deg: float) -> bytes:
    """Follows the stream header of a camera; then the pixels from the top row, usually 4 bytes each, B G R A."""
    return _IMAGE_HEADER.pack(width, height, fov_deg)


def lidar_header(horizontal_angle_rad: float, points_per_channel: np.ndarray) -> bytes:
    """Follows the stream header of a lidar; then the points, those of one channel together."""
    counts = points_per_channel.astype("<u4")
    return struct.pack("<fI", horizontal_angle_rad, len(counts)) + counts.tobytes()


def snapshot_message(
    *, frame: int, elapsed_s: float, delta_s: float, episode_id: int, platform_s: float, records: np.ndarray
) -> bytes:
    """The whole world after a tick; records: RECORD (n,) as uint8, for the format of structured data takes time to export."""
    header = _SNAPSHOT_HEADER.pack(
        _WORLD, frame, elapsed_s, *_NOWHERE, episode_id, platform_s, delta_s, 0, 0, 0, 0
    )
    return b"".join((header, records.data))


def encode_depth(depth_m: np.ndarray) -> np.ndarray:
    """Depth float32 (h, w) in metres -> B G R A uint8 (h, w, 4): metres / 1000 * (2^24 - 1) as R + 256 G + 65536 B."""
    code = np.clip(depth_m.astype(np.float64) * ((2**24 - 1) / 1000.0), 0, 2**24 - 1).astype(np.uint32)
    image = np.empty((*depth_m.shape, 4), np.uint8)
    image[..., 2] = code & 255
    image[..., 1] = (code >> 8) & 255
    image[..., 0] = code >> 16
    image[..., 3] = 255
    return image


def encode_normals(normals: np.ndarray) -> np.ndarray:
    """Unit vectors float32 (h, w, 3) -> B G R A uint8 (h, w, 4): x in R, y in G, z in B, from -1 to 1 as 0 to 255."""
    image = np.full((*normals.shape[:2], 4), 255, np.uint8)
    image[..., 2::-1] = np.round((normals + 1.0) * 127.5)
    return image


def encode_tags(tag: np.ndarray, instance: np.ndarray | None = None) -> np.ndarray:
    """Tag uint8 (h, w) -> B G R A uint8 (h, w, 4): tag in R; instance id, if given, in G (low byte) and B (high)."""
    image = np.zeros((*tag.shape, 4), np.uint8)
    image[..., 2] = tag
    image[..., 3] = 255
    if instance is not None:
        image[..., 1] = instance & 255
        image[..., 0] = (instance >> 8) & 255
    return image
