"""The batch that a traffic manager sends in every tick, a `VehicleControl` for each of its cars, from bytes to rows. Compiled.

Ordinary batches only: whatever is odd about one (another command, an integer for a pedal, a value that is no number, a gone
vehicle) is left to `rpc_batch`, which looks at each command and says what is wrong.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import msgpack
import numpy as np

from drive_agent.sim.compiled import compiled
from drive_agent.sim.wire import COMMAND_METHODS, Packed, pack, value_result
from drive_agent.sim.world import World

METHOD = "apply_batch"
CONTROL = np.dtype(
    [
        ("actor", "i8"), ("slot", "i8"),  # row of the vehicle, once it is known
        ("throttle", "f8"), ("steer", "f8"), ("brake", "f8"),
        ("hand_brake", "i8"), ("reverse", "i8"), ("manual_gear_shift", "i8"), ("gear", "i8"),
    ],
    align=True,
)  # fmt: skip

_COMMAND = COMMAND_METHODS.index("apply_control_to_vehicle")
_LOWEST_GEAR, _HIGHEST_GEAR = -1, 100
_SHORTEST, _LONGEST = 25, 29  # bytes of a command
_MANY_IDS = 64  # batches by different ids whose results are kept

# MessagePack
_LIST, _TEXT, _MOST_IN_ONE_BYTE = 0x90, 0xA0, 0x7F
_LIST_16, _LIST_32 = 0xDC, 0xDD
_FALSE, _TRUE, _FLOAT_32 = 0xC2, 0xC3, 0xCA
_UNSIGNED_8, _UNSIGNED_16, _UNSIGNED_32 = 0xCC, 0xCD, 0xCE
_NEGATIVE = 0xE0  # and above: -32 to -1

_REQUEST = bytes([_LIST | 4, 0])
_BATCH = bytes([_TEXT | len(METHOD), *METHOD.encode(), _LIST | 3, _LIST | 1])
_ID_AT, _LONGEST_ID = len(_REQUEST), 5
_SHORTEST_BATCH = len(_REQUEST) + len(_BATCH) + _SHORTEST


class ControlBatch(NamedTuple):
    """A request for controls only, read but not applied."""

    message_id: int
    nobody_waits: bool
    controls: np.ndarray  # CONTROL (n,)
    data: bytes

    @property
    def commands(self) -> list[Any]:
        """The same as `rpc_batch` takes any batch."""
        return msgpack.unpackb(self.data)[3][1]

    def apply(self, world: World) -> Packed | None:
        """The results, as `rpc_control.apply_control_to_vehicle` gives them one by one; None, and nothing done, for an odd one."""
        if not _apply(self.controls, world.vehicles.ids, world.vehicles.rows):
            return None
        ids = self.controls["actor"].tobytes()
        if world.ackermann:
            for actor_id in np.frombuffer(ids, np.int64).tolist():
                world.ackermann.pop(actor_id, None)
        return _results(ids)


@lru_cache(_MANY_IDS)
def _results(ids: bytes) -> Packed:
    """Success of every command; the same cars are driven in every tick."""
    return Packed(pack([value_result(actor_id) for actor_id in np.frombuffer(ids, np.int64).tolist()]))


def read_batch(data: bytes) -> ControlBatch | None:
    """The one message that `data` is; None if it is anything but an ordinary batch of controls, whole."""
    if len(data) < _SHORTEST_BATCH or not data.startswith(_REQUEST):
        return None
    at = data.find(_BATCH, _ID_AT + 1, _ID_AT + _LONGEST_ID + len(_BATCH))
    if at < 0:
        return None
    padded = data + bytes(_LONGEST)  # no command is read beyond the end
    controls = np.empty(len(data) // _SHORTEST, CONTROL)
    count, message_id, nobody_waits = _read(padded, len(data), at, at + len(_BATCH), controls)
    return ControlBatch(message_id, nobody_waits, controls[:count], data) if count > 0 else None


@compiled
def _read(data, size, id_end, at, controls):
    """Request of `size` bytes -> CONTROL (n,). How many, the message's id, whether nobody waits; -1 at what is odd."""
    odd = -1, 0, False
    message_id, end = _unsigned(data, _ID_AT)
    asynchronous = data[at]
    count, at = _length(data, at + 1)
    if end != id_end or message_id < 0 or count > controls.shape[0]:
        return odd
    if asynchronous != _TRUE and asynchronous != _FALSE:
        return odd
    for index in range(count):
        at = _read_control(data, at, controls[index])
        if at < 0 or at > size:
            return odd
    if at != size - 1 or data[at] != _FALSE:  # the batch is to tick, too, or something follows
        return odd
    return count, message_id, asynchronous == _TRUE


