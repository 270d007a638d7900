"""The traffic manager lives in the client: what it asks of the server, and what its vehicles then do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import carla
import pytest

from drive_agent.drive.traffic import free_port
from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient


@pytest.fixture
def manager(session: Session) -> Iterator[carla.TrafficManager]:
    """A synchronous traffic manager on a fresh port (on the port of one shut down it would stall); shut down in the order
    that the client survives."""
    traffic = session.client.get_trafficmanager(free_port())
    traffic.set_synchronous_mode(True)
    traffic.set_random_device_seed(7)
    yield traffic
    for actor in session.spawned:
        if isinstance(actor, carla.Vehicle) and actor.is_alive:
            actor.set_autopilot(False, traffic.get_port())
    session.tick()
    traffic.set_synchronous_mode(False)
    traffic.shut_down()


def _drive(
    session: Session, traffic: carla.TrafficManager, spawn_point: carla.Transform, ticks: int = 160
) -> carla.Vehicle:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_autopilot(True, traffic.get_port())
    session.tick(ticks)
    return car


@conforms("RPC", "is_traffic_manager_running", "get_traffic_manager_running", "add_traffic_manager_running")
@conforms("RPC", "destroy_traffic_manager")
@conforms("traffic manager", "shut_down")
def test_the_registry_knows_who_runs_where(session: Session, raw: RawClient) -> None:
    port = free_port()
    assert raw.value("is_traffic_manager_running", port) is False
    assert raw.value("get_traffic_manager_running", port) == ["", 0]
    traffic = session.client.get_trafficmanager(port)
    assert traffic.get_port() == port
    assert raw.value("is_traffic_manager_running", port) is True
    host, number = raw.value("get_traffic_manager_running", port)
    assert (len(host.split(".")), number) == (4, port)
    assert raw.value("add_traffic_manager_running", ["10.0.0.1", port]) is False
    traffic.shut_down()  # nobody waits for the answer to what this sends, but the client's next question comes after it
    session.client.get_server_version()
    assert raw.value("is_traffic_manager_running", port) is False
    assert raw.value("add_traffic_manager_running", ["10.0.0.1", 9]) is True
    assert raw.value("destroy_traffic_manager", 9) is True
    assert raw.value("destroy_traffic_manager", 9) is False


@conforms("traffic manager", "set_synchronous_mode", "set_random_device_seed", "set_autopilot")
@conforms("traffic manager", "global_percentage_speed_difference")
def test_a_managed_car_follows_its_lane_at_the_speed_asked_for(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    manager.global_percentage_speed_difference(50.0)
    car = _drive(session, manager, spawn_point)
    limit = car.get_speed_limit() / 3.6
    assert car.get_velocity().length() == pytest.approx(0.5 * limit, rel=0.15)
    lane = session.world.get_map().get_waypoint(car.get_location())
    assert lane.transform.location.distance(car.get_location()) < 0.7
    car.set_autopilot(False, manager.get_port())
    car.apply_control(carla.VehicleControl(brake=1.0))
    session.tick(60)
    assert car.get_velocity().length() < 0.1


@conforms("traffic manager", "vehicle_percentage_speed_difference", "set_desired_speed")
def test_a_car_of_its_own_speed(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_autopilot(True, manager.get_port())
    manager.set_desired_speed(car, 18.0)
    session.tick(120)
    assert car.get_velocity().length() == pytest.approx(5.0, rel=0.15)
    manager.vehicle_percentage_speed_difference(car, 100.0)
    session.tick(100)
    assert car.get_velocity().length() < 0.5


@conforms(
    "traffic manager", "distance_to_leading_vehicle", "set_global_distance_to_leading_vehicle",
    "ignore_vehicles_percentage", "auto_lane_change", "collision_detection", "ignore_walkers_percentage",
)  # fmt: skip
def test_a_managed_car_stops_behind_another_unless_told_not_to(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    ahead = session.world.get_map().get_waypoint(spawn_point.location).next(40.0)[0].transform
    ahead.location.z += 0.3
    parked = session.spawn("vehicle.audi.tt", ahead)
    parked.apply_control(carla.VehicleControl(hand_brake=True))
    manager.set_global_distance_to_leading_vehicle(4.0)
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_autopilot(True, manager.get_port())
    manager.auto_lane_change(car, False)
    manager.distance_to_leading_vehicle(car, 4.0)
    session.tick(300)
    gap = (
        parked.get_location().distance(car.get_location())
        - parked.bounding_box.extent.x
        - car.bounding_box.extent.x
    )
    assert car.get_velocity().length() < 0.2
    assert 1.5 < gap < 12.0
    manager.ignore_vehicles_percentage(car, 100.0)
    manager.ignore_walkers_percentage(car, 100.0)
    manager.collision_detection(car, parked, False)
    session.tick(60)
    after = (
        parked.get_location().distance(car.get_location())
        - parked.bounding_box.extent.x
        - car.bounding_box.extent.x
    )
    assert after < gap - 1.0


@conforms("traffic manager", "ignore_lights_percentage", "ignore_signs_percentage")
def test_a_managed_car_stops_at_red_unless_told_not_to(
    session: Session, manager: carla.TrafficManager
) -> None:
    session.world.freeze_all_traffic_lights(True)
    town = session.world.get_map()
    for light in session.world.get_actors().filter("traffic.traffic_light"):
        light.set_state(carla.TrafficLightState.Red)
    session.tick()
    light = session.world.get_actors().filter("traffic.traffic_light")[0]
    start = light.get_stop_waypoints()[0].previous(25.0)[0].transform
    start.location.z += 0.3
    car = session.spawn("vehicle.tesla.model3", start)
    car.set_autopilot(True, manager.get_port())
    session.tick(200)
    assert car.get_velocity().length() < 0.2
    assert not town.get_waypoint(car.get_location()).is_junction
    manager.ignore_lights_percentage(car, 100.0)
    manager.ignore_signs_percentage(car, 100.0)
    places = []
    for _ in range(120):
        session.tick()
        places.append(town.get_waypoint(car.get_location()).is_junction)
    assert any(places)


@conforms("traffic manager", "update_vehicle_lights")
def test_managed_cars_switch_their_lights(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    before = session.world.get_weather()
    session.world.set_weather(carla.WeatherParameters(sun_altitude_angle=-30.0))
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_autopilot(True, manager.get_port())
    manager.update_vehicle_lights(car, True)
    session.tick(60)
    assert int(car.get_light_state()) & int(carla.VehicleLightState.LowBeam)
    session.world.set_weather(before)


@conforms("traffic manager", "force_lane_change", "vehicle_lane_offset", "get_next_action")
def test_a_managed_car_can_be_moved_aside(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_autopilot(True, manager.get_port())
    manager.vehicle_lane_offset(car, 0.6)
    manager.force_lane_change(car, True)
    session.tick(100)
    lane = session.world.get_map().get_waypoint(car.get_location())
    aside = (car.get_location() - lane.transform.location).dot(lane.transform.get_right_vector())
    assert aside == pytest.approx(0.6, abs=0.35)
    action, waypoint = manager.get_next_action(car)
    assert isinstance(action, str)
    assert waypoint.transform.location.distance(car.get_location()) < 150.0


@conforms("traffic manager", "set_path", "set_route")
def test_a_managed_car_follows_a_path(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    town = session.world.get_map()
    waypoint, path = town.get_waypoint(spawn_point.location), []
    for _ in range(30):
        waypoint = min(waypoint.next(6.0), key=lambda w: (w.road_id, w.lane_id))
        path.append(waypoint.transform.location)
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_autopilot(True, manager.get_port())
    manager.set_route(car, ["Straight"])
    manager.set_path(car, path)
    manager.ignore_lights_percentage(car, 100.0)
    manager.ignore_signs_percentage(car, 100.0)
    session.tick(250)
    place = car.get_location()
    assert place.distance(spawn_point.location) > 40.0
    assert min(place.distance(point) for point in path) < 5.0


@conforms("traffic manager", "set_hybrid_physics_mode", "set_respawn_dormant_vehicles", "set_osm_mode")
def test_without_a_hero_hybrid_cars_are_moved_by_hand(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    manager.set_osm_mode(True)
    manager.set_respawn_dormant_vehicles(False)
    manager.set_hybrid_physics_mode(True)
    manager.set_hybrid_physics_radius(30.0)
    car = _drive(session, manager, spawn_point, 100)
    assert car.get_location().distance(spawn_point.location) > 10.0
    lane = session.world.get_map().get_waypoint(car.get_location())
    assert lane.transform.location.distance(car.get_location()) < 1.0


_REMOTE = """
import sys, carla
client = carla.Client("127.0.0.1", int(sys.argv[1])); client.set_timeout(20.0)
world = client.get_world()
traffic = client.get_trafficmanager(int(sys.argv[2]))
car = world.get_actor(int(sys.argv[3]))
car.set_autopilot(True, traffic.get_port())
print("handed over", flush=True)
"""


@conforms("traffic manager", "remote_traffic_manager")
def test_a_second_client_reaches_the_manager_of_the_first(
    session: Session, manager: carla.TrafficManager, spawn_point: carla.Transform
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick()
    arguments = [str(session.server.port), str(manager.get_port()), str(car.id)]
    child = subprocess.run(
        [sys.executable, "-c", _REMOTE, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert "handed over" in child.stdout, child.stderr
    session.tick(100)
    assert car.get_velocity().length() > 2.0


@conforms(
    "traffic manager",
    "determinism",
    limited="with a fresh port for every run; tested by tests/unit/sim/test_traffic.py too",
)
def test_two_runs_of_managed_cars_are_alike(session: Session, spawn_point: carla.Transform) -> None:
    runs = []
    for _ in range(2):
        session.world.reset_all_traffic_lights()
        traffic = session.client.get_trafficmanager(free_port())
        traffic.set_synchronous_mode(True)
        traffic.set_random_device_seed(3)
        car = session.spawn("vehicle.tesla.model3", spawn_point)
        car.set_autopilot(True, traffic.get_port())
        session.tick(120)
        place = car.get_transform()
        runs.append((place.location.x, place.location.y, place.rotation.yaw))
        car.set_autopilot(False, traffic.get_port())
        session.tick()
        traffic.set_synchronous_mode(False)
        traffic.shut_down()
        car.destroy()
        session.tick()
    assert runs[0] == runs[1]
