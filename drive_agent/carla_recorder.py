"""CARLA's recorder files, byte for byte: what `client.start_recorder` leaves behind, read and written.

A header, then frames of packets (a number, a size, records). Only bytes in and out: no file is opened, no simulator
asked, and what the records mean is left to the reader. Values stay as they lie in the file: **centimetres**, degrees,
CARLA's left-handed axes, rotations as (roll, pitch, yaw); velocities alone are in m/s and degrees/s. Little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

VERSION = 1
MAGIC = "CARLA_RECORDER"


class Packet(IntEnum):
    """Numbers of the packets. What is not here (bones, doors, wheels of later versions) is skipped by its size."""

    FRAME_START = 0
    FRAME_END = 1
    APPEARED = 2
    GONE = 3
    PARENTS = 4
    COLLISIONS = 5
    POSITIONS = 6
    LIGHTS = 7
    VEHICLES = 8
    WALKERS = 9
    VEHICLE_LIGHTS = 10
    SCENE_LIGHTS = 11
    KINEMATICS = 12  # this and all below only with `additional_data=true`
    BOXES = 13
    PLATFORM_TIME = 14
    PHYSICS = 15
    LIGHT_TIMES = 16
    TRIGGERS = 17
    FRAME_COUNTER = 18


class ActorClass(IntEnum):
    """What an actor is to the recorder."""

    OTHER = 0
    VEHICLE = 1
    WALKER = 2
    TRAFFIC_LIGHT = 3
    TRAFFIC_SIGN = 4
    SENSOR = 5


# The records of each packet that is a list of equally long ones, in the order in which a frame has them.
RECORDS: dict[Packet, np.dtype] = {
    Packet.GONE: np.dtype([("id", "<u4")]),
    Packet.PARENTS: np.dtype([("id", "<u4"), ("parent", "<u4")]),
    Packet.COLLISIONS: np.dtype(
        [("sequence", "<u4"), ("id", "<u4"), ("other", "<u4"), ("is_hero", "u1"), ("other_is_hero", "u1")]
    ),
    Packet.POSITIONS: np.dtype([("id", "<u4"), ("location_cm", "<f4", 3), ("rotation_deg", "<f4", 3)]),
    Packet.LIGHTS: np.dtype([("id", "<u4"), ("frozen", "u1"), ("elapsed_s", "<f4"), ("state", "u1")]),
    Packet.VEHICLES: np.dtype(
        [("id", "<u4"), ("steer", "<f4"), ("throttle", "<f4"), ("brake", "<f4"), ("handbrake", "u1"), ("gear", "<i4")]
    ),
    Packet.WALKERS: np.dtype([("id", "<u4"), ("speed_cmps", "<f4")]),
    Packet.VEHICLE_LIGHTS: np.dtype([("id", "<u4"), ("flags", "<u4")]),
    Packet.SCENE_LIGHTS: np.dtype(
        [("id", "<i4"), ("intensity", "<f4"), ("color", "<f4", 4), ("on", "u1"), ("kind", "u1")]
    ),
    Packet.KINEMATICS: np.dtype([("id", "<u4"), ("velocity_mps", "<f4", 3), ("turn_degps", "<f4", 3)]),
    Packet.BOXES: np.dtype([("id", "<u4"), ("center_cm", "<f4", 3), ("extent_cm", "<f4", 3)]),
    Packet.LIGHT_TIMES: np.dtype([("id", "<u4"), ("green_s", "<f4"), ("yellow_s", "<f4"), ("red_s", "<f4")]),
    Packet.TRIGGERS: np.dtype([("id", "<u4"), ("center_cm", "<f4", 3), ("extent_cm", "<f4", 3)]),
}  # fmt: skip
ALWAYS_UP_TO = Packet.VEHICLE_LIGHTS  # every frame has these, empty ones too
ADDITIONAL_FROM = Packet.KINEMATICS

_PACKET = struct.Struct("<BI")
_START = struct.Struct("<Qdd")
_ACTOR = struct.Struct("<IB6fI")


@dataclass(frozen=True)
class Attribute:
    """One attribute of a blueprint; `kind` is CARLA's (0 bool, 1 int, 2 float, 3 string, 4 colour)."""

    kind: int
    name: str
    value: str


