"""Our rigs keep the Leaderboard's limits, its readings become the same packet, its plan the same briefing as ours."""

from __future__ import annotations

import math
from enum import IntEnum

import carla
import numpy as np
import pytest

from drive_agent.config import ConfigError
from drive_agent.drive.carla_axes import Geography, transform
from drive_agent.drive.carla_sensors import packet_of
from drive_agent.drive.leaderboard_inputs import briefing_of, check_limits, readings_of, sensor_specs
from drive_agent.rig import RIGS, CameraMount
from drive_agent.types import Maneuver
from scenarios import towns


class RoadOption(IntEnum):
    """The values of CARLA's."""

    LEFT = 1
    LANEFOLLOW = 4


def camera(name: str, x_m: float = 1.5) -> CameraMount:
    return CameraMount(name, 64, 32, math.radians(90), x_m, 0.0, 1.6)


@pytest.fixture(scope="module")
def town() -> carla.Map:
    return carla.Map("Brookfield", towns.load("Brookfield"))


@pytest.mark.parametrize("rig", RIGS)
def test_our_rigs_are_accepted(rig):
    cameras = RIGS[rig]().cameras
    specs = sensor_specs(cameras)
    assert [spec["id"] for spec in specs[3:]] == [mount.name for mount in cameras]
    for spec, mount in zip(specs[3:], cameras, strict=True):
        assert (spec["width"], spec["height"]) == (mount.width, mount.height)
        assert spec["fov"] == pytest.approx(math.degrees(mount.fov_rad))
        assert spec["y"] == pytest.approx(-mount.y_m) and spec["z"] == pytest.approx(mount.z_m)
        assert spec["yaw"] == pytest.approx(-math.degrees(mount.yaw_rad))
        assert spec["pitch"] == pytest.approx(math.degrees(mount.pitch_rad))


@pytest.mark.parametrize(
    ("cameras", "says"),
    [
        ([camera("far", 5.0)], "'far' sits 3.91 m"),
        ([camera(f"c{k}") for k in range(9)], "9 sensors 'sensor.camera.rgb': expected at most 8"),
        ([camera("gnss")], "'gnss' is used 2 times"),
    ],
)
def test_what_the_evaluator_would_refuse_is_one_line(cameras, says):
    with pytest.raises(ConfigError, match=says) as caught:
        sensor_specs(cameras)
    assert len(str(caught.value).splitlines()) == 1


def test_a_map_is_no_sensor_of_this_track():
    with pytest.raises(ConfigError, match="opendrive_map"):
        check_limits([{"type": "sensor.opendrive_map", "id": "map"}])


def test_readings_become_a_packet_in_our_axes(town):
    geography = Geography(town)
    place = transform(30.0, 40.0, 0.0)  # world: 30 m east, 40 m north
    fix = town.transform_to_geolocation(place.location)
    picture = np.zeros((2, 3, 4), np.uint8)
    picture[0, 0] = (10, 20, 30, 255)
    data = {
        "gnss": (7, np.array([fix.latitude, fix.longitude, 0.0])),
        "imu": (7, np.array([1.5, 0.2, 9.8, 0.0, 0.0, 0.3, math.pi / 2])),  # compass: east
        "speedometer": (7, {"speed": 4.0}),
        "wide": (7, picture),
        "narrow": (7, picture),
    }
    packet = packet_of(readings_of(data, ["wide"]), 50_000, geography)
    assert (packet.latitude_deg, packet.longitude_deg) == pytest.approx(
        geography.place(30.0, 40.0, 0.0), abs=1e-9
    )
    assert packet.yaw_rad == pytest.approx(0.0, abs=1e-9)
    assert (packet.yaw_rate_radps, packet.accel_mps2, packet.speed_mps) == (-0.3, 1.5, 4.0)
    assert packet.time_us == 50_000 and list(packet.images) == ["wide"]
    assert packet.images["wide"].shape == (2, 3, 3) and tuple(packet.images["wide"][0, 0]) == (30, 20, 10)


def test_the_briefing_lies_where_the_gnss_will_find_it(town):
    geography = Geography(town)
    plan = [
        (transform(10.0, 20.0, 0.0), RoadOption.LANEFOLLOW),
        (transform(90.0, -50.0, 0.0), RoadOption.LEFT),
    ]
    briefing = briefing_of(plan, geography)
    assert briefing.maneuvers == (Maneuver.LANE_FOLLOW, Maneuver.LEFT)
    np.testing.assert_allclose(briefing.route_deg[1], geography.place(90.0, -50.0, 0.0), atol=1e-9)
