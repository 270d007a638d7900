"""A clip in, the arrays of its cases out: everything that protocols score against, and nothing that was planned.

As the published pipelines build them: future path of LIDAR_TOP's origin in its frame of now, agents by instance in
the ego frame of now, who was seen before, whom VAD's loader keeps.
"""

from __future__ import annotations

import numpy as np

from drive_agent.data.clips import Clip, KeyFrame
from drive_agent.data.rigid import quaternion_of, yaw_of
from drive_agent.score.openloop.cases import STEPS
from drive_agent.score.openloop.classes import DETECTED, of_detection_classes

VAD_RANGE_M = (15.0, 30.0)  # to the right and forward of the lidar, either way
TURN_M = 2.0  # sideways at the last step: the published commands
COMMANDS = ("right", "left", "forward")
PAST = 4  # key frames before now that planners may know
AREA = ("area_edges", "area_polygons", "area_bounds")  # where one may drive
GROUND = ("map_file", *AREA, "no_map")  # what lay under the wheels
SEEN_AS = (
    "box_height",
    "box_velocity",
    "box_attribute",
)  # of each agent now: what detections are compared with
BESIDE = ("tokens", "times_us", "past_pose", "past_ok", *GROUND, *SEEN_AS)  # arrays that no protocol reads
VELOCITY_SPAN_S = 1.5  # to the annotation before or after; over a longer one nobody knows a velocity

PER_AGENT = (
    "boxes",
    "box_z",
    "box_points",
    "box_visibility",
    "box_ok",
    "box_class",
    "seen_before",
    "loaded_by_vad",
    *SEEN_AS,
)  # padded to the scene's longest list


def truth_arrays(clip: Clip) -> dict[str, np.ndarray]:
    """All arrays of `score_plans` but `pred_lidar`, one sample a key frame, and beside them: `tokens`, `times_us`;

    the ego's earlier poses, `past_pose` (N, 4, 3) x, y, yaw in the ego frame of now, oldest first, with `past_ok` (N, 4);
    and of the agents now `box_height` (N, A), `box_attribute` (N, A) and `box_velocity` (N, A, 2) in ego, nan if not known.
    """
    categories = sorted({name for frame in clip.frames for name in frame.boxes.categories})
    velocities = _velocities(clip.frames)
    samples = [
        _sample(clip.frames, k, categories) | _seen_as(clip.frames, k, velocities[k])
        for k in range(len(clip.frames))
    ]
    agents = max((len(sample["box_class"]) for sample in samples), default=0)
    padded = [{name: _padded(name, value, agents) for name, value in sample.items()} for sample in samples]
    arrays = {name: np.stack([sample[name] for sample in padded]) for name in padded[0]}
    arrays["class_names"] = np.array(categories, dtype=str)
    arrays["tokens"] = np.array([frame.token for frame in clip.frames])
    arrays["times_us"] = np.array([frame.time_us for frame in clip.frames])
    return arrays


