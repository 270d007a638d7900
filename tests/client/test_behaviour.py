"""The world behaves, seen by the genuine client: crashes, falls, flags, lights and signs, with values."""

from __future__ import annotations

import math

import carla
import pytest

from tests.client.conftest import DELTA_S, Session


def ahead_of(
    session: Session, point: carla.Transform, distance_m: float, height_m: float = 0.3
) -> carla.Transform:
    place = session.world.get_map().get_waypoint(point.location).next(distance_m)[0].transform
    place.location.z += height_m
    return place


def crash(session: Session, point: carla.Transform, speed_mps: float) -> tuple[carla.Actor, list, float]:
    """Drive a car 40 m straight on, braking once it has touched something: car, its contacts, its speed before the first."""
    car = session.spawn("vehicle.tesla.model3", point)
    events: list = []
    session.spawn("sensor.other.collision", parent=car).listen(events.append)
    session.tick(10)
    car.set_target_velocity(point.get_forward_vector() * speed_mps)
    car.apply_control(carla.VehicleControl(throttle=0.6))
    speeds = {}
    for _ in range(60):
        frame = session.tick()
        speeds[frame] = car.get_velocity().length()
        if events or car.get_location().distance(point.location) > 40.0:
            break
    car.apply_control(carla.VehicleControl(brake=1.0))
    session.tick(30)
    return car, events, speeds[events[0].frame - 1] if events else max(speeds.values())


def test_the_impulse_of_a_crash_is_mass_times_the_change_of_speed(
    session: Session, spawn_point: carla.Transform
) -> None:
    parked = session.spawn("vehicle.audi.tt", ahead_of(session, spawn_point, 15.0))
    parked_mass = parked.get_physics_control().mass
    car, events, speed = crash(session, spawn_point, 12.0)
    own_mass = car.get_physics_control().mass
    together = own_mass * speed / (own_mass + parked_mass)
    assert events[0].other_actor.id == parked.id
    assert events[0].normal_impulse.length() == pytest.approx(parked_mass * together, rel=0.08)
    assert events[0].normal_impulse.dot(spawn_point.get_forward_vector()) < 0.0


def test_a_walker_that_is_hit_falls_and_gets_up(session: Session, spawn_point: carla.Transform) -> None:
    walker = session.spawn(
        "walker.pedestrian.0005", ahead_of(session, spawn_point, 15.0, 1.0), is_invincible=True
    )
    _, events, speed = crash(session, spawn_point, 8.0)
    assert events[0].other_actor.id == walker.id
    assert events[0].normal_impulse.length() == pytest.approx(75.0 * speed, rel=0.1)
    assert walker.get_transform().rotation.pitch < -80.0
    session.tick(100)
    assert walker.get_transform().rotation.pitch == pytest.approx(0.0, abs=0.1)


def test_one_parked_under_the_ground_is_not_hit(session: Session, spawn_point: carla.Transform) -> None:
    """As ScenarioRunner keeps the actors of scenarios that have not begun."""
    walker = session.spawn("walker.pedestrian.0005", ahead_of(session, spawn_point, 15.0, -50.0))
    walker.set_simulate_physics(False)
    other = session.spawn("vehicle.audi.tt", ahead_of(session, spawn_point, 20.0, -200.0))
    other.set_simulate_physics(False)
    car, events, _ = crash(session, spawn_point, 12.0)
    assert events == []
    assert car.get_location().distance(spawn_point.location) > 20.0
    assert walker.get_location().z == pytest.approx(
        ahead_of(session, spawn_point, 15.0, -50.0).location.z, abs=0.01
    )


def test_without_collisions_one_drives_through(session: Session, spawn_point: carla.Transform) -> None:
    parked = session.spawn("vehicle.audi.tt", ahead_of(session, spawn_point, 15.0))
    parked.set_collisions(False)
    car, events, _ = crash(session, spawn_point, 12.0)
    assert events == []
    assert car.get_location().distance(spawn_point.location) > 20.0


def test_a_vehicle_without_physics_stands_like_a_wall(session: Session, spawn_point: carla.Transform) -> None:
    parked = session.spawn("vehicle.audi.tt", ahead_of(session, spawn_point, 15.0))
    session.tick(5)
    parked.set_simulate_physics(False)
    before = parked.get_location()
    car, events, speed = crash(session, spawn_point, 12.0)
    mass = car.get_physics_control().mass
    assert events[0].normal_impulse.length() == pytest.approx(mass * speed, rel=0.08)
    assert parked.get_location().distance(before) < 1e-3
    assert car.get_velocity().length() < 1.0


def test_a_spawn_in_the_air_or_under_the_ground_is_no_collision(
    session: Session, spawn_point: carla.Transform
) -> None:
    session.spawn("vehicle.audi.tt", spawn_point)
    for height in (4.0, -20.0):
        place = carla.Transform(spawn_point.location + carla.Location(z=height), spawn_point.rotation)
        assert session.spawn("vehicle.audi.tt", place).id > 0


