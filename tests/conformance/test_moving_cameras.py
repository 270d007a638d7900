"""Normals, optical flow and events: what a picture's surfaces face, where they came from, and which pixels noticed."""

from __future__ import annotations

import queue

import carla
import numpy as np
import pytest

from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.stage import SETTLE_TICKS, depth_m, pixels, read, standing
from tests.conformance.test_cameras import CAR, MOUNT, ROAD, SKY, listen

_NORMALS = "of flat faces, in the world's axes as 0 to 255; CARLA does not say in which axes its own are"
_FLOW = "bodies are rigid: wheels and legs move with them; since the camera's own picture before"
_EVENTS = "at most 4 million events a picture; thresholds of at least 0.01"
FOCAL = 80.0  # of 160 pixels and 90 degrees
EVENT = np.dtype([("x", "<u2"), ("y", "<u2"), ("t", "<i8"), ("pol", "u1")])


def normals(image: carla.Image) -> np.ndarray:
    """Unit vectors (h, w, 3)."""
    return pixels(image)[..., 2::-1] / 127.5 - 1.0


def flow_px(image: carla.OpticalFlowImage) -> np.ndarray:
    """Motion in pixels to the right and down, (h, w, 2)."""
    flow = np.frombuffer(image.raw_data, np.float32).reshape(image.height, image.width, 2)
    return flow * (image.width / 2.0, -image.height / 2.0)


