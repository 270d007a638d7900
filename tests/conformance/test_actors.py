"""Actors of any kind: they are spawned, found, moved, pushed, attached and destroyed."""

from __future__ import annotations

import math

import carla
import pytest

from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient


@conforms("RPC", "spawn_actor", "get_actors_by_id")
def test_a_spawned_actor_is_what_was_asked_for(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point, role_name="hero", color="10,20,30")
    session.tick()
    found = session.world.get_actor(car.id)
    assert (found.type_id, found.attributes["role_name"], found.attributes["color"]) == (
        "vehicle.tesla.model3", "hero", "10,20,30",
    )  # fmt: skip
    assert found.semantic_tags == [int(carla.CityObjectLabel.Car)]
    assert [actor.id for actor in session.world.get_actors([car.id, 10**6])] == [car.id]
    assert found.get_transform().location.distance(spawn_point.location) < 0.5
    assert found.is_alive
    assert found.is_active


@conforms("RPC", "spawn_actor")
def test_a_spawn_into_another_is_refused_in_the_words_clients_know(
    session: Session, spawn_point: carla.Transform
) -> None:
    session.spawn("vehicle.tesla.model3", spawn_point)
    blueprint = session.library.find("vehicle.audi.tt")
    with pytest.raises(RuntimeError, match="^Spawn failed because of collision at spawn position$"):
        session.world.spawn_actor(blueprint, spawn_point)
    assert session.world.try_spawn_actor(blueprint, spawn_point) is None


