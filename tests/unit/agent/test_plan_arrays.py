"""Arrays become plans and scenes, and what does not fit the layout becomes a PlanError, never an exception."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.agent.plan_arrays import (
    NEEDED,
    OBJECT_FIELDS,
    SPEED_TIMES_S,
    Memory,
    read_ahead,
    read_plan,
    read_scene,
    speed_profile,
    target_speed,
    told_m,
)
from drive_agent.models.embedded.objects import FIELDS
from drive_agent.types import EgoState, LightState, ObjectKind, Plan, PlanError, Reply
from tests.unit.agent.replies import WALKER, arrays, one_hot, reply


def at(speed_mps: float, time_us: int = 0) -> EgoState:
    return EgoState(time_us, 0.0, 0.0, 0.0, speed_mps, 0.0, 0.0, 50.0)


def plan_of(one: Reply, ego: EgoState) -> Plan | PlanError:
    """The plan of a reply before which nothing was told."""
    return read_plan(one, ego, Memory())


def test_the_layout_is_the_one_that_the_embedded_model_writes():
    assert OBJECT_FIELDS == FIELDS


def test_a_good_reply_is_a_plan():
    plan = plan_of(reply(), at(5.0, 1_500_000))
    assert isinstance(plan, Plan) and plan.time_us == 1_500_000
    np.testing.assert_array_equal(plan.path_ego, arrays()["path_ego"])
    np.testing.assert_allclose(plan.speeds_mps, 5.0)


def test_the_target_speed_is_the_mean_of_its_distribution():
    plan = plan_of(reply(speed_probs=[0.0, 0.5, 0.5]), at(7.5))
    assert isinstance(plan, Plan)
    np.testing.assert_allclose(plan.speeds_mps, 7.5)


@pytest.mark.parametrize(("share", "target_mps"), [(0.0, 0.0), (0.29, 0.0), (0.31, 1.55), (1.0, 5.0)])
def test_a_creeping_mean_is_a_stand(share, target_mps):
    told = arrays() | {"speed_probs": np.array([1.0 - share, share, 0.0])}
    assert target_speed(told, 5.0) == pytest.approx(target_mps)


@pytest.mark.parametrize(
    ("light", "gap_is_free", "target_mps"),
    [
        (LightState.NONE, True, 1.0),
        (LightState.GREEN, True, 1.0),
        (LightState.RED, True, 0.0),
        (LightState.NONE, False, 0.0),
    ],
)
def test_a_standing_car_moves_up_unless_something_holds_it(light, gap_is_free, target_mps):
    told = arrays() | {"speed_probs": np.array([0.8, 0.2, 0.0]), "light_probs": one_hot(4, light)}
    gap = np.zeros_like(told["gap_probs"])
    gap[-1 if gap_is_free else 0] = 1.0
    assert target_speed(told | {"gap_probs": gap}, 0.0) == pytest.approx(target_mps)


@pytest.mark.parametrize(
    ("told", "speed_mps", "last_mps"),
    [
        ({"light_probs": one_hot(4, LightState.RED), "light_m": 9.0}, 5.0, 4.3),
        ({"light_probs": one_hot(4, LightState.YELLOW), "light_m": 9.0}, 5.0, 4.3),
        ({"stop_probs": [0.2, 0.6, 0.2], "stop_values_m": [6.0, 6.0]}, 4.0, 3.5),
        ({"gap_probs": one_hot(4, 1), "lead_speed_mps": 0.0}, 5.0, 4.9),
        ({"objects": [(ObjectKind.WALKER, 0.9, 12.0, 0.5, *WALKER[4:])]}, 5.0, 4.9),
    ],
)
def test_a_target_speed_does_not_outvote_what_the_reply_tells_ahead(told, speed_mps, last_mps):
    held, free = (plan_of(one, at(speed_mps)) for one in (reply(**told), reply()))
    assert isinstance(held, Plan) and isinstance(free, Plan)
    assert held.speeds_mps[-1] < last_mps < free.speeds_mps[-1]


def test_a_light_that_is_hardly_told_binds_nobody():
    ahead = read_ahead(arrays(light_probs=[0.6, 0.4, 0.0, 0.0], light_m=4.0), at(4.0), Memory())
    assert ahead.light == LightState.NONE


def test_a_told_distance_is_the_mean_given_that_there_is_one():
    assert told_m(arrays(stop_probs=[0.2, 0.6, 0.2], stop_values_m=[6.0, 8.0]), "stop") == pytest.approx(7.5)
    assert told_m(arrays(), "stop") is None


def test_only_a_lead_that_is_too_near_is_braked_for_with_all_there_is():
    near = {"gap_probs": one_hot(4, 1), "lead_speed_mps": 0.0}  # 10 m ahead
    hard, soft = (plan_of(reply(**near), at(speed_mps)) for speed_mps in (9.0, 7.0))
    assert isinstance(hard, Plan) and isinstance(soft, Plan)
    assert hard.speeds_mps[0] == pytest.approx(9.0 - 4.0) and soft.speeds_mps[0] >= 7.0 - 2.0


@given(st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_a_profile_moves_to_its_target_within_comfort(speed, target):
    profile = speed_profile(speed, target)
    assert (profile >= 0).all()
    steps = np.diff(np.concatenate([[speed], profile])) / np.diff(np.concatenate([[0.0], SPEED_TIMES_S]))
    assert (steps <= 2.0 + 1e-9).all() and (steps >= -4.0 - 1e-9).all()
    assert abs(profile[-1] - target) <= abs(speed - target) + 1e-9


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_array_is_named(name):
    whole = arrays()
    del whole[name]
    error = plan_of(Reply(arrays=whole), at(5.0))
    assert isinstance(error, PlanError) and name in error.reason


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_array_that_is_not_finite_is_named(name, value):
    broken = np.array(arrays()[name], dtype=float)
    broken.flat[0] = value
    error = plan_of(reply(**{name: broken}), at(5.0))
    assert isinstance(error, PlanError) and name in error.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path_ego", np.zeros((1, 2))),
        ("path_ego", np.zeros((10, 3))),
        ("path_ego", np.zeros(4)),
        ("speed_probs", one_hot(4, 0)),
        ("speed_values_mps", np.zeros((3, 1))),
        ("light_probs", one_hot(3, 0)),
        ("gap_probs", one_hot(3, 0)),
        ("objects", np.zeros((2, 13))),
        ("objects", np.zeros(14)),
        ("objects", np.float64(0.0)),
        ("objects", np.full((1, 14), 7.0)),
        ("objects", np.full((1, 14), 0.5)),
    ],
)
def test_an_array_that_does_not_fit_is_named(name, value):
    error = plan_of(reply(**{name: value}), at(5.0))
    assert isinstance(error, PlanError) and error.reason.startswith(name)


def test_the_scene_says_what_the_arrays_say():
    scene, forecast = read_scene(reply())
    assert (scene.light, scene.light_prob, scene.lead_gap_m) == (LightState.GREEN, 1.0, 20.0)
    (walker,) = scene.objects
    assert walker.kind == ObjectKind.WALKER
    assert (walker.x_m, walker.y_m, walker.speed_mps) == pytest.approx((12.0, -3.0, 1.4))
    np.testing.assert_allclose(forecast.positions_ego, [[[12.0, -1.6], [12.0, -0.2], [12.0, 1.2]]], atol=1e-6)


def test_an_empty_road_is_a_scene_too():
    scene, forecast = read_scene(reply(objects=np.zeros((0, 14)), gap_probs=one_hot(4, 3)))
    assert scene.objects == () and scene.lead_gap_m is None
    assert forecast.positions_ego.shape == (0, 3, 2)
    assert isinstance(plan_of(reply(objects=np.zeros((0, 14))), at(5.0)), Plan)
