"""One client's RPC socket: bytes to requests, results to bytes. Knows nothing of what the requests ask."""

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import Any, Protocol

import msgpack

from drive_agent.sim.batch_controls import METHOD, read_batch
from drive_agent.sim.rpc import Client
from drive_agent.sim.wire import Packed, pack

log = logging.getLogger("drive_agent.sim")

_MAX_MESSAGE_BYTES = 256 * 2**20
_MOST_UNREAD_BYTES = 64 * 2**20  # answers that wait for a client to read them
_REQUEST, _RESPONSE, _NOTIFICATION = 0, 1, 2
_RESPONSE_WITHOUT_ERROR = b"\x94\x01", b"\xc0"  # before and after the message's id; then the result


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request of one connection; `message_id` is None for a notification."""

    connection: "RpcConnection"
    message_id: int | None
    method: str
    arguments: list[Any]
    nobody_waits: bool  # for the reply


class Owner(Protocol):
    """Who serves the requests."""

    def connected(self, client: Client, connection: socket.socket) -> None:
        """A client is there."""

    def enqueue(self, requests: list[Request]) -> None:
        """It asks."""

    def forget_client(self, client: Client) -> None:
        """It is gone."""


class RpcConnection(asyncio.Protocol):
    """One client's RPC socket: msgpack objects without framing."""

    def __init__(self, owner: Owner, client: Client) -> None:
        self.client = client
        self._owner = owner
        self._unpacker = msgpack.Unpacker(
            raw=False, strict_map_key=False, max_buffer_size=_MAX_MESSAGE_BYTES, unicode_errors="replace"
        )
        self._fed = self._whole = 0  # bytes given to the unpacker, and of them those of whole messages
        self._transport: asyncio.Transport | None = None
        self.is_cut_off = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._owner.connected(self.client, connection)

    def data_received(self, data: bytes) -> None:
        """asyncio."""
        batch = read_batch(data) if self._whole == self._fed else None
        if batch is not None:
            self._owner.enqueue([Request(self, batch.message_id, METHOD, [batch], batch.nobody_waits)])
            return
        try:
            self._unpacker.feed(data)
            self._fed += len(data)
            requests = []
            for message in self._unpacker:
                requests.append(self._request(message))
                self._whole = self._unpacker.tell()
        except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
            log.warning("a client sent what is no msgpack-rpc (%s): connection closed", error)
            self._close()
            return
        self._owner.enqueue(requests)

    def _request(self, message: Any) -> Request:
        """`[0, id, method, [metadata, *arguments]]` or `[2, method, [metadata, *arguments]]`."""
        if isinstance(message, list) and len(message) == 4 and message[0] == _REQUEST:
            _, message_id, method, arguments = message
        elif isinstance(message, list) and len(message) == 3 and message[0] == _NOTIFICATION:
            message_id, (_, method, arguments) = None, message
        else:
            raise ValueError(f"message {str(message)[:80]!r}")
        if not isinstance(method, str) or not isinstance(arguments, list):
            raise ValueError(f"request {str(message)[:80]!r}")
        metadata = arguments[0] if arguments else None
        nobody_waits = message_id is None or metadata == [True]
        return Request(self, message_id, method, arguments[1:], nobody_waits)

    def reply(self, message_id: int, result: Any) -> None:
        """Answer a request, unless the client is gone; one that asks and does not read is cut off."""
        if self._transport is not None and not self._transport.is_closing():
            if self._transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
                log.warning("client %d does not read its answers: cut off", self.client.id)
                self.is_cut_off = True
                self._transport.abort()
                return
            before, after = _RESPONSE_WITHOUT_ERROR
            packed = result if isinstance(result, Packed) else pack(result)
            self._transport.write(before + pack(message_id) + after + packed)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        self._owner.forget_client(self.client)

    def pause_writing(self) -> None:
        """asyncio: a client that asks but does not read its answers is not read from either."""
        self.pause_reading()

    def resume_writing(self) -> None:
        """asyncio."""
        self.resume_reading()

    def pause_reading(self) -> None:
        """Take no more requests."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take requests again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
