"""One client's RPC socket: bytes to requests, results to bytes. Knows nothing of what the requests ask."""

import asyncio
import logging
import reprlib
import socket
from dataclasses import dataclass
from typing import Any, Protocol

import msgpack

from drive_agent.sim.batch_controls import METHOD, read_batch
from drive_agent.sim.rpc import Client
from drive_agent.sim.wire import Packed, pack, value_error

log = logging.getLogger("drive_agent.sim")

_MAX_MESSAGE_BYTES = 256 * 2**20
_MOST_UNREAD_BYTES = 64 * 2**20  # answers that wait for a client to read them
_REQUEST, _RESPONSE, _NOTIFICATION = 0, 1, 2
_RESPONSE_WITHOUT_ERROR = b"\x94\x01", b"\xc0"  # before and after the message's id; then the result
_BUFFER_BYTES = 64 * 2**10  # read at once


@dataclass(slots=True, eq=False)  # frozen, it would take three times as long to make
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


class RpcConnection(asyncio.BufferedProtocol):
    """One client's RPC socket: msgpack objects without framing."""

    def __init__(self, owner: Owner, client: Client) -> None:
        self.client = client
        self._owner = owner
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._unpacker = msgpack.Unpacker(
            raw=False, strict_map_key=False, max_buffer_size=_MAX_MESSAGE_BYTES, unicode_errors="replace"
        )
        self._fed = self._whole = 0  # bytes given to the unpacker, and of them those of whole messages
        self._transport: asyncio.Transport | None = None
        self._is_behind = False  # with reading its answers
        self.is_cut_off = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._owner.connected(self.client, connection)

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio: where to put what comes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: it is there."""
        data = bytes(self._buffer[:nbytes])
        batch = read_batch(data) if self._whole == self._fed else None
        if batch is not None:
            self._owner.enqueue([Request(self, batch.message_id, METHOD, [batch], batch.nobody_waits)])
            return
        requests = []
        try:
            self._unpacker.feed(data)
            self._fed += nbytes
            while self._whole < self._fed:
                requests.append(self._request(self._unpacker.unpack()))
                self._whole = self._unpacker.tell()
        except msgpack.OutOfData:  # the rest of a message is to come
            pass
        except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
            log.warning("a client sent what is no msgpack-rpc (%s): connection closed", error)
            self._close()
            return
        self._owner.enqueue(requests)

    def _request(self, message: Any) -> Request:
        """`[0, id, method, [metadata, *arguments]]` or `[2, method, [metadata, *arguments]]`."""
        if isinstance(message, list) and len(message) == 4 and message[0] == _REQUEST:
            _, message_id, method, arguments = message
            if not isinstance(message_id, int):
                raise ValueError(f"number {reprlib.repr(message_id)}")
        elif isinstance(message, list) and len(message) == 3 and message[0] == _NOTIFICATION:
            message_id, (_, method, arguments) = None, message
        else:
            raise ValueError(f"message {reprlib.repr(message)}")
        if not isinstance(method, str) or not isinstance(arguments, list):
            raise ValueError(f"request {reprlib.repr(message)}")
        metadata = arguments[0] if arguments else None
        nobody_waits = message_id is None or metadata == [True]
        return Request(self, message_id, method, arguments[1:], nobody_waits)

    def reply(self, message_id: int, result: Any) -> None:
        """Answer a request, unless the client is gone; one that asks and does not read is cut off."""
        if self._transport is not None and not self._transport.is_closing():
            if self._is_behind and self._transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
                log.warning("client %d does not read its answers: cut off", self.client.id)
                self.is_cut_off = True
                self._transport.abort()
                return
            self._transport.write(_response(message_id, result))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        self._owner.forget_client(self.client)

    def pause_writing(self) -> None:
        """asyncio: a client that asks but does not read its answers is not read from either."""
        self._is_behind = True
        self.pause_reading()

    def resume_writing(self) -> None:
        """asyncio."""
        self._is_behind = False
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


def _response(message_id: int, result: Any) -> bytes:
    if isinstance(result, Packed):
        before, after = _RESPONSE_WITHOUT_ERROR
        return before + pack(message_id) + after + result
    try:
        return pack([_RESPONSE, message_id, None, result])
    except ValueError as error:  # it repeats what a client has sent, nested as deep as can be
        return pack([_RESPONSE, message_id, None, value_error(f"the answer cannot be packed: {error}")])
