"""Commands of `apply_batch`: each does what the call of its name does, and says how it went."""

from __future__ import annotations

import math

import carla
import pytest

from drive_agent.drive.traffic import free_port
from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient

command = carla.command


@pytest.fixture
def car(session: Session, spawn_point: carla.Transform) -> carla.Vehicle:
    """A car that has landed on a straight street."""
    vehicle = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    return vehicle


def _apply(session: Session, *commands: object) -> list[str]:
    """Errors of a batch that is followed by a tick; empty ones for commands that went well."""
    responses = session.client.apply_batch_sync(list(commands), True)
    return [response.error for response in responses]


@conforms("RPC", "apply_batch")
@conforms("command", "SpawnActor", "DestroyActor")
def test_a_batch_reports_each_command(session: Session, spawn_point: carla.Transform) -> None:
    blueprint = session.library.find("vehicle.audi.tt")
    control = command.ApplyVehicleControl(command.FutureActor, carla.VehicleControl(throttle=1.0))
    fails_later = command.ApplyWalkerControl(command.FutureActor, carla.WalkerControl())
    results = session.client.apply_batch_sync(
        [
            command.SpawnActor(blueprint, spawn_point).then(fails_later).then(control),
            command.SpawnActor(blueprint, spawn_point),
            command.DestroyActor(999_999),
        ],
        True,
    )
    assert [result.has_error() for result in results] == [False, True, True]
    assert results[1].error == "Spawn failed because of collision at spawn position"
    assert results[2].error == "unable to destroy actor: not found"
    car = session.world.get_actor(results[0].actor_id)
    assert car.get_control().throttle == 1.0
    sensor = session.library.find("sensor.other.gnss")
    (attached,) = session.client.apply_batch_sync(
        [command.SpawnActor(sensor, carla.Transform(carla.Location(z=2.0)), car)], True
    )
    assert session.world.get_actor(attached.actor_id).parent.id == car.id
    assert _apply(session, command.DestroyActor(attached.actor_id), command.DestroyActor(car.id)) == ["", ""]
    assert not session.world.get_snapshot().has_actor(car.id)


@conforms("command", "ApplyVehicleControl", "ApplyTransform", "SetSimulatePhysics", "ApplyLocation")
def test_commands_move_a_vehicle(
    session: Session, car: carla.Vehicle, spawn_point: carla.Transform, raw: RawClient
) -> None:
    place = carla.Transform(spawn_point.location + carla.Location(z=40.0), carla.Rotation(yaw=12.0))
    errors = _apply(
        session,
        command.ApplyVehicleControl(car, carla.VehicleControl(throttle=0.25, steer=0.5)),
        command.SetSimulatePhysics(car, False),
        command.ApplyTransform(car, place),
    )
    assert errors == ["", "", ""]
    assert (car.get_control().throttle, car.get_control().steer) == (0.25, 0.5)
    assert car.get_location().distance(place.location) < 1e-3
    assert car.get_transform().rotation.yaw == pytest.approx(12.0, abs=1e-3)
    target = spawn_point.location
    assert raw.call("apply_batch", [[[19, [car.id, [target.x, target.y, target.z]]]]], False) == [
        [[1, car.id]]
    ]
    session.tick()
    assert car.get_location().distance(spawn_point.location) < 1e-3


@conforms("command", "ApplyTargetVelocity", "ApplyTargetAngularVelocity", "ApplyImpulse")
def test_commands_give_a_vehicle_speed(session: Session, car: carla.Vehicle) -> None:
    forward, mass = car.get_transform().get_forward_vector(), car.get_physics_control().mass
    assert _apply(session, command.ApplyTargetVelocity(car, forward * 8.0)) == [""]
    assert car.get_velocity().dot(forward) == pytest.approx(8.0, rel=0.05)
    assert _apply(session, command.ApplyImpulse(car, forward * (3.0 * mass))) == [""]
    assert car.get_velocity().dot(forward) == pytest.approx(11.0, rel=0.06)
    assert _apply(session, command.ApplyTargetAngularVelocity(car, carla.Vector3D(z=30.0))) == [""]
    assert car.get_angular_velocity().z > 1.0


@conforms("command", "ApplyForce", limited="vehicles only")
@conforms("command", "ApplyAngularImpulse", "ApplyTorque", limited="vehicles only, about the vertical")
def test_commands_push_a_vehicle(session: Session, car: carla.Vehicle) -> None:
    forward, mass = car.get_transform().get_forward_vector(), car.get_physics_control().mass
    neutral = command.ApplyVehicleControl(car, carla.VehicleControl(manual_gear_shift=True, gear=0))
    assert _apply(session, neutral, command.ApplyForce(car, forward * (40.0 * mass))) == ["", ""]
    assert car.get_velocity().length() == pytest.approx(40.0 * DELTA_S, rel=0.2)
    for push in (
        command.ApplyAngularImpulse(car, carla.Vector3D(z=9000.0)),
        command.ApplyTorque(car, carla.Vector3D(z=9000.0 / DELTA_S)),
    ):
        _apply(session, command.ApplyTargetVelocity(car, forward * 8.0))
        yaw = car.get_transform().rotation.yaw
        assert _apply(session, push) == [""]
        assert 0.05 < (car.get_transform().rotation.yaw - yaw + 180.0) % 360.0 - 180.0 < 20.0


