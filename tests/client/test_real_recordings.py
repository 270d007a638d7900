"""Two recordings of a real CARLA, published with ScenarioRunner, played in Town01 and measured with the genuine client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.carla_recorder import Frame, Packet, read_recording
from drive_agent.sim.process import ServerProcess
from tests.client.conftest import DELTA_S, Session, connect

MATERIAL = Path(__file__).parents[3] / "shared/data/carla"
NAMES = ("DistanceBetweenVehicles", "DistanceToLaneCenter")
HERO = "vehicle.lincoln.mkz_2017"

pytestmark = pytest.mark.skipif(
    not (MATERIAL / "recordings").is_dir(), reason="the recordings and Town01's map are not at hand"
)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A server in another town than the recordings'."""
    folders = {"recordings": str(MATERIAL / "recordings"), "maps": str(MATERIAL / "xodr")}
    with ServerProcess("Town02", rendering=False, **folders) as server:
        yield connect(server)


def places_of(frames: tuple[Frame, ...], actor_id: int) -> np.ndarray:
    """Elapsed seconds, then x, y, z in metres: (frames that have it, 4)."""
    found = [
        (frame.elapsed_s, *(position["location_cm"] / 100.0).tolist())
        for frame in frames
        for position in frame.of(Packet.POSITIONS)
        if position["id"] == actor_id
    ]
    return np.array(found)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_played_where_it_was_recorded(session: Session, name: str) -> None:
    recording = read_recording((MATERIAL / "recordings" / f"{name}.log").read_bytes())
    vehicles = [
        one for frame in recording.frames for one in frame.appeared if one.type_id.startswith("vehicle.")
    ]
    text = session.client.replay_file(f"{name}.log", 1.0, 0.0, 0)
    assert ("Loading map Town01" in text) == (name == NAMES[0])
    world = session.client.get_world()
    town, worst_m, off_road_m = world.get_map(), 0.0, 0.0
    tracks = {one.type_id: places_of(recording.frames, one.id) for one in vehicles}
    # until shortly before the recording destroys its vehicles
    for tick in range(1, int((recording.frames[-1].elapsed_s - 1.5) / DELTA_S)):
        world.tick()
        actors = {actor.type_id: actor for actor in world.get_actors().filter("vehicle.*")}
        assert set(actors) == set(tracks)
        for type_id, track in tracks.items():
            time_s = 1.0 + DELTA_S * tick
            want = np.array([np.interp(time_s, track[:, 0], track[:, axis]) for axis in (1, 2, 3)])
            place = actors[type_id].get_location()
            worst_m = max(worst_m, float(np.linalg.norm(want - (place.x, place.y, place.z))))
            if type_id == HERO:  # others wait for their turn under the ground
                lane = town.get_waypoint(place, lane_type=carla.LaneType.Any)
                off_road_m = max(off_road_m, place.distance(lane.transform.location))
    assert worst_m < 0.001
    assert off_road_m < 4.0
    session.client.stop_replayer(False)
    world.tick()
    assert not world.get_actors().filter("vehicle.*")


def test_its_lights_are_shown(session: Session) -> None:
    recording = read_recording((MATERIAL / "recordings" / f"{NAMES[1]}.log").read_bytes())
    session.client.replay_file(f"{NAMES[1]}.log", 5.0, 0.0, 0)
    world = session.client.get_world()
    world.tick()
    frame = [frame for frame in recording.frames if frame.elapsed_s <= 5.05][-1]
    states = dict(frame.of(Packet.LIGHTS)[["id", "state"]].tolist())
    lights = world.get_actors().filter("traffic.traffic_light")
    for one in recording.frames[0].appeared:
        if one.id in states:
            place = carla.Location(*(value / 100.0 for value in one.location_cm))
            light = min(lights, key=lambda light: light.get_location().distance(place))
            assert light.get_location().distance_2d(place) < 0.2
            assert int(light.get_state()) == states[one.id]
    assert len(states) == len(lights) == 36
    session.client.stop_replayer(False)
    world.tick()
