"""Episodes on disk: written while driving, read by everything that comes after.

`EpisodeWriter` appends and flushes once per simulated second, so what a killed process leaves is readable up to its last
whole chunk. `Episode` reads such a file, whole or cut. Imports no simulator and no model library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from mcap.writer import CompressionType, Writer
from mcap_protobuf.schema import build_file_descriptor_set

from drive_agent.log import schema
from drive_agent.log.chunks import ChunkedFile
from drive_agent.log.encode import dumps, from_plain, loads, to_plain
from drive_agent.log.records import images_of, record_of
from drive_agent.log.schema import ImageRef, Outcome, RunHeader, ScenarioEvent, TickRecord
from drive_agent.log.upgrade import Upgrade
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import ActorInfo, CameraImage, Collision, Decision, LightState, Truth

CHUNK_BYTES = 256 * 1024
FLUSH_US = 1_000_000  # simulated
KEPT_MAPS = (
    4  # many logs are of few towns, and a map's index of lanes takes longer than judging a drive on it
)
HELD = "held"
_TRUTH_FIELDS = ("time_us", "frame_id", "ids", "actors", "lights", "collisions")
_LIGHTS = {int(state): state for state in LightState}
_EGO = re.compile(rb'"ids":\[(?P<ids>[^\]]+)\],"actors":\[\[(?P<row>[^\]]*)\]')
_HELD_FIELDS = ("plan", "scene", "forecast")


class EpisodeWriter:
    """Writes one drive of one route; a context manager. An existing file at `path` is replaced.

    Leaving the context without `finish` (an exception in the drive) closes the file properly but writes no outcome,
    which readers report as an interrupted drive.
    """

    def __init__(self, path: Path, header: RunHeader, road_map: RoadMap) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._writer.start(profile="drive_agent", library=f"drive_agent log schema {header.schema_version}")
        self._channels: dict[str, int] = {}
        self._image_schema = 0
        self._infos: dict[int, ActorInfo] = {}
        self._images: set[tuple[str, int]] = set()  # (camera, time) of those written
        self._held: dict[str, object] = {}
        self._time_us = 0
        self._flushed_us = 0
        self._write_json(schema.RUN, 0, to_plain(header))
        self._write_json(schema.ROAD_MAP, 0, road_map.to_dict())
        self._writer.flush()

    def write(
        self, truth: Truth, decision: Decision | None, scenario_events: tuple[ScenarioEvent, ...] = ()
    ) -> None:
        """Append one tick: what was true, what was decided on it (None where nothing was), what the director did."""
        self._time_us = truth.time_us
        for actor in truth.ids:
            self._write_actor(truth.infos[actor])
        plain = {name: to_plain(getattr(truth, name)) for name in _TRUTH_FIELDS}
        self._write_json(schema.TRUTH, truth.time_us, plain)
        self.note(scenario_events)
        if decision is not None:
            self._write_decision(truth.time_us, decision)
        if truth.time_us - self._flushed_us >= FLUSH_US:
            self._writer.flush()
            self._flushed_us = truth.time_us

    def note(self, scenario_events: tuple[ScenarioEvent, ...]) -> None:
        """Append what the director did, at its own times; `write` does so for events known with their tick."""
        for event in scenario_events:
            self._write_json(schema.SCENARIO, event.time_us, to_plain(event))

    def finish(self, outcome: Outcome) -> None:
        """Append how the drive ended; the last call before leaving the context."""
        self._write_json(schema.END, self._time_us, to_plain(outcome))

    def __enter__(self) -> EpisodeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.finish()
        finally:
            self._file.close()

    def _write_actor(self, info: ActorInfo) -> None:
        if self._infos.get(info.id) != info:
            self._infos[info.id] = info
            self._write_json(schema.ACTOR, self._time_us, to_plain(info))

    def _write_decision(self, time_us: int, decision: Decision) -> None:
        for image in images_of(decision):
            self._write_image(image)
        record = record_of(time_us, decision)
        held = {}
        for name in _HELD_FIELDS:
            value = getattr(record, name)
            if value is not None and value is self._held.get(name):
                held[name] = None
            self._held[name] = value
        plain = to_plain(replace(record, **held))
        plain.update(dict.fromkeys(held, HELD))
        self._write_json(schema.TICK, time_us, plain)

    def _write_image(self, image: CameraImage) -> None:
        """Each picture once, though it comes again as the previous one of a later frame."""
        if (image.name, image.time_us) in self._images:
            return
        self._images.add((image.name, image.time_us))
        message = CompressedImage(frame_id=image.name, data=image.jpeg, format="jpeg")
        message.timestamp.FromMicroseconds(image.time_us)
        self._write_bytes(schema.CAMERA + image.name, image.time_us, message.SerializeToString())

    def _write_json(self, topic: str, time_us: int, plain: object) -> None:
        self._write_bytes(topic, time_us, dumps(plain))

    def _write_bytes(self, topic: str, time_us: int, data: bytes) -> None:
        if topic not in self._channels:
            self._channels[topic] = self._register(topic)
        log_ns = time_us * 1000
        self._writer.add_message(self._channels[topic], log_time=log_ns, publish_time=log_ns, data=data)

    def _register(self, topic: str) -> int:
        if not topic.startswith(schema.CAMERA):
            name = "drive_agent" + topic.replace("/", ".")
            shape = self._writer.register_schema(name, "jsonschema", b'{"type": "object"}')
            return self._writer.register_channel(topic, "json", shape)
        if not self._image_schema:
            descriptor = build_file_descriptor_set(CompressedImage)
            self._image_schema = self._writer.register_schema(
                CompressedImage.DESCRIPTOR.full_name, "protobuf", descriptor.SerializeToString()
            )
        return self._writer.register_channel(topic, "protobuf", self._image_schema)


class Episode:
    """One drive read from its log; a context manager. Iterators start afresh at each call and may run side by side."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = ChunkedFile(path)
        try:
            self.header = self._read_header()
        except ValueError:
            self.close()
            raise
        self._places: dict[str, dict[int, tuple[int, int]]] = {}

    @classmethod
    def open(cls, path: Path | str) -> Episode:
        """Open a log. Raises ValueError, one line, for an empty file, another kind of file, a newer schema."""
        return cls(Path(path))

    @property
    def route(self) -> Route:
        return self.header.route

    @cached_property
    def road_map(self) -> RoadMap:
        """What lay under the wheels."""
        return _road_map(self._only(schema.ROAD_MAP))

    @property
    def outcome(self) -> Outcome | None:
        """How the drive ended, None when the log does not say."""
        for _, data in self._file.messages(schema.END):
            return from_plain(Outcome, loads(data))
        return None

    @property
    def end_us(self) -> int:
        """Simulated time of the last message."""
        return self._file.end_ns // 1000

    @property
    def truncated(self) -> str | None:
        """None for a whole log, else one sentence that says what is missing."""
        if not self._file.finished:
            return (
                f"the log is cut off after {self.end_us / 1e6:.2f} s"
                f" ({self._file.dropped} bytes of an unfinished part are ignored)"
            )
        if self.outcome is None:
            return f"the drive was interrupted after {self.end_us / 1e6:.2f} s, its outcome was not written"
        return None

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras that have pictures."""
        return tuple(t.removeprefix(schema.CAMERA) for t in self._file.topics if t.startswith(schema.CAMERA))

    def truths(self) -> Iterator[Truth]:
        """Ground truth, tick by tick."""
        actors = _ActorFeed(self._file.messages(schema.ACTOR))
        known: dict[int, ActorInfo] = {}
        for log_ns, data in self._file.messages(schema.TRUTH):
            for info in actors.until(log_ns):
                known[info.id] = info
            yield _truth(loads(data), known)

    def ticks(self) -> Iterator[tuple[int, TickRecord]]:
        """(time_us, what was decided), tick by tick; held plans, scenes and forecasts are filled in."""
        held: dict[str, object] = {}
        for _, data in self._file.messages(schema.TICK):
            plain = self._upgrade(schema.TICK, loads(data))
            kept = {name: held[name] for name in _HELD_FIELDS if plain[name] == HELD}
            plain.update(dict.fromkeys(kept))
            record = replace(from_plain(TickRecord, plain), **kept)
            held = {name: getattr(record, name) for name in _HELD_FIELDS}
            yield record.time_us, record

    def scenario_events(self) -> Iterator[ScenarioEvent]:
        """What the director did."""
        for _, data in self._file.messages(schema.SCENARIO):
            yield from_plain(ScenarioEvent, loads(data))

    def egos(self, start_us: int = 0) -> Iterator[tuple[int, list[float], int]]:
        """(time_us, the ego's row of `Truth.actors`, how many actors there are), tick by tick from `start_us` on.

        A tenth of the time of `truths`: the other rows are not parsed.
        """
        for log_ns, data in self._file.messages(schema.TRUTH, start_us * 1000):
            found = _EGO.search(data)
            if found:  # as our writer packs it
                yield log_ns // 1000, loads(b"[%b]" % found["row"]), found["ids"].count(b",") + 1
            else:
                plain = loads(data)
                yield log_ns // 1000, plain["actors"][0], len(plain["ids"])

    def images(self, camera: str) -> Iterator[tuple[int, bytes]]:
        """(time_us, JPEG bytes) of one camera."""
        for log_ns, data in self._file.messages(schema.CAMERA + camera):
            yield log_ns // 1000, CompressedImage.FromString(data).data

    def raw(self, topic: str, start_us: int = 0, end_us: int | None = None) -> Iterator[dict]:
        """Messages of a JSON topic from `start_us` to `end_us`, both included, as plain values of today's schema."""
        for log_ns, data in self._file.messages(topic, start_us * 1000):
            if end_us is not None and log_ns > end_us * 1000:
                return
            yield self._upgrade(topic, loads(data))

    def picture_times(self, camera: str) -> list[int]:
        """Times of all pictures of a camera, in order."""
        return sorted(log_ns // 1000 for log_ns in self._pictures(camera))

    def jpeg(self, ref: ImageRef) -> bytes:
        """The bytes of one picture as they were logged. Raises KeyError when the log has none of that time."""
        place = self._pictures(ref.name).get(ref.time_us * 1000)
        if place is None:
            raise KeyError(f"{self.path} has no picture of camera {ref.name!r} at {ref.time_us} us")
        return CompressedImage.FromString(self._file.payload_at(place)).data

    def _pictures(self, camera: str) -> dict[int, tuple[int, int]]:
        topic = schema.CAMERA + camera
        if topic not in self._places:
            self._places[topic] = self._file.locate(topic)
        return self._places[topic]

    def image(self, ref: ImageRef) -> CameraImage:
        """One picture, decoded as it was for the model. Raises KeyError when the log has none of that time."""
        jpeg = self.jpeg(ref)
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        return CameraImage(ref.name, ref.time_us, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), jpeg)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Episode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_header(self) -> RunHeader:
        plain = loads(self._only(schema.RUN))
        try:
            self._upgrade = Upgrade(plain.get("schema_version"))
        except ValueError as error:
            wrote = plain.get("package_versions", {}).get("drive-agent", "version")
            raise ValueError(
                f"{self.path} has {error}: read it with the drive-agent {wrote} that wrote it"
            ) from error
        return from_plain(RunHeader, self._upgrade(schema.RUN, plain))

    def _only(self, topic: str) -> bytes:
        for _, data in self._file.messages(topic):
            return data
        what = (
            "is cut off before its first whole part"
            if not self._file.finished
            else "is an MCAP file of another kind"
        )
        raise ValueError(
            f"{self.path} {what}: it has no {topic} message, expected an episode log; drive it again"
        )


@lru_cache(maxsize=KEPT_MAPS)
def _road_map(data: bytes) -> RoadMap:
    return RoadMap.from_dict(loads(data))


class _ActorFeed:
    """The `/actor` messages, handed out up to a time."""

    def __init__(self, messages: Iterator[tuple[int, bytes]]) -> None:
        self._messages = messages
        self._next = next(messages, None)

    def until(self, log_ns: int) -> Iterator[ActorInfo]:
        while self._next is not None and self._next[0] <= log_ns:
            yield from_plain(ActorInfo, loads(self._next[1]))
            self._next = next(self._messages, None)


def _truth(plain: dict, known: dict[int, ActorInfo]) -> Truth:
    ids = tuple(plain["ids"])
    return Truth(
        time_us=plain["time_us"],
        frame_id=plain["frame_id"],
        ids=ids,
        actors=from_plain(np.ndarray, plain["actors"]),
        lights={signal: _LIGHTS[state] for signal, state in plain["lights"].items()},
        infos={actor: known[actor] for actor in ids},
        collisions=from_plain(tuple[Collision, ...], plain["collisions"]),
    )