def command(gt_lidar: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Index into `COMMANDS` (N,): where the last valid step of the true path lies. It looks into the future."""
    last = np.maximum(mask.sum(axis=1) - 1, 0)
    sideways = np.take_along_axis(gt_lidar[..., 0], last[:, None], axis=1)[:, 0] * mask.any(axis=1)
    return np.where(sideways >= TURN_M, 0, np.where(sideways <= -TURN_M, 1, 2))


def _sample(frames: tuple[KeyFrame, ...], now: int, categories: list[str]) -> dict[str, np.ndarray]:
    frame = frames[now]
    ahead = frames[now : now + STEPS + 1]
    world_to_ego = np.linalg.inv(frame.ego_to_world)
    world_to_lidar = np.linalg.inv(frame.ego_to_world @ frame.lidar_to_ego)
    pose, path = np.zeros((STEPS + 1, 3)), np.zeros((STEPS, 2))
    for k, later in enumerate(ahead):
        moved = world_to_ego @ later.ego_to_world
        pose[k] = moved[0, 3], moved[1, 3], yaw_of(moved)
        if k:
            path[k - 1] = (world_to_lidar @ later.ego_to_world @ later.lidar_to_ego)[:2, 3]
    mask = np.arange(1, STEPS + 1) < len(ahead)
    world = frame.ego_to_world
    return {
        "ego_pose": pose,
        "gt_lidar": path,
        "mask": mask,
        "lidar2ego_t": frame.lidar_to_ego[:3, 3],
        "lidar2ego_q": quaternion_of(frame.lidar_to_ego[:3, :3]),
        "global_pose": np.array([world[0, 3], world[1, 3], yaw_of(world)]),
        "has_history": np.array(now >= 2),
        **_past(frames, now, world_to_ego),
        **_agents(frames, now, categories),
    }


def _past(frames: tuple[KeyFrame, ...], now: int, world_to_ego: np.ndarray) -> dict[str, np.ndarray]:
    pose, known = np.zeros((PAST, 3)), np.arange(-PAST, 0) + now >= 0
    for row in np.flatnonzero(known):
        moved = world_to_ego @ frames[now - PAST + row].ego_to_world
        pose[row] = moved[0, 3], moved[1, 3], yaw_of(moved)
    return {"past_pose": pose, "past_ok": known}


def _agents(frames: tuple[KeyFrame, ...], now: int, categories: list[str]) -> dict[str, np.ndarray]:
    ahead = frames[now : now + STEPS + 1]
    rows = {name: row for row, name in enumerate(dict.fromkeys(n for f in ahead for n in f.boxes.instances))}
    count = len(rows)
    boxes = np.zeros((count, STEPS + 1, 5))
    z, points, visibility = (np.zeros((count, STEPS + 1)) for _ in range(3))
    there = np.zeros((count, STEPS + 1), bool)
    kinds = np.zeros(count, int)
    world_to_ego = np.linalg.inv(frames[now].ego_to_world)
    for k, frame in enumerate(ahead):
        seen = frame.boxes
        index = np.array([rows[name] for name in seen.instances], int)
        centers = seen.centers @ world_to_ego[:3, :3].T + world_to_ego[:3, 3]
        fronts = seen.axes @ world_to_ego[:3, :3].T
        boxes[index, k, :2], z[index, k] = centers[:, :2], centers[:, 2]
        boxes[index, k, 2:4] = seen.sizes[:, :2]
        boxes[index, k, 4] = np.arctan2(fronts[:, 1], fronts[:, 0])
        points[index, k], visibility[index, k], there[index, k] = seen.points, seen.visibility, True
        kinds[index] = [categories.index(name) for name in seen.categories]
    return {
        "boxes": boxes,
        "box_z": z,
        "box_points": points.astype(np.int32),
        "box_visibility": visibility.astype(np.int8),
        "box_ok": there,
        "box_class": kinds,
        "seen_before": _seen_before(frames[max(now - 2, 0) : now], rows),
        "loaded_by_vad": _loaded_by_vad(boxes, z, frames[now])
        & of_detection_classes(categories, DETECTED)[kinds],
    }


def _velocities(frames: tuple[KeyFrame, ...]) -> list[dict[str, np.ndarray]]:
    """World velocity (2,) of each instance of each frame, as the devkit estimates it: between the annotations around it."""
    tracks: dict[str, list[tuple[int, np.ndarray]]] = {}
    for k, frame in enumerate(frames):
        for name, center in zip(frame.boxes.instances, frame.boxes.centers, strict=True):
            tracks.setdefault(name, []).append((k, center[:2]))
    found: list[dict[str, np.ndarray]] = [{} for _ in frames]
    for name, track in tracks.items():
        for at, (k, _) in enumerate(track):
            first, last = max(at - 1, 0), min(at + 1, len(track) - 1)
            (before, start), (after, end) = track[first], track[last]
            span_s = (frames[after].time_us - frames[before].time_us) / 1e6
            is_known = 0 < span_s <= VELOCITY_SPAN_S * (last - first)
            found[k][name] = (end - start) / span_s if is_known else np.full(2, np.nan)
    return found


def _seen_as(
    frames: tuple[KeyFrame, ...], now: int, velocities: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The agents of now come first among those of a sample."""
    boxes, turn = frames[now].boxes, frames[now].ego_to_world[:2, :2]
    moves = np.array([velocities[name] for name in boxes.instances]).reshape(-1, 2)
    return {
        "box_height": boxes.sizes[:, 2],
        "box_velocity": moves @ turn,
        "box_attribute": np.array(boxes.attributes, dtype="U32"),
    }


def _seen_before(frames: tuple[KeyFrame, ...], rows: dict[str, int]) -> np.ndarray:
    seen = {
        name
        for frame in frames
        for name, visibility in zip(frame.boxes.instances, frame.boxes.visibility, strict=True)
        if visibility != 1
    }
    return np.array([name in seen for name in rows], bool)


def _loaded_by_vad(boxes: np.ndarray, z: np.ndarray, frame: KeyFrame) -> np.ndarray:
    centers = np.concatenate([boxes[:, 0, :2], z[:, :1]], axis=1)
    in_lidar = (centers - frame.lidar_to_ego[:3, 3]) @ frame.lidar_to_ego[:3, :3]
    return (np.abs(in_lidar[:, :2]) < VAD_RANGE_M).all(axis=1)


def _padded(name: str, value: np.ndarray, agents: int) -> np.ndarray:
    if name not in PER_AGENT:
        return value
    return np.concatenate([value, np.zeros((agents - len(value), *value.shape[1:]), value.dtype)])
