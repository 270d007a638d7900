"""Lidar, semantic lidar and radar: points on what is there, in the sensor's own axes, with the right number attached."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest

from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.stage import (
    SETTLE_TICKS,
    in_world,
    lidar_points,
    read,
    rear_gap_m,
    semantic_points,
    standing,
)

ROOF = carla.Transform(carla.Location(z=2.2))
FRONT = carla.Transform(carla.Location(x=2.6, z=0.9))
WHOLE = {"rotation_frequency": 20.0, "range": 60.0}  # one turn a tick
PURE = {"dropoff_general_rate": 0.0, "dropoff_intensity_limit": 0.0, "dropoff_zero_intensity": 0.0}
ROAD, CAR = 1, 14


@conforms("sensor", "sensor.lidar.ray_cast")
def test_lidar_points_lie_on_the_truck_and_on_the_road(
    session: Session, spawn_point: carla.Transform
) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    other = standing(session, "vehicle.carlamotors.european_hgv", spawn_point, ahead_m=22.0)
    lidar = session.spawn(
        "sensor.lidar.ray_cast", ROOF, own, **WHOLE, **PURE, channels=32, points_per_second=640_000,
        atmosphere_attenuation_rate=0.02,
    )  # fmt: skip
    (cloud,) = read(session, session.listen(lidar))
    points = lidar_points(cloud)
    before = points[(points[:, 0] > 10) & (abs(points[:, 1]) < 0.8) & (points[:, 2] > -0.8)]
    assert len(before) > 20
    assert np.median(before[:, 0]) == pytest.approx(rear_gap_m(own, other, ROOF), abs=0.15)
    on_road = points[
        (abs(points[:, 1]) < 1.2) & (points[:, 0] > 5) & (points[:, 0] < 15) & (points[:, 2] < -1.5)
    ]
    height = ROOF.location.z + own.get_location().z - ground_z(session, own)
    assert len(on_road) > 100
    assert abs(on_road[:, 2] + height).max() < 0.12
    assert points[:, 3] == pytest.approx(np.exp(-0.02 * np.linalg.norm(points[:, :3], axis=1)), rel=1e-4)


def ground_z(session: Session, actor: carla.Actor) -> float:
    place = actor.get_location()
    beside = carla.Location(place.x, place.y, place.z) + actor.get_transform().get_forward_vector() * 5.0
    return session.world.ground_projection(beside + carla.Location(z=3.0), 10.0).location.z


@conforms("sensor", "sensor.lidar.ray_cast")
def test_channels_are_in_order_and_the_axes_left_handed(
    session: Session, spawn_point: carla.Transform
) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    standing(session, "vehicle.carlamotors.european_hgv", spawn_point, ahead_m=9.0, right_m=-3.5)
    lidar = session.spawn(
        "sensor.lidar.ray_cast", ROOF, own, **WHOLE, **PURE, channels=16, points_per_second=320_000, upper_fov=5.0,
        lower_fov=-25.0,
    )  # fmt: skip
    (cloud,) = read(session, session.listen(lidar))
    points = lidar_points(cloud)
    counts = [cloud.get_point_count(channel) for channel in range(cloud.channels)]
    assert (cloud.channels, sum(counts)) == (16, len(points))
    elevation = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    expected = np.repeat(np.linspace(5.0, -25.0, 16), counts)
    assert elevation == pytest.approx(expected, abs=0.01)
    # the lorry ahead in the lane on the left: x forward, y right; nothing like it on the right
    beside = points[(abs(points[:, 2]) < 0.5) & (abs(points[:, 0] - 9.0) < 3.0) & (abs(points[:, 1]) < 2.4)]
    assert len(beside) > 20
    assert (beside[:, 1] < 0).all()


@conforms("sensor", "sensor.lidar.ray_cast", "sensor.lidar.ray_cast_semantic")
@pytest.mark.parametrize("kind", ["ray_cast", "ray_cast_semantic"])
def test_the_head_turns_on_from_tick_to_tick(
    session: Session, spawn_point: carla.Transform, kind: str
) -> None:
    """Five turns a second at 20 ticks: a quarter turn a tick, each where the one before ended."""
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    more = PURE if kind == "ray_cast" else {}
    lidar = session.spawn(
        f"sensor.lidar.{kind}", ROOF, own, **more, channels=1, upper_fov=-20.0, lower_fov=-20.0, range=60.0,
        points_per_second=20 * 90, rotation_frequency=5.0,
    )  # fmt: skip
    fetch = session.listen(lidar)
    angles, azimuths = [], []
    for _ in range(8):
        (cloud,) = read(session, fetch)
        xyz = lidar_points(cloud)[:, :3] if kind == "ray_cast" else semantic_points(cloud)["xyz"]
        angles.append(cloud.horizontal_angle)
        azimuths.append(np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0])))
    steps = np.diff(np.degrees(angles)) % 360.0
    assert steps == pytest.approx([90.0] * 7, abs=0.01)
    seen = np.concatenate(azimuths[:4])
    assert len(seen) == 360
    assert np.sort(seen % 360.0) == pytest.approx(np.arange(360) + seen[0] % 1.0, abs=0.01)
    assert azimuths[4] == pytest.approx(azimuths[0], abs=0.01)


@conforms("sensor", "sensor.lidar.ray_cast")
def test_lidar_loses_points_as_asked(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    settings = (
        PURE,
        PURE | {"dropoff_general_rate": 0.45},
        # nothing is bright enough, and of what is as good as black 40 % are lost: 0.6 + 0.4 * intensity / 1 stay
        {"dropoff_general_rate": 0.0, "dropoff_intensity_limit": 1.0, "dropoff_zero_intensity": 0.4},
    )
    spare = WHOLE | {"channels": 8, "points_per_second": 160_000, "atmosphere_attenuation_rate": 0.1}
    lidars = [session.spawn("sensor.lidar.ray_cast", ROOF, own, **spare, **how) for how in settings]
    whole, general, by_intensity = (
        lidar_points(c) for c in read(session, *(session.listen(s) for s in lidars))
    )
    assert len(general) / len(whole) == pytest.approx(0.55, abs=0.02)
    assert len(by_intensity) / len(whole) == pytest.approx((0.6 + 0.4 * whole[:, 3]).mean(), abs=0.02)


@conforms("sensor", "sensor.lidar.ray_cast")
def test_lidar_noise_runs_along_the_rays(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    plain = WHOLE | PURE | {"channels": 8, "points_per_second": 160_000}
    lidars = [
        session.spawn("sensor.lidar.ray_cast", ROOF, own, **plain, noise_stddev=stddev, noise_seed=5)
        for stddev in (0.0, 0.2)
    ]
    exact, noisy = (
        lidar_points(c)[:, :3].astype(float) for c in read(session, *(session.listen(s) for s in lidars))
    )
    distance = np.linalg.norm(exact, axis=1)
    error = np.einsum("ij,ij->i", noisy, exact / distance[:, None]) - distance
    assert (error.mean(), error.std()) == (pytest.approx(0.0, abs=0.02), pytest.approx(0.2, rel=0.1))
    aside = np.linalg.norm(np.cross(noisy, exact / distance[:, None]), axis=1)
    assert aside.max() < 1e-3


@conforms("sensor", "sensor.lidar.ray_cast_semantic")
def test_semantic_points_carry_the_actors_id_tag_and_slant(
    session: Session, spawn_point: carla.Transform
) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    other = standing(session, "vehicle.audi.tt", spawn_point, ahead_m=12.0)
    lidar = session.spawn(
        "sensor.lidar.ray_cast_semantic", ROOF, own, **WHOLE, channels=64, points_per_second=1_280_000
    )
    (cloud,) = read(session, session.listen(lidar))
    points = semantic_points(cloud)
    assert {own.id, other.id} <= set(points["id"].tolist()) - {0}
    on_other = points[points["id"] == other.id]
    assert len(on_other) > 50
    assert set(on_other["tag"].tolist()) == {CAR}
    local = on_other["xyz"] - [12.0, 0.0, 0.0]
    extent = other.bounding_box.extent
    assert (abs(local[:, 0]) < extent.x + 0.1).all()
    assert (abs(local[:, 1]) < extent.y + 0.1).all()
    road = points[(points["tag"] == ROAD) & (abs(points["xyz"][:, 1]) < 2.0) & (points["xyz"][:, 0] > 3.0)]
    distance = np.linalg.norm(road["xyz"], axis=1)
    assert (road["id"] == 0).all()
    assert road["cos"] == pytest.approx(-road["xyz"][:, 2] / distance, abs=0.03)
    for detection, point in zip(cloud, points[:5], strict=False):
        assert (detection.object_idx, detection.object_tag) == (point["id"], point["tag"])
        assert detection.cos_inc_angle == pytest.approx(float(point["cos"]))


@conforms("sensor", "sensor.lidar.ray_cast_semantic")
def test_a_traffic_light_is_an_actor_to_the_lidar(session: Session) -> None:
    light = min(session.world.get_actors().filter("traffic.traffic_light"), key=lambda actor: actor.id)
    box = light.get_light_boxes()[0].location
    place = carla.Transform(carla.Location(box.x, box.y, box.z + 1.0))
    lidar = session.spawn(
        "sensor.lidar.ray_cast_semantic", place, **WHOLE, channels=64, points_per_second=2_000_000, upper_fov=-5.0,
        lower_fov=-89.0,
    )  # fmt: skip
    (cloud,) = read(session, session.listen(lidar))
    points = semantic_points(cloud)
    mine = points[points["id"] == light.id]
    assert len(mine) > 10
    assert 7 in mine["tag"]


@conforms("sensor", "sensor.lidar.ray_cast")
def test_a_leaning_lidar_reports_in_its_own_axes(session: Session, spawn_point: carla.Transform) -> None:
    """Points taken back to the world by the sensor's pose lie on the road, whatever the mounting."""
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    mount = carla.Transform(carla.Location(x=1.0, z=3.0), carla.Rotation(pitch=-20.0, yaw=30.0, roll=25.0))
    lidar = session.spawn(
        "sensor.lidar.ray_cast", mount, own, **WHOLE, **PURE, channels=16, points_per_second=160_000
    )
    (cloud,) = read(session, session.listen(lidar))
    assert cloud.transform.location.distance(in_world(own.get_transform(), mount.location)) < 1e-3
    points = lidar_points(cloud)[:, :3]
    world = np.column_stack([points, np.ones(len(points))]) @ np.array(cloud.transform.get_matrix()).T
    inverse = np.array(own.get_transform().get_inverse_matrix())
    local = world @ inverse.T
    near = local[(abs(local[:, 1]) < 1.5) & (local[:, 0] > 4.0) & (local[:, 0] < 12.0)]
    assert len(near) > 50
    assert abs(near[:, 2] + own.get_location().z - ground_z(session, own)).max() < 0.15


