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
from typing import Any

import numpy as np

VERSION = 1
MAGIC = "CARLA_RECORDER"


class Packet(IntEnum):
    """Numbers of the packets. What is not here (bones, wheels, ... of later versions) is skipped by its size."""

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
    DOORS = 21  # later than 0.9.13, and not additional


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
    Packet.TRIGGERS: np.dtype([("id", "<u4"), ("center_cm", "<f4", 3), ("extent_cm", "<f4", 3)]),  # in the world
    Packet.LIGHT_TIMES: np.dtype([("id", "<u4"), ("green_s", "<f4"), ("yellow_s", "<f4"), ("red_s", "<f4")]),
    Packet.DOORS: np.dtype([("id", "<u4"), ("door", "u1"), ("open", "u1")]),
}  # fmt: skip
ALWAYS_UP_TO = Packet.VEHICLE_LIGHTS  # every frame has these, empty ones too
_ORDER = (  # of a frame's packets
    Packet.APPEARED, Packet.GONE, Packet.PARENTS, Packet.COLLISIONS, Packet.POSITIONS, Packet.LIGHTS, Packet.VEHICLES,
    Packet.WALKERS, Packet.VEHICLE_LIGHTS, Packet.SCENE_LIGHTS, Packet.KINEMATICS, Packet.BOXES, Packet.TRIGGERS,
    Packet.PLATFORM_TIME, Packet.PHYSICS, Packet.LIGHT_TIMES, Packet.FRAME_COUNTER, Packet.DOORS,
)  # fmt: skip
ADDITIONAL = frozenset(packet for packet in Packet if Packet.KINEMATICS <= packet <= Packet.FRAME_COUNTER)
NO_ACTOR = 2**32 - 1  # the other side of a collision with what is no actor

_PACKET = struct.Struct("<BI")
_START = struct.Struct("<Qdd")
_ACTOR = struct.Struct("<IB6fI")
_PHYSICS = struct.Struct("<I5f?7f")
_CURVE, _GEAR, _WHEEL = 2, 3, 12  # numbers in a row of each table of `Physics`


@dataclass(frozen=True)
class Attribute:
    """One attribute of a blueprint; `kind` is CARLA's (0 bool, 1 int, 2 float, 3 string, 4 colour; later one more)."""

    kind: int
    name: str
    value: str


@dataclass(frozen=True)
class Appeared:
    """An actor comes into the world. The first frame has one for everything that is already there.

    Its pose is in the world, or, where PARENTS of the same frame attach it, in its parent's frame.
    """

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


Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Physics:
    """What a vehicle is made of: `carla.VehiclePhysicsControl` but for `gear_switch_time`, which CARLA leaves out."""

    id: int
    max_rpm: float
    moi: float
    damping: tuple[float, float, float]  # full throttle; none, clutch engaged; none, clutch disengaged
    use_gear_autobox: bool
    clutch_strength: float
    final_ratio: float
    mass_kg: float
    drag_coefficient: float
    center_of_mass_m: tuple[float, float, float]
    torque_curve: Table  # rpm, N m
    gears: Table  # ratio, down ratio, up ratio
    steering_curve: Table  # km/h, fraction
    wheels: Table  # the numbers of `carla.WheelPhysicsControl`, in its order; the place in the world in cm


@dataclass(frozen=True)
class Frame:
    """One tick. `records` holds structured arrays of the types in `RECORDS`; a packet that is not there is empty.

    The last frame of a file lasts -1 s: nobody knows yet.
    """

    number: int
    duration_s: float
    elapsed_s: float
    appeared: tuple[Appeared, ...] = ()
    records: Mapping[Packet, np.ndarray] = field(default_factory=dict)
    physics: tuple[Physics, ...] = ()  # of vehicles that are new or changed
    platform_s: float | None = None  # by the wall clock, since the recording began
    counter: int | None = None  # the simulator's own number of the tick

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
    bodies = {Packet.APPEARED: struct.pack("<H", len(frame.appeared)) + born}
    bodies |= {
        packet: _counted(frame.of(packet))
        for packet in RECORDS
        if packet <= ALWAYS_UP_TO or packet in frame.records
    }
    if frame.platform_s is not None:
        bodies[Packet.PLATFORM_TIME] = struct.pack("<d", frame.platform_s)
    if frame.physics:
        bodies[Packet.PHYSICS] = struct.pack("<H", len(frame.physics)) + b"".join(
            map(_physics_bytes, frame.physics)
        )
    if frame.counter is not None:
        bodies[Packet.FRAME_COUNTER] = struct.pack("<Q", frame.counter)
    start = _START.pack(frame.number, frame.duration_s, frame.elapsed_s)
    parts = [
        _packet(packet, bodies[packet])
        for packet in _ORDER
        if packet in bodies and (additional or packet not in ADDITIONAL)
    ]
    return b"".join([_packet(Packet.FRAME_START, start), *parts, _packet(Packet.FRAME_END, b"")])


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


def _physics_bytes(one: Physics) -> bytes:
    head = _PHYSICS.pack(
        one.id, one.max_rpm, one.moi, *one.damping, one.use_gear_autobox, one.clutch_strength, one.final_ratio,
        one.mass_kg, one.drag_coefficient, *one.center_of_mass_m,
    )  # fmt: skip
    tables = (one.torque_curve, one.gears, one.steering_curve, one.wheels)
    return head + b"".join(
        struct.pack("<I", len(table)) + np.array(table, "<f4").tobytes() for table in tables
    )


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

    def table(self, width: int) -> Table:
        (count,) = self.unpack("<I")
        numbers = np.frombuffer(self.take(4 * width * count), "<f4").reshape(count, width)
        return tuple(tuple(row) for row in numbers.tolist())


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
        physics = tuple(_read_physics(_Cursor(packets.get(Packet.PHYSICS, b"\0\0"))))
        platform_s = _number("<d", packets.get(Packet.PLATFORM_TIME))
        counter = _number("<Q", packets.get(Packet.FRAME_COUNTER))
    except (struct.error, EOFError) as error:
        raise ValueError(f"the frame at byte {begin} of the recording is damaged; copy it again") from error
    return Frame(number, duration_s, elapsed_s, appeared, records, physics, platform_s, counter)


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


def _read_physics(cursor: _Cursor) -> Iterator[Physics]:
    (count,) = cursor.unpack("<H")
    for _ in range(count):
        vehicle, rpm, moi, *damping, autobox, clutch, ratio, mass, drag, x, y, z = cursor.unpack(
            _PHYSICS.format
        )
        tables = [cursor.table(width) for width in (_CURVE, _GEAR, _CURVE, _WHEEL)]
        yield Physics(
            vehicle, rpm, moi, tuple(damping), autobox, clutch, ratio, mass, drag, (x, y, z), *tables
        )  # fmt: skip


def _number(form: str, body: bytes | None) -> Any:
    return None if body is None else struct.unpack(form, body)[0]
