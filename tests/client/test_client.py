"""The genuine client in a world of its own: connect, spawn, drive, look, destroy."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable

import carla
import pytest

from tests.client.conftest import DELTA_S, TOWN, Session


def test_connects_and_reads_the_map(session: Session) -> None:
    town = session.world.get_map()
    assert town.name == f"Carla/Maps/{TOWN}"
    assert len(town.get_spawn_points()) > 100
    assert session.client.get_server_version() == "0.9.16"
    assert f"/Game/Carla/Maps/{TOWN}" in session.client.get_available_maps()


def test_the_library_has_what_scenarios_filter_by(session: Session) -> None:
    cars = [b for b in session.library.filter("vehicle.*") if b.get_attribute("base_type") == "car"]
    assert len(cars) > 15
    assert all(b.get_attribute("generation").as_int() in (1, 2) for b in cars)
    assert len(session.library.filter("walker.pedestrian.*")) > 40
    for name in (
        "vehicle.lincoln.mkz_2020",
        "vehicle.dodge.charger_police_2020",
        "static.prop.trafficwarning",
    ):
        assert session.library.find(name).id == name


def test_settings_come_back_as_they_were_sent(session: Session) -> None:
    settings = session.world.get_settings()
    assert settings.synchronous_mode
    assert settings.fixed_delta_seconds == pytest.approx(DELTA_S)


def test_a_senseless_step_is_refused(session: Session) -> None:
    settings = session.world.get_settings()
    settings.fixed_delta_seconds = 5.0
    with pytest.raises(RuntimeError, match="fixed_delta_seconds is 5.0: expected"):
        session.world.apply_settings(settings)


def test_every_tick_is_one_frame_and_one_step_of_time(session: Session) -> None:
    first = session.world.get_snapshot()
    assert session.world.tick() == first.frame + 1
    second = session.world.get_snapshot()
    assert second.frame == first.frame + 1
    assert second.elapsed_seconds - first.elapsed_seconds == pytest.approx(DELTA_S)
    assert second.delta_seconds == pytest.approx(DELTA_S)


def test_a_vehicle_lands_and_stands_where_it_was_spawned(
    session: Session, spawn_point: carla.Transform
) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point, role_name="hero")
    session.tick(20)
    place = vehicle.get_transform()
    ground = session.world.get_map().get_waypoint(spawn_point.location).transform.location
    assert place.location.distance(ground) < 0.1
    assert vehicle.get_velocity().length() < 0.01
    assert vehicle.attributes["role_name"] == "hero"
    assert vehicle.bounding_box.extent.x == pytest.approx(2.396, abs=1e-3)


def test_the_snapshot_shows_the_control_and_its_effect(
    session: Session, spawn_point: carla.Transform
) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    vehicle.apply_control(carla.VehicleControl(throttle=0.5, steer=0.0))
    session.tick(40)
    control, velocity = vehicle.get_control(), vehicle.get_velocity()
    forward = vehicle.get_transform().get_forward_vector()
    assert (control.throttle, control.brake, control.gear > 0) == (0.5, 0.0, True)
    assert velocity.dot(forward) == pytest.approx(velocity.length(), rel=1e-3)
    assert 2.0 < velocity.length() < 8.0
    assert vehicle.get_acceleration().length() > 0.5
    assert vehicle.get_transform().location.distance(spawn_point.location) > 2.0
    assert vehicle.get_speed_limit() in (40.0, 50.0)


def test_positive_steering_turns_to_the_right(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    vehicle.apply_control(carla.VehicleControl(throttle=0.6, steer=0.3))
    session.tick(20)
    before = vehicle.get_transform().rotation.yaw
    session.tick(10)
    turned = (vehicle.get_transform().rotation.yaw - before + 180.0) % 360.0 - 180.0
    assert turned > 0.0
    assert vehicle.get_angular_velocity().z == pytest.approx(turned / (10 * DELTA_S), rel=0.6)


def test_reverse_drives_backwards(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    vehicle.apply_control(carla.VehicleControl(throttle=0.5, reverse=True))
    session.tick(30)
    assert vehicle.get_velocity().dot(vehicle.get_transform().get_forward_vector()) < -0.5
    assert vehicle.get_control().gear == -1


def test_constant_velocity_is_kept(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    vehicle.enable_constant_velocity(carla.Vector3D(6.0, 0.0, 0.0))
    session.tick(10)
    start = vehicle.get_location()
    session.tick(20)
    assert vehicle.get_location().distance(start) == pytest.approx(6.0, rel=0.01)
    vehicle.disable_constant_velocity()


def test_target_velocity_and_impulse_set_things_moving(
    session: Session, spawn_point: carla.Transform
) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    vehicle.set_target_velocity(spawn_point.get_forward_vector() * 8.0)
    session.tick()
    assert vehicle.get_velocity().length() == pytest.approx(8.0, rel=0.05)
    vehicle.add_impulse(spawn_point.get_forward_vector() * (4.0 * vehicle.get_physics_control().mass))
    session.tick()
    assert vehicle.get_velocity().length() == pytest.approx(12.0, rel=0.05)


def test_without_physics_a_vehicle_stays_where_it_is_put(
    session: Session, spawn_point: carla.Transform
) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    vehicle.set_simulate_physics(False)
    below = carla.Transform(spawn_point.location - carla.Location(z=200.0), spawn_point.rotation)
    vehicle.set_transform(below)
    session.tick(5)
    assert vehicle.get_location().distance(below.location) < 1e-3


def test_physics_parameters_are_taken_over(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    physics = vehicle.get_physics_control()
    assert len(physics.wheels) == 4
    assert [round(w.max_steer_angle) for w in physics.wheels] == [70, 70, 0, 0]
    wheelbase = math.dist(
        *[(w.position.x / 100, w.position.y / 100) for w in (physics.wheels[0], physics.wheels[2])]
    )
    assert 2.4 < wheelbase < 3.2
    physics.mass = 2500.0
    vehicle.apply_physics_control(physics)
    session.tick()
    assert vehicle.get_physics_control().mass == pytest.approx(2500.0)


def test_a_spawn_into_another_is_refused_in_the_words_clients_know(
    session: Session, spawn_point: carla.Transform
) -> None:
    session.spawn("vehicle.tesla.model3", spawn_point)
    blueprint = session.library.find("vehicle.audi.tt")
    with pytest.raises(RuntimeError, match="Spawn failed because of collision at spawn position"):
        session.world.spawn_actor(blueprint, spawn_point)
    assert session.world.try_spawn_actor(blueprint, spawn_point) is None


def test_destroyed_actors_leave_the_snapshot(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick()
    assert session.world.get_actor(vehicle.id) is not None
    assert vehicle.destroy()
    session.tick()
    assert not session.world.get_snapshot().has_actor(vehicle.id)


def test_a_batch_reports_each_command(session: Session, spawn_point: carla.Transform) -> None:
    command = carla.command
    blueprint = session.library.find("vehicle.audi.tt")
    control = carla.VehicleControl(throttle=1.0)
    results = session.client.apply_batch_sync(
        [
            command.SpawnActor(blueprint, spawn_point).then(
                command.ApplyVehicleControl(command.FutureActor, control)
            ),
            command.SpawnActor(blueprint, spawn_point),
            command.DestroyActor(999_999),
        ],
        True,
    )
    assert [result.has_error() for result in results] == [False, True, True]
    assert "collision" in results[1].error
    session.spawned.append(session.world.get_actor(results[0].actor_id))
    session.tick()
    assert session.spawned[0].get_control().throttle == 1.0


def test_vehicle_lights_are_kept(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    state = carla.VehicleLightState(carla.VehicleLightState.Brake | carla.VehicleLightState.LeftBlinker)
    vehicle.set_light_state(state)
    session.tick()
    assert vehicle.get_light_state() == state
    assert session.world.get_vehicles_light_states()[vehicle.id] == state


def test_ackermann_control_reaches_its_speed(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    vehicle.apply_ackermann_control(carla.VehicleAckermannControl(speed=6.0))
    session.tick(100)
    assert vehicle.get_velocity().length() == pytest.approx(6.0, abs=0.5)


def test_a_walker_walks_on_the_ground(session: Session, spawn_point: carla.Transform) -> None:
    start = carla.Transform(spawn_point.location + carla.Location(z=1.0), spawn_point.rotation)
    walker = session.spawn("walker.pedestrian.0001", start)
    session.tick(20)
    place = walker.get_location()
    assert place.z == pytest.approx(spawn_point.location.z - 0.3 + walker.bounding_box.extent.z, abs=0.05)
    direction = spawn_point.get_forward_vector()
    walker.apply_control(carla.WalkerControl(direction, 1.5))
    session.tick(20)
    moved = walker.get_location() - place
    assert carla.Vector3D(moved.x, moved.y, 0.0).dot(direction) == pytest.approx(1.5, rel=0.02)
    assert walker.get_velocity().length() == pytest.approx(1.5, rel=0.02)


def test_hills_tilt_the_vehicle(session: Session) -> None:
    town = session.world.get_map()
    steepest = max(
        town.generate_waypoints(5.0), key=lambda w: abs(w.transform.rotation.pitch % 360 - 180) * -1
    )
    slope = (steepest.transform.rotation.pitch + 180.0) % 360.0 - 180.0
    place = steepest.transform
    place.location.z += 0.5
    vehicle = session.spawn("vehicle.audi.tt", place)
    vehicle.apply_control(carla.VehicleControl(hand_brake=True))
    session.tick(20)
    assert abs(vehicle.get_transform().rotation.pitch) == pytest.approx(abs(slope), abs=0.5)
    assert vehicle.get_location().z == pytest.approx(steepest.transform.location.z, abs=0.1)


# ---- sensors ---------------------------------------------------------------------------------------------------------


def test_sensors_send_from_the_first_tick_after_subscribing(
    session: Session, spawn_point: carla.Transform
) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    fetch = session.listen(session.spawn("sensor.other.gnss", carla.Transform(), vehicle))
    _settle(session, fetch)
    frame = session.tick()
    assert fetch().frame == frame


def _settle(session: Session, fetch: Callable) -> None:
    """The subscription travels on a connection of its own: tick until the first measurement is there."""
    for _ in range(50):
        session.tick()
        try:
            fetch(timeout=0.1)
        except queue.Empty:  # until the subscription has arrived
            continue
        break
    _drain(fetch)


def _drain(fetch: Callable) -> None:
    while True:
        try:
            fetch(timeout=0.2)
        except queue.Empty:
            return


def test_sensor_tick_sets_the_rhythm(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    fetch = session.listen(session.spawn("sensor.other.gnss", parent=vehicle, sensor_tick=0.2))
    _settle(session, fetch)
    first = session.tick(16) - 15
    frames = [fetch().frame for _ in range(4)]
    assert frames[0] - first < 4
    assert [b - a for a, b in zip(frames, frames[1:], strict=False)] == [4, 4, 4]


# ---- signals ---------------------------------------------------------------------------------------------------------


def _lights(session: Session) -> list[carla.TrafficLight]:
    return sorted(session.world.get_actors().filter("traffic.traffic_light"), key=lambda light: light.id)


def test_signs_are_actors_tied_to_the_map(session: Session) -> None:
    town = session.world.get_map()
    for kind, number in (
        ("traffic.traffic_light", "1000001"),
        ("traffic.stop", "206"),
        ("traffic.yield", "205"),
    ):
        actors = session.world.get_actors().filter(kind)
        assert len(actors) == len({m.id for m in town.get_all_landmarks_of_type(number)})
        assert len(actors) > 0
    light = _lights(session)[0]
    assert session.world.get_traffic_light_from_opendrive_id(light.get_opendrive_id()).id == light.id


def test_the_trigger_volume_lies_on_the_lanes_before_the_junction(session: Session) -> None:
    town = session.world.get_map()
    for light in _lights(session):
        center = light.get_transform().transform(light.trigger_volume.location)
        waypoint = town.get_waypoint(center)
        assert not waypoint.is_junction
        assert (
            waypoint.transform.location.distance(
                carla.Location(center.x, center.y, waypoint.transform.location.z)
            )
            < 2.5
        )
        assert any(w.is_junction for w in waypoint.next(12.0))
        assert len(light.get_stop_waypoints()) >= 1


def test_lights_of_a_junction_take_turns(session: Session) -> None:
    light = _lights(session)[0]
    group = light.get_group_traffic_lights()
    assert light.id in {member.id for member in group}
    greens, states = set(), set()
    for _ in range(int(40.0 / DELTA_S / 10)):
        session.tick(10)
        green = frozenset(member.id for member in group if member.state == carla.TrafficLightState.Green)
        greens.add(green)
        states.add(light.state)
    greens.discard(frozenset())
    assert len(greens) >= 2
    assert not frozenset.intersection(*greens)
    assert states == {
        carla.TrafficLightState.Red,
        carla.TrafficLightState.Yellow,
        carla.TrafficLightState.Green,
    }


def test_state_times_and_freeze_obey(session: Session) -> None:
    light = _lights(session)[0]
    light.set_green_time(4.0)
    session.world.freeze_all_traffic_lights(True)
    light.set_state(carla.TrafficLightState.Red)
    session.tick(3)
    elapsed = light.get_elapsed_time()
    session.tick(100)
    assert light.state == carla.TrafficLightState.Red
    assert (light.is_frozen(), light.get_green_time()) == (True, 4.0)
    assert light.get_elapsed_time() == elapsed
    session.world.freeze_all_traffic_lights(False)
    light.set_green_time(10.0)
    session.tick()
    assert not light.is_frozen()


def test_a_vehicle_at_the_line_knows_its_light(session: Session) -> None:
    light = _lights(session)[0]
    session.world.freeze_all_traffic_lights(True)
    light.set_state(carla.TrafficLightState.Red)
    center = light.get_transform().transform(light.trigger_volume.location)
    place = session.world.get_map().get_waypoint(center).transform
    place.location.z += 0.3
    place.location -= place.get_forward_vector() * 1.0
    vehicle = session.spawn("vehicle.tesla.model3", place)
    session.tick(10)
    assert vehicle.is_at_traffic_light()
    assert vehicle.get_traffic_light().id == light.id
    assert vehicle.get_traffic_light_state() == carla.TrafficLightState.Red
    back = carla.Transform(place.location - place.get_forward_vector() * 12.0, place.rotation)
    vehicle.set_transform(back)
    session.tick()
    assert not vehicle.is_at_traffic_light()


# ---- the rest of the world -------------------------------------------------------------------------------------------


def test_weather_is_kept(session: Session) -> None:
    session.world.set_weather(carla.WeatherParameters.HardRainSunset)
    session.tick()
    assert session.world.get_weather() == carla.WeatherParameters.HardRainSunset


def test_reloading_forgets_what_was_spawned(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick()
    session.spawned.clear()
    world = session.client.reload_world(False)
    session.world = world
    session.tick()
    assert world.get_settings().synchronous_mode
    assert world.get_actor(vehicle.id) is None
    assert len(_lights(session)) > 0


def test_other_towns_and_own_maps_load_and_bad_ones_do_not(session: Session) -> None:
    from scenarios import towns

    town_before = session.world.get_map().name
    with pytest.raises(RuntimeError, match="unknown town"):
        session.client.load_world("Atlantis")
    with pytest.raises(RuntimeError, match="refused"):
        session.client.generate_opendrive_world("<OpenDRIVE/>")
    assert session.client.get_world().get_map().name == town_before
    session.client.generate_opendrive_world(towns.load("Ridgeport"))
    assert session.client.get_world().get_map().name.endswith("OpenDriveMap")
    session.client.load_world(TOWN)
    session.world = session.client.get_world()
    assert session.world.get_settings().synchronous_mode
    session.tick()


def test_asynchronous_worlds_run_by_themselves(session: Session) -> None:
    settings = session.world.get_settings()
    settings.synchronous_mode = False
    session.world.apply_settings(settings)
    first = session.world.wait_for_tick()
    second = session.world.wait_for_tick()
    assert second.frame > first.frame
    settings.synchronous_mode = True
    session.world.apply_settings(settings)
    session.tick()


def test_a_second_client_sees_everything_at_once(session: Session, spawn_point: carla.Transform) -> None:
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick()
    other = carla.Client(session.server.host, session.server.port)
    other.set_timeout(10.0)
    world = other.get_world()
    for _ in range(100):
        if world.get_actors().find(vehicle.id) is not None:
            break
        time.sleep(0.05)  # the greeting is on its way
    assert world.get_actors().find(vehicle.id).type_id == "vehicle.tesla.model3"
