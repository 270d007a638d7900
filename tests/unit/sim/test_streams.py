"""Buffers of the streaming port are bounded, whatever a subscriber does."""

from __future__ import annotations

import struct

from drive_agent.sim.streams import BUFFER_LIMIT_BYTES, Streams, Subscriber


class Pipe:
    """The other end of a subscriber: keeps what was written."""

    def __init__(self) -> None:
        self.written = b""
        self.limits: dict[str, int] = {}
        self.closed = self.aborted = False

    def set_write_buffer_limits(self, **limits: int) -> None:
        self.limits = limits

    def get_extra_info(self, name: str) -> Pipe:
        return self

    def setsockopt(self, *arguments: int) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


def subscribe(streams: Streams, stream_id: int, monkeypatch) -> tuple[Subscriber, Pipe]:
    monkeypatch.setattr("drive_agent.sim.streams.asyncio.Transport", Pipe)
    subscriber, pipe = streams.new_subscriber(), Pipe()
    subscriber.connection_made(pipe)
    data = struct.pack("<I", stream_id)
    subscriber.data_received(data[:1])
    subscriber.data_received(data[1:])
    return subscriber, pipe


def message(payload: bytes) -> bytes:
    return struct.pack("<I", len(payload)) + payload


def new_streams(drained: list[int]) -> Streams:
    return Streams(lambda: b"now", lambda: drained.append(1))


def test_a_message_goes_to_its_subscribers_in_one_frame(monkeypatch) -> None:
    streams = new_streams([])
    _, mine = subscribe(streams, 5, monkeypatch)
    _, other = subscribe(streams, 6, monkeypatch)
    streams.send(5, b"head", memoryview(b"pixels"))
    assert (mine.written, other.written) == (message(b"headpixels"), b"")
    assert mine.limits["high"] == BUFFER_LIMIT_BYTES


def test_the_world_greets_with_the_present_snapshot(monkeypatch) -> None:
    _, pipe = subscribe(new_streams([]), 1, monkeypatch)
    assert pipe.written == message(b"now")


def test_a_congested_subscriber_gets_nothing_until_it_has_drained(monkeypatch) -> None:
    drained: list[int] = []
    streams = new_streams(drained)
    subscriber, pipe = subscribe(streams, 5, monkeypatch)
    subscriber.pause_writing()
    for _ in range(1000):
        streams.send(5, b"frame")
    assert pipe.written == b""
    assert subscriber in streams.congested
    subscriber.resume_writing()
    assert drained == [1]
    streams.send(5, b"frame")
    assert pipe.written == message(b"frame")


def test_who_stays_congested_is_cut_off(monkeypatch) -> None:
    streams = new_streams([])
    subscriber, pipe = subscribe(streams, 5, monkeypatch)
    subscriber.pause_writing()
    streams.cut_off_congested()
    assert pipe.aborted
    subscriber.connection_lost(None)
    assert not streams.congested
    assert 5 not in streams


def test_a_closed_stream_takes_no_more_subscribers(monkeypatch) -> None:
    streams = new_streams([])
    _, first = subscribe(streams, 5, monkeypatch)
    streams.close(5)
    _, late = subscribe(streams, 5, monkeypatch)
    assert first.closed
    assert late.closed
    assert 5 not in streams
