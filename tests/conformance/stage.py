"""What the sensors' tests look at: vehicles that stand exactly where they are put, and readings of one tick."""

from __future__ import annotations

import math
from collections.abc import Callable

import carla
import numpy as np

from tests.client.conftest import Session

SETTLE_TICKS = 20


def standing(
    session: Session, type_id: str, place: carla.Transform, ahead_m: float = 0.0, right_m: float = 0.0
) -> carla.Actor:
    """A vehicle on the ground that nothing moves, so many metres ahead and to the right of `place`."""
    offset = place.get_forward_vector() * ahead_m + place.get_right_vector() * right_m
    actor = session.spawn(type_id, carla.Transform(place.location + offset, place.rotation))
    session.tick(SETTLE_TICKS)
    actor.set_simulate_physics(False)
    session.tick()
    return actor


def in_world(frame: carla.Transform, point: carla.Location) -> carla.Location:
    """A point of this frame in the world; `Transform.transform` alone would change `point` itself."""
    return frame.transform(carla.Location(point.x, point.y, point.z))


def rear_gap_m(own: carla.Actor, other: carla.Actor, mount: carla.Transform) -> float:
    """Distance along the street from a sensor on `own` to the rear of `other`'s box; both face the same way."""
    box, sensor = other.bounding_box, in_world(own.get_transform(), mount.location)
    rear = in_world(other.get_transform(), box.location - carla.Location(x=box.extent.x))
    return (rear - sensor).dot(own.get_transform().get_forward_vector())


def read(session: Session, *fetches: Callable[..., object]) -> list:
    """What these sensors say of the next tick."""
    frame = session.tick()
    readings = []
    for fetch in fetches:
        reading = fetch()
        while reading.frame < frame:
            reading = fetch()
        assert reading.frame == frame
        readings.append(reading)
    return readings


def pixels(image: carla.Image) -> np.ndarray:
    """B G R A, int64 (h, w, 4)."""
    shape = (image.height, image.width, 4)
    return np.frombuffer(image.raw_data, np.uint8).reshape(shape).astype(np.int64)


def depth_m(image: carla.Image) -> np.ndarray:
    """Depth in metres (h, w), as CARLA documents its decoding."""
    bgra = pixels(image)
    return (bgra[..., 2] + 256 * bgra[..., 1] + 65536 * bgra[..., 0]) / (2**24 - 1) * 1000.0


def lidar_points(measurement: carla.LidarMeasurement) -> np.ndarray:
    """x, y, z, intensity, float32 (n, 4)."""
    return np.frombuffer(measurement.raw_data, np.float32).reshape(-1, 4).copy()


SEMANTIC_POINT = np.dtype([("xyz", "<f4", 3), ("cos", "<f4"), ("id", "<u4"), ("tag", "<u4")])


def semantic_points(measurement: carla.SemanticLidarMeasurement) -> np.ndarray:
    """SEMANTIC_POINT (n,)."""
    return np.frombuffer(measurement.raw_data, SEMANTIC_POINT).copy()


def project(camera: carla.Transform, image: carla.Image, points: list[carla.Location]) -> np.ndarray:
    """Pixel columns and rows of world points before the camera, (n, 2): the pinhole of CARLA's own tutorials."""
    focal = image.width / (2.0 * math.tan(math.radians(image.fov) / 2.0))
    world = np.array([(p.x, p.y, p.z, 1.0) for p in points]).T
    x, y, z, _ = np.array(camera.get_inverse_matrix()) @ world
    return np.column_stack([image.width / 2 + focal * y / x, image.height / 2 - focal * z / x])
