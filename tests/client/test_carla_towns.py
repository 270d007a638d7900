"""CARLA's own towns on the embedded server, read back by the genuine client. Needs their .xodr files."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.sim.maps import MAPS_VARIABLE, load_town
from drive_agent.sim.process import ServerProcess
from drive_agent.sim.render import labels
from drive_agent.sim.render.scenery import build_scenery
from tests.client.conftest import Session, connect

FOLDER = Path(os.environ.get(MAPS_VARIABLE, "CarlaUE4/Content/Carla/Maps/OpenDrive"))
TOWNS = {"Town01": (36, 22), "Town02": (24, 21)}  # lights and speed limit signs in the file

pytestmark = pytest.mark.skipif(
    not all((FOLDER / f"{name}.xodr").is_file() for name in TOWNS),
    reason=f"{FOLDER} lacks {' or '.join(TOWNS)}.xodr: set {MAPS_VARIABLE} to the folder that a CARLA release has them in",
)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("Town02", rendering=False, maps=str(FOLDER)) as process:
        yield process


@pytest.fixture(scope="module", params=list(TOWNS))
def town(request: pytest.FixtureRequest, server: ServerProcess) -> Session:
    session = connect(server)
    session.world = session.client.load_world(f"/Game/Carla/Maps/{request.param}", reset_settings=False)
    session.world.tick()
    return session


def name_of(session: Session) -> str:
    return session.world.get_map().name.split("/")[-1]


def lights_of(session: Session) -> list[carla.TrafficLight]:
    actors = session.world.get_actors().filter("traffic.traffic_light")
    return [actor for actor in actors if isinstance(actor, carla.TrafficLight)]


def test_names_are_found_as_carla_writes_them(server: ServerProcess) -> None:
    client = carla.Client(server.host, server.port)
    client.set_timeout(60.0)
    assert {f"/Game/Carla/Maps/{name}" for name in (*TOWNS, "Brookfield")} <= set(client.get_available_maps())
    assert client.load_world("Town01_Opt").get_map().name == "Carla/Maps/Town01_Opt"
    assert client.load_world("Town02").get_map().name == "Carla/Maps/Town02"


def test_spawn_points_are_many_apart_and_on_driving_lanes_outside_junctions(town: Session) -> None:
    world_map = town.world.get_map()
    points = world_map.get_spawn_points()
    places = np.array([(point.location.x, point.location.y) for point in points])
    assert {"Town01": 300, "Town02": 120}[name_of(town)] < len(points) < 500
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 100 * np.eye(len(places))
    assert gaps.min() > 3.5
    for point in points:
        lane = world_map.get_waypoint(point.location)
        assert lane.lane_type == carla.LaneType.Driving and not lane.is_junction
        assert (
            abs((lane.transform.rotation.yaw - point.rotation.yaw + 180) % 360 - 180) < 2.0
        )  # nearest in a bend


def test_every_light_of_the_file_rules_lanes_before_its_junction(town: Session) -> None:
    lights = lights_of(town)
    world_map = town.world.get_map()
    assert len(lights) == TOWNS[name_of(town)][0]
    for light in lights:
        stops = light.get_stop_waypoints()
        assert stops and all(
            stop.lane_type == carla.LaneType.Driving and not stop.is_junction for stop in stops
        )
        volume = light.trigger_volume
        place = light.get_transform().transform(volume.location)
        middle = carla.Location(place.x, place.y, place.z)
        lane = world_map.get_waypoint(middle)
        assert (lane.road_id, lane.lane_id) in {(stop.road_id, stop.lane_id) for stop in stops}
        assert lane.transform.location.distance(middle) < 1.5
        assert any(ahead.is_junction for ahead in lane.next(12.0))


def test_the_lights_of_a_junction_take_turns(town: Session) -> None:
    lights = lights_of(town)
    groups = {tuple(sorted(member.id for member in light.get_group_traffic_lights())) for light in lights}
    assert sorted(member for group in groups for member in group) == sorted(light.id for light in lights)
    by_id, greens = {light.id: light for light in lights}, dict.fromkeys(groups, frozenset[int]())
    assert {len(group) for group in groups} == {3}
    for _ in range(60):  # a minute: more than one round
        for _ in range(20):
            town.world.tick()
        for group in groups:
            green = {k for k in group if by_id[k].get_state() == carla.TrafficLightState.Green}
            assert len(green) <= 1
            greens[group] |= green
    assert all(greens[group] == set(group) for group in groups)


def test_speed_limits_that_the_file_has_as_objects_are_signs(town: Session) -> None:
    signs = town.world.get_actors().filter("traffic.speed_limit.*")
    landmarks = {mark.id: mark for mark in town.world.get_map().get_all_landmarks_of_type("274")}
    assert len(signs) == len(landmarks) == TOWNS[name_of(town)][1]
    for sign in signs:
        limit = float(sign.type_id.rpartition(".")[2])
        assert limit in (30.0, 60.0, 90.0)


@pytest.mark.parametrize("name", TOWNS)
def test_nothing_stands_on_a_lane(name: str) -> None:
    """Buildings keep off every lane, pavements too; everything keeps off the lanes that are driven."""
    built = load_town(str(FOLDER / f"{name}.xodr"))
    scenery = build_scenery(built.carla_map, built.opendrive_text)
    waypoints = built.carla_map.generate_waypoints(1.5)
    driven = np.array([lane_row(waypoint) for waypoint in waypoints])
    for box in scenery.static_boxes:
        assert gap_m(driven, box).min() > 0.1
    houses = scenery.static_boxes[scenery.static_tags == labels.BUILDINGS]
    beside = [lane for waypoint in waypoints[::4] for lane in lanes_right_of(waypoint)]
    pavements = np.array([lane_row(lane) for lane in beside if lane.lane_type == carla.LaneType.Sidewalk])
    assert len(houses) > 30 and len(pavements) > 300
    for house in houses:
        assert gap_m(pavements, house).min() > -0.05


def lane_row(waypoint: carla.Waypoint) -> tuple[float, float, float]:
    """x, y and half the width."""
    place = waypoint.transform.location
    return place.x, place.y, waypoint.lane_width / 2


def lanes_right_of(waypoint: carla.Waypoint) -> Iterator[carla.Waypoint]:
    lane = waypoint.get_right_lane()
    while lane is not None:
        yield lane
        lane = lane.get_right_lane()


def gap_m(lanes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Metres between a static box and the discs of lanes (n, 3)."""
    x, y, _, length, width, _, yaw = box
    dx, dy = lanes[:, 0] - x, lanes[:, 1] - y
    ahead = np.abs(dx * math.cos(yaw) + dy * math.sin(yaw)) - length
    aside = np.abs(-dx * math.sin(yaw) + dy * math.cos(yaw)) - width
    return np.hypot(np.maximum(ahead, 0), np.maximum(aside, 0)) - lanes[:, 2]
