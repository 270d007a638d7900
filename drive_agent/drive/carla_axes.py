"""CARLA's left-handed axes and degrees to right-handed axes and radians, and back. The only place that flips signs."""

from __future__ import annotations

import math

import carla

from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, CameraMount
from drive_agent.types import Command


def transform(
    x_m: float, y_m: float, z_m: float, yaw_rad: float = 0.0, pitch_rad: float = 0.0
) -> carla.Transform:
    """A right-handed pose as CARLA's. CARLA's pitch is up positive, as ours."""
    return carla.Transform(
        carla.Location(x=x_m, y=-y_m, z=z_m),
        carla.Rotation(yaw=-math.degrees(yaw_rad), pitch=math.degrees(pitch_rad)),
    )


def camera_transform(mount: CameraMount) -> carla.Transform:
    """Where to attach a camera given in the ego frame (rear axle) to a vehicle (origin mid-vehicle)."""
    return transform(mount.x_m - REAR_AXLE_TO_ORIGIN_M, mount.y_m, mount.z_m, mount.yaw_rad, mount.pitch_rad)


def pose(value: carla.Transform) -> tuple[float, float, float, float, float]:
    """CARLA pose as right-handed x, y, z, yaw, pitch."""
    location, rotation = value.location, value.rotation
    return location.x, -location.y, location.z, -math.radians(rotation.yaw), math.radians(rotation.pitch)


def vehicle_control(command: Command) -> carla.VehicleControl:
    """Pedals and wheel; CARLA steers right positive."""
    return carla.VehicleControl(throttle=command.throttle, steer=-command.steer, brake=command.brake)


class Geography:
    """Latitudes of a map, counted towards north (-y in CARLA, as its compass does).

    The 0.9.16 client and server count them towards +y, against their own compass; older ones towards north.
    """

    def __init__(self, carla_map: carla.Map) -> None:
        self._map = carla_map
        self._origin_deg = carla_map.transform_to_geolocation(carla.Location()).latitude
        north_deg = carla_map.transform_to_geolocation(carla.Location(y=-100.0)).latitude
        self._sign = 1.0 if north_deg > self._origin_deg else -1.0

    def latitude(self, latitude_deg: float) -> float:
        """A latitude as CARLA tells it, counted towards north."""
        return self._origin_deg + self._sign * (latitude_deg - self._origin_deg)

    def place(self, x_m: float, y_m: float, z_m: float) -> tuple[float, float]:
        """Latitude and longitude of a world point."""
        found = self._map.transform_to_geolocation(transform(x_m, y_m, z_m).location)
        return self.latitude(found.latitude), found.longitude


def compass_yaw(compass_rad: float) -> float:
    """CARLA's compass (0 at north = -y, clockwise) as yaw (0 at east = +x, counter-clockwise)."""
    return math.remainder(math.pi / 2 - compass_rad, 2 * math.pi)
