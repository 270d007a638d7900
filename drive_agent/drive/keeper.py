"""Runs a command and ends it, with all that it started, when whoever called is gone. Leads the command's process group.

python -m drive_agent.drive.keeper COMMAND ...     (stdin: a pipe that the caller holds open)
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(words: list[str]) -> int:
    """Run the command; returns its status as a shell does. The pipe on stdin closes with the caller, however that one ends."""
    try:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"{words[0]!r} cannot be started ({error.strerror}); give the path of a program\n")
        return 127
    threading.Thread(target=_follow_caller, daemon=True).start()
    status = child.wait()
    return status if status >= 0 else 128 - status


def _follow_caller() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
