"""Runs of `drive-agent drive` as child processes, what they started, and how to spoil them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LONE = ("video=false", "traffic.vehicles=0", "traffic.walkers=0")
ROUTES = """<routes>{routes}</routes>"""
ROUTE = """<route id="{id}" town="Brookfield"><waypoints>
<position x="58.3" y="12.8" z="0.0"/><position x="{x}" y="{y}" z="0.0"/>
</waypoints><scenarios/></route>"""
GOALS = {
    "7": (118.1, 12.2),
    "8": (113.1, 12.6),
    "9": (108.1, 13.0),
}  # down the same street, driven in this order
WORKER, SERVER = "multiprocessing.spawn", "drive_agent.sim"
PATIENCE_S = 500.0  # the machine may be shared


def write_routes(folder: Path, count: int = 2) -> Path:
    """A route file of 50 to 60 m each."""
    path = folder / "short.xml"
    routes = [ROUTE.format(id=name, x=x, y=y) for name, (x, y) in list(GOALS.items())[:count]]
    path.write_text(ROUTES.format(routes="".join(routes)))
    return path


class Run:
    """One run folder and the process that drives into it."""

    def __init__(self, folder: Path, *words: str, prepare: Callable[[], None] | None = None) -> None:
        self.folder = folder
        self.words = ["drive", f"out={folder}", *LONE, *words]
        self._log = (folder.parent / f"{folder.name}.txt").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drive_agent", *self.words],
            stdout=self._log, stderr=subprocess.STDOUT, preexec_fn=prepare, start_new_session=True,
        )  # fmt: skip

    @property
    def said(self) -> str:
        return Path(self._log.name).read_text()

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE_S)

    def find(self, what: str) -> int | None:
        """The process id of one of its workers or servers, None while there is none."""
        return next((pid for pid in children(self.process.pid) if what in command_of(pid)), None)

    def await_(self, what: str) -> int:
        """Wait until there is one."""
        return until(lambda: self.find(what))

    def await_drive(self) -> None:
        """Wait until the log of some route grows: a drive is under way."""
        until(lambda: any(log.stat().st_size > 60_000 for log in self.folder.glob("routes/*/log.mcap")))


def until(found: Callable[[], object]) -> int:
    """Wait for something true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = found()
        if value:
            return int(value) if isinstance(value, int) else 1
        time.sleep(0.05)
    raise TimeoutError("what the test waits for did not come")


def children(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, path.read_text().split())
        except FileNotFoundError:
            continue


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def scores(folder: Path) -> list[dict]:
    """The records of results.json without what hangs on the clock on the wall."""
    records = json.loads((folder / "results.json").read_text())["_checkpoint"]["records"]
    for record in records:
        del record["meta"]["duration_system"]
    return records


def finishes(folder: Path) -> list[str]:
    """Which routes were entered as finished, in order: none may come twice."""
    rows = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    return [row["route_id"] for row in rows if row.get("record")]


def reasons(folder: Path) -> list[str]:
    """Why tries had to be repeated."""
    rows = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    return [row["reason"] for row in rows if "route_id" in row and row["record"] is None]


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of a few megabytes. Raises PermissionError where none can be made."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        raise PermissionError("a file system can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
