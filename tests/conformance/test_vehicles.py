"""What drives a vehicle, and what it says of itself."""

from __future__ import annotations

import math

import carla
import pytest

from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient


@pytest.fixture
def car(session: Session, spawn_point: carla.Transform) -> carla.Vehicle:
    """A car that has landed on a straight street."""
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    return vehicle


@conforms("RPC", "apply_control_to_vehicle")
def test_a_control_shows_in_the_snapshot_and_moves_the_car(session: Session, car: carla.Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=0.5, steer=1.7, brake=-3.0))
    session.tick(30)
    control, forward = car.get_control(), car.get_transform().get_forward_vector()
    assert (control.throttle, control.steer, control.brake) == (0.5, 1.0, 0.0)
    assert control.gear > 0
    assert car.get_velocity().dot(forward) > 1.0
    assert car.get_angular_velocity().z > 5.0
    car.apply_control(carla.VehicleControl(hand_brake=True))
    session.tick(60)
    assert car.get_control().hand_brake
    assert car.get_velocity().length() < 0.05
    car.apply_control(carla.VehicleControl(throttle=0.5, reverse=True))
    session.tick(30)
    assert car.get_control().gear == -1
    assert car.get_velocity().dot(car.get_transform().get_forward_vector()) < -0.5


@conforms("snapshot", "vehicle")
def test_the_snapshot_has_motion_and_speed_limit(session: Session, car: carla.Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=0.8))
    session.tick(20)
    before, place = car.get_velocity(), car.get_location()
    session.tick()
    after = car.get_velocity()
    assert (car.get_location() - place).length() == pytest.approx(after.length() * 0.05, rel=0.05)
    assert car.get_acceleration().x == pytest.approx((after.x - before.x) / 0.05, abs=0.2)
    assert car.get_acceleration().y == pytest.approx((after.y - before.y) / 0.05, abs=0.2)
    limits = {sign.type_id for sign in session.world.get_actors().filter("traffic.speed_limit*")}
    assert car.get_speed_limit() in {float(name.split(".")[-1]) for name in limits} | {30.0, 40.0, 50.0}
    assert car.get_failure_state() == carla.VehicleFailureState.NONE
    assert not car.is_at_traffic_light()


@conforms(
    "RPC", "apply_ackermann_control_to_vehicle", "get_ackermann_controller_settings",
    "apply_ackermann_controller_settings",
    limited="of the gains the speed's proportional one counts; steering speed and jerk are not limited",
)  # fmt: skip
def test_ackermann_control_reaches_its_speed_and_angle(session: Session, car: carla.Vehicle) -> None:
    car.apply_ackermann_control(carla.VehicleAckermannControl(speed=6.0))
    session.tick(100)
    assert car.get_velocity().length() == pytest.approx(6.0, abs=0.5)
    car.apply_ackermann_control(carla.VehicleAckermannControl(speed=6.0, steer=0.1))
    session.tick(10)
    turned = [car.get_wheel_steer_angle(wheel) for wheel in (carla.VehicleWheelLocation.FL_Wheel,) * 2]
    assert math.degrees(0.1) == pytest.approx(turned[0], abs=1.5)
    settings = car.get_ackermann_controller_settings()
    assert (settings.speed_kp, settings.speed_kd) == pytest.approx((0.15, 0.25))
    settings.speed_kp, settings.accel_kd = 0.3, 0.02
    car.apply_ackermann_controller_settings(settings)
    assert car.get_ackermann_controller_settings() == settings


@conforms("RPC", "get_physics_control", "apply_physics_control")
def test_the_physics_control_comes_back_and_counts(session: Session, car: carla.Vehicle) -> None:
    physics = car.get_physics_control()
    assert len(physics.wheels) == 4
    assert [round(wheel.max_steer_angle) for wheel in physics.wheels] == [70, 70, 0, 0]
    places = [(wheel.position.x / 100.0, wheel.position.y / 100.0) for wheel in physics.wheels]
    assert 2.4 < math.dist(places[0], places[2]) < 3.2
    assert math.dist(places[0], (car.get_location().x, car.get_location().y)) < 2.5
    physics.mass, physics.max_rpm = 9000.0, 5555.0
    physics.steering_curve = [carla.Vector2D(0.0, 0.5), carla.Vector2D(100.0, 0.25)]
    car.apply_physics_control(physics)
    again = car.get_physics_control()
    assert (again.mass, again.max_rpm) == (9000.0, 5555.0)
    assert [(point.x, point.y) for point in again.steering_curve] == [(0.0, 0.5), (100.0, 0.25)]
    car.add_impulse(car.get_transform().get_forward_vector() * 90_000.0)
    session.tick()
    assert car.get_velocity().length() == pytest.approx(10.0, rel=0.1)


@conforms("RPC", "get_vehicle_light_state", "set_vehicle_light_state", "get_vehicle_light_states")
def test_lights_stay_as_they_are_set(session: Session, car: carla.Vehicle) -> None:
    assert car.get_light_state() == carla.VehicleLightState.NONE
    state = carla.VehicleLightState(carla.VehicleLightState.Brake | carla.VehicleLightState.LeftBlinker)
    car.set_light_state(state)
    session.tick()
    assert car.get_light_state() == state
    assert session.world.get_vehicles_light_states() == {car.id: state}


