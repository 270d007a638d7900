"""What stands in the town: objects, boxes, rays, street lamps; and the notes of debuggers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import carla
import numpy as np
import pytest

from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient

Label = carla.CityObjectLabel


def _picture(session: Session, kind: str, place: carla.Transform) -> np.ndarray:
    """What a free camera sees now, uint8 (h, w, 4): B G R A."""
    camera = session.spawn(f"sensor.camera.{kind}", place, image_size_x=320, image_size_y=180)
    fetch = session.listen(camera)
    frame = session.tick()
    image = fetch(timeout=60.0)
    while image.frame < frame:
        image = fetch(timeout=60.0)
    camera.stop()
    return np.frombuffer(image.raw_data, np.uint8).reshape(180, 320, 4).copy()


def _before_a_wall(box: carla.BoundingBox, distance: float) -> carla.Transform:
    """A place before the front of a house, looking at it."""
    yaw, gap = math.radians(box.rotation.yaw), box.extent.x + distance
    place = box.location + carla.Location(math.cos(yaw) * gap, math.sin(yaw) * gap, 1.6 - box.extent.z)
    return carla.Transform(place, carla.Rotation(yaw=box.rotation.yaw + 180.0))


@conforms("RPC", "get_all_level_BBs", limited="roads, pavements and ground have no boxes")
def test_boxes_of_the_level_by_label(session: Session, spawn_point: carla.Transform) -> None:
    houses = session.world.get_level_bbs(Label.Buildings)
    everything = session.world.get_level_bbs(Label.Any)
    assert 10 < len(houses) < len(everything)
    assert all(house.extent.z > 1.0 for house in houses)
    assert session.world.get_level_bbs(Label.Train) == []
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    (box,) = session.world.get_level_bbs(Label.Car)
    center = car.get_transform().transform(car.bounding_box.location)
    assert box.location.distance(center) < 0.01
    assert box.extent.x == car.bounding_box.extent.x


@conforms(
    "RPC", "get_environment_objects", "get_names_of_all_objects", limited="roads and ground are no objects"
)
def test_environment_objects_have_ids_names_and_boxes(session: Session) -> None:
    houses = session.world.get_environment_objects(Label.Buildings)
    boxes = session.world.get_level_bbs(Label.Buildings)
    assert [h.bounding_box.location for h in houses] == [box.location for box in boxes]
    assert len({house.id for house in houses}) == len(houses)
    assert {house.type for house in houses} == {Label.Buildings}
    assert {house.name for house in houses} <= set(session.world.get_names_of_all_objects())


@pytest.fixture
def house(session: Session) -> Iterator[carla.EnvironmentObject]:
    """A house with a free view of its front; it is back after the test."""
    for candidate in session.world.get_environment_objects(Label.Buildings):
        eye = _before_a_wall(candidate.bounding_box, 10.0)
        hit = session.world.project_point(eye.location, eye.get_forward_vector(), 12.0)
        if (
            hit is not None
            and hit.label == Label.Buildings
            and 9.0 < hit.location.distance(eye.location) < 11.0
        ):
            yield candidate
            session.world.enable_environment_objects({candidate.id}, True)
            return
    raise AssertionError("no house has a free view of its front")


@conforms("RPC", "enable_environment_objects")
def test_a_house_can_be_taken_away(session: Session, house: carla.EnvironmentObject) -> None:
    eye = _before_a_wall(house.bounding_box, 10.0)
    before = _picture(session, "semantic_segmentation", eye)[90, 160, 2]
    assert before == int(Label.Buildings)
    session.world.enable_environment_objects({house.id}, False)
    session.tick()
    assert _picture(session, "semantic_segmentation", eye)[90, 160, 2] != before or (
        session.world.project_point(eye.location, eye.get_forward_vector(), 12.0) is None
    )
    assert session.world.project_point(eye.location, eye.get_forward_vector(), 12.0) is None
    inside = carla.Transform(house.bounding_box.location, eye.rotation)
    car = session.world.try_spawn_actor(session.library.find("vehicle.tesla.model3"), inside)
    assert car is not None
    session.tick()
    assert car.destroy()
    session.world.enable_environment_objects({house.id}, True)
    session.tick()
    assert session.world.try_spawn_actor(session.library.find("vehicle.tesla.model3"), inside) is None
    assert _picture(session, "semantic_segmentation", eye)[90, 160, 2] == before


@conforms("RPC", "project_point")
def test_a_point_is_projected_onto_what_lies_below(session: Session, spawn_point: carla.Transform) -> None:
    lane = session.world.get_map().get_waypoint(spawn_point.location).transform.location
    high = lane + carla.Location(z=20.0)
    ground = session.world.ground_projection(high, 100.0)
    assert ground.location.distance(lane) < 0.1
    assert ground.label == Label.Roads
    assert session.world.ground_projection(high, 10.0) is None
    session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    roof = session.world.project_point(high, carla.Vector3D(0.0, 0.0, -1.0), 100.0)
    assert roof.label == Label.Car
    assert 1.0 < roof.location.z - lane.z < 1.7


@conforms("RPC", "cast_ray")
def test_a_ray_meets_everything_on_its_way(session: Session, spawn_point: carla.Transform) -> None:
    lane = session.world.get_map().get_waypoint(spawn_point.location).transform.location
    session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    points = session.world.cast_ray(lane + carla.Location(z=20.0), lane - carla.Location(z=1.0))
    labels = [point.label for point in points]
    assert labels.index(Label.Car) < labels.index(Label.Roads)
    assert [p.location.z for p in points] == sorted((p.location.z for p in points), reverse=True)
    assert session.world.cast_ray(lane + carla.Location(z=20.0), lane + carla.Location(z=10.0)) == []


# ---- street lamps ----------------------------------------------------------------------------------------------------


@pytest.fixture
def night(session: Session) -> Iterator[carla.LightManager]:
    """The light manager, by night; afterwards it is day and the sun switches the lamps again."""
    before, manager = session.world.get_weather(), session.world.get_lightmanager()
    session.world.set_weather(carla.WeatherParameters(sun_altitude_angle=-40.0, cloudiness=10.0))
    session.tick()
    yield session.client.get_world().get_lightmanager()
    session.world.set_weather(before)
    manager.set_day_night_cycle(True)
    session.tick(2)


@conforms(
    "RPC",
    "query_lights_state",
    limited="street lamps only; a client reads them once an episode, what the sun or others switch later it does not see",
)
def test_street_lamps_hang_over_the_streets(
    session: Session, night: carla.LightManager, raw: RawClient
) -> None:
    states = raw.value("query_lights_state", "me")
    assert len(states) == len(night.get_all_lights(carla.LightGroup.Street)) > 20
    assert all(active for *_, active in states)
    town = session.world.get_map()
    for _, (x, y, z), intensity, group, color, _ in states[::20]:
        assert (intensity > 0.0, group, len(color)) == (True, int(carla.LightGroup.Street), 3)
        below = town.get_waypoint(carla.Location(x, y, z), lane_type=carla.LaneType.Any).transform.location
        assert 5.0 < z - below.z < 9.0


@conforms("RPC", "update_lights_state", limited="the colour of a lamp is kept and not drawn")
def test_a_lamp_that_is_switched_off_leaves_the_street_dark(
    session: Session, night: carla.LightManager, raw: RawClient
) -> None:
    lamp = night.get_all_lights(carla.LightGroup.Street)[0]
    eye = carla.Transform(lamp.location - carla.Location(z=1.0), carla.Rotation(pitch=-89.0))
    lit = _picture(session, "rgb", eye)[..., :3].mean()
    near = [
        o for o in night.get_all_lights(carla.LightGroup.Street) if o.location.distance(lamp.location) < 40.0
    ]
    night.turn_off(near)
    session.tick(2)
    dark = _picture(session, "rgb", eye)[..., :3].mean()
    assert dark < 0.7 * lit
    assert [active for *_, active in raw.value("query_lights_state", "me")].count(False) == len(near)
    night.turn_on(near)
    session.tick(2)
    assert _picture(session, "rgb", eye)[..., :3].mean() == pytest.approx(lit, rel=0.05)


@conforms("RPC", "update_day_night_cycle")
def test_the_sun_switches_the_lamps_unless_told_not_to(session: Session, raw: RawClient) -> None:
    def lit() -> set[bool]:
        return {state[-1] for state in raw.value("query_lights_state", "me")}

    before, manager = session.world.get_weather(), session.world.get_lightmanager()
    dark = carla.WeatherParameters(sun_altitude_angle=-40.0)
    assert lit() == {False}
    session.world.set_weather(dark)
    session.tick()
    assert lit() == {True}
    session.world.set_weather(before)
    session.tick()
    manager.set_day_night_cycle(False)
    session.world.set_weather(dark)
    session.tick()
    assert lit() == {False}
    manager.set_day_night_cycle(True)
    session.tick()
    assert lit() == {True}
    session.world.set_weather(before)
    session.tick()


# ---- what has no looks here ------------------------------------------------------------------------------------------


@conforms(
    "RPC", "draw_debug_shape", "clear_debug_shape", "clear_debug_string",
    limited="checked only: cameras show the world without notes",
)  # fmt: skip
def test_debug_shapes_are_checked_and_leave_pictures_clean(
    session: Session, spawn_point: carla.Transform, raw: RawClient
) -> None:
    eye = carla.Transform(spawn_point.location + carla.Location(z=2.0), spawn_point.rotation)
    before = _picture(session, "rgb", eye)
    place = eye.location + eye.get_forward_vector() * 6.0
    debug = session.world.debug
    debug.draw_point(place, 0.5, carla.Color(255, 0, 0), 10.0)
    debug.draw_line(place, place + carla.Location(z=1.0))
    debug.draw_arrow(place, place + carla.Location(z=1.0))
    debug.draw_box(carla.BoundingBox(place, carla.Vector3D(1.0, 1.0, 1.0)), carla.Rotation())
    debug.draw_string(place, "hello")
    session.tick()
    assert (np.abs(_picture(session, "rgb", eye).astype(int) - before) > 40).mean() < 0.01
    assert raw.call("clear_debug_shape") == raw.call("clear_debug_string") == [[False]]
    point = [[0, [[0.0, 0.0, 0.0], 0.1]], [255, 0, 0], -1.0, True]
    assert raw.call("draw_debug_shape", point) == [[False]]
    assert "expected" in raw.error("draw_debug_shape", [[9, []], [255, 0, 0], -1.0, True])


@conforms(
    "RPC", "apply_color_texture_to_objects", "apply_float_color_texture_to_objects",
    refused="surfaces are computed, not painted with pictures",
)  # fmt: skip
def test_textures_are_refused(session: Session, raw: RawClient) -> None:
    texture = [1, 1, [[255, 0, 0, 255]]]
    name = session.world.get_names_of_all_objects()[0]
    for method in ("apply_color_texture_to_objects", "apply_float_color_texture_to_objects"):
        assert raw.error(method, ["Nobody"], 0, texture) == "unable to find Actor to apply the texture"
        assert "surfaces are computed" in raw.error(method, [name], 0, texture)


@conforms("RPC", "get_imui_gravity", "set_imui_gravity")
def test_inertial_units_feel_the_gravity_that_is_set(session: Session, spawn_point: carla.Transform) -> None:
    assert session.world.get_imui_sensor_gravity() == pytest.approx(9.81)
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    fetch = session.listen(session.spawn("sensor.other.imu", parent=car))
    session.tick(20)
    session.world.set_imui_sensor_gravity(3.7)
    frame = session.tick(2)
    measured = fetch()
    while measured.frame < frame:
        measured = fetch()
    assert session.world.get_imui_sensor_gravity() == pytest.approx(3.7)
    assert measured.accelerometer.z == pytest.approx(3.7, abs=0.1)
    session.world.set_imui_sensor_gravity(9.81)


@conforms(
    "RPC",
    "set_annotations_traverse_translucency",
    limited="without effect: windows are opaque to every camera",
)
def test_windows_are_opaque(session: Session, raw: RawClient) -> None:
    session.world.set_annotations_traverse_translucency(True)
    session.tick()
    assert raw.call("set_annotations_traverse_translucency", False) == [[False]]
