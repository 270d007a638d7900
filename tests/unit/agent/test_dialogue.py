"""A rationale is asked for as often as wanted, and told as the plan's reason on one line."""

from dataclasses import replace

from drive_agent.agent.dialogue import Arrays
from drive_agent.agent.rationale_text import SLOTS
from drive_agent.rig import front_rig
from drive_agent.types import Plan
from tests.unit.agent.replies import reply
from tests.worlds import plain_frame

CAMERAS = front_rig().cameras
NAMES = tuple(camera.name for camera in CAMERAS)


def test_every_third_question_asks_why() -> None:
    frame, dialogue = plain_frame(CAMERAS), Arrays(explain_every=3)
    asked = [bool(dialogue.ask(frame, NAMES).slots) for _ in range(7)]
    assert asked == [True, False, False, True, False, False, True]
    assert not any(Arrays().ask(frame, NAMES).slots for _ in range(3))


def test_the_answer_is_the_plans_reason() -> None:
    text = SLOTS.write([0] * len(SLOTS.phrases))
    plan = Arrays(1).understand(replace(reply(), text=text), plain_frame(CAMERAS)).plan
    assert isinstance(plan, Plan)
    assert plan.reason == text.replace("\n", "; ") and "\n" not in plan.reason
    silent = Arrays().understand(reply(), plain_frame(CAMERAS)).plan
    assert isinstance(silent, Plan) and silent.reason == ""
