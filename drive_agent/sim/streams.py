"""The streaming port: one TCP connection per subscriber and stream, with bounded buffers.

A subscriber that does not read: in synchronous mode ticks wait for it, for a while, then it is cut off; in asynchronous
mode it misses messages. Either way the server's memory does not grow.

A client asks for a stream's token before it connects. In synchronous mode the next tick waits for that connection, so
that what a sensor delivers does not hang on how fast a socket was opened.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable

from drive_agent.sim.wire import WORLD_STREAM_ID

log = logging.getLogger("drive_agent.sim")

BUFFER_LIMIT_BYTES = 32 * 2**20
PROMISE_S = 2.0  # so long a tick waits for a promised subscriber
_LENGTH = struct.Struct("<I")
_ID_BYTES = 4

Part = bytes | memoryview


class Streams:
    """Subscribers by stream id."""

    def __init__(self, current_snapshot: Callable[[], bytes], on_drained: Callable[[], None]) -> None:
        self._subscribers: dict[int, list[Subscriber]] = {}
        self._current_snapshot = current_snapshot
        self._on_drained = on_drained
        self._closed: set[int] = set()
        self.congested: set[Subscriber] = set()
        self.promised: set[int] = set()  # streams whose token a client has just asked for, to subscribe next

    def __contains__(self, stream_id: int) -> bool:
        return stream_id in self._subscribers

    def new_subscriber(self) -> "Subscriber":
        """Protocol factory of the listening socket."""
        return Subscriber(self)

    def send(self, stream_id: int, *parts: Part) -> None:
        """One message to every subscriber that is not congested."""
        subscribers = self._subscribers.get(stream_id)
        if subscribers:
            head = _LENGTH.pack(sum(map(len, parts))) + parts[0]
            for subscriber in subscribers:
                if subscriber not in self.congested:
                    subscriber.write(head, *parts[1:])

    def promise(self, stream_id: int) -> None:
        """A client asked for the stream's token: it is about to subscribe, unless it has already or the stream is over."""
        if stream_id not in self._subscribers and stream_id not in self._closed:
            self.promised.add(stream_id)
            asyncio.get_running_loop().call_later(PROMISE_S, self._keep_promise, stream_id)

    def _keep_promise(self, stream_id: int) -> None:
        if stream_id in self.promised:
            self.promised.discard(stream_id)
            self._on_drained()

    def close(self, stream_id: int) -> None:
        """The stream is over: its sensor was destroyed."""
        self._closed.add(stream_id)
        self.promised.discard(stream_id)
        for subscriber in self._subscribers.pop(stream_id, []):
            subscriber.close()

    def cut_off_congested(self) -> None:
        """Drop the subscribers that have not read for too long."""
        for subscriber in list(self.congested):
            log.warning("stream %d: a subscriber does not read its data: cut off", subscriber.stream_id)
            subscriber.abort()

    def subscribe(self, subscriber: "Subscriber") -> None:
        """Called by a subscriber once it has said its stream id."""
        stream_id = subscriber.stream_id
        if stream_id in self._closed:
            subscriber.close()
            return
        self._subscribers.setdefault(stream_id, []).append(subscriber)
        if stream_id == WORLD_STREAM_ID:
            # without it a new client of a synchronous world would see no actors until the next tick
            snapshot = self._current_snapshot()
            subscriber.write(_LENGTH.pack(len(snapshot)) + snapshot)
        self._keep_promise(stream_id)

    def forget(self, subscriber: "Subscriber") -> None:
        """Called by a subscriber whose connection has ended."""
        self.congested.discard(subscriber)
        others = self._subscribers.get(subscriber.stream_id, [])
        if subscriber in others:
            others.remove(subscriber)
            if not others:
                del self._subscribers[subscriber.stream_id]
        self._on_drained()

    def drained(self, subscriber: "Subscriber") -> None:
        """Called by a subscriber that has caught up."""
        self.congested.discard(subscriber)
        self._on_drained()


class Subscriber(asyncio.Protocol):
    """One stream connection: the client sends the stream's id, then only reads."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.stream_id = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=BUFFER_LIMIT_BYTES, low=BUFFER_LIMIT_BYTES // 2)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """asyncio. Nothing is expected after the id."""
        if self.stream_id:
            return
        self._received += data
        if len(self._received) >= _ID_BYTES:
            (self.stream_id,) = _LENGTH.unpack(self._received[:_ID_BYTES])
            self._streams.subscribe(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        self._streams.forget(self)

    def pause_writing(self) -> None:
        """asyncio: the buffer is full."""
        self._streams.congested.add(self)

    def resume_writing(self) -> None:
        """asyncio: the buffer has room again."""
        self._streams.drained(self)

    def write(self, *parts: Part) -> None:
        """Send as much as the socket takes, buffer the rest."""
        assert self._transport is not None
        for part in parts:
            self._transport.write(part)

    def close(self) -> None:
        """End after what is buffered."""
        assert self._transport is not None
        self._transport.close()

    def abort(self) -> None:
        """End now."""
        assert self._transport is not None
        self._transport.abort()
