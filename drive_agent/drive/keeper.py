"""Runs a command and ends it, with all that it started, when it is told to or when whoever called is gone.

    python -m drive_agent.drive.keeper COMMAND ...     (stdin: a pipe that the caller holds open)

What the command starts in sessions of its own comes back to the keeper when its parent ends (Linux: a "subreaper"), so
nothing of it is left, and nothing has to be looked for by name.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_CALLER_IS_GONE = 1


def main(words: list[str]) -> int:
    """Run the command; returns its status as a shell does. The pipe on stdin closes with the caller, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"{words[0]!r} cannot be started ({error.strerror}); give the path of a program\n")
        return 127
    threading.Thread(target=_follow_caller, daemon=True).start()
    status = child.wait()
    end_descendants()
    return status if status >= 0 else 128 - status


def _follow_caller() -> None:
    while os.read(0, 4096):
        pass
    end_descendants()
    os._exit(_CALLER_IS_GONE)


def end_descendants() -> None:
    """End everything below this process; again, until nothing new comes up meanwhile."""
    while pids := [pid for pid in descendants(os.getpid()) if not _is_dead(pid)]:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> Iterator[int]:
    """Process ids of children, their children, and so on."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield child
                yield from descendants(child)


def _is_dead(pid: int) -> bool:
    """Gone, or waiting to be asked how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