@conforms(
    "RPC",
    "open_vehicle_door",
    "close_vehicle_door",
    limited="doors swing at once; hood and trunk are drawn shut",
)
def test_an_open_door_is_in_the_way(session: Session, car: carla.Vehicle, raw: RawClient) -> None:
    before = car.get_transform()
    beside = carla.Location(x=0.5, y=-(car.bounding_box.extent.y + 0.6))
    place = carla.Transform(before.transform(beside) + carla.Location(z=0.5), before.rotation)
    library = session.world.get_blueprint_library()
    walker = library.find("walker.pedestrian.0012")
    car.open_door(carla.VehicleDoor.FL)
    assert session.world.try_spawn_actor(walker, place) is None
    car.close_door(carla.VehicleDoor.All)
    session.tick()
    someone = session.world.try_spawn_actor(walker, place)
    assert someone is not None
    someone.destroy()
    assert car.get_location().distance(before.location) < 0.01
    assert raw.call("open_vehicle_door", car.id, 6) == [[False]]
    assert "door is 7: expected" in raw.error("open_vehicle_door", car.id, 7)
    assert "not a Vehicle" in raw.error("open_vehicle_door", session.world.get_spectator().id, 0)


@conforms("RPC", "get_wheel_steer_angle")
def test_the_inner_wheel_turns_more(session: Session, car: carla.Vehicle) -> None:
    left, right, rear = (
        carla.VehicleWheelLocation.FL_Wheel, carla.VehicleWheelLocation.FR_Wheel, carla.VehicleWheelLocation.BL_Wheel,
    )  # fmt: skip
    car.apply_control(carla.VehicleControl(steer=0.5))
    session.tick(10)
    assert 20.0 < car.get_wheel_steer_angle(left) < car.get_wheel_steer_angle(right) < 40.0
    assert car.get_wheel_steer_angle(rear) == 0.0
    car.apply_control(carla.VehicleControl(steer=-0.5))
    session.tick(10)
    assert -40.0 < car.get_wheel_steer_angle(left) < car.get_wheel_steer_angle(right) < -20.0


@conforms("RPC", "set_wheel_steer_direction", limited="both front wheels together")
def test_wheels_of_a_car_without_physics_can_be_turned_for_the_eye(
    session: Session, car: carla.Vehicle
) -> None:
    car.set_simulate_physics(False)
    car.set_wheel_steer_direction(carla.VehicleWheelLocation.FL_Wheel, -25.0)
    session.tick(3)
    assert car.get_wheel_steer_angle(carla.VehicleWheelLocation.FL_Wheel) == pytest.approx(-25.0, abs=6.0)


@conforms(
    "RPC", "get_wheel_pitch_angle", "set_wheel_pitch_angle", refused="wheels have no angle about their axle"
)
def test_wheels_have_no_angle_about_their_axle(car: carla.Vehicle, raw: RawClient) -> None:
    with pytest.raises(RuntimeError, match="no angle about their axle"):
        car.get_wheel_pitch_angle(carla.VehicleWheelLocation.FL_Wheel)
    assert "no angle about their axle" in raw.error("set_wheel_pitch_angle", car.id, 0, 10.0)


@conforms(
    "RPC", "get_telemetry_data", limited="wheels roll without slip along; loads are those of a level road"
)
def test_telemetry_is_that_of_the_motion(session: Session, car: carla.Vehicle) -> None:
    car.apply_control(carla.VehicleControl(throttle=0.7))
    session.tick(40)
    data, physics = car.get_telemetry_data(), car.get_physics_control()
    speed = car.get_velocity().length()
    assert data.speed == pytest.approx(speed, rel=0.02)
    assert (data.throttle, data.brake, data.gear) == (pytest.approx(0.7), 0.0, car.get_control().gear)
    assert 800.0 <= data.engine_rpm <= physics.max_rpm
    wheels = data.wheels
    assert len(wheels) == 4
    assert sum(wheel.tire_load for wheel in wheels) == pytest.approx(physics.mass * 9.81, rel=0.01)
    assert wheels[0].omega == pytest.approx(speed / (physics.wheels[0].radius / 100.0), rel=0.02)
    assert wheels[0].tire_friction == physics.wheels[0].tire_friction
    total = sum(wheel.long_force for wheel in wheels)
    assert total == pytest.approx(physics.mass * car.get_acceleration().length(), rel=0.1, abs=200.0)


@conforms("RPC", "show_vehicle_debug_telemetry", limited="checked only: there is no screen to show it on")
def test_debug_telemetry_has_no_effect(session: Session, car: carla.Vehicle, raw: RawClient) -> None:
    car.show_debug_telemetry(True)
    session.tick()
    assert raw.call("show_vehicle_debug_telemetry", car.id, False) == [[False]]
    assert "not a Vehicle" in raw.error(
        "show_vehicle_debug_telemetry", session.world.get_spectator().id, True
    )


@conforms("RPC", "restore_physx_physics")
def test_the_only_physics_can_be_restored(session: Session, car: carla.Vehicle, raw: RawClient) -> None:
    car.restore_physx_physics()
    car.apply_control(carla.VehicleControl(throttle=0.6))
    session.tick(20)
    assert car.get_velocity().length() > 0.5
    assert raw.call("restore_physx_physics", car.id) == [[False]]


@conforms("RPC", "enable_carsim", "use_carsim_road", refused="CarSim plugin is not enabled")
@conforms("RPC", "enable_chrono_physics", refused="Chrono is not part of this server")
def test_other_physics_are_refused(car: carla.Vehicle, raw: RawClient) -> None:
    assert raw.error("enable_carsim", car.id, "x.sim") == raw.error("use_carsim_road", car.id, True)
    assert "CarSim plugin is not enabled" in raw.error("use_carsim_road", car.id, True)
    assert "Chrono" in raw.error("enable_chrono_physics", car.id, 1, 0.1, "", "", "", "")


@conforms("RPC", "set_actor_autopilot")
def test_autopilot_is_for_vehicles(session: Session, car: carla.Vehicle, raw: RawClient) -> None:
    assert raw.call("set_actor_autopilot", car.id, True) == [[False]]
    assert "not a Vehicle" in raw.error("set_actor_autopilot", session.world.get_spectator().id, True)