@dataclass(frozen=True)
class Appeared:
    """An actor comes into the world. The first frame has one for everything that is already there."""

    id: int
    kind: int  # ActorClass where it is a known one
    location_cm: tuple[float, float, float]
    rotation_deg: tuple[float, float, float]  # roll, pitch, yaw
    blueprint_uid: int
    type_id: str
    attributes: tuple[Attribute, ...] = ()

    def attribute(self, name: str) -> str:
        """The value of an attribute, "" where there is none of that name."""
        return next((one.value for one in self.attributes if one.name == name), "")


@dataclass(frozen=True)
class Frame:
    """One tick. `records` holds structured arrays of the types in `RECORDS`; a packet that is not there is empty."""

    number: int
    duration_s: float
    elapsed_s: float
    appeared: tuple[Appeared, ...] = ()
    records: Mapping[Packet, np.ndarray] = field(default_factory=dict)

    def of(self, packet: Packet) -> np.ndarray:
        """The records of one packet, empty where it is not in the frame."""
        found = self.records.get(packet)
        return np.zeros(0, RECORDS[packet]) if found is None else found


@dataclass(frozen=True)
class Recording:
    """A whole file. `missing` says what a file that ends in the midst of a frame has lost, "" for a whole one."""

    town: str
    began_unix_s: int
    frames: tuple[Frame, ...]
    missing: str = ""


# ---- writing -------------------------------------------------------------------------------------------------------------


def header_bytes(town: str, began_unix_s: int) -> bytes:
    """The beginning of a file."""
    return struct.pack("<H", VERSION) + _text(MAGIC) + struct.pack("<q", began_unix_s) + _text(town)


def frame_bytes(frame: Frame, *, additional: bool = True) -> bytes:
    """One frame; without `additional` those packets are left out that CARLA writes only when asked for more."""
    born = b"".join(map(_actor_bytes, frame.appeared))
    parts = [
        _packet(Packet.FRAME_START, _START.pack(frame.number, frame.duration_s, frame.elapsed_s)),
        _packet(Packet.APPEARED, struct.pack("<H", len(frame.appeared)) + born),
    ]
    for packet in RECORDS:
        wanted = packet in frame.records and (additional or packet < ADDITIONAL_FROM)
        if packet <= ALWAYS_UP_TO or wanted:
            parts.append(_packet(packet, _counted(frame.of(packet))))
    return b"".join([*parts, _packet(Packet.FRAME_END, b"")])


def _packet(packet: Packet, data: bytes) -> bytes:
    return _PACKET.pack(packet, len(data)) + data


def _counted(records: np.ndarray) -> bytes:
    if len(records) > 0xFFFF:
        raise ValueError(f"{len(records)} records in one packet, a recorder file counts up to 65535")
    return struct.pack("<H", len(records)) + records.tobytes()


def _actor_bytes(actor: Appeared) -> bytes:
    head = _ACTOR.pack(actor.id, actor.kind, *actor.location_cm, *actor.rotation_deg, actor.blueprint_uid)
    attributes = [
        struct.pack("<B", one.kind) + _text(one.name) + _text(one.value) for one in actor.attributes
    ]
    return head + _text(actor.type_id) + struct.pack("<H", len(attributes)) + b"".join(attributes)


def _text(value: str) -> bytes:
    data = value.encode()
    if len(data) > 0xFFFF:
        raise ValueError(f"a text of {len(data)} bytes, a recorder file holds up to 65535")
    return struct.pack("<H", len(data)) + data


# ---- reading -------------------------------------------------------------------------------------------------------------