@conforms("sensor", "sensor.camera.normals", limited=_NORMALS)
def test_normals_stand_on_what_is_seen(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    standing(session, "vehicle.carlamotors.european_hgv", spawn_point, ahead_m=25.0)
    mount = carla.Transform(MOUNT.location, carla.Rotation(roll=20.0))  # turns the picture, not the world
    _, normal = listen(session, "normals", mount, own)
    _, semantic = listen(session, "semantic_segmentation", mount, own)
    facing, tags = read(session, normal, semantic)
    vectors, tag = normals(facing), pixels(tags)[..., 2]
    assert np.linalg.norm(vectors[tag != SKY], axis=-1) == pytest.approx(1.0, abs=0.02)
    assert np.median(vectors[tag == ROAD], axis=0) == pytest.approx([0.0, 0.0, 1.0], abs=0.02)
    assert vectors[tag == SKY] == pytest.approx(0.0, abs=0.01)
    back = -1.0 * spawn_point.get_forward_vector()
    assert vectors[45, 80] == pytest.approx([back.x, back.y, back.z], abs=0.03)


@conforms("sensor", "sensor.camera.optical_flow", limited=_FLOW)
def test_a_camera_that_goes_ahead_sees_everything_part(
    session: Session, spawn_point: carla.Transform
) -> None:
    place = carla.Transform(spawn_point.location + carla.Location(z=2.0), spawn_point.rotation)
    camera, fetch = listen(session, "optical_flow", place)
    eye, near = listen(session, "depth", place)
    (first,) = read(session, fetch)
    assert np.frombuffer(first.raw_data, np.float32) == pytest.approx(0.0)
    for mover in (camera, eye):
        mover.set_transform(
            carla.Transform(place.location + 0.5 * place.get_forward_vector(), place.rotation)
        )
    flow, depth = read(session, fetch, near)
    metres = depth_m(depth)
    columns, rows = np.arange(160) + 0.5 - 80.0, np.arange(90)[:, None] + 0.5 - 45.0
    # who is at (column, row, depth) now was half a metre farther away: nearer to the middle
    share = 1.0 - metres / (metres + 0.5)
    expected = np.stack([columns * share, rows * share], axis=-1)
    inside = metres < 200.0
    assert flow_px(flow)[inside] == pytest.approx(expected[inside], abs=0.01)
    assert flow_px(flow)[metres > 999.0] == pytest.approx(0.0, abs=1e-3)
    (still,) = read(session, fetch)
    assert flow_px(still) == pytest.approx(0.0, abs=1e-3)
    assert len(still.get_color_coded_flow().raw_data) == 160 * 90 * 4


@conforms("sensor", "sensor.camera.optical_flow", limited=_FLOW)
def test_a_turn_moves_the_sky_and_a_car_moves_by_itself(
    session: Session, spawn_point: carla.Transform
) -> None:
    place = carla.Transform(spawn_point.location + carla.Location(z=1.5), spawn_point.rotation)
    car = standing(session, "vehicle.audi.tt", spawn_point, ahead_m=12.0)
    camera, fetch = listen(session, "optical_flow", place)
    eye, tagged = listen(session, "semantic_segmentation", place)
    read(session, fetch)
    aside = car.get_transform()
    aside.location += 0.4 * aside.get_right_vector()
    car.set_transform(aside)
    flow, tags = read(session, fetch, tagged)
    is_car, moved = pixels(tags)[..., 2] == CAR, flow_px(flow)
    depth_of_rear_m = 12.0 - car.bounding_box.extent.x
    assert moved[is_car][:, 0].max() == pytest.approx(FOCAL * 0.4 / depth_of_rear_m, rel=0.1)
    assert np.abs(moved[is_car][:, 1]).max() < 0.5
    assert moved[pixels(tags)[..., 2] == ROAD] == pytest.approx(0.0, abs=1e-3)
    for mover in (camera, eye):
        rotation = carla.Rotation(yaw=place.rotation.yaw + 2.0)
        mover.set_transform(carla.Transform(place.location, rotation))
    flow, tags = read(session, fetch, tagged)
    middle = flow_px(flow)[20, 80]  # the camera turns to the right, what it sees moves to the left
    assert pixels(tags)[20, 80, 2] == SKY
    assert middle[0] == pytest.approx(-FOCAL * np.tan(np.radians(2.0)), rel=0.15)


@conforms("sensor", "sensor.camera.dvs", limited=_EVENTS)
def test_each_pixel_counts_how_often_its_brightness_crossed_the_threshold(
    session: Session, spawn_point: carla.Transform
) -> None:
    place = carla.Transform(spawn_point.location + carla.Location(z=2.0), spawn_point.rotation)
    _, events_of = listen(session, "dvs", place, positive_threshold=0.25, negative_threshold=0.2)
    _, rgb = listen(session, "rgb", place)
    session.world.set_weather(carla.WeatherParameters.ClearNoon)
    session.tick(2)
    (day,) = read(session, rgb)
    with pytest.raises(queue.Empty):  # nothing has changed
        events_of(timeout=0.2)
    session.world.set_weather(carla.WeatherParameters(sun_altitude_angle=-60.0))
    dusk = session.world.get_snapshot().timestamp.elapsed_seconds
    (night,) = read(session, rgb)
    dimmed = events_of()
    session.world.set_weather(carla.WeatherParameters.ClearNoon)
    (_,) = read(session, rgb)
    brightened = events_of()

    def level(image: carla.Image) -> np.ndarray:
        grey = pixels(image)[..., :3].astype(np.float32) @ np.array([0.114, 0.587, 0.2989], np.float32)
        return np.log(0.001 + grey / 255.0)

    seen = np.frombuffer(dimmed.raw_data, EVENT).copy()
    darker = (level(night) - level(day)).astype(float)
    expected = np.floor(np.where(darker < 0.0, -darker / 0.2, darker / 0.25) + 1e-9)
    counts = np.zeros((90, 160))
    np.add.at(counts, (seen["y"], seen["x"]), 1)
    assert len(seen) == len(dimmed) > 1000
    assert (counts == expected).mean() > 0.999  # single precision at the very threshold
    assert (np.diff(seen["t"]) >= 0).all()
    assert dusk * 1e9 <= seen["t"].min() <= seen["t"].max() <= dimmed.timestamp * 1e9 + 1
    assert (seen["pol"][darker[seen["y"], seen["x"]] < 0.0] == 0).all()
    assert np.frombuffer(brightened.raw_data, EVENT)["pol"].mean() > 0.9
    assert (dimmed.width, dimmed.height) == (160, 90)
    assert len(brightened.to_image()) == 160 * 90


@conforms("sensor", "sensor.camera.dvs", limited=_EVENTS)
def test_a_tired_pixel_keeps_silent(session: Session, spawn_point: carla.Transform) -> None:
    place = carla.Transform(spawn_point.location + carla.Location(z=2.0), spawn_point.rotation)
    _, events_of = listen(session, "dvs", place, refractory_period_ns=10**9)
    session.tick(SETTLE_TICKS)
    session.world.set_weather(carla.WeatherParameters(sun_altitude_angle=-60.0))
    session.tick()
    seen = np.frombuffer(events_of().raw_data, EVENT).copy()
    session.world.set_weather(carla.WeatherParameters.ClearNoon)
    session.tick()
    assert len(np.unique(seen[["x", "y"]])) == len(seen) > 1000
    with pytest.raises(RuntimeError, match="positive_threshold is 0: expected 0.01 to 255"):
        session.spawn("sensor.camera.dvs", positive_threshold=0)
