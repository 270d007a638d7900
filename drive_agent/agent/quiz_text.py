"""Questions about a scene and the wording of their answers, written and read here alone. Knows nothing of models.

Boxes and points are told in steps of `STEP_PX` pixels of the first camera's picture, corners first left and top, then
right and bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drive_agent.agent.rationale_text import STEPS_M
from drive_agent.agent.slots import Slots
from drive_agent.types import Action

STEP_PX = 14
COLUMNS, ROWS = 17, 9  # lines between steps of a picture of 224 x 112
MANY = 5  # so many or more are not counted


class Reward(Enum):
    """How an answer is judged: all in [0, 1]."""

    EXACT = "exact"  # the same phrase
    ORDERED = "ordered"  # the nearer in the list, the better
    BOX = "box"  # overlap of the boxes over their union
    POINT = "point"  # inside the region or not


def _steps(count: int, end: str) -> tuple[str, ...]:
    return tuple(f"{k}{end}" for k in range(count))


_COUNTS = Slots(((*map(str, range(MANY)), f"{MANY} or more"),))
_YES_NO = Slots((("yes", "no"),))
_BOX = Slots((("at ",), _steps(COLUMNS, " "), _steps(ROWS, " to "), _steps(COLUMNS, " "), _steps(ROWS, "")))
_POINT = Slots((("at ",), _steps(COLUMNS, " "), _steps(ROWS, "")))


@dataclass(frozen=True)
class Question:
    """One question and what may be answered."""

    name: str
    text: str
    answers: Slots
    reward: Reward


QUESTIONS = (
    Question("light", "Which light counts?", Slots((("none", "red", "yellow", "green"),)), Reward.EXACT),
    Question("free", "Is the way free?", _YES_NO, Reward.EXACT),
    Question(
        "gap", "How far is the first thing ahead?", Slots(((*(f"{m:.0f} m" for m in STEPS_M), "nothing"),)), Reward.ORDERED
    ),
    Question("vehicles", "How many vehicles are near?", _COUNTS, Reward.ORDERED),
    Question("people", "How many people are near?", _COUNTS, Reward.ORDERED),
    Question("stop_sign", "Is there a stop sign to obey?", _YES_NO, Reward.EXACT),
    Question("nearer", "What is nearer?", Slots((("a vehicle", "a person", "nothing"),)), Reward.EXACT),
    Question("box", "Where is the nearest vehicle?", _BOX, Reward.BOX),
    Question("point", "Point at the nearest person.", _POINT, Reward.POINT),
    Question(
        "action",
        "What do you do?",
        Slots((tuple(action.name.lower().replace("_", " ") for action in Action),)),
        Reward.EXACT,
    ),
)  # fmt: skip


def question(name: str) -> Question:
    """The question of a name. Raises KeyError for an unknown one."""
    return {q.name: q for q in QUESTIONS}[name]