def test_changed_physics_change_the_drive(session: Session, spawn_point: carla.Transform) -> None:
    speeds = []
    for factor in (1.0, 3.0):
        car = session.spawn("vehicle.tesla.model3", spawn_point)
        physics = car.get_physics_control()
        physics.mass = factor * physics.mass
        physics.steering_curve = [carla.Vector2D(0.0, 1.0), carla.Vector2D(100.0, 0.25)]
        car.apply_physics_control(physics)
        session.tick(10)
        car.apply_control(carla.VehicleControl(throttle=1.0))
        session.tick(30)
        speeds.append(car.get_velocity().length())
        kept = car.get_physics_control()
        assert kept.mass == pytest.approx(physics.mass)
        assert [(p.x, p.y) for p in kept.steering_curve] == [(0.0, 1.0), (100.0, 0.25)]
        assert [w.max_steer_angle for w in kept.wheels] == [w.max_steer_angle for w in physics.wheels]
        car.destroy()
    assert speeds[1] < 0.5 * speeds[0]


def test_the_nose_rises_and_dips(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick(20)
    level = car.get_transform().rotation.pitch
    car.apply_control(carla.VehicleControl(throttle=1.0))
    session.tick(20)
    gaining = car.get_transform().rotation.pitch - level
    car.apply_control(carla.VehicleControl(brake=1.0))
    session.tick(6)
    assert gaining > 0.05
    assert car.get_transform().rotation.pitch - level < -0.1


# ---- lights and signs ------------------------------------------------------------------------------------------------


def test_a_light_rules_the_lanes_that_its_landmark_names(session: Session) -> None:
    town = session.world.get_map()
    for light in session.world.get_actors().filter("traffic.traffic_light"):
        stops = light.get_stop_waypoints()
        landmark = town.get_all_landmarks_from_id(light.get_opendrive_id())[0]
        ruled = {
            (landmark.road_id, lane)
            for low, high in landmark.get_lane_validities()
            for lane in range(min(low, high), max(low, high) + 1)
        }
        assert {(stop.road_id, stop.lane_id) for stop in stops} <= ruled
        assert light.get_affected_lane_waypoints()
        for stop in stops:
            assert not stop.is_junction
            assert any(waypoint.is_junction for waypoint in stop.next(10.0))


@pytest.mark.parametrize("kind", ["traffic.stop", "traffic.yield"])
def test_a_sign_has_its_trigger_on_the_lane_it_rules(session: Session, kind: str) -> None:
    town = session.world.get_map()
    signs = session.world.get_actors().filter(kind)
    assert len(signs) > 0
    for sign in signs:
        place = sign.get_transform().transform(sign.trigger_volume.location)
        lane = town.get_waypoint(place, project_to_road=False)
        assert lane is not None
        assert (
            abs(math.cos(math.radians(sign.get_transform().rotation.yaw - lane.transform.rotation.yaw)))
            < 0.05
        )
        half_m = 0.45 * lane.lane_width  # a square: ScenarioRunner does not turn it
        assert sign.trigger_volume.extent.x == pytest.approx(half_m, abs=1e-3)
        assert sign.trigger_volume.extent.y == pytest.approx(half_m, abs=1e-3)
        assert any(waypoint.is_junction for waypoint in lane.next(12.0))


def test_speed_limit_signs_say_what_vehicles_read_behind_them(session: Session) -> None:
    town = session.world.get_map()
    signs = sorted(session.world.get_actors().filter("traffic.speed_limit.*"), key=lambda actor: actor.id)
    assert len(signs) > 20
    for sign in signs[::9]:
        limit = float(sign.type_id.rsplit(".", 1)[1])
        place = sign.get_transform().transform(sign.trigger_volume.location)
        behind = town.get_waypoint(place).next(8.0)[0].transform
        behind.location.z += 0.3
        car = session.spawn("vehicle.audi.a2", behind)
        session.tick(2)
        assert car.get_speed_limit() == pytest.approx(limit)
        car.destroy()


def test_green_yellow_and_all_red_last_as_long_as_carlas(session: Session) -> None:
    """10 s, 3 s and 2 s, then the next controller of the junction."""
    session.world.reset_all_traffic_lights()
    light = min(session.world.get_actors().filter("traffic.traffic_light"), key=lambda light: light.id)
    group = light.get_group_traffic_lights()
    shown = []
    for _ in range(round(40.0 / DELTA_S)):
        session.tick()
        green = tuple(sorted(m.id for m in group if m.state == carla.TrafficLightState.Green))
        yellow = tuple(sorted(m.id for m in group if m.state == carla.TrafficLightState.Yellow))
        state = ("green", green) if green else ("yellow", yellow) if yellow else ("red", ())
        if not shown or shown[-1][0] != state:
            shown.append((state, 0))
        shown[-1] = (state, shown[-1][1] + 1)
    lasted = {"green": 10.0, "yellow": 3.0, "red": 2.0}
    for (name, _), ticks in shown[1:-1]:
        assert ticks * DELTA_S == pytest.approx(lasted[name], abs=DELTA_S)
    greens = [members for (name, members), _ in shown if name == "green"]
    assert len(greens) >= 3
    assert greens[0] != greens[1]


def test_a_green_that_is_set_by_hand_lasts_until_the_group_moves_on(session: Session) -> None:
    session.world.reset_all_traffic_lights()
    session.tick()
    lights = session.world.get_actors().filter("traffic.traffic_light")
    light = next(light for light in lights if light.state == carla.TrafficLightState.Green)
    light.set_state(carla.TrafficLightState.Red)
    session.tick(20)
    assert light.state == carla.TrafficLightState.Red
    light.set_state(carla.TrafficLightState.Green)
    session.tick(round(9.5 / DELTA_S))
    assert light.state == carla.TrafficLightState.Yellow


# ---- the catalogue ---------------------------------------------------------------------------------------------------


def test_blueprints_have_the_attributes_that_traffic_scripts_set(session: Session) -> None:
    for blueprint in session.library.filter("walker.pedestrian.*"):
        blueprint.set_attribute("is_invincible", "false")
        blueprint.set_attribute("use_wheelchair", "false")
        assert [float(v) for v in blueprint.get_attribute("speed").recommended_values][0] == 0.0
        assert blueprint.get_attribute("age").as_str() in ("child", "teenager", "adult")
    ages = [b.get_attribute("age").as_str() for b in session.library.filter("walker.pedestrian.*")]
    assert (len(ages), ages.count("child"), ages.count("teenager")) == (52, 8, 2)
    for name in ("vehicle.yamaha.yzf", "vehicle.bh.crossbike"):
        blueprint = session.library.find(name)
        blueprint.set_attribute("driver_id", blueprint.get_attribute("driver_id").recommended_values[-1])
        assert blueprint.get_attribute("number_of_wheels").as_int() == 2


def test_cars_that_scenarios_ask_for_have_lights_and_doors(session: Session) -> None:
    cars = {b.id for b in session.library.filter("vehicle.*") if b.get_attribute("base_type") == "car"}
    lit = {b.id for b in session.library.filter("vehicle.*") if b.get_attribute("has_lights").as_bool()}
    doors = {
        b.id for b in session.library.filter("vehicle.*") if b.get_attribute("has_dynamic_doors").as_bool()
    }
    assert lit & cars == {
        "vehicle.dodge.charger_2020", "vehicle.dodge.charger_police_2020", "vehicle.ford.crown", "vehicle.lincoln.mkz_2020",
        "vehicle.mercedes.coupe_2020", "vehicle.mini.cooper_s_2021", "vehicle.nissan.patrol_2021",
    }  # fmt: skip
    assert doors == lit - {"vehicle.mitsubishi.fusorosa"}


@pytest.mark.parametrize(
    ("type_id", "center", "extent"),
    [
        ("vehicle.lincoln.mkz_2020", (-0.006, 0.0, 0.749), (2.446, 0.918, 0.745)),
        ("vehicle.carlamotors.firetruck", (-0.253, 0.0, 1.913), (4.234, 1.446, 1.914)),
        ("vehicle.bh.crossbike", (0.0, 0.0, 0.808), (0.755, 0.433, 0.806)),
        ("walker.pedestrian.0012", (0.0, 0.0, 0.0), (0.188, 0.188, 0.65)),
        ("static.prop.streetbarrier", (0.0, 0.0, 0.535), (0.6075, 0.186, 0.535)),
    ],
)
def test_boxes_are_those_of_carla(
    session: Session, spawn_point: carla.Transform, type_id: str, center: tuple, extent: tuple
) -> None:
    place = carla.Transform(spawn_point.location + carla.Location(z=1.0), spawn_point.rotation)
    box = session.spawn(type_id, place).bounding_box
    assert (box.location.x, box.location.y, box.location.z) == pytest.approx(center, abs=1e-3)
    assert (box.extent.x, box.extent.y, box.extent.z) == pytest.approx(extent, abs=1e-3)


def test_a_parked_mesh_is_a_car_to_run_into(session: Session, spawn_point: carla.Transform) -> None:
    """As the Leaderboard parks them."""
    path = "/Game/Carla/Static/Car/4Wheeled/ParkedVehicles/Charger/SM_ChargerParked.SM_ChargerParked"
    parked = session.spawn(
        "static.prop.mesh", ahead_of(session, spawn_point, 15.0, 0.0), mesh_path=path, scale=0.9
    )
    assert parked.bounding_box.extent.x == pytest.approx(0.9 * 2.504, abs=1e-3)
    assert parked.semantic_tags == [14]
    car, events, _ = crash(session, spawn_point, 12.0)
    assert events[0].other_actor.id == parked.id
    assert car.get_velocity().length() < 1.0


def test_a_cone_flies_and_comes_to_rest(session: Session, spawn_point: carla.Transform) -> None:
    cone = session.spawn("static.prop.constructioncone", ahead_of(session, spawn_point, 15.0, 0.0))
    before = cone.get_location()
    car, events, _ = crash(session, spawn_point, 10.0)
    session.tick(60)
    assert events[0].other_actor.id == cone.id
    assert car.get_velocity().length() == 0.0
    assert cone.get_location().distance(before) > 5.0
    assert cone.get_velocity().length() == 0.0
