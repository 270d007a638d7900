"""Whether the threads of clients that run a traffic manager sleep, so that none of them misses its wake-up.

In the client (LibCarla 0.9.16, `TrafficManagerLocal`) two threads take turns: the one inside `world.tick()` and the
manager's worker. Each sets a flag and notifies a condition variable without holding the mutex; the other misses the call
when it has just tested the flag and is about to fall asleep, and then both sleep for ever. The worker makes this likely:
between the end of a step and its sleep it asks for the episode's settings, so the next tick and the answer to that question
set both threads off together, and one call in some two thousand was lost.

Both calls follow from a reply of this server, so it can choose the moment: when everyone sleeps and nothing that they have
asked is unanswered. A thread's state is read from /proc. What cannot be seen there (a client behind a tunnel) is not
waited for.
"""

import array
import contextlib
import fcntl
import logging
import os
import socket
import termios
import time
from pathlib import Path

log = logging.getLogger("drive_agent.sim")

PATIENCE_S = 0.1  # who is awake for so long is busy with something of its own
_LEAST_PATIENCE_S = 0.002
_LOOK_S = 0.0001  # so long the next moment is waited for: a thread that has a processor is asleep by then
_STATE_BYTES = 64  # of a thread's stat: number, name of at most 16 bytes, state
_HANDS_OVER = "client"  # rpclib's thread: it takes the replies in and wakes who waits for them


class ManagerThreads:
    """The clients in `managers` (port -> address, client id)."""

    def __init__(self, managers: dict[int, tuple[str, int]]) -> None:
        self._managers = managers
        self._sockets: dict[int, socket.socket] = {}
        self._threads: dict[int, Threads | None] = {}

    def connected(self, client_id: int, connection: socket.socket) -> None:
        """A client is there, at the other end of this socket."""
        self._sockets[client_id] = connection

    def forget(self, client_id: int) -> None:
        """The client is gone."""
        self._sockets.pop(client_id, None)
        threads = self._threads.pop(client_id, None)
        if threads is not None:
            threads.close()

    def sleep(self) -> bool:
        """Whether all of them sleep, having asked nothing that is still unread."""
        return all(self._sleeps(client_id) for client_id in {owner for _, owner in self._managers.values()})

    def seen_awake(self, client_id: int) -> bool:
        """Whether a thread of the client that can be seen does not sleep, for whatever reason."""
        threads = self._threads_of(client_id)
        return threads is not None and bool(threads.awake())

    def _threads_of(self, client_id: int) -> "Threads | None":
        if client_id not in self._threads:
            self._threads[client_id] = _threads_behind(self._sockets[client_id])
        return self._threads[client_id]

    def _sleeps(self, client_id: int) -> bool:
        connection, threads = self._sockets[client_id], self._threads_of(client_id)
        if threads is None:
            return True
        end_s = time.monotonic() + _LOOK_S
        while not threads.sleep():
            if time.monotonic() > end_s:
                return False
        return unread_bytes(connection) == 0


class Threads:
    """The threads of one process, looked at in the order in which they wake one another."""

    def __init__(self, process: int) -> None:
        self._folder = Path(f"/proc/{process}/task")
        self._count = 0  # links of the folder when it was listed
        self._stats: dict[str, int] = {}  # thread -> open descriptor of its stat
        self._awake_since_s: float | None = None
        self._busy: set[str] = set()  # not waited for until they are seen asleep
        self._patience_s = PATIENCE_S

    def sleep(self) -> bool:
        """Whether every thread that is not busy sleeps."""
        awake = self.awake()
        self._busy &= awake
        if awake == self._busy:
            self._awake_since_s, self._patience_s = None, min(PATIENCE_S, 2 * self._patience_s)
            return True
        now_s = time.monotonic()
        self._awake_since_s = self._awake_since_s or now_s
        if now_s - self._awake_since_s <= self._patience_s:
            return False
        # threads that take turns being awake must not be waited for as long again and again
        self._busy, self._awake_since_s = awake, None
        self._patience_s = max(_LEAST_PATIENCE_S, self._patience_s / 2)
        return True

    def awake(self) -> set[str]:
        """Threads that run or could; none when the process is gone."""
        try:
            while True:
                if os.stat(self._folder).st_nlink != self._count:
                    self._list()
                with contextlib.suppress(ProcessLookupError):  # a thread has ended, perhaps for another
                    return {thread for thread, stat in self._stats.items() if not _sleeps(stat)}
                self._count = 0
        except FileNotFoundError:
            return set()

    def close(self) -> None:
        """Close what was opened."""
        for descriptor in self._stats.values():
            os.close(descriptor)
        self._stats.clear()

    def _list(self) -> None:
        self.close()
        self._count = os.stat(self._folder).st_nlink
        names: dict[str, str] = {}
        for thread in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self._stats[thread.name] = os.open(thread / "stat", os.O_RDONLY)
                names[thread.name] = (thread / "comm").read_text().strip()
        self._stats = dict(sorted(self._stats.items(), key=lambda item: names.get(item[0]) != _HANDS_OVER))


def _sleeps(stat: int) -> bool:
    line = os.pread(stat, _STATE_BYTES, 0)
    return line[line.rindex(b")") + 2 :].startswith(b"S")


def unread_bytes(connection: socket.socket) -> int:
    """How much the other end has sent that was not read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(connection.fileno(), termios.FIONREAD, count)
    return count[0]


def _threads_behind(connection: socket.socket) -> Threads | None:
    try:
        process = process_of(connection.getpeername())
    except OSError:  # it has hung up
        return None
    if process is None:
        log.warning("a traffic manager runs in a process out of sight: its ticks may stall")
        return None
    return Threads(process)


def process_of(address: tuple[str, int]) -> int | None:
    """The process of this machine whose TCP socket has an IPv4 address; None if it cannot be seen."""
    inode = _inode_of(address)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):  # another user's, or gone
                for descriptor in (process / "fd").iterdir():
                    if os.readlink(descriptor) == f"socket:[{inode}]":
                        return int(process.name)
    return None


def _inode_of(address: tuple[str, int]) -> str:
    host, port = address
    wanted = f"{bytes(map(int, reversed(host.split('.')))).hex().upper()}:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == wanted:
            return fields[9]
    return "none"
