"""One log a scene, as closed loop writes them: so that everything that opens a drive opens a recorded scene too.

A tick a key frame. The road under the wheels is the run's own map; for nuScenes, whose vector maps another tool reads, it
is a lane along the recorded way. Commands are zero: nothing was driven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drive_agent.data.clips import CameraShot, Clip, KeyFrame
from drive_agent.data.motion import ego_states
from drive_agent.data.resight import Resighter, decoded, encoded
from drive_agent.data.rigid import yaw_of
from drive_agent.drive.provenance import versions
from drive_agent.geometry import arc_length, resample, wrap_angle
from drive_agent.log.schema import OPEN_LOOP, Outcome, RunHeader
from drive_agent.log.store import EpisodeWriter
from drive_agent.openloop.planned import Planned
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, RIGS, CameraMount, nuscenes_rig
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route
from drive_agent.score.openloop.cases import STEP_S, STEPS
from drive_agent.types import (
    ActorInfo,
    CameraImage,
    Command,
    ControlTerms,
    Decision,
    EgoState,
    Frame,
    Maneuver,
    ObjectKind,
    Plan,
    PlanError,
    Truth,
)  # fmt: skip

EGO_ID = 1
LANE_WIDTH_M = 3.5
IDLE = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
EGO = ActorInfo(
    EGO_ID, "vehicle.ego", "hero", ObjectKind.VEHICLE, 2.042, 0.925, 0.78, 0.0, 2 * REAR_AXLE_TO_ORIGIN_M
)


def write_log(path: Path, clip: Clip, planned: Planned, road_map: RoadMap | None, seed: int) -> None:
    """Write a clip with one planner's plans."""
    rig = rig_of(clip.frames[0].cameras)
    plans = {int(row): k for k, row in enumerate(planned.rows)}
    eyes = Eyes(RIGS[rig]().cameras)
    states = ego_states(clip)

    def decisions() -> Iterator[Decision]:
        for k, key in enumerate(clip.frames):
            yield _decision(_frame(key, states[k], eyes.pictures(key)), planned, plans.get(k))

    settings = {"model": {"kind": planned.planner, "period_s": STEP_S, "rig": rig}, "routes": [clip.name]}
    write_clip(path, clip, decisions(), settings, road_map, seed)


def write_clip(
    path: Path,
    clip: Clip,
    decisions: Iterable[Decision],
    settings: dict[str, Any],
    road_map: RoadMap | None,
    seed: int,
) -> None:
    """Write a clip with a decision a key frame, whole or not at all; `settings` as in a log of closed loop."""
    states, route = ego_states(clip), _route(clip)
    head = RunHeader(
        clip.name, 0, clip.location, seed, route, route.points[[0, -1]], (route.maneuvers[0], route.maneuvers[-1]),
        settings, versions(), "",
    )  # fmt: skip
    numbers: dict[str, int] = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(".log.mcap")
    with EpisodeWriter(partial, head, road_map or _lane_along(route, clip.location)) as log:
        for k, decision in enumerate(decisions):
            log.write(_truth(clip, k, states[k], numbers), decision)
        log.finish(
            Outcome("Completed", OPEN_LOOP, 0.0, (clip.frames[-1].time_us - clip.frames[0].time_us) / 1e6)
        )
    partial.replace(path)


def rig_of(shots: tuple[CameraShot, ...]) -> str:
    """The rig that holds these cameras in these sizes; nuScenes' for all others, whose pictures are made to fit it."""
    there = {(shot.name, shot.width, shot.height) for shot in shots}
    for name, make in RIGS.items():
        if there <= {(mount.name, mount.width, mount.height) for mount in make().cameras}:
            return name
    return nuscenes_rig().name


class Eyes:
    """A clip's pictures as a rig would have taken them; cameras that were there are passed on byte by byte."""

    def __init__(self, mounts: Sequence[CameraMount]) -> None:
        self._mounts = tuple(mounts)
        self._resighter: Resighter | None = None

    def pictures(self, key: KeyFrame) -> dict[str, CameraImage]:
        """Pictures of a key frame by name; none where it has none."""
        if not key.cameras:
            return {}
        given = {(shot.name, shot.width, shot.height): shot for shot in key.cameras}
        missing = [m for m in self._mounts if (m.name, m.width, m.height) not in given]
        if self._resighter is None:
            self._resighter = Resighter(missing)
        made = self._resighter.pictures(key.cameras, key.token) if missing else {}
        return {
            m.name: encoded(m.name, key.time_us, made[m.name])
            if m.name in made
            else _as_taken(given[m.name, m.width, m.height], key)
            for m in self._mounts
        }


def _as_taken(shot: CameraShot, key: KeyFrame) -> CameraImage:
    return CameraImage(shot.name, key.time_us, decoded(shot, key.token), shot.read())


def plan_of(poses_ego: np.ndarray, time_us: int) -> Plan:
    """Six poses (6, 3) as a path and a speed profile; standing still is a path of two centimetres."""
    points = np.concatenate([[[0.0, 0.0]], poses_ego[:, :2]])
    along = arc_length(points)
    speeds = np.diff(along) / STEP_S
    path = (
        resample(points, np.linspace(0.0, along[-1], 21))
        if along[-1] > 0.1
        else np.array([[0.0, 0.0], [0.02, 0.0]])
    )
    return Plan(time_us, path, np.arange(1, STEPS + 1) * STEP_S, speeds)


