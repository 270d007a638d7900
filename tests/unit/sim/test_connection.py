"""Bytes of a socket to requests, however they are cut, and results to bytes."""

from __future__ import annotations

import socket
from typing import Any, cast

import msgpack
import pytest

from drive_agent.sim.batch_controls import ControlBatch
from drive_agent.sim.connection import Request, RpcConnection
from drive_agent.sim.maps import build_town
from drive_agent.sim.rpc import Client
from drive_agent.sim.wire import Packed, pack
from drive_agent.sim.world import World
from tests.conformance.conftest import ONE_STREET

CONTROLS = [[[2, [actor, [0.5, 0.0, 0.0, False, False, False, 0]]]] for actor in (2, 300)]
BATCH = cast(bytes, msgpack.packb([0, 7, "apply_batch", [[False], CONTROLS, False]], use_single_float=True))


class Queue:
    """Keeps what is asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def connected(self, client: Client, connection: socket.socket) -> None:
        """Not called here."""

    def enqueue(self, requests: list[Request]) -> None:
        self.requests += requests

    def forget_client(self, client: Client) -> None:
        """Not called here."""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(World(build_town("OneStreet", ONE_STREET), seed=0), 1)


def asked(client: Client, *chunks: bytes) -> list[Request]:
    queue = Queue()
    connection = RpcConnection(queue, client)
    for chunk in chunks:
        connection.get_buffer(-1)[: len(chunk)] = chunk
        connection.buffer_updated(len(chunk))
    return queue.requests


def plain(request: Request) -> tuple[int | None, str, Any]:
    """With the commands of a batch as values, whoever has read them."""
    first, *others = request.arguments
    if isinstance(first, ControlBatch):
        return request.message_id, request.method, [first.commands, False]
    return request.message_id, request.method, [first, *others]


def test_a_batch_alone_is_read_from_its_bytes(client: Client) -> None:
    (request,) = asked(client, BATCH)
    assert isinstance(request.arguments[0], ControlBatch)
    assert plain(request) == (7, "apply_batch", [CONTROLS, False])


@pytest.mark.parametrize("cut", range(1, len(BATCH), 7))
def test_cuts_make_no_difference(client: Client, cut: int) -> None:
    before = pack([0, 6, "log", [[False], "text"]])
    requests = asked(client, before + BATCH[:cut], BATCH[cut:], BATCH, BATCH[:cut], BATCH[cut:] + before)
    batch = (7, "apply_batch", [CONTROLS, False])
    assert [plain(request) for request in requests] == [
        (6, "log", ["text"]),
        *[batch] * 3,
        (6, "log", ["text"]),
    ]
    assert isinstance(requests[2].arguments[0], ControlBatch)  # which came whole, after whole ones


def test_a_batch_within_a_text_is_text(client: Client) -> None:
    """A chunk amid a message is never taken for one."""
    message = pack([0, 8, "log", [[False], BATCH]])
    start = message.index(BATCH)
    requests = asked(client, message[:start], BATCH, message[start + len(BATCH) :], BATCH)
    assert [request.method for request in requests] == ["log", "apply_batch"]


class Wire:
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.waiting = 0  # bytes that the other end does not read

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes) -> None:
        self.sent.extend(data)

    def abort(self) -> None:
        self.sent.clear()

    def pause_reading(self) -> None:
        """Nobody reads here."""


def connected(client: Client) -> tuple[RpcConnection, Wire]:
    connection, wire = RpcConnection(Queue(), client), Wire()
    connection._transport = wire  # type: ignore[assignment]
    return connection, wire


@pytest.mark.parametrize("result", [[[1, 5]], Packed(pack([[1, 5]]))])
def test_a_reply_is_a_response_without_error(client: Client, result: Any) -> None:
    connection, wire = connected(client)
    connection.reply(70_000, result)
    assert msgpack.unpackb(bytes(wire.sent)) == [1, 70_000, None, [[1, 5]]]
    assert not connection.is_cut_off


def test_who_does_not_read_its_answers_is_cut_off(client: Client) -> None:
    connection, wire = connected(client)
    connection.pause_writing()
    connection.reply(1, [[1, 5]])
    assert not connection.is_cut_off
    wire.waiting = 2**30
    connection.reply(2, [[1, 5]])
    assert connection.is_cut_off
    assert wire.sent == b""


def test_an_answer_nested_too_deep_is_an_error(client: Client) -> None:
    nested: list = []
    for _ in range(2000):
        nested = [nested]
    connection, wire = connected(client)
    connection.reply(3, [[1, nested]])
    kind, number, error, ((success, (text,)),) = msgpack.unpackb(bytes(wire.sent))
    assert (kind, number, error, success) == (1, 3, None, 0)
    assert "cannot be packed" in text
