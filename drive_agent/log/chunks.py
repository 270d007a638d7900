"""Random access to the messages of an MCAP file, whole or cut off at any byte.

The file is walked once, chunk by chunk, without unpacking: each chunk is followed by an index of where the messages of
each channel lie in it, so reading one topic touches neither the other messages nor, where a chunk has none, the chunk.
Nothing at the file's end is needed, which is what a killed process leaves. Knows nothing of what messages mean.

Format: https://mcap.dev/spec. Unpacking and CRC checks are the mcap package's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk
from mcap.stream_reader import CRCValidationError, get_chunk_data_stream
from mcap.writer import MCAP0_MAGIC

_RECORD = struct.Struct("<BQ")  # opcode, length of what follows
_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_TIMES = struct.Struct("<QQ")
_INDEX, _PLACE = struct.Struct("<HI"), struct.Struct("<QQ")  # channel, length of the places; log time, offset
_CACHED_CHUNKS = 4  # a reader of several topics side by side comes back to the chunk it just left


@dataclass
class _ChunkPlace:
    """Where a chunk's record lies and, for each channel, (log_time_ns, offset in the unpacked chunk) of its messages."""

    offset: int
    length: int
    end_ns: int
    messages: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


class ChunkedFile:
    """The topics and messages of one file; `dropped` is the count of bytes at its end that are no whole record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._chunks: list[_ChunkPlace] = []
        self._channels: dict[int, str] = {}
        self.dropped = 0
        self.finished = False  # is the closing part there, which a writer that was not killed leaves
        self._unpacked = lru_cache(maxsize=_CACHED_CHUNKS)(self._unpack)
        try:
            self._check_magic()
            self._walk()
        except ValueError:
            self.close()
            raise

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(self._channels.values())

    @property
    def end_ns(self) -> int:
        """Latest log time of any message, 0 when there is none."""
        return max((chunk.end_ns for chunk in self._chunks), default=0)

    def messages(self, topic: str, start_ns: int = 0) -> Iterator[tuple[int, bytes]]:
        """(log_time_ns, payload) of a topic in the order written, from `start_ns` on; nothing if there is no such topic."""
        ids = {channel for channel, name in self._channels.items() if name == topic}
        for position, chunk in enumerate(self._chunks):
            if chunk.end_ns < start_ns:
                continue
            for channel in ids & chunk.messages.keys():
                data = self._unpacked(position)
                for log_ns, offset in chunk.messages[channel]:
                    if log_ns >= start_ns:
                        yield log_ns, _payload(data, offset)

    def locate(self, topic: str) -> dict[int, tuple[int, int]]:
        """Log time -> (chunk, offset) of every message of a topic, for `payload_at`."""
        ids = {channel for channel, name in self._channels.items() if name == topic}
        return {
            log_ns: (position, offset)
            for position, chunk in enumerate(self._chunks)
            for channel in ids & chunk.messages.keys()
            for log_ns, offset in chunk.messages[channel]
        }

    def payload_at(self, place: tuple[int, int]) -> bytes:
        """Payload of a message that `locate` named."""
        return _payload(self._unpacked(place[0]), place[1])

    def close(self) -> None:
        self._file.close()

    def _check_magic(self) -> None:
        if self._size == 0:
            raise ValueError(
                f"{self.path} is empty, expected an episode log: its drive died at once; drive it again"
            )
        if self._file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
            raise ValueError(f"{self.path} is no MCAP file, expected an episode log (log.mcap of a drive)")

    def _walk(self) -> None:
        position = len(MCAP0_MAGIC)
        while position + _RECORD.size <= self._size:
            self._file.seek(position)
            opcode, length = _RECORD.unpack(self._file.read(_RECORD.size))
            if position + _RECORD.size + length > self._size:
                break
            if opcode == Opcode.CHUNK:
                self._add_chunk(position + _RECORD.size, length)
            elif opcode == Opcode.MESSAGE_INDEX and self._chunks:
                channel, places = _index_of(self._file.read(length))
                self._chunks[-1].messages[channel] = places
            elif opcode == Opcode.DATA_END:
                self.finished = True
                break
            position += _RECORD.size + length
        if not self.finished:
            self.dropped = self._size - position
            if self._chunks:  # its index may be cut off
                self._chunks[-1].messages = self._index(len(self._chunks) - 1)
        self._read_channels()

    def _add_chunk(self, offset: int, length: int) -> None:
        _, end_ns = _TIMES.unpack(self._file.read(_TIMES.size))
        self._chunks.append(_ChunkPlace(offset, length, end_ns))

    def _read_channels(self) -> None:
        """Names of all channels: each is described in the chunk of its first message or an earlier one."""
        for position, chunk in enumerate(self._chunks):
            if chunk.messages.keys() - self._channels.keys():
                data = self._unpacked(position)
                for opcode, start, length in _records(data):
                    if opcode == Opcode.CHANNEL:
                        channel = Channel.read(ReadDataStream(BytesIO(data[start : start + length])))
                        self._channels[channel.id] = channel.topic

    def _index(self, position: int) -> dict[int, list[tuple[int, int]]]:
        data = self._unpacked(position)
        places: dict[int, list[tuple[int, int]]] = {}
        for opcode, start, _ in _records(data):
            if opcode == Opcode.MESSAGE:
                channel, _, log_ns, _ = _MESSAGE.unpack_from(data, start)
                places.setdefault(channel, []).append((log_ns, start - _RECORD.size))
        return places

    def _unpack(self, position: int) -> bytes:
        place = self._chunks[position]
        self._file.seek(place.offset)
        chunk = Chunk.read(ReadDataStream(BytesIO(self._file.read(place.length))))
        try:
            stream, length = get_chunk_data_stream(chunk, validate_crc=True)
        except (CRCValidationError, zstandard.ZstdError) as error:
            raise ValueError(
                f"{self.path} is damaged at byte {place.offset}: {error}; copy it again"
            ) from error
        return stream.read(length)


def _index_of(data: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Channel and (log_time_ns, offset) of its messages, of a message index; a long log has some ten thousand of them."""
    channel, length = _INDEX.unpack_from(data)
    return channel, list(_PLACE.iter_unpack(data[_INDEX.size : _INDEX.size + length]))


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(opcode, start of content, length of content) of the records in an unpacked chunk."""
    position = 0
    while position < len(data):
        opcode, length = _RECORD.unpack_from(data, position)
        yield opcode, position + _RECORD.size, length
        position += _RECORD.size + length


def _payload(data: bytes, offset: int) -> bytes:
    _, length = _RECORD.unpack_from(data, offset)
    return data[offset + _RECORD.size + _MESSAGE.size : offset + _RECORD.size + length]
