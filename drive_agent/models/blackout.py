"""A model around a model that takes its pictures away: what is left is what it does without seeing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drive_agent.models.base import Model
from drive_agent.rig import CameraMount
from drive_agent.types import CameraImage, Prompt, Reply


class Blackout:
    """Answers like the model inside, with every picture black."""

    def __init__(self, inner: Model) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return f"{self._inner.name} (black pictures)"

    @property
    def cameras(self) -> tuple[CameraMount, ...]:
        return self._inner.cameras

    def answer(self, prompt: Prompt) -> Reply:
        """The inner model's reply to the prompt without pictures."""
        return self._inner.answer(
            replace(
                prompt,
                images=tuple(_black(image) for image in prompt.images),
                previous_images=tuple(
                    None if image is None else _black(image) for image in prompt.previous_images
                ),
            )
        )


def _black(image: CameraImage) -> CameraImage:
    return replace(image, rgb=np.zeros_like(image.rgb))