def is_recording(data: bytes) -> bool:
    """Whether a file that begins like this is a recorder file."""
    return data[: 4 + len(MAGIC)] == struct.pack("<H", VERSION) + _text(MAGIC)


def read_recording(data: bytes) -> Recording:
    """All whole frames of a file. Raises ValueError, one line, for what is no recorder file."""
    if not data:
        raise ValueError("an empty file, expected a recording of CARLA's recorder")
    if not is_recording(data):
        raise ValueError(
            f"begins with {data[:16]!r}, expected version {VERSION} and {MAGIC}: no recording of CARLA's recorder"
        )
    cursor = _Cursor(data, 4 + len(MAGIC))
    try:
        (began_unix_s,) = cursor.unpack("<q")
        town = cursor.text()
    except EOFError as error:
        raise ValueError("the recording is cut off in its header; record it again") from error
    frames: list[Frame] = []
    whole = cursor.place
    try:
        while cursor.place < len(data):
            frames.append(_read_frame(cursor))
            whole = cursor.place
    except EOFError:
        pass
    lost = len(data) - whole
    missing = (
        f"cut off after frame {len(frames)}: {lost} bytes of an unfinished one are ignored" if lost else ""
    )
    return Recording(town, began_unix_s, tuple(frames), missing)


class _Cursor:
    """A place in bytes. What would be read past the end raises EOFError."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data, self.place = data, place

    def take(self, size: int) -> bytes:
        if self.place + size > len(self.data):
            raise EOFError
        self.place += size
        return self.data[self.place - size : self.place]

    def unpack(self, form: str) -> tuple:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def text(self) -> str:
        return self.take(*self.unpack("<H")).decode(errors="replace")


def _read_frame(cursor: _Cursor) -> Frame:
    """The next frame. Raises EOFError where it is cut off, ValueError where it is damaged."""
    begin = cursor.place
    packets = dict(_packets(cursor))
    if Packet.FRAME_START not in packets:
        raise ValueError(f"no frame begins at byte {begin}: the recording is damaged there; copy it again")
    try:
        number, duration_s, elapsed_s = _START.unpack(packets[Packet.FRAME_START])
        appeared = tuple(_read_actors(_Cursor(packets.get(Packet.APPEARED, b"\0\0"))))
        records = {Packet(n): _read_records(Packet(n), body) for n, body in packets.items() if n in RECORDS}
    except (struct.error, EOFError) as error:
        raise ValueError(f"the frame at byte {begin} of the recording is damaged; copy it again") from error
    return Frame(number, duration_s, elapsed_s, appeared, records)


def _packets(cursor: _Cursor) -> Iterator[tuple[int, bytes]]:
    """Number and body of each packet up to the end of the frame."""
    while True:
        number, size = _PACKET.unpack(cursor.take(_PACKET.size))
        if number == Packet.FRAME_END:
            cursor.take(size)
            return
        yield number, cursor.take(size)


def _read_records(packet: Packet, body: bytes) -> np.ndarray:
    kind = RECORDS[packet]
    (count,) = struct.unpack_from("<H", body)
    if len(body) < 2 + count * kind.itemsize:
        raise EOFError
    return np.frombuffer(body, kind, count, 2)


def _read_actors(cursor: _Cursor) -> Iterator[Appeared]:
    (count,) = cursor.unpack("<H")
    for _ in range(count):
        actor, kind, *numbers, uid = cursor.unpack(_ACTOR.format)
        location_cm, rotation_deg = tuple(numbers[:3]), tuple(numbers[3:])
        type_id = cursor.text()
        (attributes,) = cursor.unpack("<H")
        told = tuple(_read_attribute(cursor) for _ in range(attributes))
        yield Appeared(actor, kind, location_cm, rotation_deg, uid, type_id, told)


def _read_attribute(cursor: _Cursor) -> Attribute:
    (kind,) = cursor.unpack("<B")
    return Attribute(kind, cursor.text(), cursor.text())
