"""Scenes, forecasts and plans in words: what is written is read again, and whatever the patterns allow is a plan."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.agent.plan_arrays import SPEED_TIMES_S
from drive_agent.agent.plan_text import (
    MAX_OBJECTS,
    PLAN_PATTERN,
    SCENE_PATTERN,
    read_plan,
    read_scene,
    write_plan,
    write_scene,
)
from drive_agent.types import ROAD_USERS, Forecast, LightState, Plan, PlanError, Scene, SceneObject


def rounded(low: float, high: float, digits: int):
    scale = 10**digits
    return st.integers(round(low * scale), round(high * scale)).map(lambda whole: whole / scale)


FAR = rounded(-99, 99, 1)
OBJECTS = st.builds(
    SceneObject,
    st.sampled_from(ROAD_USERS),
    st.just(1.0),
    FAR,
    FAR,
    rounded(-3.14, 3.14, 2),
    rounded(0, 40, 1),
)


@st.composite
def scenes(draw):
    objects = draw(st.lists(OBJECTS, max_size=MAX_OBJECTS))
    objects.sort(key=lambda thing: np.hypot(thing.x_m, thing.y_m))
    gap = draw(st.none() | rounded(0, 99, 1))
    futures = draw(st.lists(FAR, min_size=6 * len(objects), max_size=6 * len(objects)))
    scene = Scene(tuple(objects), draw(st.sampled_from(LightState)), 1.0, gap)
    return scene, Forecast(np.array(futures, dtype=float).reshape(-1, 3, 2))


PLANS = st.builds(
    lambda path, speeds: Plan(7, np.array(path).reshape(10, 2), SPEED_TIMES_S, np.array(speeds)),
    st.lists(rounded(-60, 60, 2), min_size=20, max_size=20),
    st.lists(rounded(0, 40, 1), min_size=6, max_size=6),
)


@given(scenes())
def test_a_scene_is_read_as_it_was_written(told):
    scene, forecast = told
    text = write_scene(scene, forecast)
    assert re.fullmatch(SCENE_PATTERN, text)
    again = read_scene(text)
    assert again is not None and again[0] == scene
    np.testing.assert_allclose(again[1].positions_ego, forecast.positions_ego, atol=1e-9)


@given(PLANS)
def test_a_plan_is_read_as_it_was_written(plan):
    text = write_plan(plan)
    assert re.fullmatch(PLAN_PATTERN, text)
    again = read_plan(text, plan.time_us)
    assert isinstance(again, Plan) and again.time_us == 7
    np.testing.assert_allclose(again.path_ego, plan.path_ego, atol=1e-9)
    np.testing.assert_array_equal(again.speeds_mps, plan.speeds_mps)
    np.testing.assert_array_equal(again.speed_times_s, plan.speed_times_s)


@given(scenes(), PLANS)
def test_scene_and_plan_stand_in_one_answer(told, plan):
    text = f"{write_scene(*told)}\n{write_plan(plan)}"
    again = read_scene(text)
    assert again is not None and again[0] == told[0]
    assert isinstance(read_plan(text, 0), Plan)


@settings(max_examples=50)
@given(st.from_regex(PLAN_PATTERN, fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_whatever_the_pattern_allows_is_a_plan_or_too_fast(text):
    plan = read_plan(text, 0)
    assert isinstance(plan, Plan) or "expected at most 40" in plan.reason


@settings(max_examples=50)
@given(st.from_regex(SCENE_PATTERN, fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_whatever_the_pattern_allows_is_a_scene(text):
    assert read_scene(text) is not None


@given(st.text())
def test_any_text_is_told_in_one_line(text):
    assert read_scene(text) is None
    plan = read_plan(text, 0)
    assert isinstance(plan, PlanError) and "\n" not in plan.reason


def test_beyond_its_reach_the_wording_draws_numbers_in():
    scene = Scene((SceneObject(ROAD_USERS[0], 0.9, 140.0, -0.01, 0.0, -1.0),), LightState.RED, 0.7, 300.0)
    text = write_scene(scene, Forecast(np.full((1, 3, 2), -0.04)))
    assert "at (+99.0, +0.0)" in text and "speed 0.0" in text and "way 99.0 m" in text


def test_only_the_nearest_objects_are_told():
    objects = tuple(SceneObject(ROAD_USERS[0], 1.0, float(k), 0.0, 0.0, 0.0) for k in range(20, 0, -1))
    told = read_scene(write_scene(Scene(objects, LightState.NONE, 1.0, None), Forecast(np.zeros((20, 3, 2)))))
    assert told is not None and [thing.x_m for thing in told[0].objects] == [
        float(k) for k in range(1, MAX_OBJECTS + 1)
    ]


def test_a_plan_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="expected 10 points"):
        write_plan(Plan(0, np.zeros((3, 2)), SPEED_TIMES_S, np.zeros(6)))
