"""The actors of an episode: who is there, in which row of the snapshot, and the arrays that vehicles and others live in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from drive_agent.sim.physics_control import PhysicsControl
from drive_agent.sim.poses import IDENTITY
from drive_agent.sim.wire import (
    RECORD,
    SIGNAL_RECORD,
    VEHICLE_RECORD,
    WALKER_RECORD,
    Encoded,
    Pose,
    RequestError,
    encode_box,
    stream_token,
)

_ACTIVE = 1
_LONGEST_LEAP = 10_000  # of ids; recordings keep theirs where they can, and must not use them up


class ActorError(RequestError):
    """A request about an actor that cannot have it; the dispatcher puts the name of the request before the text."""

    def __init__(self, reason: str, actor_id: object) -> None:
        super().__init__(f"{reason}.  Actor Id: {str(actor_id)[:40]}")


class Kind(Enum):
    """What an actor is to the world."""

    VEHICLE = auto()
    WALKER = auto()
    PROP = auto()
    SENSOR = auto()
    LIGHT = auto()
    SIGN = auto()
    OTHER = auto()


@dataclass(eq=False)
class Actor:
    """One actor. Vehicles, walkers and props keep their state in row `slot` of their table; others only have `pose`."""

    id: int
    type_id: str
    kind: Kind
    description: Encoded  # `ActorDescription` as the client sent it
    center: tuple[float, float, float]  # of the bounding box, in the actor's frame, m
    half_extents: tuple[float, float, float]
    tags: bytes = b""
    parent_id: int = 0
    stream_id: int = 0
    pose: Pose = IDENTITY
    relative_pose: Pose = IDENTITY  # to the parent
    slot: int = -1
    row: int = -1  # in the snapshot
    born_s: float = 0.0  # elapsed simulated time at its spawn
    attributes: dict[str, str] = field(default_factory=dict)
    physics_control: PhysicsControl | None = None  # of a vehicle, as last applied
    ackermann_gains: list[float] | None = None  # of a vehicle, as last applied
    dead: bool = False  # a walker that obeys no more
    look: str = ""  # type id that it is drawn as, where that is another

    def encode(self, stream_port: int) -> Encoded:
        """`Actor`."""
        token = stream_token(self.stream_id, stream_port) if self.stream_id else b""
        return [self.id, self.parent_id, self.description, self.encode_box(), self.tags, token]

    def encode_box(self) -> Encoded:
        """`BoundingBox`."""
        return encode_box(self.center, self.half_extents, self.id)


class Table:
    """Structured rows of one kind of actor, kept dense in the order of arrival; `rows` is a view, valid until a change."""

    def __init__(self, dtype: np.dtype) -> None:
        self._storage = np.zeros(16, dtype)
        self.owners: list[Actor] = []
        self.rows = self._storage[:0]
        self.ids = np.zeros(0, np.int64)  # of the owners, ascending
        self.record_rows = np.zeros(0, np.int64)  # row of each owner in the snapshot; kept by Actors

    def append(self, owner: Actor, value: np.ndarray) -> None:
        """Add a row; `owner.slot` becomes its index."""
        count = len(self.owners)
        if count == len(self._storage):
            self._storage = np.concatenate([self._storage, np.zeros(count, self._storage.dtype)])
        self._storage[count] = value
        owner.slot = count
        self.owners.append(owner)
        self.ids = np.append(self.ids, owner.id)
        self.rows = self._storage[: count + 1]

    def remove(self, owner: Actor) -> None:
        """Delete a row; those behind move up."""
        slot, count = owner.slot, len(self.owners)
        self._storage[slot : count - 1] = self._storage[slot + 1 : count]
        del self.owners[slot]
        self.ids = np.delete(self.ids, slot)
        for index in range(slot, count - 1):
            self.owners[index].slot = index
        owner.slot = -1
        self.rows = self._storage[: count - 1]


class Actors:
    """Actors by id, in order of id, with their snapshot records. Ids and stream ids are never given twice."""

    def __init__(self) -> None:
        self._by_id: dict[int, Actor] = {}
        self._store(np.zeros(64, RECORD))
        self._next_id = 1
        self._next_stream = 2  # 1 is the world

    def _store(self, storage: np.ndarray) -> None:
        self._storage = storage
        # for compiled code, which reads no record with a void in it, as RECORD has; rows behind the live ones included
        self.as_vehicles = storage.view(VEHICLE_RECORD)
        self.as_walkers = storage.view(WALKER_RECORD)
        self.as_signals = storage.view(SIGNAL_RECORD)
        self._as_bytes = storage.view(np.uint8)

    @property
    def records(self) -> np.ndarray:
        """RECORD (n,): a view of the live rows."""
        return self._storage[: len(self._by_id)]

    @property
    def record_bytes(self) -> np.ndarray:
        """The same as uint8 (n * 119,)."""
        return self._as_bytes[: len(self._by_id) * RECORD.itemsize]

    def __iter__(self) -> Iterator[Actor]:
        return iter(self._by_id.values())

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._by_id

    def find(self, actor_id: object) -> Actor | None:
        """The actor or None."""
        return self._by_id.get(actor_id) if isinstance(actor_id, int) else None

    def get(self, actor_id: object) -> Actor:
        """The actor, or ActorError in CARLA's words."""
        actor = self._by_id.get(actor_id) if isinstance(actor_id, int) else None
        if actor is None:
            raise ActorError("Actor could not be found in the registry", actor_id)
        return actor

    def new_stream_id(self) -> int:
        """The id of a new sensor's stream."""
        self._next_stream += 1
        return self._next_stream - 1

    def new_id(self) -> int:
        """The id for a new actor."""
        self._next_id += 1
        return self._next_id - 1

    def go_on_from(self, actor_id: int) -> None:
        """Let this be the next id, unless it lies behind or far ahead."""
        if self._next_id < actor_id < self._next_id + _LONGEST_LEAP:
            self._next_id = actor_id

    def add(self, actor: Actor, tables: tuple[Table, ...]) -> None:
        """Give the actor a row at the end of the snapshot."""
        count = len(self._by_id)
        if count == len(self._storage):
            self._store(np.concatenate([self._storage, np.zeros(count, RECORD)]))
        actor.row = count
        self._by_id[actor.id] = actor
        record = self._storage[count : count + 1]
        record[:] = np.zeros(1, RECORD)
        record["id"], record["state"] = actor.id, _ACTIVE
        self._index(tables)

    def remove(self, actor: Actor, tables: tuple[Table, ...]) -> None:
        """Take the actor out of the snapshot; rows behind move up."""
        count = len(self._by_id)
        self._storage[actor.row : count - 1] = self._storage[actor.row + 1 : count]
        del self._by_id[actor.id]
        for other in self._by_id.values():
            if other.row > actor.row:
                other.row -= 1
        self._index(tables)

    def clear(self) -> None:
        """Forget all actors; ids go on."""
        self._by_id.clear()

    def _index(self, tables: tuple[Table, ...]) -> None:
        for table in tables:
            table.record_rows = np.array([owner.row for owner in table.owners], np.int64)
