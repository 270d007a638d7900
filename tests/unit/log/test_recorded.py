"""Recordings of CARLA's recorder as truth: axes, units, who is who, and what has to follow from what is recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    Recording,
    read_recording,
)
from drive_agent.log.recorded import NOBODY, RecordedTick, ego_of, recorded_ticks
from drive_agent.types import Command, LightState, ObjectKind
from tests.worlds import street

REAL = Path(__file__).parents[4] / "shared/data/carla/recordings"
BOX = (2.4, 1.0, 0.75, 0.1)
HERO, BIKE, WALKER, LIGHT = 20, 21, 22, 3
STOP_M = 40.0
STREET = street(200.0, STOP_M)


def actor(number: int, kind: int, type_id: str, **attributes: str) -> Appeared:
    given = tuple(Attribute(3, name, value) for name, value in attributes.items())
    return Appeared(number, kind, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1, type_id, given)


def light() -> Appeared:
    """Where the street has its signal, as the recorder says it: centimetres, y to the right."""
    x_m, y_m, z_m = STREET.stop_lines[0].position
    return Appeared(
        LIGHT,
        ActorClass.TRAFFIC_LIGHT,
        (x_m * 100 + 60, -y_m * 100, z_m * 100),
        (0, 0, 0),
        0,
        "traffic.traffic_light",
    )


CAST = (
    actor(HERO, ActorClass.VEHICLE, "vehicle.lincoln.mkz_2017", role_name="hero", number_of_wheels="4"),
    actor(BIKE, ActorClass.VEHICLE, "vehicle.bh.crossbike", role_name="scenario", number_of_wheels="2"),
    actor(WALKER, ActorClass.WALKER, "walker.pedestrian.0001"),
    actor(30, ActorClass.OTHER, "static.prop.mesh"),
    actor(31, ActorClass.OTHER, "static.prop.trafficcone01"),
    actor(40, ActorClass.SENSOR, "sensor.other.collision"),
    light(),
)  # fmt: skip


def positions(x_m: float, ids: Sequence[int] = (HERO, BIKE, WALKER, 31)) -> np.ndarray:
    rows = [(k, (x_m * 100, 175.0 + 100 * number, 50.0), (0.0, 2.0, -90.0)) for number, k in enumerate(ids)]
    return np.array(rows, RECORDS[Packet.POSITIONS])


def table(packet: Packet, *rows: tuple) -> np.ndarray:
    return np.array(list(rows), RECORDS[packet])


def recording(*frames: Frame) -> Recording:
    return Recording("Street", 0, frames)


def ticks_of(*frames: Frame, ego: int = HERO) -> list[RecordedTick]:
    return list(recorded_ticks(recording(*frames), STREET, ego, lambda type_id: BOX))


def test_axes_and_units_are_ours():
    first = Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0)})
    [tick] = ticks_of(first)
    x, y, z, yaw, pitch, *motion = tick.truth.ego
    assert (x, y, z) == pytest.approx((10.0, -1.75, 0.5)) and motion == [0.0] * 5
    assert (yaw, pitch) == pytest.approx((math.pi / 2, math.radians(2.0)))
    assert tick.command is None


def test_the_ego_stands_first_and_only_what_is_on_the_road_is_there():
    [tick] = ticks_of(Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0)}), ego=BIKE)
    assert tick.truth.ids == (BIKE, HERO, WALKER, 31)
    kinds = [tick.truth.infos[actor].kind for actor in tick.truth.ids]
    assert kinds == [ObjectKind.CYCLIST, ObjectKind.VEHICLE, ObjectKind.WALKER, ObjectKind.PROP]
    assert tick.truth.infos[HERO].role == "hero"


def test_speeds_follow_from_places_unless_they_are_recorded():
    fast = table(Packet.KINEMATICS, (HERO, (7.0, -1.0, 0.0), (0.0, 0.0, -90.0)))
    one, two = ticks_of(
        Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0), Packet.KINEMATICS: fast}),
        Frame(2, 0.5, 0.5, (), {Packet.POSITIONS: positions(14.0), Packet.KINEMATICS: fast}),
    )
    assert one.truth.ego[5:8].tolist() == pytest.approx([7.0, 1.0, math.pi / 2])
    assert two.truth.ego[8:].tolist() == [0.0, 0.0]
    bike = two.truth.actors[two.truth.ids.index(BIKE)]
    assert bike[5:].tolist() == pytest.approx([8.0, 0.0, 0.0, 16.0, 0.0])


def test_boxes_come_from_the_recording_else_from_the_catalogue():
    box = table(
        Packet.BOXES, (BIKE, (12.0, 0.0, 80.0), (90.0, 30.0, 80.0)), (WALKER, (0, 0, 0), (np.nan, 1, 1))
    )
    [tick] = ticks_of(Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0), Packet.BOXES: box}))
    bike, walker = tick.truth.infos[BIKE], tick.truth.infos[WALKER]
    assert (
        bike.half_length_m,
        bike.half_width_m,
        bike.half_height_m,
        bike.center_forward_m,
    ) == pytest.approx((0.9, 0.3, 0.8, 0.12))
    assert (walker.half_length_m, walker.half_width_m, walker.half_height_m, walker.center_forward_m) == BOX


def test_lights_are_found_by_their_place():
    signal = STREET.stop_lines[0].signal_id
    for state, expected in enumerate((LightState.RED, LightState.YELLOW, LightState.GREEN, LightState.NONE)):
        lights = table(Packet.LIGHTS, (LIGHT, 0, 1.5, state), (99, 0, 0.0, 0))
        [tick] = ticks_of(
            Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0), Packet.LIGHTS: lights})
        )
        assert tick.truth.lights == {signal: expected}


def test_collisions_of_the_ego_name_whom_it_met():
    hits = table(
        Packet.COLLISIONS,
        (0, HERO, BIKE, 1, 0),
        (1, WALKER, HERO, 0, 1),
        (2, HERO, NOBODY, 1, 0),
        (3, BIKE, WALKER, 0, 0),
    )
    [tick] = ticks_of(Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0), Packet.COLLISIONS: hits}))
    assert [(hit.other_id, hit.other_type) for hit in tick.truth.collisions] == [
        (BIKE, "vehicle.bh.crossbike"), (WALKER, "walker.pedestrian.0001"), (0, "static"),
    ]  # fmt: skip


def test_pedals_and_wheel_are_the_command():
    pedals = table(Packet.VEHICLES, (BIKE, 0.0, 1.0, 0.0, 0, 1), (HERO, 0.25, 0.5, 0.0, 0, 2))
    [tick] = ticks_of(Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(10.0), Packet.VEHICLES: pedals}))
    assert tick.command == Command(0.5, -0.25, 0.0)


def test_who_has_gone_is_gone_and_without_the_ego_there_is_no_tick():
    before = Frame(1, 0.0, 0.0, (), {Packet.POSITIONS: positions(9.0, ())})
    there = Frame(2, 0.1, 0.1, CAST, {Packet.POSITIONS: positions(10.0)})
    still = Frame(3, 0.0, 0.1, (), {Packet.POSITIONS: positions(10.5)})  # time stands: no tick of its own
    bike = Frame(
        4,
        0.1,
        0.2,
        (),
        {Packet.POSITIONS: positions(11.0, (HERO, WALKER)), Packet.GONE: table(Packet.GONE, (BIKE,))},
    )
    hero = Frame(
        5,
        0.1,
        0.3,
        (),
        {Packet.POSITIONS: positions(12.0, (WALKER,)), Packet.GONE: table(Packet.GONE, (HERO,))},
    )
    ticks = ticks_of(before, there, still, bike, hero)
    assert [tick.truth.time_us for tick in ticks] == [100_000, 200_000]
    assert ticks[1].truth.ids == (HERO, WALKER)


def test_a_place_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="frame 1 has actor 20 at no place"):
        ticks_of(Frame(1, 0.0, 0.0, CAST, {Packet.POSITIONS: positions(float("nan"), (HERO,))}))


def test_the_ego_is_the_hero_or_whom_one_names():
    one = recording(Frame(1, 0.0, 0.0, CAST))
    assert ego_of(one) == HERO and ego_of(one, BIKE) == BIKE
    with pytest.raises(
        ValueError,
        match=r"no vehicle has the id 22: give ego=ID, one of 20 \(vehicle.lincoln.mkz_2017, hero\)",
    ):
        ego_of(one, WALKER)
    with pytest.raises(ValueError, match=r"0 vehicles have the role hero: give ego=ID, one of 21"):
        ego_of(recording(Frame(1, 0.0, 0.0, CAST[1:])))


@pytest.mark.skipif(not REAL.is_dir(), reason="the recordings of ScenarioRunner's metrics are not at hand")
def test_recorded_speeds_are_those_of_the_places():
    """Checks units and axes on a real recording: metres per second against differences of centimetres."""
    real = read_recording((REAL / "DistanceBetweenVehicles.log").read_bytes())
    ticks = list(recorded_ticks(real, STREET, ego_of(real), lambda type_id: BOX))
    times_s = np.array([tick.truth.time_us for tick in ticks]) / 1e6
    way = np.array([tick.truth.ego[:2] for tick in ticks])
    speeds = np.array([tick.truth.ego[5:7] for tick in ticks])
    moved = np.diff(way, axis=0) / np.diff(times_s)[:, None]
    told = (speeds[1:] + speeds[:-1]) / 2
    assert np.linalg.norm(moved, axis=1).max() > 12.0
    assert np.median(np.linalg.norm(moved - told, axis=1)) < 0.2
    info = ticks[-1].truth.ego_info
    assert (info.half_length_m, info.half_width_m) == pytest.approx((2.4508, 1.0642), abs=1e-3)
