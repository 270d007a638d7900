"""What is written is read, and nothing else is."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.agent.quiz_text import QUESTIONS
from drive_agent.agent.rationale_text import (
    SLOTS,
    STEPS_M,
    action_of,
    choose,
    chosen,
    read_rationale,
    stands,
    write_rationale,
)
from drive_agent.types import Action, Cause, LightState, ObjectKind, Rationale

step = st.none() | st.sampled_from(STEPS_M)


@st.composite
def rationales(draw) -> Rationale:
    light_m, ahead_m, stop_m, yield_m = draw(step), draw(step), draw(step), draw(step)
    light = LightState.NONE if light_m is None else draw(st.sampled_from(list(LightState)[1:]))
    ahead = None if ahead_m is None else draw(st.sampled_from((ObjectKind.VEHICLE, ObjectKind.WALKER)))
    return Rationale(
        light, light_m, ahead, ahead_m, ahead_m is not None and draw(st.booleans()), stop_m,
        None if stop_m is not None else yield_m, draw(st.sampled_from(Cause)), draw(st.sampled_from(Action)),
        draw(st.sampled_from(Cause)),
    )  # fmt: skip


@given(rationales())
def test_a_rationale_is_read_as_it_was_written(rationale: Rationale) -> None:
    assert read_rationale(write_rationale(rationale)) == rationale
    assert chosen(choose(rationale)) == rationale


def test_the_wording() -> None:
    text = write_rationale(
        Rationale(LightState.RED, 16.0, ObjectKind.VEHICLE, 9.0, True, None, None, Cause.RED_LIGHT, Action.STOP, Cause.RED_LIGHT)
    )  # fmt: skip
    assert text.splitlines() == [
        "light red in 15 m",
        "ahead vehicle in 10 m, moving",
        "rule none",
        "going on runs the red light",
        "stopping is right",
        "so stop for the red light",
    ]


@given(st.text(max_size=60) | rationales().map(lambda r: write_rationale(r) + "."))
def test_other_texts_are_no_rationale(text: str) -> None:
    assert read_rationale(text) is None


def test_a_rationale_that_contradicts_itself_is_none() -> None:
    free = Rationale(
        LightState.NONE, None, None, None, False, None, None, Cause.FREE, Action.GO_ON, Cause.FREE
    )
    assert read_rationale(write_rationale(free).replace("needless", "right")) is None


def test_far_things_are_not_told() -> None:
    far = Rationale(
        LightState.RED, 70.0, ObjectKind.VEHICLE, 80.0, True, 99.0, 99.0, Cause.FREE, Action.GO_ON, Cause.FREE
    )
    assert write_rationale(far).startswith("light none\nahead free\nrule none\n")


@pytest.mark.parametrize(
    ("speed", "target", "action"),
    [
        (0.0, 0.0, "WAIT"),
        (0.0, 1.0, "SET_OFF"),
        (6.0, 0.5, "STOP"),
        (6.0, 5.0, "SLOW_DOWN"),
        (6.0, 7.0, "GO_ON"),
    ],
)
def test_actions_follow_from_speeds(speed: float, target: float, action: str) -> None:
    assert action_of(speed, target) is Action[action]
    assert stands(action_of(speed, target)) == (action in ("WAIT", "STOP"))


@pytest.mark.parametrize("one", QUESTIONS, ids=lambda one: one.name)
def test_every_answer_is_read_as_it_was_written(one) -> None:
    choices = list(product(*(range(len(slot)) for slot in one.answers.phrases)))
    for choice in choices[:: max(len(choices) // 500, 1)]:
        assert one.answers.read(one.answers.write(choice)) == choice
    assert one.answers.read("perhaps") is None


@pytest.mark.parametrize("slots", [SLOTS, *(one.answers for one in QUESTIONS)])
def test_no_phrase_begins_another_one(slots) -> None:
    for slot in slots.phrases:
        assert not any(a != b and b.startswith(a) for a, b in product(slot, slot))
