"""The threads of clients that run a traffic manager, as /proc shows them: who sleeps, and who it is that ticks.

In the client (LibCarla 0.9.16, `TrafficManagerLocal`) two threads take turns: the one inside `world.tick()` and the
manager's worker. Each sets a flag and notifies a condition variable without holding the mutex; the other misses the call
when it has just tested the flag and is about to fall asleep, and then both sleep for ever. `wakeups` tells what the server
does about it; here is what it must know for that. A client that is out of sight (behind a tunnel, in another container) is
taken to sleep; one with an asynchronous traffic manager besides never does, for that one turns without a pause, so the
stalls of such a client are not seen.
"""

import array
import contextlib
import fcntl
import logging
import os
import socket
import termios
import time
from collections import Counter
from pathlib import Path

log = logging.getLogger("drive_agent.sim")

_LESSONS = 32  # ticks after which it is known which thread ticks
_PATIENCE_S = 0.05  # with a ticking thread that has no processor to fall asleep on
_NAP_S = 0.0001
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
        """Whether all threads of all of them sleep, having asked nothing that is still unread."""
        return all(self.sleeps(client_id) for client_id in {owner for _, owner in self._managers.values()})

    def sleeps(self, client_id: int) -> bool:
        """Whether all threads of this one sleep, having asked nothing that is still unread."""
        threads = self.of(client_id)
        return threads is None or (not threads.awake() and unread_bytes(self._sockets[client_id]) == 0)

    def of(self, client_id: int) -> "Threads | None":
        """The threads of a client's process; None if it is out of sight."""
        if client_id not in self._threads:
            self._threads[client_id] = _threads_behind(self._sockets[client_id])
        return self._threads[client_id]


class Threads:
    """The threads of one process, looked at in the order in which they wake one another."""

    def __init__(self, process: int) -> None:
        self._folder = Path(f"/proc/{process}/task")
        self._count = 0  # links of the folder when it was listed
        self._stats: dict[str, int] = {}  # thread -> open descriptor of its stat
        self._spinning: set[str] = set()
        self._lessons: Counter[str] = Counter()
        self._ticking: str | None = None

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

    @property
    def know_ticking(self) -> bool:
        """Whether it is known which thread ticks."""
        return self._ticking is not None

    def snapshot_leaves(self) -> None:
        """The thread that ticks looks for a snapshot without a pause: one of those awake now."""
        if self._ticking is None:
            self._spinning = self.awake()

    def let_ticking_sleep(self) -> None:
        """Return when the thread that ticks sleeps: it waits for the end of the manager's step, which is to come."""
        if self._ticking is None:
            self._learn()
            return
        end_s = time.monotonic() + _PATIENCE_S
        try:
            while not _sleeps(self._stats[self._ticking]):
                if time.monotonic() > end_s:
                    self._ticking = None  # it is busy with something else: another ticks
                    return
                time.sleep(_NAP_S)
        except (KeyError, ProcessLookupError):  # it has ended
            self._ticking = None

    def _learn(self) -> None:
        self._lessons.update(self._spinning - self.awake())
        self._spinning = set()
        if self._lessons and max(self._lessons.values()) >= _LESSONS:
            self._ticking = self._lessons.most_common(1)[0][0]
            self._lessons.clear()

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