# ---- radar -----------------------------------------------------------------------------------------------------------


@conforms("sensor", "sensor.other.radar")
def test_radar_depths_and_angles_point_at_the_truck(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    other = standing(session, "vehicle.carlamotors.european_hgv", spawn_point, ahead_m=20.0)
    radar = session.spawn(
        "sensor.other.radar",
        FRONT,
        own,
        horizontal_fov=40.0,
        vertical_fov=10.0,
        points_per_second=20_000,
        range=50.0,
    )
    (measured,) = read(session, session.listen(radar))
    rows = np.frombuffer(measured.raw_data, np.float32).reshape(-1, 4)
    velocity, azimuth, altitude, depth = rows.T
    assert (abs(azimuth) <= math.radians(20.0) + 1e-6).all()
    assert (abs(altitude) <= math.radians(5.0) + 1e-6).all()
    assert (depth <= 50.0).all()
    assert abs(velocity).max() < 1e-3
    ahead = depth * np.cos(azimuth) * np.cos(altitude)
    middle = (abs(azimuth) < math.radians(2.0)) & (abs(altitude) < math.radians(1.0))
    assert middle.sum() > 20
    assert np.median(ahead[middle]) == pytest.approx(rear_gap_m(own, other, FRONT), abs=0.15)
    # the lorry's sides end the block of returns above the road
    above = (altitude > 0.0) & (abs(ahead - np.median(ahead[middle])) < 0.3)
    aside = (depth * np.sin(azimuth) * np.cos(altitude))[above]
    assert aside[abs(aside) < 2.5].max() == pytest.approx(other.bounding_box.extent.y, abs=0.3)


@conforms("sensor", "sensor.other.radar")
@pytest.mark.parametrize(("own_mps", "other_mps"), [(0.0, 6.0), (7.0, 0.0), (9.0, 4.0)])
def test_radar_speed_is_how_fast_things_go_away(
    session: Session, spawn_point: carla.Transform, own_mps: float, other_mps: float
) -> None:
    front = carla.Transform(
        spawn_point.location + spawn_point.get_forward_vector() * 25.0, spawn_point.rotation
    )
    other, own = (
        session.spawn("vehicle.carlamotors.european_hgv", front),
        session.spawn("vehicle.tesla.model3", spawn_point),
    )
    session.tick(SETTLE_TICKS)
    for car, speed in ((own, own_mps), (other, other_mps)):
        car.enable_constant_velocity(carla.Vector3D(speed, 0.0, 0.0))
    radar = session.spawn(
        "sensor.other.radar", FRONT, own, horizontal_fov=30.0, vertical_fov=20.0, points_per_second=20_000
    )
    fetch = session.listen(radar)
    session.tick(10)
    (measured,) = read(session, fetch)
    velocity, azimuth, altitude, depth = np.frombuffer(measured.raw_data, np.float32).reshape(-1, 4).T
    radial = np.cos(azimuth) * np.cos(altitude)
    gap = rear_gap_m(own, other, FRONT)
    on_other = (abs(depth * radial - gap) < 0.5) & (abs(azimuth) < 0.03) & (altitude > 0.0)
    assert on_other.sum() > 10
    assert velocity[on_other] == pytest.approx((other_mps - own_mps) * radial[on_other], abs=0.15)
    on_road = (depth * radial < gap - 3.0) & (altitude < -0.05) & (abs(azimuth) < 0.1)
    assert on_road.sum() > 10
    assert velocity[on_road] == pytest.approx(-own_mps * radial[on_road], abs=0.15)
    assert measured.get_detection_count() == len(velocity) <= 20_000 * DELTA_S


@conforms("sensor", "sensor.lidar.ray_cast", "sensor.other.radar")
@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("lidar.ray_cast", "channels", 0),
        ("lidar.ray_cast", "points_per_second", 10**9),
        ("other.radar", "horizontal_fov", 180.0),
    ],
)
def test_a_senseless_scan_is_refused(session: Session, kind: str, name: str, value: float) -> None:
    with pytest.raises(RuntimeError, match=f"{name} is {value}: expected"):
        session.spawn(f"sensor.{kind}", **{name: value})
