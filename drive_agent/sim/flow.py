"""Optical flow of a picture: where each visible point was in the picture before. Pure: arrays and poses in, arrays out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.poses import rotation_matrix
from drive_agent.sim.render.camera import Camera, DrawnActor
from drive_agent.sim.render.shade import SKY_DEPTH_M
from drive_agent.sim.wire import Pose

LARGEST = 2.0  # what CARLA can encode: twice the picture
_FAR_M = 1e7  # the sky's depth: it moves as the camera turns, and does not come nearer
_NEAREST_M = 0.01


@dataclass(frozen=True)
class Moment:
    """What moved when a picture was taken: the camera, and the bodies by their ids."""

    camera: Camera
    bodies: Mapping[int, Pose]

    @classmethod
    def of(cls, camera: Camera, actors: Iterable[DrawnActor]) -> Moment:
        """The first body of an id counts: open doors bear the id of their car."""
        bodies: dict[int, Pose] = {}
        for actor in actors:
            place = Pose(actor.x, actor.y, actor.z, actor.pitch_deg, actor.yaw_deg, actor.roll_deg)
            bodies.setdefault(actor.id, place)
        return cls(camera, bodies)


def optical_flow(depth_m: np.ndarray, instance: np.ndarray, now: Moment, before: Moment) -> np.ndarray:
    """float32 (h, w, 2): motion since the picture before, x to the right and y upwards, in halves of the picture.

    CARLA's units: times width / 2 and -height / 2 it is in pixels. Bodies are rigid: turning wheels and stepping legs move
    with them. What has just come into being, or was behind the camera, has no motion.
    """
    places = _to_world(depth_m, now.camera)
    for actor_id in np.unique(instance[instance > 0]).tolist():
        if actor_id in now.bodies and actor_id in before.bodies:
            mask = instance == actor_id
            places[mask] = _carried_back(places[mask], now.bodies[actor_id], before.bodies[actor_id])
    ahead, u, v = _to_picture(places, before.camera)
    height, width = depth_m.shape
    columns, rows = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    flow = np.stack([(columns - u) * (2.0 / width), (v - rows) * (2.0 / height)], axis=-1)
    flow[ahead < _NEAREST_M] = 0.0
    return np.clip(flow, -LARGEST, LARGEST).astype(np.float32)


def _axes(pose: tuple[float, ...]) -> np.ndarray:
    """float64 (3, 3) with columns forward, right, up."""
    return np.array(rotation_matrix(*pose[3:]))


def _pose(camera: Camera) -> Pose:
    return Pose(camera.x, camera.y, camera.z, camera.pitch_deg, camera.yaw_deg, camera.roll_deg)


def _focal(camera: Camera) -> float:
    return camera.width / (2.0 * math.tan(math.radians(camera.fov_deg) / 2.0))


def _to_world(depth_m: np.ndarray, camera: Camera) -> np.ndarray:
    """float64 (h, w, 3): the visible points."""
    height, width = depth_m.shape
    right = ((np.arange(width) + 0.5) - width / 2.0) / _focal(camera)
    up = (height / 2.0 - (np.arange(height) + 0.5)) / _focal(camera)
    rays = np.ones((height, width, 3))
    rays[..., 1], rays[..., 2] = right, up[:, None]
    ahead = np.where(depth_m >= SKY_DEPTH_M, _FAR_M, depth_m.astype(float))
    return (rays * ahead[..., None]) @ _axes(_pose(camera)).T + (camera.x, camera.y, camera.z)


def _to_picture(places: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth, column and row of world points (h, w, 3)."""
    own = (places - (camera.x, camera.y, camera.z)) @ _axes(_pose(camera))
    ahead = own[..., 0]
    scale = _focal(camera) / np.maximum(ahead, _NEAREST_M)
    return ahead, camera.width / 2.0 + scale * own[..., 1], camera.height / 2.0 - scale * own[..., 2]


def _carried_back(places: np.ndarray, now: Pose, before: Pose) -> np.ndarray:
    """Where points (n, 3) of a body were when it was at `before`."""
    own = (places - now[:3]) @ _axes(now)
    return own @ _axes(before).T + before[:3]
