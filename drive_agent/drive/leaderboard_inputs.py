"""What a driver gets from the Leaderboard's evaluator: our rig's sensors, within its limits, and the route in sparse points.

Speaks the evaluator's dictionaries but imports none of its code. Limits: carla-simulator/leaderboard, branch
leaderboard-2.1, leaderboard/autoagents/agent_wrapper.py, track SENSORS.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import carla
import numpy as np

from drive_agent.config import ConfigError
from drive_agent.drive.carla_axes import Geography, camera_transform, pose
from drive_agent.drive.carla_sensors import Readings
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, CameraMount
from drive_agent.types import Briefing, Maneuver

GNSS, IMU, SPEEDOMETER = "gnss", "imu", "speedometer"
MAX_COUNT = {
    "sensor.camera.rgb": 8,
    "sensor.lidar.ray_cast": 2,
    "sensor.other.radar": 4,
    "sensor.other.gnss": 1,
    "sensor.other.imu": 1,
    "sensor.speedometer": 1,
}
MAX_RADIUS_M = 3.0  # from the vehicle's origin

Spec = dict[str, str | float]


class RoadOption(Protocol):
    """CARLA's `agents.navigation.local_planner.RoadOption`."""

    @property
    def value(self) -> int: ...


Plan = Sequence[tuple[carla.Transform, RoadOption]]  # as `AutonomousAgent.set_global_plan` is given it


def sensor_specs(cameras: Sequence[CameraMount]) -> list[Spec]:
    """What `AutonomousAgent.sensors()` returns: GNSS, IMU and speedometer as in our own loop, and the cameras.

    Raises ConfigError when the evaluator would not accept them.
    """
    level = {"roll": 0.0, "pitch": 0.0, "yaw": 0.0}
    specs: list[Spec] = [
        {"type": "sensor.other.gnss", "id": GNSS, "x": -REAR_AXLE_TO_ORIGIN_M, "y": 0.0, "z": 0.0, **level},
        {"type": "sensor.other.imu", "id": IMU, "x": 0.0, "y": 0.0, "z": 0.0, **level},
        {"type": "sensor.speedometer", "id": SPEEDOMETER},
        *map(_camera_spec, cameras),
    ]
    check_limits(specs)
    return specs


def check_limits(specs: Sequence[Spec]) -> None:
    """Raise ConfigError, one line, for the first thing that the evaluator would refuse."""
    for name, count in Counter(spec["id"] for spec in specs).items():
        if count > 1:
            raise ConfigError(
                f"sensor id {name!r} is used {count} times: expected different ids; rename a camera"
            )
    for kind, count in Counter(str(spec["type"]) for spec in specs).items():
        if kind not in MAX_COUNT:
            raise ConfigError(f"sensor {kind!r}: expected one of {', '.join(MAX_COUNT)}; leave it out")
        if count > MAX_COUNT[kind]:
            raise ConfigError(
                f"{count} sensors {kind!r}: expected at most {MAX_COUNT[kind]}; choose another model.rig"
            )
    for spec in specs:
        radius_m = math.hypot(*(float(spec.get(axis, 0.0)) for axis in "xyz"))
        if radius_m > MAX_RADIUS_M:
            raise ConfigError(
                f"sensor {spec['id']!r} sits {radius_m:.2f} m from the vehicle's origin: expected at most "
                f"{MAX_RADIUS_M:g} m; choose another model.rig"
            )


def readings_of(data: Mapping[str, tuple[int, object]], cameras: Sequence[str]) -> Readings:
    """One tick of the evaluator's `input_data` (id -> frame, values), with the pictures of the named cameras."""
    gnss, imu = np.asarray(data[GNSS][1]), np.asarray(data[IMU][1])
    speed = data[SPEEDOMETER][1]
    assert isinstance(speed, Mapping)
    return Readings(
        latitude_deg=float(gnss[0]),
        longitude_deg=float(gnss[1]),
        compass_rad=float(imu[6]),
        gyro_z_radps=float(imu[5]),
        accel_x_mps2=float(imu[0]),
        speed_mps=float(speed["speed"]),
        pictures={name: np.asarray(data[name][1]) for name in cameras},
    )


def briefing_of(plan: Plan, geography: Geography) -> Briefing:
    """The evaluator's sparse plan in the coordinates of this CARLA's own GNSS.

    The plan's points come as places of the map and as latitudes of a formula of the Leaderboard's; the latter does not
    agree with the GNSS of every CARLA (0.9.16: opposite sign, and 2 m off at 300 m in maps that lie at the equator).
    """
    places = [geography.place(*pose(where)[:3]) for where, _ in plan]
    return Briefing(np.array(places), tuple(Maneuver(option.value) for _, option in plan))


def _camera_spec(mount: CameraMount) -> Spec:
    where = camera_transform(mount)
    return {
        "type": "sensor.camera.rgb",
        "id": mount.name,
        "x": where.location.x,
        "y": where.location.y,
        "z": where.location.z,
        "roll": where.rotation.roll,
        "pitch": where.rotation.pitch,
        "yaw": where.rotation.yaw,
        "width": mount.width,
        "height": mount.height,
        "fov": math.degrees(mount.fov_rad),
    }
