"""The question says what the frame holds, and only that."""

from dataclasses import replace

import numpy as np
import pytest

from drive_agent.agent.prompt import REACH_M, WORDS, build_prompt, prompt_state, question
from drive_agent.rig import front_rig
from drive_agent.types import Frame, Maneuver
from tests.worlds import plain_frame

FOLLOW = Maneuver.LANE_FOLLOW


def frame(*points: tuple[float, float], maneuvers: tuple[Maneuver, ...], now: Maneuver = FOLLOW) -> Frame:
    return replace(
        plain_frame(front_rig().cameras),
        route_ego=np.array(points),
        route_maneuvers=maneuvers,
        maneuver=now,
    )


def test_the_first_maneuver_within_reach_is_told_with_its_distance():
    state = prompt_state(frame((12.0, 0.0), (30.0, 40.0), maneuvers=(FOLLOW, Maneuver.LEFT)))
    assert (state.maneuver, state.maneuver_m) == (Maneuver.LEFT, 50.0)
    np.testing.assert_array_equal(state.targets_ego, [[12.0, 0.0], [30.0, 40.0]])
    assert "turn left in 50 m" in question(state)


def test_a_maneuver_out_of_reach_is_not_told():
    state = prompt_state(frame((REACH_M + 1.0, 0.0), (90.0, 0.0), maneuvers=(Maneuver.LEFT, FOLLOW)))
    assert (state.maneuver, state.maneuver_m) == (FOLLOW, REACH_M)
    assert "Task: follow the lane." in question(state)


def test_the_maneuver_under_way_comes_first():
    state = prompt_state(frame((5.0, 2.0), (9.0, 9.0), maneuvers=(FOLLOW, Maneuver.LEFT), now=Maneuver.RIGHT))
    assert (state.maneuver, state.maneuver_m) == (Maneuver.RIGHT, 0.0)
    assert "turn right now" in question(state)


def test_the_last_route_point_stands_for_the_one_behind_it():
    state = prompt_state(frame((7.0, 1.0), maneuvers=(FOLLOW,)))
    np.testing.assert_array_equal(state.targets_ego, [[7.0, 1.0], [7.0, 1.0]])


@pytest.mark.parametrize("maneuver", list(Maneuver))
def test_every_maneuver_has_words_of_its_own(maneuver):
    state = prompt_state(frame((5.0, 0.0), (9.0, 0.0), maneuvers=(FOLLOW, FOLLOW), now=maneuver))
    assert WORDS[maneuver] in question(state)
    assert list(WORDS.values()).count(WORDS[maneuver]) == 1


def test_pictures_come_in_the_order_that_is_asked_for():
    seen = frame((5.0, 0.0), maneuvers=(FOLLOW,))
    prompt = build_prompt(seen, ("narrow", "wide"))
    assert [image.name for image in prompt.images] == ["narrow", "wide"]
    assert prompt.previous_images == (seen.previous["narrow"], seen.previous["wide"])
    content = prompt.messages[0]["content"]
    assert [part["type"] for part in content] == ["text", "image", "text", "image", "text"]
    assert content[-1]["text"] == question(prompt.state)
    assert build_prompt(replace(seen, previous={}), ("wide",)).previous_images == (None,)


def test_a_camera_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"'rear'.*'narrow', 'wide'"):
        build_prompt(frame((5.0, 0.0), maneuvers=(FOLLOW,)), ("wide", "rear"))
