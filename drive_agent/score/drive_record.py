"""A whole drive as arrays, for figures that look ahead: where everybody was, and what the model said at each call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.log.schema import TickRecord
from drive_agent.log.store import Episode
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.types import ROAD_USERS, ObjectKind, Truth

X, Y, YAW, VX, VY = 0, 1, 3, 5, 6  # columns of Truth.actors


@dataclass(frozen=True)
class Users:
    """The road users around the ego at one moment, world frame."""

    ids: tuple[int, ...]
    kinds: tuple[ObjectKind, ...]
    boxes: np.ndarray  # (n, 5) centre x, y, width, length, yaw
    velocities_mps: np.ndarray  # (n, 2)


class DriveRecord:
    """Truths and model calls of one log."""

    def __init__(self, episode: Episode) -> None:
        self.route = episode.route
        self.road_map = episode.road_map
        self.config = episode.header.config
        self.truths: list[Truth] = list(episode.truths())
        self.ticks: list[TickRecord] = [record for _, record in episode.ticks()]
        self.calls: list[TickRecord] = [record for record in self.ticks if record.reply is not None]
        self._times_us = np.array([truth.time_us for truth in self.truths])
        steps_us = np.diff(self._times_us)
        self._near_us = float(np.median(steps_us)) / 2 + 1_000 if len(steps_us) else 1_000.0
        self._poses = np.array([ego_pose(truth) for truth in self.truths]).reshape(-1, 3)

    def index_at(self, time_us: float) -> int | None:
        """The tick at a time, None where there is none within half a tick."""
        if not len(self._times_us):
            return None
        k = int(np.argmin(np.abs(self._times_us - time_us)))
        return k if abs(self._times_us[k] - time_us) <= self._near_us else None

    def pose(self, index: int) -> np.ndarray:
        """(3,) x, y, yaw of the ego frame (rear axle) in the world."""
        return self._poses[index]

    def users(self, index: int) -> Users:
        """Everybody but the ego at a tick."""
        truth = self.truths[index]
        kept = [k for k in range(1, len(truth.ids)) if truth.infos[truth.ids[k]].kind in ROAD_USERS]
        infos = [truth.infos[truth.ids[k]] for k in kept]
        rows = truth.actors[kept]
        ahead = np.array([info.center_forward_m for info in infos])
        boxes = np.column_stack(
            [
                rows[:, X] + ahead * np.cos(rows[:, YAW]),
                rows[:, Y] + ahead * np.sin(rows[:, YAW]),
                [2 * info.half_width_m for info in infos],
                [2 * info.half_length_m for info in infos],
                rows[:, YAW],
            ]
        )
        return Users(
            tuple(truth.ids[k] for k in kept),
            tuple(info.kind for info in infos),
            boxes.reshape(-1, 5),
            rows[:, [VX, VY]].reshape(-1, 2),
        )


def ego_pose(truth: Truth) -> tuple[float, float, float]:
    """x, y, yaw of the ego frame (rear axle on the ground) in the world."""
    x, y, yaw = truth.ego[X], truth.ego[Y], truth.ego[YAW]
    return x - REAR_AXLE_TO_ORIGIN_M * np.cos(yaw), y - REAR_AXLE_TO_ORIGIN_M * np.sin(yaw), yaw