@compiled
def _read_control(data, at, c):
    """`[[2, [actor, [three pedals, three flags, gear]]]]` -> CONTROL (). Where it ends; -1 if it is another thing."""
    lists = data[at] == _LIST | 1 and data[at + 1] == _LIST | 2 and data[at + 3] == _LIST | 2
    if not lists or data[at + 2] != _COMMAND:
        return -1
    c.actor, at = _unsigned(data, at + 4)
    c.throttle, c.steer, c.brake = _float(data, at + 1), _float(data, at + 6), _float(data, at + 11)
    if c.actor < 0 or data[at] != _LIST | 7 or not math.isfinite(c.throttle + c.steer + c.brake):
        return -1
    for flag in data[at + 16 : at + 19]:
        if flag != _TRUE and flag != _FALSE:
            return -1
    c.hand_brake, c.reverse = data[at + 16] == _TRUE, data[at + 17] == _TRUE
    c.manual_gear_shift, gear = data[at + 18] == _TRUE, int(data[at + 19])
    c.gear = gear - 256 if gear >= _NEGATIVE else gear
    return at + 20 if c.gear <= _MOST_IN_ONE_BYTE else -1


@compiled
def _unsigned(data, at):
    """An unsigned integer of at most 32 bits, and where it ends; -1 if it is another thing."""
    kind = data[at]
    if kind <= _MOST_IN_ONE_BYTE:
        return int(kind), at + 1
    size = 1 if kind == _UNSIGNED_8 else 2 if kind == _UNSIGNED_16 else 4 if kind == _UNSIGNED_32 else 0
    value = 0
    for byte in data[at + 1 : at + 1 + size]:
        value = value * 256 + int(byte)
    return value if size > 0 else -1, at + 1 + size


@compiled
def _length(data, at):
    """Of a list, and where its members begin; -1 if it is another thing."""
    kind = data[at]
    if kind & 0xF0 == _LIST:
        return int(kind) & 0x0F, at + 1
    size = 2 if kind == _LIST_16 else 4 if kind == _LIST_32 else 0
    value = 0
    for byte in data[at + 1 : at + 1 + size]:
        value = value * 256 + int(byte)
    return value if size > 0 else -1, at + 1 + size


@compiled
def _float(data, at):
    """Of 32 bits; nan if it is another thing."""
    bits = np.uint32(0)
    for byte in data[at + 1 : at + 5]:
        bits = np.uint32(bits << np.uint32(8)) | np.uint32(byte)
    return float(np.uint32(bits).view(np.float32)) if data[at] == _FLOAT_32 else math.nan


@compiled
def _apply(controls, ids, vehicles):
    """CONTROL (n,) -> VEHICLE (m,) by ascending ids; of two for one vehicle the later one counts.

    False, and nothing done, if one is not there.
    """
    for index in range(controls.shape[0]):
        c = controls[index]
        c.slot = np.searchsorted(ids, c.actor)
        if c.slot == ids.shape[0] or ids[c.slot] != c.actor:
            return False
    for index in range(controls.shape[0]):
        c = controls[index]
        v = vehicles[c.slot]
        v.throttle, v.brake = min(max(c.throttle, 0.0), 1.0), min(max(c.brake, 0.0), 1.0)
        v.steer = min(max(c.steer, -1.0), 1.0)
        v.hand_brake, v.manual_gear_shift, v.reverse = c.hand_brake, c.manual_gear_shift, c.reverse
        if c.manual_gear_shift == 1:
            v.reverse = 1 if c.gear < 0 else 0
            v.gear = min(max(c.gear, _LOWEST_GEAR), _HIGHEST_GEAR)
    return True
