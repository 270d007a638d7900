"""msgpack-rpc without the client's good manners: for calls that its Python side does not have, and for wrong ones."""

from __future__ import annotations

import socket

import msgpack

from drive_agent.sim.process import ServerProcess


class RawClient:
    """One RPC connection."""

    def __init__(self, server: ServerProcess) -> None:
        self._socket = socket.create_connection((server.host, server.port), timeout=20.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        self._next = 0

    def call(self, method: str, *arguments: object) -> list:
        """The result as it came, for example `[[1, value]]`."""
        self._next += 1
        self.send(msgpack.packb([0, self._next, method, [[False], *arguments]]))
        while True:
            number, result = self.receive()
            if number == self._next:
                return result

    def receive(self) -> tuple[int, list]:
        """The next reply: its number and its result."""
        while True:
            for kind, number, error, result in self._unpacker:
                assert kind == 1
                assert error is None
                return number, result
            data = self._socket.recv(1 << 16)
            assert data, "the server hung up"
            self._unpacker.feed(data)

    def value(self, method: str, *arguments: object) -> object:
        """The value of a call that returns one and succeeds."""
        ((status, value),) = self.call(method, *arguments)
        assert status == 1, value
        return value

    def error(self, method: str, *arguments: object) -> str:
        """The text of a call that fails, whether or not it would return something."""
        ((status, (text,)),) = self.call(method, *arguments)
        assert status in (0, True)
        return text

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hung_up(self) -> bool:
        """Whether the server closed the connection."""
        self._socket.settimeout(10.0)
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._socket.close()
