"""The map: parsed in the client out of our OpenDRIVE text, and tied to the lights and signs of the world."""

from __future__ import annotations

import math
from pathlib import Path

import carla
import pytest

from tests.client.conftest import TOWN, Session
from tests.conformance.marker import conforms


@pytest.fixture
def town(session: Session) -> carla.Map:
    """The map of the world."""
    return session.world.get_map()


def _turned(a: carla.Transform, b: carla.Transform) -> float:
    """Degrees from a to b."""
    return (b.rotation.yaw - a.rotation.yaw + 180.0) % 360.0 - 180.0


@conforms("map", "get_spawn_points")
def test_cars_can_be_spawned_at_every_spawn_point(session: Session, town: carla.Map) -> None:
    points = town.get_spawn_points()
    assert len(points) > 100
    blueprint = session.library.find("vehicle.lincoln.mkz_2020")
    cars = [session.world.try_spawn_actor(blueprint, point) for point in points[::7]]
    session.spawned += [car for car in cars if car is not None]
    assert all(car is not None for car in cars)


@conforms(
    "map",
    "get_waypoint",
    "get_waypoint_xodr",
    "Waypoint.next",
    "Waypoint.previous",
    "Waypoint.next_until_lane_end",
)
def test_waypoints_follow_their_lane(town: carla.Map, spawn_point: carla.Transform) -> None:
    here = town.get_waypoint(spawn_point.location)
    assert here.lane_type == carla.LaneType.Driving
    (ahead,) = here.next(10.0)
    assert ahead.transform.location.distance(here.transform.location) == pytest.approx(10.0, abs=0.1)
    (back,) = ahead.previous(10.0)
    assert back.transform.location.distance(here.transform.location) < 0.1
    same = town.get_waypoint_xodr(here.road_id, here.lane_id, here.s)
    assert same.transform.location.distance(here.transform.location) < 0.01
    rest = here.next_until_lane_end(2.0)
    assert {(w.road_id, w.lane_id) for w in rest} == {(here.road_id, here.lane_id)}
    far = carla.Location(1e5, 1e5, 0.0)
    assert town.get_waypoint(far, project_to_road=False) is None


@conforms("map", "Waypoint.get_left_lane", "Waypoint.get_right_lane", "Waypoint.lane_markings")
def test_neighbours_lie_beside_and_markings_between(town: carla.Map, spawn_point: carla.Transform) -> None:
    here = town.get_waypoint(spawn_point.location)
    for neighbour, side in ((here.get_left_lane(), -1.0), (here.get_right_lane(), 1.0)):
        offset = neighbour.transform.location - here.transform.location
        across = offset.dot(here.transform.get_right_vector())
        assert side * across == pytest.approx((here.lane_width + neighbour.lane_width) / 2, abs=0.3)
    assert here.left_lane_marking.type != carla.LaneMarkingType.NONE
    assert here.right_lane_marking.width > 0.0


@conforms("map", "get_topology", "generate_waypoints")
def test_the_topology_joins_ends_to_starts(town: carla.Map) -> None:
    pairs = town.get_topology()
    assert len(pairs) > 50
    lanes = {(w.road_id, w.lane_id) for pair in pairs for w in pair}
    generated = town.generate_waypoints(20.0)
    assert {(w.road_id, w.lane_id) for w in generated} <= lanes
    assert all(w.lane_type == carla.LaneType.Driving for w in generated)


@conforms("map", "Waypoint.get_junction")
def test_junctions_contain_their_lanes(town: carla.Map) -> None:
    inside = next(w for w in town.generate_waypoints(5.0) if w.is_junction)
    junction = inside.get_junction()
    assert junction.id == inside.junction_id
    assert junction.bounding_box.contains(inside.transform.location, carla.Transform())
    for start, end in junction.get_waypoints(carla.LaneType.Driving):
        assert start.transform.location.distance(end.transform.location) > 1.0


@conforms("map", "get_crosswalks")
def test_crosswalks_are_closed_polygons_on_the_road(town: carla.Map) -> None:
    corners = town.get_crosswalks()
    assert len(corners) >= 5
    assert corners[0].distance(corners[4]) < 0.01
    near = town.get_waypoint(corners[0], lane_type=carla.LaneType.Any)
    assert near.transform.location.distance(corners[0]) < 10.0


