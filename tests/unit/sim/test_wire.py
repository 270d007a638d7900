"""Bytes and arrays exactly as the client of 0.9.16 reads them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim import wire
from drive_agent.sim.wire import Pose, RequestError, StreamType

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def test_token_is_24_bytes_and_leaves_the_address_to_the_client() -> None:
    assert wire.stream_token(7, 2001) == struct.pack("<IHBB", 7, 2001, 1, 0) + bytes(16)


def test_stream_header_is_48_packed_bytes() -> None:
    header = wire.stream_header(StreamType.RGB, 42, 2.5, Pose(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    assert header == struct.pack("<QQd6f", 13, 42, 2.5, 1, 2, 3, 4, 5, 6)
    assert len(header) == 48


def test_records_are_119_packed_bytes_with_the_fields_where_the_client_reads_them() -> None:
    assert {
        d.itemsize for d in (wire.RECORD, wire.VEHICLE_RECORD, wire.WALKER_RECORD, wire.SIGNAL_RECORD)
    } == {119}
    record = np.zeros(1, wire.VEHICLE_RECORD)
    record["id"], record["state"], record["pose"] = 9, 1, (1, 2, 3, 4, 5, 6)
    record["velocity"], record["angular_velocity"], record["acceleration"] = (
        (7, 8, 9),
        (10, 11, 12),
        (13, 14, 15),
    )
    record["throttle"], record["steer"], record["brake"] = 0.5, -0.25, 0.75
    record["hand_brake"], record["gear"], record["speed_limit_kmh"] = 1, -1, 50
    record["light_state"], record["has_light"], record["light_id"] = 2, 1, 77
    expected = struct.pack("<IB15f", 9, 1, *range(1, 16))
    expected += struct.pack("<fff???ifBBIB", 0.5, -0.25, 0.75, True, False, False, -1, 50.0, 2, 1, 77, 0)
    assert record.tobytes() == expected.ljust(119, b"\0")


def test_signal_record_matches_the_client() -> None:
    record = np.zeros(1, wire.SIGNAL_RECORD)
    record["sign_id"], record["green_s"], record["yellow_s"], record["red_s"] = b"1001", 10, 3, 2
    record["elapsed_s"], record["pole_index"], record["frozen"], record["light_state"] = 1.5, 4, 1, 2
    union = struct.pack("<32s4fI?B", b"1001", 10, 3, 2, 1.5, 4, True, 2)
    assert record.tobytes()[65:] == union


def test_walker_record_matches_the_client() -> None:
    record = np.zeros(1, wire.WALKER_RECORD)
    record["direction"], record["speed"], record["jump"] = (0.6, 0.8, 0.0), 1.5, 1
    assert record.tobytes()[65:82] == struct.pack("<4f?", 0.6, 0.8, 0.0, 1.5, True)


def test_snapshot_is_header_episode_and_records() -> None:
    records = np.zeros(2, wire.RECORD)
    message = wire.snapshot_message(
        frame=3, elapsed_s=0.15, delta_s=0.05, episode_id=2, platform_s=9.0, records=records
    )
    assert message[:48] == wire.stream_header(StreamType.WORLD, 3, 0.15, Pose(0, 0, 0, 0, 0, 0))
    assert message[48:84] == struct.pack("<Qdf3iI", 2, 9.0, 0.05, 0, 0, 0, 0)
    assert len(message) == 84 + 2 * 119


def test_results_are_wrapped_as_the_client_unwraps_them() -> None:
    assert wire.value_result(5) == [[1, 5]]
    assert wire.value_error("no") == [[0, ["no"]]]
    assert wire.void_result() == [[False]]
    assert wire.void_error("no") == [[True, ["no"]]]


@given(st.integers(0, 2**24 - 1))
def test_depth_survives_the_three_bytes(code: int) -> None:
    image = wire.encode_depth(np.full((1, 1), code / (2**24 - 1) * 1000.0, np.float64))
    blue, green, red, alpha = image[0, 0].tolist()
    assert abs(red + 256 * green + 65536 * blue - code) <= 1
    assert alpha == 255


def test_depth_beyond_a_kilometre_is_the_far_plane() -> None:
    assert wire.encode_depth(np.array([[5000.0]], np.float32))[0, 0].tolist() == [255, 255, 255, 255]


def test_tags_go_to_red_and_instances_to_green_and_blue() -> None:
    image = wire.encode_tags(np.array([[14]], np.uint8), np.array([[0x1234]], np.int32))
    assert image[0, 0].tolist() == [0x12, 0x34, 14, 255]


@given(st.tuples(finite, finite, finite, finite, finite, finite))
def test_transforms_survive_a_round_trip(numbers: tuple[float, ...]) -> None:
    pose = Pose(*numbers)
    assert wire.decode_transform(wire.encode_transform(pose)) == pose


@pytest.mark.parametrize(
    "value", [None, 3, [], [[0, 0, 0]], [[0, 0, float("nan")], [0, 0, 0]], [["x", 0, 0], [0, 0, 0]]]
)
def test_what_is_no_transform_is_refused(value: object) -> None:
    with pytest.raises(RequestError, match="expected"):
        wire.decode_transform(value)


@pytest.mark.parametrize("value", [True, "1", None, float("inf"), [1]])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(RequestError, match="expected a finite number"):
        wire.decode_number(value, "speed")


@pytest.mark.parametrize("value", [-1, 2**32, 1.5, True, "1"])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(RequestError, match="32-bit"):
        wire.decode_id(value)
