"""Which road users a camera shows, and what they will do: the object labels of a frame. Knows nothing of carla."""

from __future__ import annotations

import numpy as np

from drive_agent.data.shards import CLASSES
from drive_agent.drive.cell_labels import CLASS_OF_TAG
from drive_agent.geometry import to_frame, wrap_angle
from drive_agent.rig import CameraMount
from drive_agent.types import ROAD_USERS, ObjectKind, Truth

REACH_M = 60.0
SAME_LEVEL_M = 4.0
SPARE_M = 1.0  # between the measured depth of a visible object and the extent of its box
PATCH_PX = 1  # the centre's neighbourhood that is looked at, each way
PLAUSIBLE_MPS = 40.0  # whoever moved faster was put elsewhere: its motion goes on as it was


def rear_axle(truth: Truth) -> tuple[float, float, float]:
    """x, y, yaw of the ego frame in the world."""
    x, y, _, yaw = truth.ego[:4]
    half_base = truth.ego_info.wheelbase_m / 2
    return float(x - half_base * np.cos(yaw)), float(y - half_base * np.sin(yaw)), float(yaw)


def visible_objects(
    truth: Truth, views: dict[str, tuple[CameraMount, np.ndarray, np.ndarray]], futures: list[Truth]
) -> dict[int, list[float]]:
    """Actor id -> row of `data.shards.OBJECT_COLUMNS`, for the road users that at least one camera shows.

    `views`: camera name -> (mount, depth_m (h, w), tags (h, w)); `futures`: the truths 1, 2 and 3 s later.
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
        if k == 0 or info.kind not in ROAD_USERS:
            continue
        cos, sin = np.cos(row[3]), np.sin(row[3])
        place = to_frame(row[:2] + info.center_forward_m * np.array([cos, sin]), *ego)
        radius = float(np.hypot(info.half_length_m, info.half_width_m))
        height = 0.9 if info.kind == ObjectKind.WALKER else info.half_height_m
        ground = row[2] - z - (info.half_height_m if info.kind == ObjectKind.WALKER else 0.0)
        point = np.array([[*place, ground + height]])
        wanted = CLASSES.index("walker" if info.kind == ObjectKind.WALKER else "vehicle")
        if not any(_shown(point, radius, wanted, *view) for view in views.values()):
            continue
        motion = _motion(row, [who.get(actor_id) for who in later], ego[2])
        heading = float(wrap_angle(row[3] - ego[2]))
        speed = float(row[5] * cos + row[6] * sin)
        out[actor_id] = [info.kind, *place, heading, speed, info.half_length_m, info.half_width_m, *motion]
    return out


def _shown(
    point: np.ndarray, radius_m: float, wanted: int, mount: CameraMount, depth_m: np.ndarray, tags: np.ndarray
) -> bool:
    """Whether the picture shows, around the centre's pixel, something of the right class at the right distance."""
    pixels, depth = mount.project(point)
    (u, v), distance = pixels[0], float(depth[0])
    if distance < 0.5 or not (0 <= u < mount.width and 0 <= v < mount.height):
        return False
    rows = slice(max(int(v) - PATCH_PX, 0), int(v) + PATCH_PX + 1)
    columns = slice(max(int(u) - PATCH_PX, 0), int(u) + PATCH_PX + 1)
    near = np.abs(depth_m[rows, columns] - distance) < radius_m + SPARE_M
    return bool((near & (CLASS_OF_TAG[tags[rows, columns]] == wanted)).any())


def _motion(row: np.ndarray, later: list[np.ndarray | None], yaw_rad: float) -> list[float]:
    """Displacement after 1, 2, 3 s in axes of the ego frame; straight on for who is not there any more."""
    out: list[float] = []
    for seconds, future in enumerate(later, start=1):
        step = row[5:7] * seconds if future is None else future[:2] - row[:2]
        if np.hypot(*step) > PLAUSIBLE_MPS * seconds:
            step = row[5:7] * seconds
        out += to_frame(step, 0.0, 0.0, yaw_rad).tolist()
    return out