@conforms("RPC", "spawn_actor_with_parent")
def test_an_attached_actor_goes_along(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    mount = carla.Transform(carla.Location(x=1.0, y=-0.5, z=2.0), carla.Rotation(yaw=90.0))
    sensor = session.spawn("sensor.other.gnss", mount, car)
    car.enable_constant_velocity(carla.Vector3D(5.0, 0.0, 0.0))
    session.tick(20)
    assert sensor.parent.id == car.id
    assert sensor.get_location().distance(car.get_transform().transform(mount.location)) < 1e-3
    turned = sensor.get_transform().rotation.yaw - car.get_transform().rotation.yaw
    assert turned % 360.0 == pytest.approx(90.0, abs=0.01)
    car.destroy()
    with pytest.raises(RuntimeError, match="unable to attach actor: parent actor not found"):
        session.spawn("sensor.other.gnss", mount, car)


@conforms("RPC", "destroy_actor")
def test_a_destroyed_actor_leaves_the_snapshot(
    session: Session, spawn_point: carla.Transform, raw: RawClient
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick()
    assert car.destroy()
    session.tick()
    assert not session.world.get_snapshot().has_actor(car.id)
    assert not car.is_alive
    assert raw.error("destroy_actor", car.id) == "unable to destroy actor: not found"


@conforms("RPC", "get_spectator")
def test_the_spectator_can_be_moved(session: Session) -> None:
    spectator = session.world.get_spectator()
    place = carla.Transform(carla.Location(1.0, 2.0, 33.0), carla.Rotation(-30.0, 45.0, 0.0))
    spectator.set_transform(place)
    session.tick()
    assert session.world.get_spectator().get_transform() == place


@conforms("RPC", "get_actor_bounding_box")
def test_a_box_surrounds_its_actor(session: Session, spawn_point: carla.Transform, raw: RawClient) -> None:
    car = session.spawn("vehicle.lincoln.mkz_2017", spawn_point)
    session.tick(20)
    box = car.bounding_box
    assert box.extent.x == pytest.approx(2.45, abs=0.02)
    assert (box.location.x, box.location.y) == pytest.approx((0.0, 0.0), abs=0.2)
    assert min(corner.z for corner in box.get_world_vertices(car.get_transform())) == pytest.approx(
        car.get_location().z, abs=0.15
    )
    nobody = raw.value("get_actor_bounding_box", 10**6)
    assert nobody == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0]


@conforms("RPC", "set_actor_transform", "set_actor_location")
def test_an_actor_is_where_it_is_put(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_simulate_physics(False)
    place = carla.Transform(
        spawn_point.location + carla.Location(3.0, 4.0, 50.0), carla.Rotation(5.0, 100.0, -7.0)
    )
    car.set_transform(place)
    session.tick()
    assert car.get_location().distance(place.location) < 1e-3
    rotation = car.get_transform().rotation
    assert (rotation.pitch, rotation.yaw, rotation.roll) == pytest.approx((5.0, 100.0, -7.0), abs=1e-3)
    car.set_location(spawn_point.location)
    session.tick()
    assert car.get_location().distance(spawn_point.location) < 1e-3
    assert car.get_transform().rotation.yaw == pytest.approx(100.0, abs=1e-3)


@conforms("RPC", "set_actor_target_velocity")
def test_a_target_velocity_is_taken_at_once(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    car.set_target_velocity(spawn_point.get_forward_vector() * 8.0)
    session.tick()
    assert car.get_velocity().dot(spawn_point.get_forward_vector()) == pytest.approx(8.0, rel=0.05)


@conforms(
    "RPC", "set_actor_target_angular_velocity",
    limited="the vertical axis of vehicles only: pitch and roll follow the ground and the springs",
)  # fmt: skip
def test_a_target_angular_velocity_turns_at_once(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    car.set_target_velocity(spawn_point.get_forward_vector() * 8.0)
    car.set_target_angular_velocity(carla.Vector3D(0.0, 0.0, 30.0))
    yaw = car.get_transform().rotation.yaw
    session.tick()
    turned = (car.get_transform().rotation.yaw - yaw + 180.0) % 360.0 - 180.0
    assert 0.2 < turned < 30.0 * DELTA_S * 1.1


@conforms("RPC", "enable_actor_constant_velocity", "disable_actor_constant_velocity")
def test_a_constant_velocity_is_kept_in_the_vehicles_own_axes(
    session: Session, spawn_point: carla.Transform
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    car.enable_constant_velocity(carla.Vector3D(6.0, 0.0, 0.0))
    start = car.get_location()
    session.tick(20)
    assert car.get_location().distance(start) == pytest.approx(6.0, rel=0.02)
    car.disable_constant_velocity()
    car.apply_control(carla.VehicleControl(brake=1.0))
    session.tick(40)
    assert car.get_velocity().length() < 0.1


@conforms("RPC", "set_actor_simulate_physics")
def test_without_physics_nothing_falls(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_simulate_physics(False)
    below = carla.Transform(spawn_point.location - carla.Location(z=200.0), spawn_point.rotation)
    car.set_transform(below)
    session.tick(5)
    assert car.get_location().distance(below.location) < 1e-3
    car.set_transform(carla.Transform(spawn_point.location + carla.Location(z=3.0), spawn_point.rotation))
    car.set_simulate_physics(True)
    session.tick(40)
    assert car.get_location().z == pytest.approx(spawn_point.location.z, abs=0.5)


@conforms("RPC", "set_actor_collisions")
def test_without_collisions_cars_pass_through_each_other(
    session: Session, spawn_point: carla.Transform
) -> None:
    ahead = session.world.get_map().get_waypoint(spawn_point.location).next(12.0)[0].transform
    ahead.location.z += 0.3
    parked = session.spawn("vehicle.audi.tt", ahead)
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_collisions(False)
    session.tick(5)
    car.enable_constant_velocity(carla.Vector3D(10.0, 0.0, 0.0))
    place = parked.get_location()
    session.tick(50)
    assert car.get_location().distance(spawn_point.location) > 20.0
    assert parked.get_location().distance(place) < 0.05


@conforms("RPC", "set_actor_enable_gravity")
def test_without_gravity_a_car_stays_in_the_air(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.set_enable_gravity(False)
    high = carla.Transform(spawn_point.location + carla.Location(z=5.0), spawn_point.rotation)
    car.set_transform(high)
    session.tick(20)
    assert car.get_location().z == pytest.approx(high.location.z, abs=0.05)
    car.set_enable_gravity(True)
    session.tick(60)
    assert car.get_location().z < high.location.z - 4.0


@conforms("RPC", "set_actor_dead")
def test_a_dead_walker_obeys_no_more(session: Session, spawn_point: carla.Transform, raw: RawClient) -> None:
    walker = session.spawn("walker.pedestrian.0001", spawn_point)
    assert raw.call("set_actor_dead", walker.id) == [[False]]
    walker.apply_control(carla.WalkerControl(carla.Vector3D(1.0, 0.0, 0.0), 2.0))
    session.tick(20)
    assert walker.get_velocity().length() < 0.01
    control = [[1.0, 0.0, 0.0], 1.0, False]
    text = "Responding error from function apply_control_to_walker: Walker is already dead.  Actor Id: "
    assert raw.error("apply_control_to_walker", walker.id, control) == f"{text}{walker.id}"


# ---- pushes ----------------------------------------------------------------------------------------------------------

_VEHICLES_ONLY = "vehicles only"


@conforms("RPC", "add_actor_impulse", limited=_VEHICLES_ONLY)
def test_an_impulse_changes_velocity_by_mass(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    car.set_target_velocity(spawn_point.get_forward_vector() * 8.0)
    session.tick()
    before = car.get_velocity().length()
    car.add_impulse(spawn_point.get_forward_vector() * (4.0 * car.get_physics_control().mass))
    session.tick()
    assert car.get_velocity().length() == pytest.approx(before + 4.0, abs=0.5)


@conforms("RPC", "add_actor_force", limited=_VEHICLES_ONLY)
def test_a_force_acts_for_one_tick(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    car.apply_control(carla.VehicleControl(manual_gear_shift=True, gear=0))
    session.tick(10)
    mass = car.get_physics_control().mass
    car.add_force(spawn_point.get_forward_vector() * (40.0 * mass))
    session.tick()
    assert car.get_velocity().length() == pytest.approx(40.0 * DELTA_S, rel=0.2)
    session.tick()
    assert car.get_velocity().length() < 40.0 * DELTA_S * 1.05


@conforms("RPC", "add_actor_angular_impulse", "add_actor_torque", limited="vehicles only, about the vertical")
def test_an_angular_impulse_turns_about_the_vertical(
    session: Session, spawn_point: carla.Transform, raw: RawClient
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    for push in (
        lambda: car.add_angular_impulse(carla.Vector3D(0.0, 0.0, 9000.0)),
        lambda: raw.call("add_actor_torque", car.id, [0.0, 0.0, 9000.0 / DELTA_S]),
    ):
        car.set_target_velocity(spawn_point.get_forward_vector() * 8.0)
        session.tick()
        yaw = car.get_transform().rotation.yaw
        push()
        session.tick()
        assert 0.05 < (car.get_transform().rotation.yaw - yaw + 180.0) % 360.0 - 180.0 < 20.0


@conforms("RPC", "add_actor_impulse_at_location", "add_actor_force_at_location", limited=_VEHICLES_ONLY)
def test_a_push_beside_the_middle_turns_too(
    session: Session, spawn_point: carla.Transform, raw: RawClient
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    mass, forward = car.get_physics_control().mass, spawn_point.get_forward_vector()
    for method, strength in (
        ("add_actor_impulse_at_location", 2.0 * mass),
        ("add_actor_force_at_location", 2.0 * mass / DELTA_S),
    ):
        car.set_target_velocity(forward * 6.0)
        car.set_target_angular_velocity(carla.Vector3D())
        session.tick()
        yaw, push = car.get_transform().rotation.yaw, forward * strength
        left = car.get_transform().transform(carla.Location(y=-1.0))
        raw.call(method, car.id, [push.x, push.y, push.z], [left.x, left.y, left.z])
        session.tick()
        assert (car.get_transform().rotation.yaw - yaw + 180.0) % 360.0 - 180.0 > 0.1
        assert car.get_velocity().dot(forward) > 7.0


# ---- parts -----------------------------------------------------------------------------------------------------------


@conforms(
    "RPC", "get_actor_component_names", "get_actor_component_world_transform",
    "get_actor_component_relative_transform", limited="one component, the actor as a whole",
)  # fmt: skip
def test_an_actor_is_one_component(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(10)
    (name,) = car.get_component_names()
    assert car.get_component_world_transform(name).location.distance(car.get_location()) < 1e-3
    assert car.get_component_relative_transform(name).location.length() == 0.0
    with pytest.raises(RuntimeError, match="Component 'Ashtray' not found"):
        car.get_component_world_transform("Ashtray")


@conforms(
    "RPC", "get_actor_bone_names", "get_actor_bone_world_transforms", "get_actor_bone_relative_transforms",
    "get_vehicle_bone_world_transforms", limited="base and wheels of vehicles; other actors have none",
)  # fmt: skip
def test_the_wheels_are_bones(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(20)
    names = car.get_bone_names()
    assert names[0] == "VehicleBase"
    assert [name for name in names if name.startswith("Wheel_")] == names[1:]
    world, relative = car.get_bone_world_transforms(), car.get_bone_relative_transforms()
    assert [t.location for t in world] == [t.location for t in car.get_vehicle_bone_world_transforms()]
    for bone, place in zip(relative, world, strict=True):
        assert car.get_transform().transform(bone.location).distance(place.location) < 1e-3
    wheels = [wheel.position / 100.0 for wheel in car.get_physics_control().wheels]
    for place, wheel in zip(world[1:], wheels, strict=True):
        assert math.dist((place.location.x, place.location.y), (wheel.x, wheel.y)) < 0.05


@conforms(
    "RPC", "get_actor_socket_names", "get_actor_socket_world_transforms", "get_actor_socket_relative_transforms",
    limited="no actor has sockets",
)  # fmt: skip
def test_there_are_no_sockets(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    assert len(car.get_socket_names()) == 0
    assert len(car.get_socket_world_transforms()) == len(car.get_socket_relative_transforms()) == 0


def test_errors_about_actors_are_in_carlas_words(session: Session, raw: RawClient) -> None:
    spectator = session.world.get_spectator().id
    prefix = "Responding error from function"
    assert raw.error("set_actor_location", 10**6, [0.0, 0.0, 0.0]) == (
        f"{prefix} set_actor_location: Actor could not be found in the registry.  Actor Id: 1000000"
    )
    assert raw.error("get_physics_control", spectator) == (
        f"{prefix} get_physics_control: Actor is not a Vehicle.  Actor Id: {spectator}"
    )
    assert "Actor is not a Walker" in raw.error(
        "apply_control_to_walker", spectator, [[0.0, 0.0, 0.0], 0.0, False]
    )
    assert "Actor is not a traffic light" in raw.error("set_traffic_light_state", spectator, 0)
