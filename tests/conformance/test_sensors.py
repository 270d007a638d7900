"""GNSS, IMU, collision, obstacle and lane invasion sensors: right values, noise that is what was asked for."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable

import carla
import numpy as np
import pytest

from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.stage import SETTLE_TICKS, in_world, read, rear_gap_m, standing

FRONT = carla.Transform(carla.Location(x=2.6, z=0.9))
GRAVITY = 9.81


def vector(value: carla.Vector3D) -> np.ndarray:
    return np.array([value.x, value.y, value.z])


def driving(
    session: Session, place: carla.Transform, speed_mps: float, type_id: str = "vehicle.tesla.model3"
):
    """A car that keeps this speed straight on."""
    car = session.spawn(type_id, place)
    session.tick(SETTLE_TICKS)
    car.enable_constant_velocity(carla.Vector3D(speed_mps, 0.0, 0.0))
    return car


# ---- GNSS ------------------------------------------------------------------------------------------------------------


@conforms("sensor", "sensor.other.gnss")
def test_gnss_is_where_the_map_says_it_is(session: Session, spawn_point: carla.Transform) -> None:
    car = driving(session, spawn_point, 10.0)
    mount = carla.Transform(carla.Location(x=1.0, y=0.5, z=2.0))
    fetch = session.listen(session.spawn("sensor.other.gnss", mount, car))
    session.tick(3)
    (measured,) = read(session, fetch)
    place = in_world(car.get_transform(), mount.location)
    assert measured.transform.location.distance(place) < 1e-3
    expected = session.world.get_map().transform_to_geolocation(place)
    # a hundred-millionth of a degree is about a millimetre
    assert measured.latitude == pytest.approx(expected.latitude, abs=2e-8)
    assert measured.longitude == pytest.approx(expected.longitude, abs=2e-8)
    assert measured.altitude == pytest.approx(place.z, abs=1e-3)


@conforms("sensor", "sensor.other.gnss")
def test_gnss_noise_has_the_bias_and_spread_asked_for(session: Session, spawn_point: carla.Transform) -> None:
    asked = {"noise_alt_bias": 5.0, "noise_alt_stddev": 0.5, "noise_lat_bias": 1e-3, "noise_lat_stddev": 1e-4}
    sensors = [
        session.spawn("sensor.other.gnss", spawn_point, **asked, noise_seed=seed) for seed in (3, 3, 4)
    ]
    fetches = [session.listen(sensor) for sensor in sensors]
    session.tick(200)
    first, second, third = (
        np.array([[m.altitude, m.latitude] for m in (f() for _ in range(200))]) for f in fetches
    )
    true = session.world.get_map().transform_to_geolocation(spawn_point.location)
    errors = first - [true.altitude, true.latitude]
    assert errors.mean(0) == pytest.approx([5.0, 1e-3], rel=0.05)
    assert errors.std(0) == pytest.approx([0.5, 1e-4], rel=0.2)
    assert abs(np.corrcoef(errors[:, 0], errors[:, 1])[0, 1]) < 0.25
    # sensors of one seed and of another are all different: their noise hangs on who they are, too
    assert (first != second).all()
    assert (first != third).all()


# ---- IMU -------------------------------------------------------------------------------------------------------------


@conforms("sensor", "sensor.other.imu")
def test_a_standing_imu_feels_gravity_and_knows_north(session: Session, spawn_point: carla.Transform) -> None:
    tilted = carla.Transform(carla.Location(z=1.0), carla.Rotation(roll=90.0))
    car = standing(session, "vehicle.tesla.model3", spawn_point)
    fetches = [
        session.listen(session.spawn("sensor.other.imu", mount, car)) for mount in (carla.Transform(), tilted)
    ]
    session.tick()
    upright, lying = read(session, *fetches)
    up = vector(car.get_transform().get_up_vector())[2] * GRAVITY
    assert upright.accelerometer.z == pytest.approx(up, abs=0.02)
    # on its right side the sensor's left points up
    assert lying.accelerometer.y == pytest.approx(-up, abs=0.02)
    assert vector(upright.gyroscope) == pytest.approx([0, 0, 0], abs=1e-4)
    heading = math.radians(car.get_transform().rotation.yaw + 90.0) % (2 * math.pi)
    assert upright.compass == pytest.approx(heading, abs=0.01)


@conforms("sensor", "sensor.other.imu")
@pytest.mark.parametrize(
    ("yaw", "compass"), [(-90.0, 0.0), (0.0, math.pi / 2), (90.0, math.pi), (180.0, 1.5 * math.pi)]
)
def test_the_compass_counts_from_north_over_east(
    session: Session, spawn_point: carla.Transform, yaw: float, compass: float
) -> None:
    """North is -y, east is +x."""
    place = carla.Transform(spawn_point.location, carla.Rotation(yaw=yaw))
    (measured,) = read(session, session.listen(session.spawn("sensor.other.imu", place)))
    assert (measured.compass - compass + math.pi) % (2 * math.pi) - math.pi == pytest.approx(0.0, abs=1e-5)
    assert vector(measured.accelerometer) == pytest.approx([0, 0, GRAVITY], abs=1e-4)


@conforms("sensor", "sensor.other.imu")
def test_an_accelerating_imu_feels_the_change_of_speed(
    session: Session, spawn_point: carla.Transform
) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    fetch = session.listen(session.spawn("sensor.other.imu", parent=car))
    session.tick(SETTLE_TICKS)
    car.apply_control(carla.VehicleControl(throttle=1.0))
    session.tick(20)
    before = vector(car.get_velocity())
    (measured,) = read(session, fetch)
    change = (vector(car.get_velocity()) - before) / DELTA_S
    ahead, up = (
        vector(v) for v in (car.get_transform().get_forward_vector(), car.get_transform().get_up_vector())
    )
    assert change @ ahead > 1.0
    assert measured.accelerometer.x == pytest.approx((change + [0, 0, GRAVITY]) @ ahead, abs=0.02)
    assert measured.accelerometer.z == pytest.approx((change + [0, 0, GRAVITY]) @ up, abs=0.02)


@conforms("sensor", "sensor.other.imu")
def test_a_turning_imu_feels_the_turn(session: Session, spawn_point: carla.Transform) -> None:
    """To the right: positive about the downward-handed z, and pushed to the right, +y; farther from the axle more so."""
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    arm = 2.0
    fetches = [
        session.listen(session.spawn("sensor.other.imu", carla.Transform(carla.Location(x=x)), car))
        for x in (0.0, arm)
    ]
    session.tick(SETTLE_TICKS)
    car.apply_control(carla.VehicleControl(throttle=0.6, steer=0.3))
    session.tick(30)
    before = vector(car.get_velocity())
    middle, tip = read(session, *fetches)
    change = (vector(car.get_velocity()) - before) / DELTA_S
    rate = math.radians(car.get_angular_velocity().z)
    assert rate > 0.1
    assert middle.gyroscope.z == pytest.approx(rate, rel=0.02, abs=0.005)
    right = (change + [0, 0, GRAVITY]) @ vector(car.get_transform().get_right_vector())
    assert middle.accelerometer.y == pytest.approx(right, abs=0.02)
    assert right > 0.7 * car.get_velocity().length() * rate
    # a point ahead is pulled back towards the turning centre
    assert middle.accelerometer.x - tip.accelerometer.x == pytest.approx(arm * rate**2, rel=0.2, abs=0.05)


@conforms("sensor", "sensor.other.imu")
def test_imu_noise_has_the_bias_and_spread_asked_for(session: Session, spawn_point: carla.Transform) -> None:
    asked = {"noise_accel_stddev_x": 0.2, "noise_gyro_stddev_z": 0.05, "noise_gyro_bias_z": 0.3}
    fetch = session.listen(session.spawn("sensor.other.imu", spawn_point, **asked, noise_seed=1))
    session.tick(200)
    measured = [fetch() for _ in range(200)]
    along = np.array([m.accelerometer.x for m in measured])
    level_up = [0.0, 0.0, GRAVITY]
    turn = np.array([m.gyroscope.z for m in measured])
    tilt = np.array(level_up) @ vector(spawn_point.get_forward_vector())
    assert (along.mean() - tilt, along.std()) == (pytest.approx(0.0, abs=0.06), pytest.approx(0.2, rel=0.2))
    assert (turn.mean(), turn.std()) == (pytest.approx(0.3, abs=0.02), pytest.approx(0.05, rel=0.2))


# ---- collision -------------------------------------------------------------------------------------------------------


@conforms("sensor", "sensor.other.collision")
def test_a_crash_is_told_to_both_with_opposite_impulses(
    session: Session, spawn_point: carla.Transform
) -> None:
    front = carla.Transform(
        spawn_point.location + spawn_point.get_forward_vector() * 20.0, spawn_point.rotation
    )
    parked, moving = (
        session.spawn("vehicle.audi.tt", front),
        session.spawn("vehicle.tesla.model3", spawn_point),
    )
    heard = [session.listen(session.spawn("sensor.other.collision", parent=car)) for car in (moving, parked)]
    session.tick(SETTLE_TICKS)
    ahead = vector(moving.get_transform().get_forward_vector())
    moving.set_target_velocity(spawn_point.get_forward_vector() * 12.0)
    speeds = []
    for _ in range(40):
        session.tick()
        speeds.append(vector(moving.get_velocity()) @ ahead)
    hit, was_hit = (fetch() for fetch in heard)
    assert (hit.actor.id, hit.other_actor.id) == (moving.id, parked.id)
    assert (was_hit.actor.id, was_hit.other_actor.id) == (parked.id, moving.id)
    assert hit.frame == was_hit.frame
    impulse = vector(hit.normal_impulse)
    assert impulse == pytest.approx(-vector(was_hit.normal_impulse), rel=1e-5)
    # it takes away from the faster one what it gives: mass times the drop of its speed
    drop = max(a - b for a, b in zip(speeds, speeds[1:], strict=False))
    assert -(impulse @ ahead) == pytest.approx(moving.get_physics_control().mass * drop, rel=0.25)


@conforms("sensor", "sensor.other.collision")
def test_a_wall_is_named_and_a_quiet_drive_makes_no_noise(
    session: Session, spawn_point: carla.Transform
) -> None:
    car = driving(session, spawn_point, 8.0)
    fetch = session.listen(session.spawn("sensor.other.collision", parent=car))
    session.tick(40)
    with pytest.raises(queue.Empty):
        fetch(timeout=0.3)
    car.disable_constant_velocity()
    before_a_building(session, car)
    car.enable_constant_velocity(carla.Vector3D(8.0, 0.0, 0.0))
    session.tick(60)
    event = fetch()
    assert event.other_actor.type_id == "static.building"
    assert event.normal_impulse.length() > 1000.0


def before_a_building(session: Session, car: carla.Actor, gap_m: float = 12.0) -> None:
    """Put the car before some building's wall, facing it, where nothing stands between."""
    for house in session.world.get_level_bbs(carla.CityObjectLabel.Buildings):
        yaw = math.radians(house.rotation.yaw)
        outward = carla.Vector3D(math.cos(yaw), math.sin(yaw), 0.0)
        wall = house.location + outward * house.extent.x
        eye = carla.Location(
            wall.x + outward.x * (gap_m + 3.0), wall.y + outward.y * (gap_m + 3.0), house.location.z
        )
        eye.z += 1.0 - house.extent.z
        seen = session.world.project_point(eye, carla.Vector3D(-outward.x, -outward.y, 0.0), gap_m + 6.0)
        if seen is None or seen.label != carla.CityObjectLabel.Buildings:
            continue
        if abs(seen.location.distance(eye) - gap_m - 3.0) < 0.1:
            place = carla.Location(wall.x + outward.x * gap_m, wall.y + outward.y * gap_m, eye.z - 0.5)
            car.set_transform(carla.Transform(place, carla.Rotation(yaw=house.rotation.yaw + 180.0)))
            session.tick()
            return
    raise AssertionError("no building has room before it")


