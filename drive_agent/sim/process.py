"""The embedded server as a child process: start, wait until it listens, stop with everything it started."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import IO

_LISTENING = "listening on "
_STOP_PATIENCE_S = 5.0
_TAIL_LINES = 5


class ServerError(RuntimeError):
    """The server did not come up; the text says why, with the last lines that it wrote."""


class ServerProcess:
    """A running embedded server. A context manager; also ends with its parent, by itself.

    Unless told otherwise it starts in synchronous mode: nothing moves before a client ticks, so runs repeat exactly.
    """

    def __init__(
        self,
        town: str,
        port: int = 0,
        seed: int = 0,
        threads: int = 1,
        *,
        maps: str | None = None,
        recordings: str | None = None,
        rendering: bool = True,
        synchronous: bool = True,
        timeout_s: float = 180.0,
    ) -> None:
        command = [
            sys.executable,
            "-m",
            "drive_agent.sim",
            "--town",
            town,
            "--port",
            str(port),
            "--seed",
            str(seed),
        ]
        command += ["--threads", str(threads), "--parent-pid", str(os.getpid())]
        if maps is not None:
            command += ["--maps", maps]
        if recordings is not None:
            command += ["--recordings", recordings]
        if not rendering:
            command.append("--no-rendering")
        if synchronous:
            command.append("--synchronous")
        # a file, not a pipe: nobody has to read it for the server to live
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True
        )
        try:
            self.host, self.port = self._wait_until_listening(timeout_s)
        except BaseException:
            self.stop()
            raise

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._child.poll()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def log_tail(self, lines: int = _TAIL_LINES) -> str:
        """The last lines that the server wrote to its log."""
        # read in place: the server writes where the file's position is, which it shares with us
        written = os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0)
        return "\n".join(written.decode(errors="replace").strip().splitlines()[-lines:])

    def stop(self) -> None:
        """End the server and its children; harmless when it has ended already."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_STOP_PATIENCE_S)
                break
        if self._child.stdout is not None:
            self._child.stdout.close()

    def _wait_until_listening(self, timeout_s: float) -> tuple[str, int]:
        assert self._child.stdout is not None
        deadline, received = time.monotonic() + timeout_s, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            while b"\n" not in received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ServerError(
                        f"the server did not listen within {timeout_s:.0f} s:\n{self.log_tail()}"
                    )
                chunk = os.read(self._child.stdout.fileno(), 4096)
                if not chunk:
                    status = self._child.wait()
                    raise ServerError(f"the server ended with status {status}:\n{self.log_tail()}")
                received += chunk
        line = received.decode().splitlines()[0]
        if not line.startswith(_LISTENING):
            raise ServerError(f"the server said {line!r}: expected {_LISTENING!r} and an address")
        host, _, port = line.removeprefix(_LISTENING).rpartition(":")
        return host, int(port)

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
