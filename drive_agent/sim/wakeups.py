"""Keeps a client's synchronous traffic manager in step with its ticks, although the client loses wake-ups.

How a call is lost between the client's two threads is told in `client_threads`. Three things are done about it:

1. When its step is over, the manager's worker asks for the episode's settings *before* it falls asleep. Were the next tick
   run first, the answer to that question and the tick's snapshot would set both threads off at the same moment, and one
   call in two thousand was lost. So a tick waits for the question (`question_due`).
2. The batch that ends a step is answered when the ticking thread sleeps (`Threads.let_ticking_sleep`).
3. A worker that has missed the call to a step all the same is called again: when the client is silent after a tick in which
   it should have stepped, and all its threads sleep. Leaving synchronous mode calls the worker, and entering it at once
   changes nothing else; the manager takes both on its own port. Until it has answered, the client's requests wait, so it
   makes exactly the step that it has missed.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgpack

from drive_agent.sim.client_threads import ManagerThreads
from drive_agent.sim.wire import pack

log = logging.getLogger("drive_agent.sim")

QUESTION_S = 0.02  # so long a tick waits for a question that is due
_CHECK_S = 0.005
_IDLE_CHECK_S = 0.25  # without a traffic manager
_LOOKS = (
    2  # in a row at which everyone sleeps: a call that was under way at the first has arrived by the second
)
_UNSEEN_SILENCE_S = 1.0  # of a client whose threads are out of sight
_ANSWER_TIMEOUT_S = 5.0
_FIRST_OF_A_STEP = "get_vehicle_light_states"  # what a traffic manager asks for in every step
_LAST_OF_A_STEP = "apply_batch"
_QUESTION = "get_episode_settings"
_LOOPBACK = "127.0.0.1"


@dataclass
class _Ticker:
    """A client that ticks, and how far its traffic manager is with the step of that tick."""

    stepped: bool = False
    silent_since_s: float | None = None
    looks: int = 0  # in a row at which its threads slept
    stepping: bool = False  # its batch is to come


class WakeUps:
    """Watches the requests of clients that run a traffic manager (`managers`: port -> address, client id)."""

    def __init__(
        self, managers: dict[int, tuple[str, int]], threads: ManagerThreads, on_free: Callable[[], None]
    ) -> None:
        self._managers = managers
        self._threads = threads
        self._on_free = on_free  # called when requests may be served that had to wait
        self._tickers: dict[int, _Ticker] = {}
        self._questions_due_s: dict[int, float] = {}  # client id -> since when
        self.waking = False  # no request may be served

    def requested(self, client_id: int, method: str) -> None:
        """A client has asked something other than a tick: it is awake. Returns when it may be answered."""
        ticker = self._tickers.get(client_id)
        if ticker is None:
            return
        ticker.silent_since_s = None
        if method == _FIRST_OF_A_STEP:
            ticker.stepped = ticker.stepping = True
        elif method == _LAST_OF_A_STEP and ticker.stepping:
            threads = self._threads.of(client_id) if self._managers else None
            if threads is not None:
                threads.let_ticking_sleep()
            ticker.stepping, self._questions_due_s[client_id] = False, time.monotonic()
        elif method == _QUESTION:
            self._questions_due_s.pop(client_id, None)

    def snapshot_leaves(self, client_id: int) -> None:
        """The snapshot for which this client has ticked is there, and not yet sent."""
        threads = self._threads.of(client_id) if self._managers else None
        if threads is not None:
            threads.snapshot_leaves()

    def know_ticking(self, client_id: int) -> bool:
        """Whether it is known which of this client's threads ticks."""
        threads = self._threads.of(client_id) if self._managers else None
        return threads is not None and threads.know_ticking

    def question_due(self) -> bool:
        """Whether a manager is about to ask its last question before it sleeps, and is waited for."""
        return bool(self._questions_due_s)

    def ticked(self, client_id: int) -> None:
        """A client has ticked: if its traffic manager stepped in the tick before, it will step in this one."""
        if not self._managers:
            return
        ticker = self._tickers.get(client_id)
        if ticker is None:
            ticker = self._tickers[client_id] = _Ticker()
        ticker.silent_since_s = time.monotonic() if ticker.stepped else None
        ticker.stepped, ticker.looks = False, 0

    def forget(self, client_id: int) -> None:
        """The client is gone."""
        self._tickers.pop(client_id, None)
        self._questions_due_s.pop(client_id, None)

    async def run(self) -> None:
        """Look after the silent ones."""
        while True:
            await asyncio.sleep(_CHECK_S if self._managers else _IDLE_CHECK_S)
            for client_id, ticker in list(self._tickers.items()):
                if _since(self._questions_due_s.get(client_id, math.inf)) > QUESTION_S:
                    del self._questions_due_s[client_id]
                    self._on_free()
                if ticker.silent_since_s is not None and self._is_stuck(client_id, ticker):
                    ticker.silent_since_s = None
                    await self._wake(client_id)

    def _is_stuck(self, client_id: int, ticker: _Ticker) -> bool:
        assert ticker.silent_since_s is not None
        silence_s = _since(ticker.silent_since_s)
        if silence_s < _CHECK_S:  # as in every tick
            return False
        if self._threads.of(client_id) is None:
            return silence_s > _UNSEEN_SILENCE_S
        ticker.looks = ticker.looks + 1 if self._threads.sleeps(client_id) else 0
        return ticker.looks >= _LOOKS

    async def _wake(self, client_id: int) -> None:
        self.waking = True
        try:
            for port in [port for port, (_, owner) in self._managers.items() if owner == client_id]:
                await call_again(port)
        finally:
            self.waking = False
            self._on_free()


def _since(past_s: float) -> float:
    return time.monotonic() - past_s


async def call_again(port: int) -> None:
    """Have the traffic manager on this port leave and enter synchronous mode, in one packet: nothing comes in between."""
    log.info("the traffic manager on port %d missed a call: called again", port)
    requests = pack([0, 1, "set_synchronous_mode", [False]]) + pack([0, 2, "set_synchronous_mode", [True]])
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(_LOOPBACK, port), _ANSWER_TIMEOUT_S)
        writer.write(requests)
        await asyncio.wait_for(_answers(reader, 2), _ANSWER_TIMEOUT_S)
        writer.close()
    except (OSError, asyncio.TimeoutError) as error:
        log.warning(
            "the traffic manager on port %d does not answer (%s)", port, error or type(error).__name__
        )


async def _answers(reader: asyncio.StreamReader, count: int) -> None:
    """Read that many messages, or to the end."""
    unpacker = msgpack.Unpacker()
    while count > 0 and (data := await reader.read(4096)):
        unpacker.feed(data)
        count -= sum(1 for _ in unpacker)
