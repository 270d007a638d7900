"""A server that does nothing in a tick but send what another has sent: how fast the client can go at best.

It speaks the protocol on plain sockets, lets a world that never steps answer what a client asks while it sets up, and
replays recorded snapshots, so that a traffic manager works as hard as it did when they were recorded. Started by
`python -m tests.null_server TOWN RECORDING`; `record` makes the recording. One client, one traffic manager, no sensors.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgpack

from drive_agent.sim.maps import load_town
from drive_agent.sim.ports import bind_pair
from drive_agent.sim.rpc import Client, Dispatcher
from drive_agent.sim.server import all_methods
from drive_agent.sim.settings import starting_settings
from drive_agent.sim.wakeups import QUESTION_S, call_again
from drive_agent.sim.wire import pack
from drive_agent.sim.world import World

_LENGTH = struct.Struct("<I")
_FRAME = struct.Struct("<Q")
_FRAME_AT = 8  # in a stream message
_SILENCE_S = 0.5  # of the client after a tick: a call between its threads is lost
_EACH_STEP = {"get_episode_settings", "get_vehicle_light_states", "get_weather_parameters"}
_APPLY_CONTROL = 2  # command index


class Recorder(threading.Thread):
    """Writes every snapshot of a server to a file; `stop` it after the server."""

    def __init__(self, host: str, port: int, path: Path) -> None:
        super().__init__(daemon=True)
        self._socket, self._path = socket.create_connection((host, port + 1)), path
        self._socket.sendall(_LENGTH.pack(1))
        self.start()

    def run(self) -> None:
        with self._path.open("wb") as file:
            while data := self._socket.recv(1 << 16):
                file.write(data)

    def stop(self) -> None:
        self.join(10.0)


def read_recording(path: Path) -> dict[int, bytes]:
    """Whole messages, length included, by their frame."""
    data, at, messages = path.read_bytes(), 0, {}
    while at < len(data):
        end = at + _LENGTH.size + _LENGTH.unpack_from(data, at)[0]
        messages[_FRAME.unpack_from(data, at + _LENGTH.size + _FRAME_AT)[0]] = data[at:end]
        at = end
    return messages


class NullServer:
    """Replies and replays, one request at a time."""

    def __init__(self, town: str, snapshots: dict[int, bytes]) -> None:
        self._world = World(load_town(town), 0, starting_settings(synchronous=True))
        self._client, self._dispatcher = Client(self._world, 1), Dispatcher(all_methods())
        self._snapshots = snapshots
        self._known: dict[str, bytes] = {}  # packed results that do not change
        self._streams: list[socket.socket] = []
        self._stepping = False  # the traffic manager has ended a step and is about to ask for the settings
        self._held_tick: tuple[socket.socket, int] | None = None
        self._called_s: float | None = None  # when the traffic manager was last called to a step

    def run(self) -> None:
        rpc, stream = bind_pair(0)
        self._world.stream_port = stream.getsockname()[1]
        selector = selectors.DefaultSelector()
        selector.register(rpc, selectors.EVENT_READ)
        selector.register(stream, selectors.EVENT_READ)
        print(f"listening on 127.0.0.1:{rpc.getsockname()[1]}", flush=True)  # noqa: T201 - read by the parent
        while True:
            events = selector.select(QUESTION_S if self._called_s is not None else None)
            if not events:
                self._bear_silence()
            for key, _ in events:
                if key.data is not None:
                    self._receive(selector, key.fileobj, key.data)
                elif key.fileobj is stream:
                    self._subscribe(stream.accept()[0])
                else:
                    connection = rpc.accept()[0]
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
                    selector.register(connection, selectors.EVENT_READ, unpacker)

    def _subscribe(self, stream: socket.socket) -> None:
        stream.recv(_LENGTH.size, socket.MSG_WAITALL)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        snapshot = self._world.snapshot
        stream.sendall(_LENGTH.pack(len(snapshot)) + snapshot)
        self._streams.append(stream)

    def _receive(self, selector: selectors.BaseSelector, connection: Any, unpacker: Any) -> None:
        data = connection.recv(1 << 16)
        if not data:
            selector.unregister(connection)
        unpacker.feed(data)
        for _, number, method, arguments in unpacker:
            self._answer(connection, number, method, arguments[1:])

    def _bear_silence(self) -> None:
        """Serve a tick whose question never came; call a traffic manager again that sleeps (see `sim.wakeups`)."""
        assert self._called_s is not None
        if self._held_tick is not None:
            self._serve_tick()
        elif time.monotonic() - self._called_s > _SILENCE_S:
            self._called_s = time.monotonic()
            for port in self._world.traffic_managers:
                asyncio.run(call_again(port))

    def _answer(self, connection: socket.socket, number: int, method: str, arguments: list[Any]) -> None:
        if method == "tick_cue":
            self._held_tick = connection, number
        elif method in _EACH_STEP:
            self._stepping &= method != "get_episode_settings"
            if method not in self._known:
                self._known[method] = pack(self._dispatcher.dispatch(self._client, method, arguments))
            self._reply(connection, number, self._known[method])
        elif method == "apply_batch" and all(command[0][0] == _APPLY_CONTROL for command in arguments[0]):
            self._stepping = True
            self._reply(connection, number, pack([[[1, command[0][1][0]]] for command in arguments[0]]))
        else:
            self._known.clear()
            self._reply(connection, number, pack(self._dispatcher.dispatch(self._client, method, arguments)))
        if self._held_tick is not None and not self._stepping:
            self._serve_tick()

    def _serve_tick(self) -> None:
        assert self._held_tick is not None
        (connection, number), self._held_tick = self._held_tick, None
        self._stepping, self._called_s = False, time.monotonic()
        self._world.frame += 1
        self._reply(connection, number, pack([[1, self._world.frame]]))
        for stream in self._streams:
            stream.sendall(self._snapshots[self._world.frame])

    def _reply(self, connection: socket.socket, number: int, result: bytes) -> None:
        connection.sendall(b"\x94\x01" + pack(number) + b"\xc0" + result)


class NullProcess:
    """A null server as a child process, used as `ServerProcess` is."""

    def __init__(self, town: str, recording: Path) -> None:
        command = [sys.executable, "-m", "tests.null_server", town, str(recording)]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        address = self._child.stdout.readline().removeprefix("listening on ").strip()
        self.host, self.port = address.split(":")[0], int(address.split(":")[1])
        self.pid = self._child.pid

    def __enter__(self) -> NullProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self._child.kill()
        self._child.wait()


if __name__ == "__main__":
    NullServer(sys.argv[1], read_recording(Path(sys.argv[2]))).run()
