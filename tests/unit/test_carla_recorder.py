"""CARLA's recorder format: what is written is read back, real recordings too, and cut or foreign files say so."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from drive_agent.carla_recorder import (
    RECORDS,
    ActorClass,
    Appeared,
    Attribute,
    Frame,
    Packet,
    Physics,
    frame_bytes,
    header_bytes,
    read_recording,
)

REAL = Path(__file__).parents[3] / "shared/data/carla/recordings"
needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="the recordings of ScenarioRunner's metrics are not at hand"
)
HERO = Appeared(
    7, ActorClass.VEHICLE, (100.0, -200.0, 3.5), (0.0, 1.5, 90.0), 26, "vehicle.lincoln.mkz_2017",
    (Attribute(3, "role_name", "hero"), Attribute(4, "color", "17,37,103")),
)  # fmt: skip


def some(packet: Packet, count: int) -> np.ndarray:
    """Records with different bytes everywhere."""
    size = RECORDS[packet].itemsize * count
    return np.frombuffer(bytes(k % 100 for k in range(size)), RECORDS[packet])


PHYSICS = Physics(
    7, 6500.0, 1.0, (0.25, 2.0, 0.5), True, 10.0, 3.25, 1696.0, 0.5, (0.5, 0.0, -0.25),
    ((1000.0, 347.0), (6500.0, 466.0)), ((4.5, 0.25, 0.5),), ((0.0, 1.0),), (tuple(map(float, range(12))),) * 4,
)  # fmt: skip
FRAMES = (
    Frame(1, 0.0, 0.0, (HERO,), {packet: some(packet, 2) for packet in RECORDS}, (PHYSICS,), 0.5, 12345),
    Frame(
        2, 0.05, 0.05, (), {Packet.POSITIONS: some(Packet.POSITIONS, 3), Packet.GONE: some(Packet.GONE, 1)}
    ),
)
FILE = header_bytes("Town01", 1637671165) + b"".join(map(frame_bytes, FRAMES))


def test_what_is_written_is_read_back():
    recording = read_recording(FILE)
    assert (recording.town, recording.began_unix_s, recording.missing) == ("Town01", 1637671165, "")
    for written, read in zip(FRAMES, recording.frames, strict=True):
        assert (read.number, read.duration_s, read.elapsed_s) == (
            written.number,
            written.duration_s,
            written.elapsed_s,
        )
        assert read.appeared == written.appeared
        assert (read.physics, read.platform_s, read.counter) == (
            written.physics,
            written.platform_s,
            written.counter,
        )
        for packet in RECORDS:
            assert read.of(packet).tobytes() == written.of(packet).tobytes()
    assert recording.frames[0].appeared[0].attribute("role_name") == "hero"
    assert recording.frames[0].appeared[0].attribute("generation") == ""


def test_additional_data_is_left_out_unless_asked_for():
    plain = header_bytes("Town01", 0) + frame_bytes(FRAMES[0], additional=False)
    [frame] = read_recording(plain).frames
    assert len(frame.of(Packet.POSITIONS)) == 2 and len(frame.of(Packet.KINEMATICS)) == 0
    assert len(frame.of(Packet.DOORS)) == 2
    assert (frame.physics, frame.platform_s, frame.counter) == ((), None, None)


def test_the_layout_is_that_of_the_format():
    frame = Frame(3, 0.05, 0.1, records={Packet.WALKERS: np.array([(9, 140.0)], RECORDS[Packet.WALKERS])})
    data = frame_bytes(frame)
    assert data.startswith(struct.pack("<BIQdd", 0, 24, 3, 0.05, 0.1) + struct.pack("<BIH", 2, 2, 0))
    assert struct.pack("<BIHIf", 9, 10, 1, 9, 140.0) in data and data.endswith(struct.pack("<BI", 1, 0))


def test_a_file_cut_anywhere_keeps_its_whole_frames():
    first = len(header_bytes("Town01", 0)) + len(frame_bytes(FRAMES[0]))
    for size in range(len(FILE)):
        if size < len(header_bytes("Town01", 0)):
            with pytest.raises(ValueError, match=r"empty file|no recording|cut off in its header"):
                read_recording(FILE[:size])
            continue
        recording = read_recording(FILE[:size])
        assert len(recording.frames) == (size >= first)
        whole = size in (first, len(header_bytes("Town01", 0)))
        assert (recording.missing == "") == whole


def test_packets_of_later_versions_are_skipped():
    later = struct.pack("<BI", 19, 5) + b"bones"
    frame = frame_bytes(FRAMES[1])
    recording = read_recording(header_bytes("Town01", 0) + frame[:29] + later + frame[29:])
    assert len(recording.frames[0].of(Packet.POSITIONS)) == 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04 not at all", "no recording of CARLA's recorder"),
        (header_bytes("Town01", 0) + b"\x01\0\0\0\0", "no frame begins at byte"),
        (FILE[: len(header_bytes("Town01", 0))] + struct.pack("<BI", 0, 3) + b"abc" + b"\x01\0\0\0\0", "is damaged"),
        (header_bytes("Town01", 0) + frame_bytes(Frame(1, 0, 0)).replace(b"\x02\x02\0\0\0\0\0", b"\x02\x02\0\0\0\xff\xff"),
         "is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_one_line(data, says):
    with pytest.raises(ValueError, match=says):
        read_recording(data)


@needs_real
@pytest.mark.parametrize("name", ["DistanceBetweenVehicles", "DistanceToLaneCenter"])
def test_real_recordings_are_read_and_written_alike(name):
    data = (REAL / f"{name}.log").read_bytes()
    recording = read_recording(data)
    again = header_bytes(recording.town, recording.began_unix_s) + b"".join(
        map(frame_bytes, recording.frames)
    )
    assert again == data
    assert recording.town == "Town01" and not recording.missing
    heroes = [a for frame in recording.frames for a in frame.appeared if a.attribute("role_name") == "hero"]
    assert [hero.type_id for hero in heroes] == ["vehicle.lincoln.mkz_2017"]
