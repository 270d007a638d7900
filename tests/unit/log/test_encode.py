"""Whatever a log holds comes back from JSON as it was."""

import dataclasses
import math
from enum import IntEnum

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst

from drive_agent.log.encode import dumps, from_plain, loads, to_plain
from drive_agent.log.schema import FrameRecord, ImageRef, Outcome, PromptRecord, ScenarioEvent, TickRecord
from drive_agent.types import (
    ActorInfo,
    Collision,
    Command,
    ControlTerms,
    EgoState,
    Forecast,
    LightState,
    Maneuver,
    ObjectKind,
    Plan,
    PlanError,
    PromptState,
    Reply,
    Scene,
    SceneObject,
)

NUMBERS = st.floats(width=64)  # with nan and infinities
FINITE = st.floats(-1e9, 1e9)
TIMES = st.integers(0, 2**53)
TEXTS = st.text(max_size=12)
ARRAYS = npst.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_]),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0),
)
MATRICES = npst.arrays(np.float64, st.tuples(st.integers(0, 4), st.just(2)))
TERMS = st.builds(ControlTerms, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans())
REFS = st.builds(ImageRef, TEXTS, TIMES)
MANEUVERS = st.lists(st.sampled_from(Maneuver), max_size=3).map(tuple)
PLANS = st.builds(
    Plan,
    TIMES,
    npst.arrays(np.float64, st.tuples(st.integers(2, 5), st.just(2))),
    st.just(np.array([0.5, 1.0])),
    npst.arrays(np.float64, (2,), elements=st.floats(0, 40)),
    TEXTS,
)
OBJECTS = st.builds(SceneObject, st.sampled_from(ObjectKind), NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
SCENES = st.builds(
    Scene, st.lists(OBJECTS, max_size=3).map(tuple), st.sampled_from(LightState), NUMBERS, st.none() | NUMBERS
)
FRAMES = st.builds(
    FrameRecord,
    time_us=TIMES,
    cameras=st.lists(REFS, max_size=2).map(tuple),
    previous=st.lists(REFS, max_size=2).map(tuple),
    ego=st.builds(EgoState, TIMES, *[NUMBERS] * 7),
    history_ego=npst.arrays(np.float64, st.tuples(st.integers(0, 3), st.just(4))),
    route_ego=MATRICES,
    route_maneuvers=MANEUVERS,
    maneuver=st.sampled_from(Maneuver),
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": TEXTS, "content": TEXTS | st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2)}
    ),
    max_size=2,
).map(tuple)
PROMPTS = st.builds(
    PromptRecord,
    messages=MESSAGES,
    images=st.lists(REFS, max_size=2).map(tuple),
    previous_images=st.lists(st.none() | REFS, max_size=2).map(tuple),
    state=st.builds(PromptState, FINITE, FINITE, st.sampled_from(Maneuver), FINITE, MATRICES),
)
REPLIES = st.builds(
    Reply,
    st.none() | TEXTS,
    st.dictionaries(TEXTS, ARRAYS, max_size=2),
    st.dictionaries(TEXTS, NUMBERS, max_size=2),
    TIMES,
)
TICKS = st.builds(
    TickRecord,
    time_us=TIMES,
    command=st.builds(Command, NUMBERS, NUMBERS, NUMBERS),
    lateral=TERMS,
    longitudinal=TERMS,
    guard=TEXTS,
    plan=st.none() | PLANS,
    plan_error=st.none() | st.builds(PlanError, TEXTS),
    scene=st.none() | SCENES,
    forecast=st.none()
    | st.builds(Forecast, npst.arrays(np.float64, st.tuples(st.integers(0, 2), st.just(3), st.just(2)))),
    frame=st.none() | FRAMES,
    prompt=st.none() | PROMPTS,
    reply=st.none() | REPLIES,
    timings_ms=st.dictionaries(TEXTS, NUMBERS, max_size=3),
)
INFOS = st.builds(ActorInfo, TIMES, TEXTS, TEXTS, st.sampled_from(ObjectKind), *[NUMBERS] * 5)
COLLISIONS = st.builds(Collision, TIMES, TEXTS, NUMBERS)
OUTCOMES = st.builds(Outcome, TEXTS, TEXTS, NUMBERS, NUMBERS)
SCENARIO_EVENTS = st.builds(ScenarioEvent, TIMES, TEXTS, TEXTS)


def same(a: object, b: object) -> bool:
    """Equal in type, number by number (nan equals nan), dtype and shape."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (
            a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        )
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return a == b


@given(st.one_of(TICKS, INFOS, COLLISIONS, OUTCOMES, SCENARIO_EVENTS))
def test_records_come_back_as_they_were(record):
    assert same(from_plain(type(record), loads(dumps(to_plain(record)))), record)


@given(ARRAYS)
def test_arrays_keep_dtype_shape_and_every_bit(array):
    assert same(from_plain(np.ndarray, loads(dumps(to_plain(array)))), array)


def test_transposed_arrays_keep_their_order():
    array = np.arange(6.0).reshape(2, 3).T
    assert np.array_equal(from_plain(np.ndarray, loads(dumps(to_plain(array)))), array)


@given(st.binary(max_size=20), st.dictionaries(st.sampled_from(Maneuver), st.integers(0, 5)))
def test_bytes_and_enum_keys_come_back(blob, table):
    assert from_plain(bytes, loads(dumps(to_plain(blob)))) == blob
    assert from_plain(dict[Maneuver, int], loads(dumps(to_plain(table)))) == table


def test_enums_are_plain_integers_in_the_log():
    class Gear(IntEnum):
        FIRST = 1

    assert (
        dumps(to_plain({"gear": Gear.FIRST, "speed_mps": np.float32(0.5)})) == b'{"gear":1,"speed_mps":0.5}'
    )


def test_what_no_log_can_hold_is_refused():
    with pytest.raises(TypeError, match="a log cannot hold set"):
        to_plain({1, 2})


def test_a_record_that_lacks_a_field_is_refused():
    with pytest.raises(ValueError, match="Outcome lacks reason"):
        from_plain(Outcome, {"status": "Completed", "wall_s": 1.0, "simulated_s": 1.0})
