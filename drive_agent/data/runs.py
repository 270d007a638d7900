"""Runs of ours as clips: key frames every half second out of a route's log, seen with nuScenes' eyes.

The map frame is the world. Nobody scanned these streets: LIDAR_TOP is where nuScenes' car carries it, and an agent's
visibility is the share of the directions to it that no nearer agent stands in (buildings are not asked).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from drive_agent.config import ConfigError
from drive_agent.data.clips import KEY_FRAME_S, LIDAR_T, LIDAR_YAW_RAD, Boxes, CameraShot, Clip, KeyFrame
from drive_agent.data.export_tables import attribute_of
from drive_agent.data.rigid import about_z, rigid
from drive_agent.log.store import Episode
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, RIGS, CameraMount
from drive_agent.roadmap import RoadMap
from drive_agent.types import ActorInfo, ObjectKind, Truth

KEY_US = round(KEY_FRAME_S * 1e6)
RANGE_M = 80.0  # agents further away are not annotated
LIDAR_TO_EGO = rigid(about_z(LIDAR_YAW_RAD), LIDAR_T)
HUMAN = "human.pedestrian.adult"
_CATEGORIES = (  # the first part of a CARLA type id that fits
    ("vehicle.ford.ambulance", "vehicle.emergency.ambulance"),
    ("vehicle.dodge.charger_police", "vehicle.emergency.police"),
    ("vehicle.carlamotors.", "vehicle.truck"),
    ("vehicle.tesla.cybertruck", "vehicle.truck"),
    ("vehicle.mitsubishi.fusorosa", "vehicle.bus.rigid"),
    ("vehicle.diamondback.", "vehicle.bicycle"),
    ("vehicle.gazelle.", "vehicle.bicycle"),
    ("vehicle.bh.", "vehicle.bicycle"),
    ("static.prop.trafficcone", "movable_object.trafficcone"),
    ("static.prop.constructioncone", "movable_object.trafficcone"),
    ("static.prop.", "movable_object.barrier"),
)


def is_run(path: Path) -> bool:
    """Is this a log or a folder of a run?"""
    return path.suffix == ".mcap" or next(path.glob("routes/*/log.mcap"), None) is not None


class RunFolder:
    """A run folder, or one log of it."""

    def __init__(self, path: Path) -> None:
        files = [path] if path.suffix == ".mcap" else sorted(path.glob("routes/*/log.mcap"))
        if not files or not files[0].exists():
            raise ValueError(f"{path} holds no log.mcap, expected a run folder of drive-agent drive")
        self._logs = {f"{file.parent.name}": file for file in files}

    def scene_names(self, split: str | None = None) -> list[str]:
        """One name a route that was driven for at least a key frame. A run has no splits."""
        if split is not None:
            raise ConfigError(f"split={split}: a run has no splits; leave split= out")
        return list(self._logs)

    def clip(self, name: str) -> Clip:
        """One route."""
        return clip_of_log(self._logs[name], name)

    def road_map(self, name: str) -> RoadMap:
        """What lay under the wheels on a route."""
        with Episode.open(self._logs[name]) as episode:
            return episode.road_map


def clip_of_log(path: Path, name: str) -> Clip:
    """Key frames of a log, half a second of simulated time apart, where its cameras delivered."""
    with Episode.open(path) as episode:
        mounts = _mounts(episode)
        pictures = {mount.name: dict(episode.images(mount.name)) for mount in mounts}
        pictured_us = [time_us for jpegs in pictures.values() for time_us in jpegs]
        frames = tuple(
            _key_frame(name, truth, mounts, pictures) for truth in _key_truths(episode.truths(), pictured_us)
        )
        if not frames:
            raise ValueError(f"{path} has no tick, expected a drive; drive it again")
        return Clip(name, episode.header.town, frames)


def token_of(*names: object) -> str:
    """A nuScenes token: 32 hexadecimal digits, the same for the same names."""
    return hashlib.md5("/".join(map(str, names)).encode(), usedforsecurity=False).hexdigest()


def category_of(info: ActorInfo) -> str:
    """nuScenes' category of an actor."""
    for start, category in _CATEGORIES:
        if info.type_id.startswith(start):
            return category
    if info.kind == ObjectKind.WALKER:
        return HUMAN
    return "vehicle.motorcycle" if info.kind == ObjectKind.CYCLIST else "vehicle.car"


def ego_to_world(truth: Truth) -> np.ndarray:
    """The ego frame (4, 4): rear axle on the ground, level."""
    x, y, z, yaw = truth.ego[:4]
    back = REAR_AXLE_TO_ORIGIN_M
    return rigid(about_z(yaw), np.array([x - back * np.cos(yaw), y - back * np.sin(yaw), z]))


