"""Controls read from bytes do what the same controls do one by one, whatever their values; odd batches are left alone."""

from __future__ import annotations

import struct
from typing import cast

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.batch_controls import ControlBatch, read_batch
from drive_agent.sim.maps import build_town
from drive_agent.sim.rpc import Client, Dispatcher
from drive_agent.sim.server import all_methods
from drive_agent.sim.wire import pack
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


def request(
    commands: object, number: int = 7, metadata: object = (False,), method: str = "apply_batch"
) -> bytes:
    """As the client sends it: floats of 32 bits."""
    message = [0, number, method, [metadata, commands, False]]
    return cast(bytes, msgpack.packb(message, use_single_float=True))


def batch_of(pairs: list[tuple[int, list]]) -> list:
    return [[[2, [actor_id, control]]] for actor_id, control in pairs]


PEDAL = st.floats(-2.0, 2.0, width=32)
CONTROLS = st.tuples(
    PEDAL, PEDAL, PEDAL, st.booleans(), st.booleans(), st.booleans(), st.integers(-32, 127)
).map(list)


@given(drawn=st.lists(st.tuples(st.integers(0, CARS - 1), CONTROLS), min_size=1, max_size=20))
def test_together_is_as_one_by_one(client: Client, drawn: list[tuple[int, list]]) -> None:
    pairs = [(ids(client)[index], control) for index, control in drawn]
    rows, before = client.world.vehicles.rows, client.world.vehicles.rows.copy()
    dispatcher = Dispatcher(all_methods())
    for actor_id, control in pairs:
        assert dispatcher.dispatch(client, "apply_control_to_vehicle", [actor_id, control]) == [[False]]
    alone = rows.copy()
    rows[:] = before
    batch = read_batch(request(batch_of(pairs)))
    assert batch is not None
    results = dispatcher.dispatch(client, "apply_batch", [batch])
    assert results == pack([[[1, actor_id]] for actor_id, _ in pairs])
    np.testing.assert_array_equal(rows, alone)


@given(
    drawn=st.lists(st.tuples(st.integers(0, 2**32 - 1), CONTROLS), min_size=1, max_size=40),
    number=st.integers(0, 2**32 - 1),
    nobody_waits=st.booleans(),
)
def test_reading_gives_what_was_sent(
    drawn: list[tuple[int, list]], number: int, nobody_waits: bool
) -> None:  # fmt: skip
    data = request(batch_of(drawn), number, [nobody_waits])
    batch = read_batch(data)
    assert batch is not None
    assert (batch.message_id, batch.nobody_waits) == (number, nobody_waits)
    sent = [(actor, *control) for actor, control in drawn]
    assert [(actor, *control) for actor, _, *control in batch.controls.tolist()] == sent
    assert batch.commands == batch_of(drawn)


def test_a_part_or_more_is_not_read() -> None:
    data = request(batch_of([(3, CONTROL), (400, CONTROL)]))
    assert read_batch(data) is not None
    assert [read_batch(data[:end]) for end in range(len(data))] == [None] * len(data)
    assert read_batch(data + data) is None


@given(at=st.integers(0, 100), byte=st.integers(0, 255))
def test_what_is_read_is_what_messagepack_says(at: int, byte: int) -> None:
    """A changed byte makes another batch of controls or no batch of controls, never something else that is taken for one."""
    data = bytearray(request(batch_of([(3, CONTROL), (400, CONTROL), (70_000, CONTROL)])))
    data[at % len(data)] = byte
    batch = read_batch(bytes(data))
    if batch is not None:
        _, number, method, (metadata, commands, tick) = msgpack.unpackb(bytes(data))
        assert (method, tick, batch.message_id) == ("apply_batch", False, number)
        assert metadata == [batch.nobody_waits]
        read = [(actor, *control) for actor, _, *control in batch.controls.tolist()]
        assert read == [(actor, *control) for ((_, (actor, control)),) in commands]


@pytest.mark.parametrize(
    "odd",
    [
        [[1, [2]]],
        [[3, [2, CONTROL]]],
        [[2, [2, CONTROL[:6]]]],
        [[2, [2, ["1.0", *CONTROL[1:]]]]],
        [[2, [2, [1, *CONTROL[1:]]]]],
        [[2, [2, [float("nan"), *CONTROL[1:]]]]],
        [[2, [2, [float("inf"), *CONTROL[1:]]]]],
        [[2, [2, [*CONTROL[:6], 1.5]]]],
        [[2, [2, [*CONTROL[:6], 200]]]],
        [[2, [2, [*CONTROL[:5], 0, 0]]]],
        [[2, [True, CONTROL]]],
        [[2, [-1, CONTROL]]],
        [[2, [2**32, CONTROL]]],
        "text",
        None,
    ],
)
def test_an_odd_batch_is_not_read(odd: object) -> None:
    assert read_batch(request([*batch_of([(2, CONTROL)]), odd])) is None
    assert read_batch(request(odd)) is None


def test_a_batch_of_another_shape_is_not_read() -> None:
    commands = batch_of([(2, CONTROL)])
    assert read_batch(request([])) is None
    assert read_batch(request(commands, method="apply_match")) is None
    assert read_batch(request(commands, metadata=[])) is None
    assert read_batch(request(commands, metadata=[1])) is None
    assert read_batch(pack([2, "apply_batch", [[False], commands, False]])) is None
    announces_more = request(commands).replace(b"\x91\x91\x92\x02", b"\xdd\xff\xff\xff\xff\x91\x92\x02")
    assert read_batch(announces_more) is None


@pytest.mark.parametrize("gone", [99_999, 1])  # nobody, the spectator
def test_a_batch_for_others_than_vehicles_does_what_it_can(client: Client, gone: int) -> None:
    own, before = ids(client)[0], client.world.vehicles.rows.copy()
    pairs = [(own, [0.75, *CONTROL[1:]]), (gone, CONTROL)]
    batch = read_batch(request(batch_of(pairs)))
    assert isinstance(batch, ControlBatch)
    assert batch.apply(client.world) is None
    np.testing.assert_array_equal(client.world.vehicles.rows, before)
    by_bytes = Dispatcher(all_methods()).dispatch(client, "apply_batch", [batch])
    by_values = Dispatcher(all_methods()).dispatch(client, "apply_batch", [batch_of(pairs), False])
    assert by_bytes == by_values
    assert by_bytes[0] == [[1, own]]
    assert by_bytes[1][0][0] == 0
    assert client.world.vehicles.rows["throttle"][0] == 0.75


def test_floats_are_those_of_the_client() -> None:
    """0.1 of 32 bits is not 0.1 of 64."""
    batch = read_batch(request(batch_of([(2, [0.1, *CONTROL[1:]])])))
    assert batch is not None
    assert batch.controls["throttle"][0] == struct.unpack("<f", struct.pack("<f", 0.1))[0] != 0.1
