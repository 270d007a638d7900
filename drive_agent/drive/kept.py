"""A command of the user's as a child process, with its output in a file: watched, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_STOP_PATIENCE_S = 10.0


class KeptProcess:
    """Runs from the start on; also ends when this process ends, however that happens (`keeper`)."""

    def __init__(self, words: Sequence[str], log: Path | None = None) -> None:
        self._log: IO[bytes] = log.open("w+b") if log else tempfile.TemporaryFile()  # noqa: SIM115 - lives as long
        self._child = subprocess.Popen(
            [sys.executable, "-m", "drive_agent.drive.keeper", *words],
            stdin=subprocess.PIPE, stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip
        self._written, self._since = 0, time.monotonic()

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._child.poll()

    def last_line(self) -> str:
        """What it wrote last."""
        self._log.seek(0)
        return "".join(self._log.read().decode(errors="replace").strip().splitlines()[-1:])

    def silent_s(self) -> float:
        """For how long it has written nothing, as far as was looked."""
        written = os.fstat(self._log.fileno()).st_size
        if written != self._written:
            self._written, self._since = written, time.monotonic()
        return time.monotonic() - self._since

    def stop(self) -> None:
        """End it; harmless when it has ended already."""
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()  # the keeper ends what it keeps, and itself
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_PATIENCE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._log.close()
