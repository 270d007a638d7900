"""Models that fail, each in its own way, some time after a good start."""

from __future__ import annotations

import time

import numpy as np

from drive_agent.rig import CameraMount
from drive_agent.types import Prompt, Reply
from tests.unit.agent.replies import reply

GOOD_ANSWERS = 8


class Failing:
    """Answers well a few times, then as `fail` does."""

    name = "failing"
    cameras: tuple[CameraMount, ...] = ()

    def __init__(self) -> None:
        self._answers = 0

    def answer(self, prompt: Prompt) -> Reply:
        del prompt
        self._answers += 1
        return reply() if self._answers <= GOOD_ANSWERS else self.fail()

    def fail(self) -> Reply:
        raise NotImplementedError


class Raising(Failing):
    def fail(self) -> Reply:
        raise RuntimeError("CUDA error: device-side assert triggered")


class Garbage(Failing):
    def fail(self) -> Reply:
        return Reply(text="I am sorry, but as a language model I cannot drive.")


class NotANumber(Failing):
    def fail(self) -> Reply:
        return reply(path_ego=np.full((10, 2), np.nan))


class Slow(Failing):
    def fail(self) -> Reply:
        time.sleep(30.0)
        return reply()
