"""The recorder and the replayer of a world, without a server: what was recorded is played as it was, and no file does harm."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
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
    frame_bytes,
    header_bytes,
)
from drive_agent.sim.maps import Town, build_town
from drive_agent.sim.poses import IDENTITY
from drive_agent.sim.recording_text import blocked_text, collisions_text, info_text
from drive_agent.sim.replayer import Cut
from drive_agent.sim.wire import Pose, RequestError
from drive_agent.sim.world import World
from tests.conformance.conftest import ONE_STREET

DELTA_S = 0.05
CAR, WALKER, CONE = "vehicle.tesla.model3", "walker.pedestrian.0001", "static.prop.trafficcone01"
HERO = [["role_name", 4, "hero"], ["color", 5, "200,10,10"]]
START = Pose(20.0, 1.75, 0.1, 0.0, 0.0, 0.0)
EVERYTHING = Cut(0.0, math.inf, 0, True, IDENTITY)


@pytest.fixture(scope="module")
def town() -> Town:
    return build_town("OneStreet", ONE_STREET)


@pytest.fixture
def world(town: Town, tmp_path: Path) -> World:
    return in_folder(World(town, seed=0), tmp_path)


def in_folder(world: World, folder: Path) -> World:
    world.tape.folder = folder
    return world


def record_a_drive(world: World, ticks: int = 40, *, additional: bool = True) -> list[dict[int, Pose]]:
    """A car drives off, a walker walks, a camera hangs on the car; the poses of all after each tick."""
    car = world.spawn(CAR, [0, CAR, HERO], START)
    walker = world.spawn(WALKER, [0, WALKER, []], Pose(30.0, 8.0, 1.1, 0.0, 90.0, 0.0))
    world.spawn("sensor.other.gnss", [0, "sensor.other.gnss", []], Pose(1.0, 0.0, 2.0, 0.0, 0.0, 0.0), car)
    world.tape.record("drive.log", additional=additional)
    world.walkers.rows["speed_mps"][walker.slot], world.walkers.rows["direction"][walker.slot] = (
        1.5,
        (1.0, 0.5, 0.0),
    )
    row = world.vehicles.rows[car.slot]
    row["throttle"], row["steer"], row["light_flags"] = 0.8, 0.1, 8
    poses = []
    for tick in range(ticks):
        if tick == 20:
            world.vehicles.rows["open_doors"][car.slot] = 1
            world.spawn(CONE, [0, CONE, []], Pose(60.0, 5.0, 0.0, 0.0, 45.0, 0.0))
        world.step(DELTA_S)
        poses.append({actor.id: world.pose_of(actor) for actor in world.actors})
    world.tape.stop_recorder()
    return poses


def play(world: World, cut: Cut = EVERYTHING, name: str = "drive.log") -> Recording:
    recording = world.tape.open(name)
    assert recording is not None
    end_s = min(cut.end_s, recording.frames[-1].elapsed_s)
    world.tape.replay(
        recording, Cut(cut.start_s, end_s, cut.follow_id, cut.with_sensors, cut.view_of_followed)
    )
    return recording


def by_type(world: World, type_id: str):
    [actor] = [actor for actor in world.actors if actor.type_id == type_id]
    return actor


def test_a_replay_repeats_every_pose_with_the_same_ids(town: Town, tmp_path: Path) -> None:
    poses = record_a_drive(in_folder(World(town, seed=0), tmp_path))
    again = in_folder(World(town, seed=0), tmp_path)
    play(again)
    for expected in poses[1:-1]:
        again.step(DELTA_S)
        assert {actor.id for actor in again.actors} == set(expected)
        for actor in again.actors:
            # single precision in centimetres
            assert again.pose_of(actor) == pytest.approx(expected[actor.id], abs=2e-4)


def test_a_replay_repeats_controls_lights_doors_and_speeds(town: Town, tmp_path: Path) -> None:
    world = in_folder(World(town, seed=0), tmp_path)
    record_a_drive(world)
    velocity = world.vehicles.rows["world_velocity"][0].copy()
    again = in_folder(World(town, seed=0), tmp_path)
    play(again)
    for _ in range(38):
        again.step(DELTA_S)
    car, walker = by_type(again, CAR), by_type(again, WALKER)
    row = again.vehicles.rows[car.slot]
    assert (row["throttle"], row["steer"], row["light_flags"], row["open_doors"]) == (
        pytest.approx(0.8), pytest.approx(0.1), 8, 1,
    )  # fmt: skip
    assert row["world_velocity"][:2] == pytest.approx(velocity[:2], rel=0.05)
    assert again.walkers.rows["speed_mps"][walker.slot] == pytest.approx(1.5)
    assert car.attributes["color"] == "200,10,10"
    assert by_type(again, "sensor.other.gnss").parent_id == car.id


def test_in_the_recorded_world_its_actors_are_taken_over(world: World) -> None:
    poses = record_a_drive(world)
    ids = {actor.id for actor in world.actors}
    play(world)
    for _ in range(10):
        world.step(DELTA_S)
    assert {actor.id for actor in world.actors} == ids
    car = by_type(world, CAR)
    assert world.pose_of(car) == pytest.approx(poses[10][car.id], abs=2e-4)


def test_when_a_replay_ends_everybody_stands_still_under_physics(town: Town, tmp_path: Path) -> None:
    record_a_drive(in_folder(World(town, seed=0), tmp_path))
    again = in_folder(World(town, seed=0), tmp_path)
    play(again)
    for _ in range(41):
        again.step(DELTA_S)
    row = again.vehicles.rows[by_type(again, CAR).slot]
    assert (row["simulate_physics"], row["throttle"]) == (1, 0.0)
    assert row["world_velocity"] == pytest.approx([0.0, 0.0, 0.0], abs=0.2)
    assert again.walkers.rows["speed_mps"].tolist() == [0.0]


@pytest.mark.parametrize("keep", [True, False])
def test_a_stopped_replay_keeps_its_actors_or_takes_them_along(
    town: Town, tmp_path: Path, keep: bool
) -> None:
    record_a_drive(in_folder(World(town, seed=0), tmp_path))
    again = in_folder(World(town, seed=0), tmp_path)
    before = {actor.id for actor in again.actors}
    play(again)
    again.step(DELTA_S)
    again.tape.stop_replayer(keep_actors=keep)
    again.step(DELTA_S)
    assert ({actor.id for actor in again.actors} == before) is not keep


def test_heroes_sensors_and_the_spectator_may_stay_away(town: Town, tmp_path: Path) -> None:
    record_a_drive(in_folder(World(town, seed=0), tmp_path))
    again = in_folder(World(town, seed=0), tmp_path)
    again.tape.options.ignore_hero = again.tape.options.ignore_spectator = True
    again.move(again.spectator, Pose(7.0, 7.0, 7.0, 0.0, 0.0, 0.0))
    play(again, Cut(0.0, math.inf, 0, False, IDENTITY))
    again.step(DELTA_S)
    assert {actor.type_id for actor in again.actors} == {"spectator", WALKER}
    assert again.spectator.pose[:3] == (7.0, 7.0, 7.0)


def test_the_spectator_follows_whom_it_shall(town: Town, tmp_path: Path) -> None:
    world = in_folder(World(town, seed=0), tmp_path)
    poses = record_a_drive(world)
    car_id = by_type(world, CAR).id
    again = in_folder(World(town, seed=0), tmp_path)
    play(again, Cut(0.0, math.inf, car_id, False, Pose(-10.0, 0.0, 5.0, 0.0, 0.0, 0.0)))
    again.step(DELTA_S)
    car = poses[1][car_id]
    assert math.hypot(again.spectator.pose.x - car.x, again.spectator.pose.y - car.y) == pytest.approx(
        10.0, abs=0.1
    )
    assert again.spectator.pose.z == pytest.approx(car.z + 5.0, abs=0.3)


def test_time_can_go_faster_and_begin_later(town: Town, tmp_path: Path) -> None:
    world = in_folder(World(town, seed=0), tmp_path)
    poses = record_a_drive(world)
    car_id = by_type(world, CAR).id
    again = in_folder(World(town, seed=0), tmp_path)
    again.tape.options.time_factor = 2.5
    play(again, Cut(0.5, math.inf, 0, False, IDENTITY))
    again.step(DELTA_S)  # at 0.625 s: halfway between the frames of 0.6 and 0.65 s
    halfway = [(a + b) / 2.0 for a, b in zip(poses[12][car_id][:3], poses[13][car_id][:3], strict=True)]
    assert again.pose_of(by_type(again, CAR))[:3] == pytest.approx(halfway, abs=2e-4)


def test_recording_ends_with_the_episode_and_with_a_replay(world: World, town: Town) -> None:
    for ends in (lambda: world.load(town), lambda: play(world)):
        record_a_drive(world, 3)
        world.tape.record("other.log", additional=False)
        world.step(DELTA_S)
        ends()
        before = (world.tape.folder / "other.log").read_bytes()
        world.step(DELTA_S)
        assert (world.tape.folder / "other.log").read_bytes() == before


def test_nothing_is_lost_or_added_between_world_and_file(world: World) -> None:
    record_a_drive(world)
    recording = world.tape.open("drive.log")
    assert recording is not None
    assert [frame.number for frame in recording.frames] == list(range(1, 41))
    assert [frame.elapsed_s for frame in recording.frames] == pytest.approx(np.arange(40) * DELTA_S)
    assert [frame.duration_s for frame in recording.frames] == [pytest.approx(DELTA_S)] * 39 + [-1.0]
    first, late = recording.frames[0], recording.frames[20]
    assert [one.type_id for one in first.appeared] == ["spectator", CAR, WALKER, "sensor.other.gnss"]
    assert first.appeared[3].location_cm == pytest.approx((100.0, 0.0, 200.0))  # of one that hangs on another
    assert [one.type_id for one in late.appeared] == [CONE]
    assert late.of(Packet.DOORS).tolist() == [(first.appeared[1].id, 0, 1)]
    assert first.physics[0].mass_kg == pytest.approx(world.vehicles.rows["mass"][0])
    assert all(not frame.physics for frame in recording.frames[1:])


# ---- files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "../x.log",
        "a/../../x.log",
        "..\0",
        "a\0b",
        "out/x.log",
        "x" * 5000,
        "\u0000",
    ],
)
def test_no_name_leads_out_of_the_folder(world: World, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    world.tape.folder = folder
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RequestError, match="expected a name|expected a file's name|cannot be"):
        world.tape.record(name, additional=False)
    with pytest.raises(RequestError, match="expected a name|expected a file's name|cannot be"):
        world.tape.open(name)
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_no_recording_is_not_overwritten(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match="is no recording"):
        world.tape.record("notes.txt", additional=False)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    for _ in range(2):  # a recording is
        world.tape.record("drive.log", additional=False)
        world.step(DELTA_S)
        world.tape.stop_recorder()


def test_paths_below_the_folder_are_taken_as_they_are_and_made(world: World, tmp_path: Path) -> None:
    assert world.tape.record(str(tmp_path / "a" / "b.log"), additional=False) == tmp_path / "a" / "b.log"
    world.step(DELTA_S)
    world.tape.stop_recorder()
    assert world.tape.open("a/b.log") is not None


def test_a_file_cut_off_anywhere_is_played_as_far_as_it_goes_or_refused(world: World, tmp_path: Path) -> None:
    record_a_drive(world, 6)
    data = (tmp_path / "drive.log").read_bytes()
    played = refused = 0
    for size in range(0, len(data), 13):
        (tmp_path / "cut.log").write_bytes(data[:size])
        try:
            recording = play(world, name="cut.log") if size > 60 else world.tape.open("cut.log")
        except (RequestError, IndexError) as error:
            assert isinstance(error, IndexError) or "cannot be read" in str(error)
            refused += 1
            continue
        assert recording is not None
        world.step(DELTA_S)
        assert recording.missing or len(recording.frames) in (0, 6)
        played += 1
    assert played
    assert refused


def hostile(
    records: dict[Packet, np.ndarray] | None = None, *appeared: Appeared, elapsed_s: float = 0.1
) -> bytes:
    frames = (Frame(1, 0.1, 0.0, appeared, records or {}), Frame(2, -1.0, elapsed_s, (), records or {}))
    return header_bytes("OneStreet", 0) + b"".join(map(frame_bytes, frames))


def car(number: int = 50, **changes: object) -> Appeared:
    values = {
        "type_id": CAR,
        "location_cm": (2000.0, 175.0, 10.0),
        "rotation_deg": (0.0, 0.0, 0.0),
        "attributes": (),
    }
    return Appeared(id=number, kind=ActorClass.VEHICLE, blueprint_uid=0, **(values | changes))  # type: ignore[arg-type]


def at(number: int, *place: float) -> dict[Packet, np.ndarray]:
    return {Packet.POSITIONS: np.array([(number, place, (0, 0, 0))], RECORDS[Packet.POSITIONS])}


@pytest.mark.parametrize(
    "data",
    [
        hostile(at(50, math.nan, 0.0, 0.0), car()),
        hostile(at(50, math.inf, 0.0, 0.0), car()),
        hostile(at(50, 3e38, 3e38, -3e38), car()),
        hostile({Packet.VEHICLES: np.array([(50, math.nan, 1, 1, 0, 2**31 - 1)], RECORDS[Packet.VEHICLES])}, car()),
        hostile({Packet.PARENTS: np.array([(50, 50), (1, 50), (50, 1)], RECORDS[Packet.PARENTS])}, car()),
        hostile({Packet.GONE: np.array([(1,), (50,), (50,)], RECORDS[Packet.GONE])}, car(1), car()),
        hostile({Packet.DOORS: np.array([(50, 255, 255)], RECORDS[Packet.DOORS])}, car()),
        hostile({Packet.SCENE_LIGHTS: np.array([(-5, math.nan, (9, 9, 9, 9), 7, 200)], RECORDS[Packet.SCENE_LIGHTS])}),
        hostile({}, car(location_cm=(math.nan,) * 3)),
        hostile({}, car(2**32 - 1)),
        hostile({}, car(type_id="vehicle.made.up")),
        hostile({}, car(attributes=(Attribute(5, "color", "red"),))),
        hostile({}, car(type_id="static.prop.mesh", attributes=(Attribute(3, "scale", "nan"),))),
        hostile({}, Appeared(9, ActorClass.SENSOR, (0, 0, 0), (0, 0, 0), 0, "sensor.camera.rgb",
                             (Attribute(2, "image_size_x", "999999"),))),
        hostile({}, *[car(type_id="spectator")] * 3),
        hostile({}, car(), car(51), elapsed_s=1e-300),
        hostile({}, elapsed_s=math.nan),
        hostile({}, elapsed_s=-5.0),
    ],
)  # fmt: skip
def test_hostile_values_end_in_an_error_or_in_nothing(world: World, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "hostile.log").write_bytes(data)
    try:
        play(world, name="hostile.log")
    except RequestError as error:
        assert "expected" in str(error)
    for _ in range(4):
        world.step(DELTA_S)
    poses = np.array([world.pose_of(actor) for actor in world.actors])
    assert np.isfinite(poses).all()
    assert world.actors.new_id() < 20_000


def test_flipped_bytes_do_no_harm(world: World, tmp_path: Path, say: Callable[[str], None]) -> None:
    record_a_drive(world, 5)
    data = (tmp_path / "drive.log").read_bytes()
    chance, tried, refused = random.Random(0), 400, 0
    for _ in range(tried):
        broken = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        (tmp_path / "broken.log").write_bytes(broken)
        try:
            recording = play(world, name="broken.log")
            for text in (
                info_text(recording, show_all=True),
                collisions_text(recording, "a", "a"),
                blocked_text(recording, 0.0, 100.0),
            ):
                assert "".join(text).startswith("Version: 1\nMap: ")
        except (RequestError, IndexError):
            refused += 1
        world.step(DELTA_S)
        world.tape.stop_replayer(keep_actors=False)
    say(f"broken recordings tried: {tried}, refused: {refused}")
    assert 0 < refused < tried
