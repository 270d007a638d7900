"""Which road users a camera shows, and what they will do: the object labels of a frame. Knows nothing of carla."""

from __future__ import annotations

import numpy as np

from drive_agent.data.shards import CLASSES
from drive_agent.drive.cell_labels import CLASS_OF_TAG
from drive_agent.expert.others import PROBES
from drive_agent.geometry import to_frame, wrap_angle
from drive_agent.rig import CameraMount
from drive_agent.types import ROAD_USERS, ActorInfo, ObjectKind, Truth

REACH_M = 60.0
SAME_LEVEL_M = 4.0
SPARE_M = 1.0  # between the measured depth of a visible object and the extent of its box
_AROUND = np.arange(-1, 2)  # pixels: the neighbourhood of a point that is looked at
SHOWN_SHARE = 1 / 3  # of the points that a box is probed at
PLAUSIBLE_MPS = 40.0  # whoever moved faster was put elsewhere: its motion goes on as it was
# classes that each kind looks like
_LOOKS = {
    ObjectKind.VEHICLE: ("vehicle",),
    ObjectKind.CYCLIST: ("vehicle",),
    ObjectKind.WALKER: ("walker",),
    ObjectKind.PROP: ("other", "sign_or_light"),
}

Views = dict[str, tuple[CameraMount, np.ndarray, np.ndarray]]  # camera -> mount, depth_m (h, w), tags (h, w)


def rear_axle(truth: Truth) -> tuple[float, float, float]:
    """x, y, yaw of the ego frame in the world."""
    x, y, _, yaw = truth.ego[:4]
    half_base = truth.ego_info.wheelbase_m / 2
    return float(x - half_base * np.cos(yaw)), float(y - half_base * np.sin(yaw)), float(yaw)


def visible_objects(truth: Truth, views: Views, futures: list[Truth]) -> dict[int, list[float]]:
    """Actor id -> row of `data.shards.OBJECT_COLUMNS`, for the road users that the cameras show.

    `futures`: the truths 1, 2 and 3 s later.
    """
    ego = rear_axle(truth)
    z = float(truth.ego[2])
    later = [dict(zip(future.ids, future.actors, strict=True)) for future in futures]
    places = to_frame(truth.actors[:, :2], *ego)
    near = (
        (np.hypot(*places.T) < REACH_M)
        & (places[:, 0] > 0.0)
        & (np.abs(truth.actors[:, 2] - z) < SAME_LEVEL_M)
    )
    out = {}
    for k in np.flatnonzero(near):
        actor_id, row = truth.ids[k], truth.actors[k]
        info = truth.infos[actor_id]
        if k == 0 or info.kind not in ROAD_USERS or not shows(truth, actor_id, views):
            continue
        cos, sin = np.cos(row[3]), np.sin(row[3])
        place = to_frame(row[:2] + info.center_forward_m * np.array([cos, sin]), *ego)
        motion = _motion(row, [who.get(actor_id) for who in later], ego[2])
        heading = float(wrap_angle(row[3] - ego[2]))
        speed = float(row[5] * cos + row[6] * sin)
        out[actor_id] = [info.kind, *place, heading, speed, info.half_length_m, info.half_width_m, *motion]
    return out


def shows(truth: Truth, actor_id: int, views: Views) -> bool:
    """Whether the cameras show a good part of somebody or something. Raises ValueError for a stranger."""
    seen = _shown(_points(truth, truth.ids.index(actor_id)), truth.infos[actor_id], views)
    return bool(seen.mean() >= SHOWN_SHARE)


def _points(truth: Truth, k: int) -> np.ndarray:
    """Points (15, 3) over an actor's box at half height, in the ego frame."""
    row, info = truth.actors[k], truth.infos[truth.ids[k]]
    cos, sin = np.cos(row[3]), np.sin(row[3])
    local = PROBES * (info.half_length_m, info.half_width_m) + (info.center_forward_m, 0.0)
    world = row[:2] + local @ np.array([[cos, sin], [-sin, cos]])
    walker = info.kind == ObjectKind.WALKER
    ground = row[2] - float(truth.ego[2]) - (info.half_height_m if walker else 0.0)
    height = ground + (0.9 if walker else info.half_height_m)
    return np.column_stack([to_frame(world, *rear_axle(truth)), np.full(len(PROBES), height)])


def _shown(points: np.ndarray, info: ActorInfo, views: Views) -> np.ndarray:
    """(n,) whether some picture shows, around each point's pixel, the right class at the right distance."""
    wanted = [CLASSES.index(name) for name in _LOOKS[info.kind]]
    radius_m = float(np.hypot(info.half_length_m, info.half_width_m))
    seen = np.zeros(len(points), dtype=bool)
    for mount, depth_m, tags in views.values():
        pixels, distances = mount.project(points)
        inside = (distances > 0.5) & (pixels >= 0).all(1) & (pixels < (mount.width, mount.height)).all(1)
        u, v = pixels[inside].astype(int).T
        rows = (v[:, None] + _AROUND).clip(0, mount.height - 1)[:, :, None]
        columns = (u[:, None] + _AROUND).clip(0, mount.width - 1)[:, None, :]
        near = np.abs(depth_m[rows, columns] - distances[inside, None, None]) < radius_m + SPARE_M
        alike = np.isin(CLASS_OF_TAG[tags[rows, columns]], wanted)
        seen[inside] |= (near & alike).any((1, 2))
    return seen


def _motion(row: np.ndarray, later: list[np.ndarray | None], yaw_rad: float) -> list[float]:
    """Displacement after 1, 2, 3 s in axes of the ego frame; straight on for who is not there any more."""
    out: list[float] = []
    for seconds, future in enumerate(later, start=1):
        step = row[5:7] * seconds if future is None else future[:2] - row[:2]
        if np.hypot(*step) > PLAUSIBLE_MPS * seconds:
            step = row[5:7] * seconds
        out += to_frame(step, 0.0, 0.0, yaw_rad).tolist()
    return out