@conforms("command", "SetEnableGravity")
def test_a_command_switches_gravity(
    session: Session, car: carla.Vehicle, spawn_point: carla.Transform
) -> None:
    high = carla.Transform(spawn_point.location + carla.Location(z=6.0), spawn_point.rotation)
    assert _apply(session, command.SetEnableGravity(car, False), command.ApplyTransform(car, high)) == [
        "",
        "",
    ]
    session.tick(20)
    assert car.get_location().z == pytest.approx(high.location.z, abs=0.05)


@conforms("command", "SetVehicleLightState")
def test_a_command_sets_lights(session: Session, car: carla.Vehicle) -> None:
    state = carla.VehicleLightState(carla.VehicleLightState.HighBeam | carla.VehicleLightState.Special1)
    # by id: with an actor the client's binding takes the state for a boolean
    assert _apply(session, command.SetVehicleLightState(car.id, state)) == [""]
    assert car.get_light_state() == state


@conforms("command", "ApplyVehicleAckermannControl", limited="as apply_ackermann_control_to_vehicle")
@conforms("command", "ApplyVehiclePhysicsControl")
def test_commands_set_physics_and_drive_by_speed(session: Session, car: carla.Vehicle) -> None:
    physics = car.get_physics_control()
    physics.mass = 2222.0
    drive = command.ApplyVehicleAckermannControl(car, carla.VehicleAckermannControl(speed=4.0))
    assert _apply(session, command.ApplyVehiclePhysicsControl(car, physics), drive) == ["", ""]
    assert car.get_physics_control().mass == 2222.0
    session.tick(100)
    assert car.get_velocity().length() == pytest.approx(4.0, abs=0.5)


@conforms("command", "ApplyWalkerControl", "ApplyWalkerState")
def test_commands_walk_a_walker(session: Session, spawn_point: carla.Transform) -> None:
    walker = session.spawn("walker.pedestrian.0001", spawn_point)
    session.tick(20)
    forward = spawn_point.get_forward_vector()
    assert _apply(session, command.ApplyWalkerControl(walker, carla.WalkerControl(forward, 1.5))) == [""]
    session.tick(5)
    assert walker.get_velocity().dot(forward) == pytest.approx(1.5, rel=0.05)
    beside = walker.get_location() + carla.Location(x=1.0)
    feet = carla.Location(beside.x, beside.y, beside.z - walker.bounding_box.extent.z)
    place = carla.Transform(feet, carla.Rotation(yaw=77.0))
    assert _apply(session, command.ApplyWalkerState(walker, place, 1.0)) == [""]
    assert walker.get_location().distance(beside) < 0.15
    assert walker.get_velocity().length() == pytest.approx(1.0, rel=0.1)
    heading = math.degrees(math.atan2(walker.get_velocity().y, walker.get_velocity().x))
    assert heading == pytest.approx(77.0, abs=2.0)


@conforms("command", "SetTrafficLightState")
def test_a_command_sets_a_light(session: Session, raw: RawClient) -> None:
    light = session.world.get_actors().filter("traffic.traffic_light")[0]
    session.world.freeze_all_traffic_lights(True)
    for state in (carla.TrafficLightState.Yellow, carla.TrafficLightState.Green):
        assert raw.call("apply_batch", [[[21, [light.id, int(state)]]]], False) == [[[1, light.id]]]
        session.tick()
        assert light.get_state() == state


@conforms(
    "command", "SetAutopilot", limited="remembered by the traffic manager in the client, not by the server"
)
@conforms("command", "ShowDebugTelemetry", limited="checked only: there is no screen to show it on")
@conforms("command", "ConsoleCommand", limited="accepted without effect: there is no console")
def test_commands_without_an_effect_of_their_own(
    session: Session, car: carla.Vehicle, raw: RawClient
) -> None:
    manager = session.client.get_trafficmanager(free_port())  # one left running would turn for ever
    assert _apply(session, command.SetAutopilot(car, False, manager.get_port())) == [""]
    manager.shut_down()
    assert raw.call("apply_batch", [[[17, [car.id, True]]]], False) == [[[1, car.id]]]
    assert raw.call("apply_batch", [[[20, "stat fps"]]], False) == [[[1, 0]]]
    assert raw.value("console_command", "stat fps") is False
    spectator = session.world.get_spectator().id
    ((failed, (text,)),) = raw.call("apply_batch", [[[16, [spectator, True]]]], False)[0]
    assert (failed, "not a Vehicle" in text) == (0, True)
