"""Traffic lights and signs: states, times, groups, boxes, and what vehicles know of them."""

from __future__ import annotations

import carla
import pytest

from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient

Red, Yellow, Green = (
    carla.TrafficLightState.Red,
    carla.TrafficLightState.Yellow,
    carla.TrafficLightState.Green,
)


@pytest.fixture
def light(session: Session) -> carla.TrafficLight:
    """The first light of the town."""
    return min(session.world.get_actors().filter("traffic.traffic_light"), key=lambda actor: actor.id)


@conforms("RPC", "set_traffic_light_state", "freeze_all_traffic_lights")
def test_a_frozen_light_keeps_its_state(session: Session, light: carla.TrafficLight) -> None:
    session.world.freeze_all_traffic_lights(True)
    for state in (Red, Yellow, Green, carla.TrafficLightState.Off):
        light.set_state(state)
        session.tick(3)
        assert light.get_state() == state
    assert light.is_frozen()
    elapsed = light.get_elapsed_time()
    session.tick(50)
    assert (light.get_state(), light.get_elapsed_time()) == (carla.TrafficLightState.Off, elapsed)
    session.world.freeze_all_traffic_lights(False)
    session.tick()
    assert not light.is_frozen()


@conforms(
    "RPC", "set_traffic_light_green_time", "set_traffic_light_yellow_time", "set_traffic_light_red_time"
)
@conforms("snapshot", "traffic_light")
def test_times_are_kept_and_obeyed(session: Session, light: carla.TrafficLight) -> None:
    before = light.get_green_time(), light.get_yellow_time(), light.get_red_time()
    light.set_green_time(1.0)
    light.set_yellow_time(0.5)
    light.set_red_time(0.25)
    session.world.reset_all_traffic_lights()
    session.tick()
    assert (light.get_green_time(), light.get_yellow_time(), light.get_red_time()) == (1.0, 0.5, 0.25)
    shown = []
    for _ in range(400):
        session.tick()
        shown.append(light.get_state())
    changes = [state for state, last in zip(shown[1:], shown, strict=False) if state != last]
    assert {Red, Yellow, Green} <= set(shown)
    green = shown.index(Green)
    first_green = next((k for k in range(1, 400) if shown[k] == Green != shown[k - 1]), green)
    yellow = next(k for k in range(first_green, 400) if shown[k] == Yellow)
    after = next(k for k in range(yellow, 400) if shown[k] != Yellow)
    assert after - yellow == 10
    assert changes
    for value, setter in zip(
        before, (light.set_green_time, light.set_yellow_time, light.set_red_time), strict=True
    ):
        setter(value)
    session.tick()


@conforms("RPC", "get_group_traffic_lights", "reset_traffic_light_group", "reset_all_traffic_lights")
def test_lights_of_a_junction_are_a_group_and_start_again_together(
    session: Session, light: carla.TrafficLight, raw: RawClient
) -> None:
    group = light.get_group_traffic_lights()
    assert light.id in {member.id for member in group}
    session.world.reset_all_traffic_lights()
    session.tick()
    start = [member.get_state() for member in group]
    assert Green in start
    session.tick(230)
    assert [member.get_state() for member in group] != start
    light.reset_group()
    session.tick()
    assert [member.get_state() for member in group] == start
    spectator = session.world.get_spectator().id
    assert (
        raw.error("get_group_traffic_lights", 10**6) == "unable to get group traffic lights: actor not found"
    )
    text = "unable to get group traffic lights: actor is not a traffic light"
    assert raw.error("get_group_traffic_lights", spectator) == text


@conforms("RPC", "freeze_traffic_light", limited="freezes the light's whole group; no client sends it")
def test_one_group_can_be_frozen(session: Session, light: carla.TrafficLight, raw: RawClient) -> None:
    raw.call("freeze_traffic_light", light.id, True)
    session.tick()
    assert light.is_frozen()
    others = {member.id for member in light.get_group_traffic_lights()}
    outside = [o for o in session.world.get_actors().filter("traffic.traffic_light") if o.id not in others]
    assert outside
    assert not any(other.is_frozen() for other in outside)
    raw.call("freeze_traffic_light", light.id, False)


@conforms("RPC", "get_light_boxes")
def test_boxes_surround_the_heads_of_a_light(light: carla.TrafficLight) -> None:
    boxes = light.get_light_boxes()
    assert len(boxes) >= 2
    for box in boxes:
        assert 2.0 < box.location.z - light.get_location().z < 7.0
        assert 0.5 < box.extent.z < 1.2
        flat = carla.Location(box.location.x, box.location.y, light.get_location().z)
        assert flat.distance(light.get_location()) < 15.0


@conforms("snapshot", "traffic_sign")
def test_signs_are_actors_tied_to_the_map(session: Session) -> None:
    town = session.world.get_map()
    for kind, number in (("traffic.stop", "206"), ("traffic.yield", "205"), ("traffic.speed_limit.*", "274")):
        actors = session.world.get_actors().filter(kind)
        marks = town.get_all_landmarks_of_type(number)
        assert len(actors) == len({mark.id for mark in marks}) > 0
        sign = session.world.get_traffic_sign(marks[0])
        assert sign is not None
        assert sign.trigger_volume.extent.x > 0.5


@conforms("snapshot", "vehicle")
def test_a_vehicle_at_the_line_knows_its_light(session: Session, light: carla.TrafficLight) -> None:
    session.world.freeze_all_traffic_lights(True)
    light.set_state(Red)
    center = light.get_transform().transform(light.trigger_volume.location)
    place = session.world.get_map().get_waypoint(center).transform
    place.location += carla.Location(z=0.3) - place.get_forward_vector() * 1.0
    car = session.spawn("vehicle.tesla.model3", place)
    session.tick(10)
    assert car.is_at_traffic_light()
    assert (car.get_traffic_light().id, car.get_traffic_light_state()) == (light.id, Red)