@conforms(
    "map",
    "get_all_landmarks",
    "get_all_landmarks_of_type",
    "get_landmark_group",
    "Waypoint.get_landmarks_of_type",
)
def test_landmarks_are_found_from_the_lanes(session: Session, town: carla.Map) -> None:
    lights = town.get_all_landmarks_of_type("1000001")
    assert 0 < len(lights) < len(town.get_all_landmarks())
    assert {mark.type for mark in lights} == {"1000001"}
    assert any(len(town.get_landmark_group(mark)) >= 1 for mark in lights)
    light = session.world.get_actors().filter("traffic.traffic_light")[0]
    before = light.get_stop_waypoints()[0].previous(15.0)[0]
    found = before.get_landmarks_of_type(40.0, "1000001", False)
    assert light.get_opendrive_id() in {mark.id for mark in found}
    assert all(0.0 <= mark.distance <= 40.0 for mark in found)


@conforms("map", "transform_to_geolocation", "geolocation_to_transform")
def test_places_have_coordinates_on_earth(town: carla.Map, spawn_point: carla.Transform) -> None:
    here = town.transform_to_geolocation(spawn_point.location)
    north = town.transform_to_geolocation(spawn_point.location - carla.Location(y=111.0))
    assert abs(north.latitude - here.latitude) * 111.0e3 == pytest.approx(111.0, rel=0.01)
    assert north.longitude == pytest.approx(here.longitude, abs=1e-6)
    back = town.geolocation_to_transform(here)
    assert math.dist((back.x, back.y), (spawn_point.location.x, spawn_point.location.y)) < 0.05


@conforms("map", "to_opendrive", "save_to_disk")
def test_the_text_can_be_kept(town: carla.Map, tmp_path: Path) -> None:
    town.save_to_disk(str(tmp_path / "town.xodr"))
    again = carla.Map(TOWN, (tmp_path / "town.xodr").read_text())
    assert again.to_opendrive().strip() == town.to_opendrive().strip()
    assert len(again.get_topology()) == len(town.get_topology())


@conforms(
    "map", "World.get_traffic_light", "World.get_traffic_light_from_opendrive_id",
    "World.get_traffic_lights_in_junction", "World.get_traffic_lights_from_waypoint", "World.get_traffic_sign",
)  # fmt: skip
def test_landmarks_lead_to_actors(session: Session, town: carla.Map) -> None:
    light = min(session.world.get_actors().filter("traffic.traffic_light"), key=lambda actor: actor.id)
    assert session.world.get_traffic_light_from_opendrive_id(light.get_opendrive_id()).id == light.id
    mark = next(m for m in town.get_all_landmarks_of_type("1000001") if m.id == light.get_opendrive_id())
    assert session.world.get_traffic_light(mark).id == light.id
    stop = light.get_stop_waypoints()[0]
    junction = next(w for d in range(1, 30) for w in stop.next(float(d)) if w.is_junction).get_junction()
    inside = {other.id for other in session.world.get_traffic_lights_in_junction(junction.id)}
    assert light.id in inside
    assert inside <= {other.id for other in light.get_group_traffic_lights()}
    before = stop.previous(10.0)[0]
    ahead = session.world.get_traffic_lights_from_waypoint(before, 40.0)
    assert light.id in {other.id for other in ahead}
    stop_mark = town.get_all_landmarks_of_type("206")[0]
    assert session.world.get_traffic_sign(stop_mark).type_id == "traffic.stop"


@conforms("map", "TrafficLight.get_stop_waypoints", "TrafficLight.get_affected_lane_waypoints")
def test_lights_know_where_cars_stop(session: Session) -> None:
    for light in session.world.get_actors().filter("traffic.traffic_light"):
        stops, lanes = light.get_stop_waypoints(), light.get_affected_lane_waypoints()
        assert len(stops) >= 1
        assert len(lanes) >= 1
        center = light.get_transform().transform(light.trigger_volume.location)
        assert all(not stop.is_junction for stop in stops)
        assert min(stop.transform.location.distance(center) for stop in stops) < 12.0
