"""A log on one timeline: at each tick what was true, what was decided, and what the model last said and saw.

Reads everything but the pictures into memory; those are decoded when asked for. Knows nothing of drawing. Needs no
simulator, no model and no GPU.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from drive_agent.geometry import from_frame, to_frame
from drive_agent.log.schema import Outcome, RunHeader, TickRecord
from drive_agent.log.store import Episode
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, RIGS, CameraMount
from drive_agent.roadmap import RoadMap
from drive_agent.score.course import what_was_said
from drive_agent.score.events import Event
from drive_agent.score.judge import judge_episode
from drive_agent.types import Forecast, Maneuver, Plan, Scene, Truth

FRONT_CAMERAS = ("wide", "CAM_FRONT")
INSET_CAMERA = "narrow"


@dataclass(frozen=True)
class Pose:
    """Where the ego frame lies in the world (rear axle on the ground)."""

    x_m: float
    y_m: float
    yaw_rad: float

    def to_world(self, points_ego: np.ndarray) -> np.ndarray:
        """Ego points (..., 2) in the world."""
        return from_frame(points_ego, self.x_m, self.y_m, self.yaw_rad)

    def from_world(self, points_world: np.ndarray) -> np.ndarray:
        """World points (..., 2) in this ego frame."""
        return to_frame(points_world, self.x_m, self.y_m, self.yaw_rad)


def rear_axle_pose(truth: Truth) -> Pose:
    """The true pose of the ego frame."""
    x, y, yaw = truth.ego[0], truth.ego[1], truth.ego[3]
    return Pose(x - REAR_AXLE_TO_ORIGIN_M * np.cos(yaw), y - REAR_AXLE_TO_ORIGIN_M * np.sin(yaw), yaw)


@dataclass(frozen=True)
class Moment:
    """One tick. `plan` and `scene` may be older; their poses say where the ego was when they were made."""

    truth: Truth
    pose: Pose
    record: TickRecord | None  # None where nothing was decided
    plan: Plan | None
    plan_pose: Pose | None
    scene: Scene | None
    forecast: Forecast | None
    scene_pose: Pose | None
    maneuver: Maneuver | None

    @property
    def time_us(self) -> int:
        return self.truth.time_us

    @property
    def speed_mps(self) -> float:
        return float(np.hypot(self.truth.ego[5], self.truth.ego[6]))


@dataclass(frozen=True)
class Picture:
    """One camera picture and where the ego was when it was taken."""

    time_us: int
    rgb: np.ndarray  # uint8 (height, width, 3)
    pose: Pose


class Film:
    """The pictures of one camera, decoded when asked for."""

    def __init__(
        self, mount: CameraMount, jpegs: list[tuple[int, bytes]], pose_at: Callable[[int], Pose]
    ) -> None:
        self.mount = mount
        self._jpegs = jpegs
        self._times_us = [time_us for time_us, _ in jpegs]
        self._pose_at = pose_at

    def index_at(self, time_us: int) -> int | None:
        """Which picture was the newest at a time, None before the first."""
        index = bisect.bisect_right(self._times_us, time_us) - 1
        return None if index < 0 else index

    def picture(self, index: int) -> Picture:
        """Decode one picture. Raises ValueError when it is damaged."""
        time_us, jpeg = self._jpegs[index]
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise ValueError(
                f"the picture of {self.mount.name!r} at {time_us} us is no JPEG; copy the log again"
            )
        return Picture(time_us, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), self._pose_at(time_us))


class Timeline:
    """All moments of one drive, in order. Raises ValueError for a log without a single tick."""

    def __init__(self, path: Path) -> None:
        with Episode.open(path) as episode:
            self.path = path
            self.header: RunHeader = episode.header
            self.road_map: RoadMap = episode.road_map
            self.outcome: Outcome | None = episode.outcome
            self.truncated: str | None = episode.truncated
            truths = list(episode.truths())
            if not truths:
                raise ValueError(
                    f"{path} has no tick, expected a drive: it ended before it began; drive it again"
                )
            self.moments: list[Moment] = list(_moments(truths, dict(episode.ticks())))
            judge = judge_episode(episode)
            self.events: tuple[Event, ...] = judge.events
            self.completion_percent: float = judge.completion_percent
            self.films: dict[str, Film] = {
                mount.name: Film(
                    mount, list(episode.images(mount.name)), lambda t: self.moments[self.index_at(t)].pose
                )
                for mount in mounts_of(episode)
            }
        self.times_us: list[int] = [moment.time_us for moment in self.moments]
        self.track: np.ndarray = np.array(
            [(m.pose.x_m, m.pose.y_m) for m in self.moments]
        )  # (ticks, 2) world

    @property
    def start_us(self) -> int:
        return self.times_us[0]

    @property
    def duration_s(self) -> float:
        return (self.times_us[-1] - self.times_us[0]) / 1e6

    @property
    def front(self) -> Film | None:
        """The camera that looks ahead, None for a drive without pictures."""
        return next((self.films[name] for name in FRONT_CAMERAS if name in self.films), None)

    @property
    def inset(self) -> Film | None:
        """The camera for what is far ahead, if there is one."""
        return self.films.get(INSET_CAMERA)

    def index_at(self, time_us: int) -> int:
        """Index of the last tick not after a time (the first one for earlier times)."""
        return max(bisect.bisect_right(self.times_us, time_us) - 1, 0)


def _moments(truths: list[Truth], records: dict[int, TickRecord]) -> Iterator[Moment]:
    """Join truth and decisions, and carry forward what the model said last."""
    poses = {truth.time_us: rear_axle_pose(truth) for truth in truths}
    for truth, said in zip(truths, what_was_said(poses, records), strict=True):
        yield Moment(
            truth=truth,
            pose=poses[truth.time_us],
            record=said.record,
            plan=said.plan,
            plan_pose=poses.get(said.plan.time_us) if said.plan else None,
            scene=said.scene,
            forecast=said.forecast,
            scene_pose=poses[said.scene_us] if said.scene else None,
            maneuver=said.maneuver,
        )


def mounts_of(episode: Episode) -> list[CameraMount]:
    """The cameras that have pictures, as the rig of the log's configuration places them."""
    if not episode.cameras:
        return []
    name = episode.header.config.get("model", {}).get("rig")
    if name not in RIGS:
        raise ValueError(
            f"{episode.path} names the rig {name!r}, expected one of {sorted(RIGS)}: its cameras are unknown"
        )
    rig = RIGS[name]()
    return [rig[camera] for camera in episode.cameras]
