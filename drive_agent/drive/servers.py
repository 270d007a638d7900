"""The simulators that a run drives on: embedded, launched by a command, or already running. Started, asked, ended.

Whatever was started here ends with all its children, never by its name. Knows nothing of routes.
"""

from __future__ import annotations

import shlex
import signal
import socket
import time
from typing import Protocol

import msgpack

from drive_agent.config import CarlaConfig, RunnerConfig
from drive_agent.drive.kept import KeptProcess
from drive_agent.sim.process import ServerError, ServerProcess

PING_S = 5.0  # a server that is well answers at once
_ASK_AGAIN_S = 0.5
_PORTS = 3  # CARLA's own: calls, streams, and a second server
_PORT_STEP = 10
_HIGHEST_PORT = 65000


class Server(Protocol):
    """A simulator that answers at `host`:`port`."""

    host: str
    port: int

    def ended(self) -> str | None:
        """Why the server is gone, as far as that can be known here; None while it is there."""
        ...

    def stop(self) -> None:
        """End it, if it was started here."""
        ...


class RunningServer:
    """One that others started. Raises ServerError when nothing answers there within `patience_s`."""

    def __init__(self, host: str, port: int, patience_s: float) -> None:
        self.host, self.port = host, port
        deadline = time.monotonic() + patience_s
        while not answers(host, port, min(PING_S, patience_s)):
            if time.monotonic() > deadline:
                raise ServerError(
                    f"no CARLA server answers at {host}:{port} within {patience_s:.0f} s; start one"
                    f" (`drive-agent sim port={port}`) or use carla=embedded"
                )
            time.sleep(_ASK_AGAIN_S)

    def ended(self) -> str | None:
        return None

    def stop(self) -> None:
        pass


class EmbeddedServer:
    """Our own, in a process of its own."""

    def __init__(self, config: CarlaConfig, town: str, seed: int, port: int) -> None:
        self._process = ServerProcess(town, port=port, seed=seed, threads=config.threads, maps=config.maps)
        self.host, self.port = self._process.host, self._process.port

    def ended(self) -> str | None:
        if self._process.alive:
            return None
        return ended_text("the server", self._process.status, self._process.log_tail(1))

    def stop(self) -> None:
        self._process.stop()


class LaunchedServer:
    """One that a command of the user starts, for instance CarlaUE4.sh; all that the command starts ends with it.

    Raises ServerError when it ends or stays silent for `patience_s`.
    """

    def __init__(self, command: str, host: str, port: int, worker: int, patience_s: float) -> None:
        self.host, self.port = host, port
        self._process = KeptProcess(shlex.split(command.format(port=port, worker=worker)))
        try:
            self._wait_until_it_answers(patience_s)
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_answers(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while not answers(self.host, self.port, PING_S):
            gone = self.ended()
            if gone or time.monotonic() > deadline:
                raise ServerError(
                    gone or f"carla.command answers nothing at port {self.port} within {patience_s:.0f} s"
                )
            time.sleep(_ASK_AGAIN_S)

    def ended(self) -> str | None:
        status = self._process.status
        if status is None:
            return None
        return ended_text("the command of carla.command", status, self._process.last_line())

    def stop(self) -> None:
        self._process.stop()


def start_server(carla: CarlaConfig, runner: RunnerConfig, worker: int, town: str, seed: int) -> Server:
    """The server of worker 0, 1, ...; returns when it answers. Raises ServerError when it does not."""
    if carla.kind == "embedded":
        return EmbeddedServer(carla, town, seed, carla.port + worker if carla.port else 0)
    if carla.kind == "launched":
        assert carla.command is not None
        port = free_port(carla.port + worker * _PORT_STEP)
        return LaunchedServer(carla.command, carla.host, port, worker, runner.start_s)
    host, port = carla.host, carla.port
    if carla.servers:
        host, _, text = carla.servers[worker].rpartition(":")
        port = int(text)
    return RunningServer(host, port, carla.timeout_s)


def answers(host: str, port: int, patience_s: float) -> bool:
    """Does a CARLA server answer a call there? Asked without the carla client, which may take its process down."""
    try:
        with socket.create_connection((host, port), timeout=patience_s) as line:
            line.settimeout(patience_s)
            line.sendall(msgpack.packb([0, 1, "version", []]))
            unpacker = msgpack.Unpacker()
            while data := line.recv(4096):
                unpacker.feed(data)
                for answer in unpacker:
                    return isinstance(answer, list) and answer[:3] == [1, 1, None]
    except OSError:
        return False
    return False


def ended_text(what: str, status: int | None, last_words: str = "") -> str:
    """How a process ended, for people: by which signal, or with which status, and what it wrote last."""
    if status is not None and status < 0:
        how = f"was ended by signal {-status} ({signal.Signals(-status).name})"
    else:
        how = f"ended with status {status}"
    return f"{what} {how}" + (f": {last_words}" if last_words else "")


def free_port(first: int) -> int:
    """The first port from here on with free ones behind it, as many as CARLA needs."""
    for port in range(first, _HIGHEST_PORT, _PORT_STEP):
        if all(_is_free(port + k) for k in range(_PORTS)):
            return port
    raise ServerError(f"carla.port={first}: no {_PORTS} free ports from here on; give another carla.port=")


def _is_free(port: int) -> bool:
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("", port))
        except OSError:
            return False
    return True
