"""What this server does not have: a clear error, at once, and nothing breaks."""

from __future__ import annotations

import carla
import pytest

from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient


@conforms("RPC", "enable_sensor_for_ros", "disable_sensor_for_ros", refused="the server does not speak ROS")
@conforms("RPC", "is_sensor_enabled_for_ros", limited="always false")
def test_there_is_no_ros(raw: RawClient) -> None:
    assert "does not speak ROS" in raw.error("enable_sensor_for_ros", 2)
    assert "does not speak ROS" in raw.error("disable_sensor_for_ros", 2)
    assert raw.value("is_sensor_enabled_for_ros", 2) is False


@conforms("RPC", "get_gbuffer_token", "enable_gbuffers", refused="cameras have no G-buffers")
@conforms("RPC", "are_gbuffers_enabled", limited="always false")
@conforms("sensor", "gbuffers", refused="cameras have no G-buffers")
def test_cameras_have_no_gbuffers(session: Session, raw: RawClient) -> None:
    camera = session.spawn("sensor.camera.rgb")
    assert "no G-buffers" in raw.error("get_gbuffer_token", camera.id, 0)
    assert "no G-buffers" in raw.error("enable_gbuffers", camera.id, True)
    assert raw.value("are_gbuffers_enabled", camera.id) is False


@conforms("RPC", "set_ignored_vehicles", refused="sensors see every vehicle")
@conforms("RPC", "send", refused="there is no V2X sensor")
def test_sensors_of_their_own_kind_are_refused(raw: RawClient) -> None:
    assert "sensors see every vehicle" in raw.error("set_ignored_vehicles", 2, [1])
    assert "no V2X sensor" in raw.error("send", 2, "hello")


_ABSENT = (
    "sensor.other.rss",
    "sensor.other.v2x",
    "sensor.other.v2x_custom",
    "sensor.camera.cosmos_visualization",
)


@conforms("sensor", *_ABSENT, refused="not in the blueprint library")
def test_sensors_that_do_not_exist_are_not_in_the_library(session: Session) -> None:
    for name in _ABSENT:
        with pytest.raises(IndexError):
            session.library.find(name)


def test_an_unknown_method_gets_a_typed_error_and_one_line_in_the_log(
    session: Session, raw: RawClient
) -> None:
    for _ in range(5):
        assert "unknown method 'make_tea'" in raw.error("make_tea", 1, 2)
    log = session.server.log_tail(1000)
    assert log.count("make_tea") == 1


def test_an_asynchronous_call_that_fails_does_not_hurt_the_client(session: Session) -> None:
    spectator = session.world.get_spectator()
    spectator.set_target_velocity(carla.Vector3D(1.0, 0.0, 0.0))
    spectator.add_impulse(carla.Vector3D(1.0, 0.0, 0.0))
    session.tick(2)
