"""The ego's and the other road users' boxes of one tick as arrays, and where those will be soon.

Knows nothing of roads. World frame.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from drive_agent.types import ActorInfo, ObjectKind, Truth

NEAR_M = 75.0
FAR_M = 200.0  # what a pass through the lane of the oncoming traffic has to know
EMERGENCY = ("police", "ambulance", "firetruck")  # in the names of their blueprints
SAME_LEVEL_M = 4.0  # further above or below is another level of the road
LOW_M = 0.25  # things no higher lie flat: one drives over them
# where a box is probed: 5 along its length, 3 across its width, in half sizes
PROBES = np.array([(a, b) for a in (-1.0, -0.5, 0.0, 0.5, 1.0) for b in (-1.0, 0.0, 1.0)])


@dataclass(frozen=True)
class EgoPose:
    """The own car: rear axle on the ground, bumper, width."""

    x_m: float  # of the rear axle
    y_m: float
    yaw_rad: float
    speed_mps: float
    front_m: float  # rear axle to front bumper
    length_m: float
    half_width_m: float


@dataclass(frozen=True)
class Others:
    """Road users near the ego, one row each."""

    ids: np.ndarray  # (n,)
    kind: np.ndarray  # (n,) ObjectKind
    emergency: np.ndarray  # (n,) bool: police, ambulance, fire brigade
    center: np.ndarray  # (n, 2)
    yaw: np.ndarray  # (n,)
    half: np.ndarray  # (n, 2) half length, half width
    velocity: np.ndarray  # (n, 2)
    yaw_rate: np.ndarray  # (n,)

    @property
    def walker(self) -> np.ndarray:
        return self.kind == ObjectKind.WALKER

    @property
    def speed(self) -> np.ndarray:
        return np.linalg.norm(self.velocity, axis=1)

    def near(self, ego: EgoPose, reach_m: float) -> Others:
        """Those within so many metres of the ego's rear axle along both axes."""
        rows = np.abs(self.center - (ego.x_m, ego.y_m)).max(1, initial=0.0) < reach_m
        return Others(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def probes(self, after_s: float = 0.0) -> np.ndarray:
        """Points (n, 15, 2) over each box, moved on with constant speed and turn rate."""
        center, yaw = self.moved(after_s)
        local = PROBES[None] * self.half[:, None]
        cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
        x, y = local[..., 0], local[..., 1]
        return center[:, None] + np.stack([x * cos - y * sin, x * sin + y * cos], -1)

    def moved(self, after_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Centres (n, 2) and yaws (n,) after a while (constant turn rate, chord of the arc)."""
        half_turn = 0.5 * self.yaw_rate * after_s
        cos, sin = np.cos(half_turn), np.sin(half_turn)
        vx, vy = self.velocity[:, 0], self.velocity[:, 1]
        step = np.stack([vx * cos - vy * sin, vx * sin + vy * cos], -1) * after_s
        return self.center + step, self.yaw + 2.0 * half_turn


class Boxes:
    """Turns a `Truth` into `EgoPose` and `Others`; remembers the sizes as long as the actors stay the same."""

    def __init__(self) -> None:
        self._ids: tuple[int, ...] = ()

    def read(self, truth: Truth) -> tuple[EgoPose, Others]:
        """The ego, and who is within `FAR_M` of it along both axes."""
        if truth.ids != self._ids:
            self._measure(truth)
        actors = truth.actors
        x, y, z, yaw = actors[0, :4]
        cos, sin = np.cos(yaw), np.sin(yaw)
        info = truth.ego_info
        axle = 0.5 * info.wheelbase_m
        ego = EgoPose(
            x_m=float(x - axle * cos),
            y_m=float(y - axle * sin),
            yaw_rad=float(yaw),
            speed_mps=float(np.hypot(actors[0, 5], actors[0, 6])),
            front_m=axle + info.center_forward_m + info.half_length_m,
            length_m=2.0 * info.half_length_m,
            half_width_m=info.half_width_m,
        )
        near = np.abs(actors[:, :2] - (x, y)).max(1) < FAR_M
        near &= np.abs(actors[:, 2] - z) < SAME_LEVEL_M
        near &= ~self._flat
        near[0] = False
        rows = np.flatnonzero(near)
        yaws = actors[rows, 3]
        forward = np.stack([np.cos(yaws), np.sin(yaws)], -1)
        others = Others(
            ids=self._id_array[rows],
            kind=self._kind[rows],
            emergency=self._emergency[rows],
            center=actors[rows, :2] + self._shift[rows, None] * forward,
            yaw=yaws,
            half=self._half[rows],
            velocity=actors[rows, 5:7],
            yaw_rate=actors[rows, 7],
        )
        return ego, others

    def _measure(self, truth: Truth) -> None:
        infos: list[ActorInfo] = [truth.infos[k] for k in truth.ids]
        self._ids = truth.ids
        self._id_array = np.array(truth.ids)
        self._half = np.array([(i.half_length_m, i.half_width_m) for i in infos])
        self._shift = np.array([i.center_forward_m for i in infos])
        self._kind = np.array([int(i.kind) for i in infos])
        self._flat = np.array([i.kind == ObjectKind.PROP and 2 * i.half_height_m < LOW_M for i in infos])
        self._emergency = np.array([any(w in i.type_id for w in EMERGENCY) for i in infos])
