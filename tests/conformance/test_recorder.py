"""The recorder and the replayer through the genuine client: what was driven is told in CARLA's words, and driven again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import carla
import pytest

from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient

_FOLDER = "only in the server's own folder: a name, or a path in there"
_OWN_LIGHTS = "lights and signs are found by their place, lamps by their number; walkers' bones and wheels are not recorded"


@pytest.fixture(autouse=True)
def _tape_stops(session: Session) -> Iterator[None]:
    yield
    session.client.stop_recorder()
    session.client.stop_replayer(True)
    session.client.set_replayer_time_factor(1.0)
    session.client.set_replayer_ignore_hero(False)
    session.client.set_replayer_ignore_spectator(False)


def drive(
    session: Session, place: carla.Transform, ticks: int = 20, **recorded: bool
) -> list[carla.Transform]:
    """A hero with a collision sensor drives into a standing car, recorded; where the hero was after each tick."""
    hero = session.spawn("vehicle.tesla.model3", place, role_name="hero")
    ahead = carla.Transform(place.location + 7.0 * place.get_forward_vector(), place.rotation)
    session.spawn("vehicle.audi.tt", ahead)
    session.spawn("sensor.other.collision", parent=hero)
    session.tick(10)
    session.client.start_recorder("drive.log", recorded.get("additional", True))
    hero.apply_control(carla.VehicleControl(throttle=1.0))
    places = []
    for _ in range(ticks):
        session.tick()
        places.append(hero.get_transform())
    session.client.stop_recorder()
    session.tick()
    return places


@conforms("RPC", "start_recorder", limited=_FOLDER)
@conforms("RPC", "stop_recorder")
def test_a_file_is_written_until_the_recorder_stops(
    session: Session, spawn_point: carla.Transform, recordings: Path
) -> None:
    path = session.client.start_recorder("a.log")
    assert Path(path) == recordings / "a.log"
    session.tick(3)
    session.client.stop_recorder()
    session.tick()
    size = (recordings / "a.log").stat().st_size
    session.tick(3)
    assert (recordings / "a.log").stat().st_size == size > 100
    assert "\nFrames: 3\nDuration: 0.1 seconds\n" in session.client.show_recorder_file_info("a.log", True)
    assert session.client.show_recorder_file_info(path, True) == session.client.show_recorder_file_info(
        "a.log", True
    )
    for name in ("../b.log", "/tmp/b.log", ""):
        with pytest.raises(RuntimeError, match="expected a name, or a path in there"):
            session.client.start_recorder(name)


@conforms("RPC", "show_recorder_file_info")
def test_a_recording_is_told_in_carlas_words(session: Session, spawn_point: carla.Transform) -> None:
    drive(session, spawn_point)
    lines = session.client.show_recorder_file_info("drive.log", True).split("\n")
    hero, other = (actor.id for actor in session.spawned[:2])
    assert lines[:2] == ["Version: 1", "Map: Brookfield"]
    assert lines[2].startswith("Date: ")
    assert lines[4] == "Frame 1 at 0 seconds"
    start = session.spawned[0].get_transform().location
    born = next(line for line in lines if line.startswith(f" Create {hero}: "))
    assert born.startswith(f" Create {hero}: vehicle.tesla.model3 (1) at (")
    assert abs(float(born.split("(")[-1].split(",")[0]) / 100.0 - start.x) < 20.0
    assert "  role_name = hero" in lines
    assert f" Parenting {session.spawned[2].id} with {hero} (parent)" in lines
    assert any(
        line.startswith(f"  Id: {hero} Steering: 0 Throttle: 1 Brake: 0 Handbrake: 0 Gear: ")
        for line in lines
    )
    assert f"  Id: {hero} None" in lines  # no lamp is lit
    assert any(line.startswith(f" Collision id 0 between {hero} (hero)  with {other}") for line in lines)
    assert any(line.startswith(f"  Id: {hero} linear_velocity: (") for line in lines)
    mass = session.spawned[0].get_physics_control().mass
    assert f"   mass = {mass:g}" in lines
    lights = session.world.get_actors().filter("traffic.traffic_light")
    assert f" State traffic lights: {len(lights)}" in lines
    assert lines[-3:-1] == ["Frames: 20", "Duration: 0.95 seconds"]
    events = session.client.show_recorder_file_info("drive.log", False)
    assert " Create " in events
    assert "Positions" not in events
    assert session.client.show_recorder_file_info("none.log", True).endswith("none.log not found on server\n")


@conforms("RPC", "show_recorder_collisions")
def test_collisions_are_listed_by_category(session: Session, spawn_point: carla.Transform) -> None:
    drive(session, spawn_point, additional=False)
    hero, other = (actor.id for actor in session.spawned[:2])
    for categories in ("aa", "hv", "vv"):
        found = session.client.show_recorder_collisions("drive.log", *categories).split("\n")[5:-4]
        assert len(found) >= 1
        assert found[0].split()[1:] == [
            "v",
            "v",
            str(hero),
            "vehicle.tesla.model3",
            str(other),
            "vehicle.audi.tt",
        ]
    assert session.client.show_recorder_collisions("drive.log", "v", "w").split("\n")[5:-4] == []


@conforms("RPC", "show_recorder_actors_blocked")
def test_who_stood_still_is_listed_the_longest_first(session: Session, spawn_point: carla.Transform) -> None:
    drive(session, spawn_point, ticks=40)
    hero, other = (actor.id for actor in session.spawned[:2])
    found = session.client.show_recorder_actors_blocked("drive.log", 1.0, 100.0).split("\n")[5:-4]
    ids = [int(line.split()[1]) for line in found]
    assert hero not in ids
    assert session.world.get_spectator().id in ids
    assert [int(line.split()[3]) for line in found] == sorted(
        (int(line.split()[3]) for line in found), reverse=True
    )


@conforms("RPC", "replay_file", limited=_OWN_LIGHTS)
def test_a_replay_drives_again_with_the_same_actors(session: Session, spawn_point: carla.Transform) -> None:
    places = drive(session, spawn_point)
    hero = session.spawned[0]
    text = session.client.replay_file("drive.log", 0.2, 0.5, hero.id)
    assert "Total time recorded: 0.95\nReplaying from 0.2 s - 0.7 s (0.95 s) at 1.0x\n" in text
    for tick in range(5, 14):
        session.tick()
        assert hero.get_location().distance(places[tick].location) < 0.01
        assert hero.get_transform().rotation.yaw == pytest.approx(places[tick].rotation.yaw, abs=0.01)
    moved = places[13].location.distance(places[12].location) / DELTA_S
    assert hero.get_velocity().length() == pytest.approx(moved, rel=0.2)
    assert hero.get_control().throttle == pytest.approx(1.0)
    seen = session.world.get_spectator().get_location()
    assert seen.distance(hero.get_location()) == pytest.approx((10.0**2 + 5.0**2) ** 0.5, abs=0.2)
    session.tick(3)  # it ends, and physics goes on from rest
    assert hero.get_control().throttle == 0.0


@conforms("RPC", "replay_file", limited=_OWN_LIGHTS)
def test_a_replay_brings_actors_that_are_gone_and_their_sensors(
    session: Session, spawn_point: carla.Transform
) -> None:
    places = drive(session, spawn_point)
    session.forget()
    before = {actor.id for actor in session.world.get_actors()}
    session.client.replay_file("drive.log", 0.0, 0.0, 0, True)
    session.tick(5)
    new = [actor for actor in session.world.get_actors() if actor.id not in before]
    session.spawned += new
    assert sorted(actor.type_id for actor in new) == [
        "sensor.other.collision",
        "vehicle.audi.tt",
        "vehicle.tesla.model3",
    ]
    [hero] = [actor for actor in new if actor.attributes.get("role_name") == "hero"]
    [sensor] = [actor for actor in new if actor.type_id.startswith("sensor")]
    assert sensor.parent.id == hero.id
    assert hero.get_location().distance(places[5].location) < 0.01


@conforms("RPC", "stop_replayer")
def test_a_stopped_replay_takes_its_actors_along_unless_they_shall_stay(
    session: Session, spawn_point: carla.Transform
) -> None:
    drive(session, spawn_point)
    session.forget()
    before = {actor.id for actor in session.world.get_actors()}
    for keeps, stay in ((True, 2), (False, 0)):
        session.client.replay_file("drive.log", 0.0, 0.0, 0)
        session.tick(3)
        session.client.stop_replayer(keeps)
        session.tick()
        left = [actor for actor in session.world.get_actors() if actor.id not in before]
        assert len(left) == stay
        for actor in left:
            actor.destroy()
        session.tick()


@conforms("RPC", "set_replayer_time_factor")
def test_time_passes_faster(session: Session, spawn_point: carla.Transform, raw: RawClient) -> None:
    places = drive(session, spawn_point)
    session.client.set_replayer_time_factor(2.0)
    assert "at 2.0x" in session.client.replay_file("drive.log", 0.0, 0.0, 0)
    session.tick(6)
    assert session.spawned[0].get_location().distance(places[12].location) < 0.01
    assert "expected 0 (stand still)" in raw.error("set_replayer_time_factor", -1.0)


@conforms("RPC", "set_replayer_ignore_hero", "set_replayer_ignore_spectator")
def test_hero_and_spectator_stay_as_they_are(session: Session, spawn_point: carla.Transform) -> None:
    drive(session, spawn_point)
    spectator, lookout = session.world.get_spectator(), carla.Transform(carla.Location(1.0, 2.0, 50.0))
    spectator.set_transform(lookout)
    session.forget()
    before = {actor.id for actor in session.world.get_actors()}
    session.client.set_replayer_ignore_hero(True)
    session.client.set_replayer_ignore_spectator(True)
    text = session.client.replay_file("drive.log", 0.0, 0.0, 0)
    assert text.endswith("Ignoring Hero vehicle\nIgnoring Spectator camera\n")
    session.tick(3)
    new = [actor for actor in session.world.get_actors() if actor.id not in before]
    session.spawned += new
    assert [actor.type_id for actor in new] == ["vehicle.audi.tt"]
    assert spectator.get_location().distance(lookout.location) < 0.01


def test_a_replay_loads_the_town_of_its_recording(travelling: Session, tmp_path: Path) -> None:
    client = travelling.client
    client.start_recorder("street.log")
    travelling.tick(3)
    client.stop_recorder()
    client.load_world("Brookfield", reset_settings=False).tick()
    assert "Loading map OneStreet\n" in client.replay_file("street.log", 0.0, 0.0, 0)
    deadline = time.monotonic() + 20.0
    while client.get_world().get_map().name != "Carla/Maps/OneStreet" and time.monotonic() < deadline:
        client.get_world().tick()
    assert client.get_world().get_map().name == "Carla/Maps/OneStreet"


def test_a_damaged_file_is_an_error_in_one_line(session: Session, recordings: Path) -> None:
    (recordings / "torn.log").write_bytes(b"\1\0\x0e\0CARLA_REC")
    for call in (
        lambda: session.client.show_recorder_file_info("torn.log", True),
        lambda: session.client.show_recorder_collisions("torn.log", "a", "a"),
        lambda: session.client.show_recorder_actors_blocked("torn.log", 1.0, 1.0),
        lambda: session.client.replay_file("torn.log", 0.0, 0.0, 0),
    ):
        with pytest.raises(RuntimeError, match=r"'torn.log' cannot be read: .* expected .*$"):
            call()
