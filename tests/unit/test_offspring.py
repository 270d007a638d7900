"""A pool's processes end with their parent, even one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

_PARENT = """
import os, time
from drive_agent.offspring import process_pool

if __name__ == "__main__":
    print(process_pool(1).submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_nobody_is_left_behind_by_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)  # it lives
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20.0
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}")
