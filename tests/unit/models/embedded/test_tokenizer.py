"""Prompts survive the way through text and ids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.models.embedded.tokenizer import (
    BINS,
    NUMBERS,
    DriveTokenizer,
    build_tokenizer,
    nearest_bin,
    within_reach,
)
from drive_agent.types import Maneuver, PromptState

TOKENIZER = DriveTokenizer(build_tokenizer())
VISUAL = (32, 16)

states = st.builds(
    lambda speed, since, maneuver, in_m, xy: PromptState(
        speed, since, maneuver, in_m, np.array(xy).reshape(2, 2)
    ),
    st.floats(0, 20),
    st.floats(0, 50),
    st.sampled_from(Maneuver),
    st.floats(0, 100),
    st.tuples(st.floats(-32, 94), st.floats(-47, 47), st.floats(-32, 94), st.floats(-47, 47)),
)


def half_width(family: str, value: float) -> float:
    centers = BINS[family]
    k = int(nearest_bin(family, np.asarray(value)))
    return max(np.diff(centers)[max(k - 1, 0) : k + 1]) / 2 + 1e-9


@given(states)
@settings(max_examples=50, deadline=None)
def test_a_prompt_read_back_differs_by_half_a_bin_at_most(state: PromptState) -> None:
    back = TOKENIZER.read(TOKENIZER.decode(TOKENIZER.encode(TOKENIZER.write(state, VISUAL))))
    assert abs(back.speed_mps - state.speed_mps) <= half_width("speed", state.speed_mps)
    assert abs(back.since_stop_m - state.since_stop_m) <= half_width("since", state.since_stop_m)
    assert abs(back.maneuver_m - state.maneuver_m) <= half_width("in", state.maneuver_m)
    assert back.maneuver == state.maneuver
    assert np.abs(back.targets_ego[:, 0] - state.targets_ego[:, 0]).max() <= 1.0 + 1e-9
    assert np.abs(back.targets_ego[:, 1] - state.targets_ego[:, 1]).max() <= 0.75 + 1e-9


@given(states)
@settings(max_examples=50, deadline=None)
def test_number_ids_are_those_of_the_text(state: PromptState) -> None:
    ids = TOKENIZER.encode(TOKENIZER.write(state, VISUAL))
    numbers = TOKENIZER.number_ids(
        np.array([state.speed_mps]),
        np.array([state.since_stop_m]),
        np.array([state.maneuver]),
        np.array([state.maneuver_m]),
        state.targets_ego[None],
    )
    frame = TOKENIZER.encode(TOKENIZER.frame_text(VISUAL, "<|endoftext|>" * NUMBERS))
    at = frame == TOKENIZER.id("<|endoftext|>")
    frame[at] = numbers[0]
    assert frame.tolist() == ids.tolist()


@given(st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_any_text_survives(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(st.floats(-300, 300), st.floats(-300, 300))
def test_far_points_keep_their_bearing(x: float, y: float) -> None:
    drawn_in = within_reach(np.array([x, y]))
    assert -32 - 1e-9 <= drawn_in[0] <= 94 + 1e-9
    assert abs(drawn_in[1]) <= 47.25 + 1e-9
    assert abs(drawn_in[0] * y - drawn_in[1] * x) < 1e-6
    if -32 <= x <= 94 and abs(y) <= 47.25:
        assert drawn_in.tolist() == [x, y]


def test_pictures_become_their_visual_tokens() -> None:
    state = PromptState(3.0, 10.0, Maneuver.LEFT, 12.0, np.array([[10.0, 0.0], [30.0, 5.0]]))
    ids = TOKENIZER.encode(TOKENIZER.write(state, VISUAL))
    assert (ids == TOKENIZER.id("<|image_pad|>")).sum() == sum(VISUAL)


def test_a_saved_tokenizer_is_the_same(tmp_path) -> None:
    TOKENIZER.save(tmp_path / "tokenizer.json")
    text = "The light is red. <think>ünï</think><speed_3>"
    assert (
        DriveTokenizer.load(tmp_path / "tokenizer.json").encode(text).tolist()
        == TOKENIZER.encode(text).tolist()
    )


def test_unknown_maneuvers_and_missing_numbers_are_refused() -> None:
    zero = np.zeros(1)
    with pytest.raises(ValueError, match=r"maneuver values \[9\]"):
        TOKENIZER.number_ids(zero, zero, np.array([9]), zero, np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="expected"):
        TOKENIZER.read("<speed_1>")
