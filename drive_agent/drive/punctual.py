"""A driver with a deadline: whoever takes longer for one decision has failed, as if it had raised."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import TypeVar

from drive_agent.drive.env import Driver, Ground
from drive_agent.drive.pulse import Pulse, Stage
from drive_agent.types import Briefing, Decision, SensorPacket, Truth

Answer = TypeVar("Answer")


class PunctualDriver:
    """Asks a driver in a thread of its own and waits `answer_s` at most.

    A late driver stays stuck in its thread: `stuck` says that this process should drive no further route.
    """

    def __init__(self, driver: Driver, answer_s: float, pulse: Pulse) -> None:
        self._driver = driver
        self._answer_s = answer_s
        self._pulse = pulse
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="driver")
        self.stuck = False

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        self._ask(self._driver.brief, briefing, ground)

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        return self._ask(self._driver.step, packet, truth)

    def _ask(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        with self._pulse.during(Stage.DRIVER):
            answer = self._thread.submit(call, *arguments)
            try:
                return answer.result(self._answer_s)
            except Late:
                self.stuck = not answer.done()
                if not self.stuck:  # the driver's own TimeoutError
                    raise
                raise TimeoutError(
                    f"the driver took longer than {self._answer_s:g} s for one decision (runner.answer_s)"
                ) from None
