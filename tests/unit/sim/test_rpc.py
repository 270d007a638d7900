"""Every method of the table, in process, with arguments right, nearly right and wrong: a typed reply, never an exception."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drive_agent.sim.maps import build_town
from drive_agent.sim.rpc import BARE, VOID, Client, Dispatcher
from drive_agent.sim.server import all_methods
from drive_agent.sim.wire import COMMAND_METHODS, pack
from drive_agent.sim.world import World
from tests.conformance.conftest import ONE_STREET

METHODS = all_methods().methods
LOADS_A_WORLD = "load_new_episode"  # with a right name: seconds
NAMES = sorted(set(METHODS) - {LOADS_A_WORLD})
SPAWNED = (
    "vehicle.tesla.model3", "vehicle.bh.crossbike", "walker.pedestrian.0001", "static.prop.container",
    "sensor.camera.rgb", "sensor.lidar.ray_cast", "sensor.other.imu", "controller.ai.walker",
)  # fmt: skip


class _Tracebacks(logging.Handler):
    """Keeps what was logged as an exception."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.texts.append(logging.Formatter().format(record))


@pytest.fixture(scope="module")
def client() -> Client:
    """In a world of one street with an actor of every kind."""
    world = World(build_town("OneStreet", ONE_STREET), seed=0)
    client, dispatcher = Client(world, 1), Dispatcher(all_methods())
    for index, type_id in enumerate(SPAWNED):
        place = [[10.0 + 12.0 * index, 1.75, 0.5], [0.0, 0.0, 0.0]]
        ((status, value),) = dispatcher.dispatch(client, "spawn_actor", [[0, type_id, []], place])
        assert status == 1, value
    world.step(0.05)
    return client


@pytest.fixture
def tracebacks() -> Iterator[list[str]]:
    handler, log = _Tracebacks(), logging.getLogger("drive_agent.sim")
    log.addHandler(handler)
    yield handler.texts
    log.removeHandler(handler)


# ---- arguments -------------------------------------------------------------------------------------------------------

number = st.one_of(
    st.floats(-300.0, 300.0), st.floats(width=32), st.integers(-3, 3), st.sampled_from([1e38, -1e38, 1e300])
)
vector = st.lists(number, min_size=3, max_size=3)
transform = st.tuples(vector, vector).map(list)
actor = st.integers(0, len(SPAWNED) + 4)
junk = st.recursive(
    st.one_of(
        st.none(), st.booleans(), number, st.integers(-(2**63), 2**64 - 1), st.text(max_size=5), st.binary(max_size=24)
    ),
    lambda inner: st.lists(inner, max_size=17) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=30,
)  # fmt: skip
description = st.tuples(
    st.just(0),
    st.sampled_from([*SPAWNED, "vehicle.flying.carpet"]),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["color", "fov", "image_size_x", "channels", "range", "rotation_frequency", "sensor_tick"]
            ),
            st.integers(0, 6),
            st.sampled_from(["", "1", "-1", "0", "nan", "1e9", "1,2,3", "x"]),
        ).map(list),
        max_size=3,
    ),
).map(list)
by_name = {
    "actor_id": actor, "parent_id": actor, "transform": transform, "location": vector, "velocity": vector,
    "impulse": vector, "force": vector, "torque": vector, "start": vector, "end": vector, "direction": vector,
    "distance": number, "seconds": number, "speed": number, "angle_deg": number, "gravity": number,
    "enabled": st.booleans(), "frozen": st.booleans(), "active": st.booleans(), "wheel": st.integers(-1, 4),
    "door": st.integers(-1, 7), "port": st.integers(-1, 70_000), "state": st.integers(-1, 5),
    "label": st.integers(-1, 256), "description": description, "flags": st.lists(st.integers(0, 2**33), max_size=2),
    "ids": st.lists(actor, max_size=4), "weather": st.lists(number, min_size=14, max_size=14),
}  # fmt: skip
members = st.one_of(number, st.booleans(), st.integers(-1, 6))
by_method = {
    "apply_control_to_vehicle": st.tuples(actor, st.lists(members, min_size=7, max_size=7)),
    "apply_ackermann_control_to_vehicle": st.tuples(actor, st.lists(number, min_size=5, max_size=5)),
    "apply_control_to_walker": st.tuples(actor, st.tuples(vector, number, st.booleans()).map(list)),
    "set_episode_settings": st.tuples(st.lists(members, min_size=11, max_size=11)),
    "add_traffic_manager_running": st.tuples(st.tuples(st.text(max_size=4), st.integers(-1, 70_000)).map(list)),
    "apply_batch": st.tuples(
        st.lists(
            st.tuples(
                st.integers(-1, len(COMMAND_METHODS)), st.one_of(junk, st.tuples(actor, vector).map(list))
            ).map(lambda variant: [list(variant)]),
            max_size=4,
        ),
        st.booleans(),
    ),
}  # fmt: skip


@st.composite
def _calls(draw: st.DrawFn) -> tuple[str, list]:
    """A method and arguments: of the right shape, or with one of them replaced, or all of them anything."""
    name = draw(st.sampled_from(NAMES))
    if draw(st.integers(0, 3)) == 0:
        return name, draw(st.lists(junk, max_size=7))
    if name in by_method and draw(st.booleans()):
        arguments = list(draw(by_method[name]))
    else:
        parameters = list(inspect.signature(METHODS[name].handler).parameters.values())[1:]
        wanted = [p.name for p in parameters if p.kind is not inspect.Parameter.VAR_POSITIONAL]
        arguments = [draw(by_name.get(parameter, junk)) for parameter in wanted]
    if arguments and draw(st.integers(0, 3)) == 0:
        arguments[draw(st.integers(0, len(arguments) - 1))] = draw(junk)
    return name, arguments


def _is_typed(name: str, result: list) -> bool:
    """Whether the client can unwrap this result."""
    if METHODS[name].returns is BARE:
        return all(len(entry[0]) == 2 for entry in result)
    (entry,) = result
    if METHODS[name].returns is VOID:
        return entry == [False] or (entry[0] is True and isinstance(entry[1][0], str))
    return entry[0] == 1 or (entry[0] == 0 and isinstance(entry[1][0], str))


@settings(max_examples=700, suppress_health_check=list(HealthCheck))
@given(call=_calls())
def test_every_method_answers_every_argument_with_a_typed_reply(
    client: Client, tracebacks: list[str], call: tuple[str, list]
) -> None:
    name, arguments = call
    before = len(tracebacks)
    result = Dispatcher(all_methods()).dispatch(client, name, arguments)
    assert tracebacks[before:] == []
    assert _is_typed(name, result), result
    pack(result)
    client.world.step(0.05)