# ---- obstacle --------------------------------------------------------------------------------------------------------


def silence(session: Session, fetch: Callable[..., object]) -> None:
    session.tick(3)
    with pytest.raises(queue.Empty):
        fetch(timeout=0.3)


@conforms("sensor", "sensor.other.obstacle")
def test_the_obstacle_ahead_is_named_with_its_distance(
    session: Session, spawn_point: carla.Transform
) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    other = standing(session, "vehicle.carlamotors.european_hgv", spawn_point, ahead_m=25.0)
    gap = rear_gap_m(own, other, FRONT)
    for radius in (0.1, 0.5):
        sensor = session.spawn("sensor.other.obstacle", FRONT, own, distance=30.0, hit_radius=radius)
        (seen,) = read(session, session.listen(sensor))
        assert (seen.actor.id, seen.other_actor.id) == (own.id, other.id)
        # a sphere of that radius travels until it touches
        assert seen.distance == pytest.approx(gap - radius, abs=0.3)
    near = session.spawn("sensor.other.obstacle", FRONT, own, distance=gap - 3.0, hit_radius=0.5)
    silence(session, session.listen(near))


@conforms("sensor", "sensor.other.obstacle")
def test_only_dynamics_leaves_the_town_out(session: Session, spawn_point: carla.Transform) -> None:
    own = session.spawn("vehicle.tesla.model3", spawn_point)
    own.set_simulate_physics(False)
    before_a_building(session, own)
    everything = session.listen(
        session.spawn("sensor.other.obstacle", FRONT, own, distance=20.0, hit_radius=0.2)
    )
    moving = session.spawn(
        "sensor.other.obstacle", FRONT, own, distance=20.0, hit_radius=0.2, only_dynamics=True
    )
    (seen,) = read(session, everything)
    assert seen.other_actor.type_id == "static.building"
    assert seen.distance == pytest.approx(12.0 - FRONT.location.x - 0.2, abs=0.2)
    silence(session, session.listen(moving))


# ---- lane invasion ---------------------------------------------------------------------------------------------------


@conforms("sensor", "sensor.other.lane_invasion")
def test_crossing_a_line_is_noticed_by_the_client(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    fetch = session.listen(session.spawn("sensor.other.lane_invasion", parent=car))
    session.tick(SETTLE_TICKS)
    car.apply_control(carla.VehicleControl(throttle=0.5))
    session.tick(20)
    with pytest.raises(queue.Empty):
        fetch(timeout=0.3)
    town = session.world.get_map()
    marking = town.get_waypoint(car.get_location()).left_lane_marking
    aside = car.get_transform()
    aside.location -= aside.get_right_vector() * 1.5
    car.set_transform(aside)
    session.tick(3)
    assert marking.type in {crossed.type for crossed in fetch().crossed_lane_markings}