def _frame(key: KeyFrame, state: EgoState, pictures: dict[str, CameraImage]) -> Frame:
    ahead = np.array([[25.0, 0.0], [50.0, 0.0]])
    follow = Maneuver.LANE_FOLLOW
    return Frame(key.time_us, pictures, {}, state, np.zeros((1, 4)), ahead, (follow,) * 2, follow)


def _decision(frame: Frame, planned: Planned, k: int | None) -> Decision:
    plan, error = None, None
    if k is not None and planned.failed[k]:
        error = PlanError("the planner gave no usable plan; it counts as standing still")
    elif k is not None:
        poses = (
            planned.poses[k]
            if planned.poses is not None
            else np.column_stack([_to_ego(planned.path_lidar[k]), np.zeros(STEPS)])
        )
        plan = plan_of(poses, frame.time_us)
    return Decision(Command(0.0, 0.0, 0.0), IDLE, IDLE, "", plan, error, frame=frame, ego=frame.ego)


def _to_ego(path_lidar: np.ndarray) -> np.ndarray:
    """Right and forward as forward and left: as displacements, which a picture cannot tell from the rest."""
    return np.stack([path_lidar[:, 1], -path_lidar[:, 0]], axis=-1)


def _route(clip: Clip) -> Route:
    """The recorded way, a point a metre, a few metres longer than it was driven."""
    track = np.array([frame.ego_to_world[:3, 3] for frame in clip.frames])
    heading = yaw_of(clip.frames[0].ego_to_world)
    keep = [0]
    for k in range(1, len(track)):
        if np.linalg.norm(track[k] - track[keep[-1]]) > 0.5:
            keep.append(k)
    points = track[keep]
    if len(points) < 2:
        points = np.stack([points[0], points[0] + [np.cos(heading), np.sin(heading), 0.0]])
    length = arc_length(points)[-1] + 10.0
    dense = resample(points, np.arange(0.0, length, 1.0))
    steps = np.gradient(dense[:, :2], axis=0)
    yaw = np.arctan2(steps[:, 1], steps[:, 0])
    return Route(dense, yaw, (Maneuver.LANE_FOLLOW,) * len(dense), np.zeros(len(dense), int))


def _lane_along(route: Route, name: str) -> RoadMap:
    count = len(route.points)
    lane = Lane(
        0, 0, 0, -1, "driving", -1, route.points, route.headings, np.full(count, LANE_WIDTH_M), (), (), -1, -1, False,
        False, ("none", "white"), ("none", "white"), 50 / 3.6,
    )  # fmt: skip
    return RoadMap(name, (lane,), (), (), (0.0, 0.0))


def _truth(clip: Clip, k: int, state: EgoState, numbers: dict[str, int]) -> Truth:
    key, boxes = clip.frames[k], clip.frames[k].boxes
    cos, sin = np.cos(state.yaw_rad), np.sin(state.yaw_rad)
    x, y, z = key.ego_to_world[:3, 3]
    rows = [(
        x + REAR_AXLE_TO_ORIGIN_M * cos, y + REAR_AXLE_TO_ORIGIN_M * sin, z, state.yaw_rad, 0.0,
        state.speed_mps * cos, state.speed_mps * sin, state.yaw_rate_radps, state.accel_mps2 * cos,
        state.accel_mps2 * sin,
    )]  # fmt: skip
    infos = {EGO_ID: EGO}
    before = _places(clip.frames[k - 1]) if k else {}
    for row, name in enumerate(boxes.instances):
        number = numbers.setdefault(name, len(numbers) + EGO_ID + 1)
        info = _info(number, boxes.categories[row], boxes.sizes[row])
        infos[number] = info
        center, yaw = boxes.centers[row], float(np.arctan2(boxes.axes[row, 1], boxes.axes[row, 0]))
        velocity, turn = np.zeros(3), 0.0
        if name in before:
            step_s = (key.time_us - clip.frames[k - 1].time_us) / 1e6
            velocity = (center - before[name][0]) / step_s
            turn = float(wrap_angle(yaw - before[name][1])) / step_s
        height = center[2] if info.kind == ObjectKind.WALKER else center[2] - info.half_height_m
        rows.append((center[0], center[1], height, yaw, 0.0, velocity[0], velocity[1], turn, 0.0, 0.0))
    return Truth(key.time_us, k, tuple(infos), np.array(rows, float), {}, infos, ())


def _places(frame: KeyFrame) -> dict[str, tuple[np.ndarray, float]]:
    boxes = frame.boxes
    yaws = np.arctan2(boxes.axes[:, 1], boxes.axes[:, 0])
    return {
        name: (center, float(yaw))
        for name, center, yaw in zip(boxes.instances, boxes.centers, yaws, strict=True)
    }


def _info(number: int, category: str, size: np.ndarray) -> ActorInfo:
    kind, type_id = ObjectKind.PROP, f"static.prop.{category}"
    if category.startswith("human."):
        kind, type_id = ObjectKind.WALKER, f"walker.{category}"
    elif category in ("vehicle.bicycle", "vehicle.motorcycle"):
        kind, type_id = ObjectKind.CYCLIST, category
    elif category.startswith("vehicle."):
        kind, type_id = ObjectKind.VEHICLE, category
    width, length, height = (float(side) / 2 for side in size)
    wheelbase = 0.0 if kind in (ObjectKind.WALKER, ObjectKind.PROP) else 1.2 * length
    return ActorInfo(number, type_id, "recorded", kind, length, width, height, 0.0, wheelbase)
