"""Controls taken as arrays do what the same controls do one by one, whatever their values; odd batches are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.batch_controls import apply_controls
from drive_agent.sim.maps import build_town
from drive_agent.sim.rpc import Client, Dispatcher
from drive_agent.sim.server import all_methods
from drive_agent.sim.world import World
from tests.conformance.conftest import ONE_STREET

CARS = 3
CONTROL = [0.5, 0.0, 0.0, False, False, False, 0]


@pytest.fixture(scope="module")
def client() -> Client:
    world = World(build_town("OneStreet", ONE_STREET), seed=0)
    client, dispatcher = Client(world, 1), Dispatcher(all_methods())
    for index in range(CARS):
        place = [[20.0 + 20.0 * index, 1.75, 0.5], [0.0, 0.0, 0.0]]
        ((status, value),) = dispatcher.dispatch(
            client, "spawn_actor", [[0, "vehicle.tesla.model3", []], place]
        )
        assert status == 1, value
    return client


def ids(client: Client) -> list[int]:
    return [actor.id for actor in client.world.vehicles.owners]


def batch_of(pairs: list[tuple[int, list]]) -> list:
    return [[[2, [actor_id, control]]] for actor_id, control in pairs]


PEDAL = st.one_of(st.floats(-2.0, 2.0, allow_nan=False), st.integers(-2, 2))
CONTROLS = st.tuples(
    PEDAL, PEDAL, PEDAL, st.booleans(), st.booleans(), st.booleans(), st.integers(-5, 200)
).map(list)


@given(drawn=st.lists(st.tuples(st.integers(0, CARS - 1), CONTROLS), min_size=1, max_size=6))
def test_together_is_as_one_by_one(client: Client, drawn: list[tuple[int, list]]) -> None:
    pairs = [(ids(client)[index], control) for index, control in drawn]
    rows, before = client.world.vehicles.rows, client.world.vehicles.rows.copy()
    dispatcher = Dispatcher(all_methods())
    for actor_id, control in pairs:
        assert dispatcher.dispatch(client, "apply_control_to_vehicle", [actor_id, control]) == [[False]]
    alone = rows.copy()
    rows[:] = before
    results = apply_controls(client.world, batch_of(pairs))
    assert results == [[[1, actor_id]] for actor_id, _ in pairs]
    np.testing.assert_array_equal(rows, alone)


@pytest.mark.parametrize(
    "odd",
    [
        [[2, [99_999, CONTROL]]],
        [[2, [1, CONTROL]]],  # the spectator
        [[1, [2]]],
        [[2, [2, CONTROL[:6]]]],
        [[2, [2, ["1.0", *CONTROL[1:]]]]],
        [[2, [2, [float("nan"), *CONTROL[1:]]]]],
        [[2, [2, [*CONTROL[:6], 1.5]]]],
        [[2, [True, CONTROL]]],
        "text",
        None,
    ],
)
def test_an_odd_batch_is_left_alone(client: Client, odd: object) -> None:
    before = client.world.vehicles.rows.copy()
    assert apply_controls(client.world, [*batch_of([(ids(client)[0], [1.0, *CONTROL[1:]])]), odd]) is None
    np.testing.assert_array_equal(client.world.vehicles.rows, before)
