"""Frames on their way to becoming rows of the training data: what is remembered of each, and how a row is made of it.

Knows nothing of carla.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.agent.frame import encode_picture
from drive_agent.data.drivable import pack
from drive_agent.data.shards import AGENTS, NONE_M, pack_objects
from drive_agent.drive.cell_labels import bulb_cells, class_cells, decode_depth, depth_cells
from drive_agent.drive.drivable import DrivableDrawer
from drive_agent.drive.visible import rear_axle, shows, visible_objects
from drive_agent.expert.situation import Situation
from drive_agent.geometry import to_frame, wrap_angle
from drive_agent.rig import CameraMount
from drive_agent.types import LightState, ObjectKind, PromptState, Truth

STILL_MPS = 0.2
LIGHT_REACH_M, REACH_M = 50.0, 45.0
EACH_SECOND = (1, 3, 5)  # of the futures, half a second apart
AGENTS_REACH_M = 60.0
FLAT_M = 0.2  # things that are not higher are driven over
SEEN_OR_FELT_M = 8.0  # the centre of what is nearer may lie outside the pictures


Pictures = dict[str, dict[str, np.ndarray]]  # camera -> kind -> raw picture


@dataclass
class Sample:
    """One frame before it is a row."""

    frame: int
    truth: Truth
    path_ego: np.ndarray
    situation: Situation
    state: PromptState
    keep: bool
    row: int = -1
    raw: Pictures | None = None  # the pictures, where somebody drove by them


def something_happens(before: Sample, now: Sample) -> bool:
    """Whether a frame tells something that the one before did not: anything but standing in an unchanged scene."""
    a, b = before.situation, now.situation
    if now.state.speed_mps > STILL_MPS or b.target_speed_mps > 0.5 or a.light != b.light:
        return True
    return (a.lead_id, a.yield_to) != (b.lead_id, b.yield_to)


def row_of(
    sample: Sample,
    futures: list[Truth],
    mounts: tuple[CameraMount, ...],
    raw: Pictures,
    drawer: DrivableDrawer,
) -> dict[str, object]:
    """All columns of `data.shards.columns` but `prev_index`; `futures` are the truths at each of its STEPS."""
    out: dict[str, object] = {}
    views = {}
    for mount in mounts:
        pictures = raw[mount.name]
        rgb, tags = pictures["rgb"][..., 2::-1], pictures["tags"][..., 2]
        depth_m = decode_depth(pictures["depth"])
        out[f"{mount.name}_rgb"] = encode_picture(mount.name, 0, rgb).rgb  # as it is seen when driving
        out[f"{mount.name}_depth"] = depth_cells(depth_m)
        out[f"{mount.name}_class"] = class_cells(tags)
        out[f"{mount.name}_bulb"] = bulb_cells(rgb, tags)
        views[mount.name] = (mount, depth_m, tags)
    situation, state = sample.situation, sample.state
    objects = visible_objects(sample.truth, views, [futures[k] for k in EACH_SECOND])
    gap_m, lead = situation.gap_m, situation.lead_id
    far = gap_m is not None and gap_m > SEEN_OR_FELT_M
    if far and lead is not None and not shows(sample.truth, lead, views):
        gap_m = None  # round a corner or hidden: nothing in the pictures tells of it
    agents, is_thing = recorded_agents(sample.truth, futures)
    has_light = situation.light_m is not None and situation.light_m <= LIGHT_REACH_M
    return out | {
        "objects": pack_objects(objects.values()),
        "path": sample.path_ego,
        "route_path": situation.route_path_ego,
        "target_speed_mps": situation.target_speed_mps,
        "light": situation.light if has_light else LightState.NONE,
        "light_m": situation.light_m if has_light else NONE_M,
        "gap_m": _or_none(gap_m),
        "lead_speed_mps": 0.0 if gap_m is None else situation.lead_speed_mps,
        "stop_m": _or_none(situation.stop_m),
        "speed_mps": state.speed_mps,
        "since_stop_m": state.since_stop_m,
        "maneuver": state.maneuver,
        "maneuver_m": state.maneuver_m,
        "targets_ego": state.targets_ego,
        "cause": situation.cause,
        "lead_kind": -1 if gap_m is None or situation.lead_kind is None else situation.lead_kind,
        "yield_m": _or_none(situation.yield_m),
        "driven": recorded_poses(sample.truth, futures),
        "agents": agents,
        "is_thing": is_thing,
        "drivable": pack(drawer.draw(*rear_axle(sample.truth))),
    }


def recorded_poses(truth: Truth, futures: list[Truth]) -> np.ndarray:
    """Own x, y, yaw now and at the later truths, in the ego frame of now."""
    now = rear_axle(truth)
    poses = np.array([rear_axle(later) for later in (truth, *futures)])
    return np.column_stack([to_frame(poses[:, :2], *now), wrap_angle(poses[:, 2] - now[2])])


def recorded_agents(truth: Truth, futures: list[Truth]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (STEPS + 1, AGENTS, 5) of the nearest ones around, and which of them are things."""
    now = rear_axle(truth)
    ego_m = np.hypot(*to_frame(truth.actors[:, :2], *now).T)
    chosen = [
        k
        for k in np.argsort(ego_m, kind="stable")
        if k and ego_m[k] < AGENTS_REACH_M and truth.infos[truth.ids[k]].half_height_m > FLAT_M / 2
    ][:AGENTS]
    boxes = np.zeros((len(futures) + 1, AGENTS, 5))
    is_thing = np.zeros(AGENTS, dtype=np.uint8)
    for step, then in enumerate((truth, *futures)):
        rows = dict(zip(then.ids, then.actors, strict=True))
        for slot, k in enumerate(chosen):
            info, row = truth.infos[truth.ids[k]], rows.get(truth.ids[k])
            is_thing[slot] = info.kind == ObjectKind.PROP
            if row is not None:
                ahead = info.center_forward_m * np.array([np.cos(row[3]), np.sin(row[3])])
                size = (2 * info.half_width_m, 2 * info.half_length_m)
                boxes[step, slot] = (*to_frame(row[:2] + ahead, *now), *size, wrap_angle(row[3] - now[2]))
    return boxes, is_thing


def _or_none(distance_m: float | None) -> float:
    return NONE_M if distance_m is None or distance_m > REACH_M else distance_m
