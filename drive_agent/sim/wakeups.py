"""Wakes a client's traffic manager that has slept through a tick: the last resort where `client_threads` cannot look.

How the wake-up is lost is told there. Leaving synchronous mode notifies the manager's worker again, and entering it at once
changes nothing else; the traffic manager takes both as RPCs on its own port.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgpack

from drive_agent.sim.wire import pack

log = logging.getLogger("drive_agent.sim")

SILENCE_S = 1.0
_CHECK_S = 0.25
_ANSWER_TIMEOUT_S = 5.0
_FIRST_OF_A_STEP = "get_vehicle_light_states"  # what a traffic manager asks for in every step
_LOOPBACK = "127.0.0.1"


@dataclass
class _Ticker:
    """A client that ticks: whether its traffic manager steps with it, and since when it is silent."""

    stepped: bool = False
    silent_since_s: float | None = None


class WakeUps:
    """Watches the requests of clients that run a traffic manager (`managers`: port -> address, client id).

    Who is awake is left alone: a worker that only lacks a processor would step twice.
    """

    def __init__(self, managers: dict[int, tuple[str, int]], awake: Callable[[int], bool]) -> None:
        self._managers = managers
        self._awake = awake
        self._tickers: dict[int, _Ticker] = {}

    def requested(self, client_id: int, method: str) -> None:
        """A client asks something other than a tick: it is awake."""
        ticker = self._tickers.get(client_id)
        if ticker is not None:
            ticker.silent_since_s = None
            ticker.stepped |= method == _FIRST_OF_A_STEP

    def ticked(self, client_id: int) -> None:
        """A client has ticked: if its traffic manager stepped in the tick before, it will step in this one."""
        if not self._managers:
            return
        ticker = self._tickers.setdefault(client_id, _Ticker())
        ticker.silent_since_s = time.monotonic() if ticker.stepped else None
        ticker.stepped = False

    def forget(self, client_id: int) -> None:
        """The client is gone."""
        self._tickers.pop(client_id, None)

    async def run(self) -> None:
        """Look after the silent ones."""
        while True:
            await asyncio.sleep(_CHECK_S)
            now = time.monotonic()
            for client_id, ticker in list(self._tickers.items()):
                silent = ticker.silent_since_s is not None and now - ticker.silent_since_s > SILENCE_S
                if silent and not self._awake(client_id):
                    ticker.silent_since_s = None
                    for port in [port for port, (_, owner) in self._managers.items() if owner == client_id]:
                        await _wake(port)


async def _wake(port: int) -> None:
    """Leave and enter synchronous mode, in one packet so that nothing happens in between."""
    log.warning("the traffic manager on port %d sleeps through a tick: waking it", port)
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