def _key_truths(truths: Iterator[Truth], pictured_us: Iterable[int]) -> Iterator[Truth]:
    """Every half second from the first picture on; from the first tick where there are no pictures."""
    start_us = min(pictured_us, default=None)
    for truth in truths:
        start_us = truth.time_us if start_us is None else start_us
        if truth.time_us >= start_us and (truth.time_us - start_us) % KEY_US == 0:
            yield truth


def _mounts(episode: Episode) -> list[CameraMount]:
    name = episode.header.config.get("model", {}).get("rig")
    if not episode.cameras or name not in RIGS:
        return []
    rig = RIGS[name]()
    return [rig[camera] for camera in episode.cameras]


def _key_frame(
    name: str, truth: Truth, mounts: list[CameraMount], pictures: dict[str, dict[int, bytes]]
) -> KeyFrame:
    shots = [_shot(mount, pictures[mount.name], truth.time_us) for mount in mounts]
    return KeyFrame(
        token_of(name, truth.time_us),
        truth.time_us,
        ego_to_world(truth),
        LIDAR_TO_EGO,
        _boxes(truth, name),
        tuple(shot for shot in shots if shot is not None),
    )


def _shot(mount: CameraMount, jpegs: dict[int, bytes], time_us: int) -> CameraShot | None:
    """The picture of that very tick, None where the camera did not deliver."""
    if time_us not in jpegs:
        return None
    focal = mount.focal_px
    intrinsic = np.array([[focal, 0, mount.width / 2], [0, focal, mount.height / 2], [0, 0, 1]])
    pose = rigid(mount.ego_to_camera.T, np.array([mount.x_m, mount.y_m, mount.z_m]))
    return CameraShot(
        mount.name, time_us, mount.width, mount.height, intrinsic, pose, partial(jpegs.__getitem__, time_us)
    )


def _boxes(truth: Truth, route: str) -> Boxes:
    infos = [truth.infos[actor] for actor in truth.ids[1:]]
    rows = truth.actors[1:]
    near = [
        k
        for k, row in enumerate(rows)
        if np.hypot(*(row[:2] - truth.ego[:2])) <= RANGE_M and infos[k].half_length_m > 0
    ]
    infos, rows = [infos[k] for k in near], rows[near]
    yaw = rows[:, 3]
    axes = np.stack([np.cos(yaw), np.sin(yaw), np.zeros(len(near))], axis=-1)
    ahead = np.array([info.center_forward_m for info in infos])
    # a walker's origin is its middle, others stand on theirs
    up = np.array([0.0 if info.kind == ObjectKind.WALKER else info.half_height_m for info in infos])
    centers = rows[:, :3] + ahead[:, None] * axes + np.stack([0 * up, 0 * up, up], axis=-1)
    half = np.array([(info.half_width_m, info.half_length_m, info.half_height_m) for info in infos])
    sizes = 2 * half.reshape(-1, 3)
    shares = seen_shares(ego_to_world(truth) @ LIDAR_TO_EGO, centers, sizes, axes)
    categories = tuple(category_of(info) for info in infos)
    speeds_mps = np.hypot(rows[:, 5], rows[:, 6])
    return Boxes(
        tuple(token_of(route, "actor", info.id) for info in infos),
        categories,
        centers.reshape(-1, 3),
        sizes,
        axes,
        np.digitize(shares, (0.4, 0.6, 0.8)) + 1,  # nuScenes' four levels
        (shares > 0).astype(int),
        tuple(map(attribute_of, categories, speeds_mps)),
    )


def seen_shares(
    lidar_to_world: np.ndarray, centers: np.ndarray, sizes: np.ndarray, axes: np.ndarray, rays: int = 9
) -> np.ndarray:
    """Share (n,) of `rays` directions across each box in which no nearer box stands, in the plane."""
    if not len(centers):
        return np.zeros(0)
    gaps = centers[:, :2] - lidar_to_world[:2, 3]
    distances = np.hypot(*gaps.T)
    middle = np.arctan2(gaps[:, 1], gaps[:, 0])
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) / 2
    sides = np.stack([-axes[:, 1], axes[:, 0]], axis=-1)
    corners = (
        gaps[:, None]
        + signs[None, :, :1] * (sizes[:, 1:2] * axes[:, :2])[:, None]
        + signs[None, :, 1:] * (sizes[:, :1] * sides)[:, None]
    )
    turns = _wrap(np.arctan2(corners[..., 1], corners[..., 0]) - middle[:, None])
    low, high = turns.min(axis=1), turns.max(axis=1)
    bearings = middle[:, None] + low[:, None] + np.linspace(0.05, 0.95, rays) * (high - low)[:, None]
    offsets = _wrap(bearings[:, :, None] - middle)  # (box, ray, other)
    hides = (offsets > low) & (offsets < high) & (distances[None, :] < distances[:, None])[:, None]
    return 1.0 - hides.any(axis=2).mean(axis=1)


def _wrap(angle: np.ndarray) -> np.ndarray:
    return (angle + np.pi) % (2 * np.pi) - np.pi
