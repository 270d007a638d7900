"""A model at the wheel of a demonstration: it drives, the expert says what it should have done (Ross et al., 2011).

Knows nothing of carla.
"""

from __future__ import annotations

from drive_agent.agent.dialogue import Arrays
from drive_agent.models.base import Model
from drive_agent.types import Frame, Plan


class Chauffeur:
    """Plans from what the model sees, for any number of cars: it remembers nothing."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._cameras = tuple(mount.name for mount in model.cameras)

    def plan(self, frame: Frame) -> Plan | None:
        """The model's plan, None when its reply holds none."""
        dialogue = Arrays()
        plan = dialogue.understand(self._model.answer(dialogue.ask(frame, self._cameras)), frame).plan
        return plan if isinstance(plan, Plan) else None
