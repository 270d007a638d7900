"""Sensor fusion, history, earlier pictures and the route ahead."""

import math

import cv2
import numpy as np
import pytest

from drive_agent.agent.frame import EARTH_RADIUS_M, FrameBuilder, to_local
from drive_agent.types import Briefing, Frame, Maneuver, SensorPacket

ORIGIN = np.array([49.0, 8.0])


def geographic(xy) -> np.ndarray:
    xy = np.atleast_2d(np.asarray(xy, dtype=float))
    lat = ORIGIN[0] + np.degrees(xy[:, 1] / EARTH_RADIUS_M)
    lon = ORIGIN[1] + np.degrees(xy[:, 0] / EARTH_RADIUS_M / math.cos(math.radians(ORIGIN[0])))
    return np.column_stack([lat, lon])


def packet(time_us, x, y, yaw=0.0, speed=5.0, images=None, noise=(0.0, 0.0)) -> SensorPacket:
    lat, lon = geographic((x + noise[0], y + noise[1]))[0]
    return SensorPacket(time_us, lat, lon, yaw, 0.0, 0.0, speed, images or {})


def builder() -> FrameBuilder:
    route = [(0, 0), (40, 0), (55, 15), (55, 100)]
    kinds = (Maneuver.LANE_FOLLOW, Maneuver.LEFT, Maneuver.LANE_FOLLOW, Maneuver.LANE_FOLLOW)
    return FrameBuilder(Briefing(geographic(route), kinds))


def builder_after(first: SensorPacket) -> Frame:
    """The first frame of a drive."""
    frames = builder()
    frames.ego(first)
    return frames.frame(first)


def test_geographic_points_become_metres():
    np.testing.assert_allclose(to_local(geographic([(120.0, -75.0)]), ORIGIN), [[120.0, -75.0]], atol=1e-4)


def test_fusion_is_smoother_than_the_fixes():
    rng, frames, errors = np.random.default_rng(0), builder(), []
    for k in range(200):
        state = frames.ego(packet(k * 50_000, k * 0.25, 0.0, noise=rng.normal(0, 0.55, 2)))
        errors.append(math.hypot(state.x_m - k * 0.25, state.y_m))
    assert np.mean(errors[50:]) < 0.25


def test_standstill_resets_the_distance_since_the_last_stop():
    frames = builder()
    for k in range(40):
        state = frames.ego(packet(k * 50_000, k * 0.25, 0.0))
    assert state.since_stop_m == pytest.approx(39 * 0.25)
    state = frames.ego(packet(40 * 50_000, 10.0, 0.0, speed=0.0))
    assert state.since_stop_m == 0.0


def test_the_route_ahead_and_the_maneuver_under_way():
    frames, picture = builder(), {"wide": np.zeros((28, 28, 3), np.uint8)}
    frames.ego(packet(0, 10.0, 0.0, images=picture))
    frame = frames.frame(packet(0, 10.0, 0.0, images=picture))
    np.testing.assert_allclose(frame.route_ego[0], [30.0, 0.0], atol=0.1)
    assert frame.maneuver == Maneuver.LANE_FOLLOW and frame.route_maneuvers[0] == Maneuver.LEFT
    now = packet(50_000, 41.0, 0.5, images=picture)
    for _ in range(200):  # the filter has to follow the jump
        frames.ego(now)
    assert frames.frame(now).maneuver == Maneuver.LEFT


@pytest.mark.parametrize(("size", "quality"), [((112, 224), 92), ((180, 320), 78)])
def test_small_pictures_keep_more_than_large_ones(size, quality):
    rgb = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    seen = builder_after(packet(0, 0.0, 0.0, images={"wide": rgb})).cameras["wide"]
    flags = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
    assert seen.jpeg == cv2.imencode(".jpg", rgb[:, :, ::-1], flags)[1].tobytes()
    decoded = cv2.imdecode(np.frombuffer(seen.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(seen.rgb, decoded[:, :, ::-1]), "the model sees what is logged"


def test_earlier_pictures_are_half_a_second_old():
    frames = builder()
    for k in range(11):
        images = {"wide": np.full((28, 28, 3), k, np.uint8)} if k % 5 == 0 else {}
        now = packet(k * 50_000, k * 0.25, 0.0, images=images)
        frames.ego(now)
        frame = frames.frame(now) if images else None
    assert frame is not None and frame.previous["wide"].time_us == 0
    assert frame.history_ego[0, 0] == pytest.approx(-0.5)


def test_the_model_sees_what_the_log_keeps():
    import cv2

    frames = builder()
    noise = np.random.default_rng(1).integers(0, 255, (28, 56, 3), dtype=np.uint8)
    now = packet(0, 0.0, 0.0, images={"wide": noise})
    frames.ego(now)
    image = frames.frame(now).cameras["wide"]
    again = cv2.imdecode(np.frombuffer(image.jpeg, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    np.testing.assert_array_equal(image.rgb, again)
