"""The road users that a scenario puts in, and how they follow a path at a speed. Knows nothing of scenarios.

World frame, metres, seconds, radians.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from drive_agent.geometry import project, resample, to_frame
from drive_agent.types import Command, Truth
from scenarios.routes import Pose
from scenarios.world import World

LOOK_AHEAD_S, LOOK_AHEAD_M = 0.5, 3.5
WHEELBASE_M = 2.8
FULL_STEER_RAD = 0.6  # of the wheels; what a steer of 1 comes to
THROTTLE_PER_MPS, THROTTLE_HOLD, HOLD_PER_MPS = 0.35, 0.25, 0.02
# throttle that comes up while a speed is not reached: bicycles need more than cars
TRIM_PER_M, TRIM_MOST = 0.3, 0.5
BRAKE_PER_MPS, SLACK_MPS = 0.25, 0.6
END_M = 1.0  # so near to the end of its path a car has arrived
CAREFUL_BRAKE_MPS2, CAREFUL_GAP_M, CAREFUL_SIDE_M = (
    4.0,
    7.0,
    1.8,
)  # how a careful one keeps off others in its way


class Performer:
    """One actor of a scenario. `row` is its row of `Truth.actors`, None before its first tick and after its end."""

    def __init__(self, world: World, actor_id: int, born: Pose) -> None:
        self.id = actor_id
        self._world = world
        self._born = born
        self._path: np.ndarray | None = None
        self._speed_mps = 0.0
        self._careful = False
        self._trim = 0.0
        self._time_us: int | None = None
        self.row: np.ndarray | None = None
        self.arrived = False

    @property
    def position(self) -> np.ndarray:
        """(2,)."""
        return np.array(self._born[:2]) if self.row is None else self.row[:2]

    @property
    def yaw_rad(self) -> float:
        return self._born[3] if self.row is None else float(self.row[3])

    @property
    def speed_mps(self) -> float:
        return 0.0 if self.row is None else math.hypot(self.row[5], self.row[6])

    def follow(
        self, path: np.ndarray, speed_mps: float, *, at_once: bool = False, careful: bool = False
    ) -> None:
        """Drive along points (n >= 2, 2) at a speed, and stand at their end.

        `at_once` starts with that speed instead of from standstill, `careful` brakes for what is in the way.
        """
        self._path, self._speed_mps, self._careful, self.arrived = path, speed_mps, careful, False
        if at_once:
            direction = path[1] - path[0]
            self._world.launch(self.id, speed_mps * direction / np.linalg.norm(direction))

    def change_speed(self, speed_mps: float) -> None:
        """From now on."""
        self._speed_mps = speed_mps

    def brake(self, share: float = 1.0) -> None:
        """Forget the path and stand on the brake."""
        self._path = None
        self._world.drive(self.id, Command(0.0, 0.0, share))

    def park(self) -> None:
        """Hand brake on."""
        self._path = None
        self._world.drive(self.id, Command(0.0, 0.0, 0.0), hand_brake=True)

    def walk(self, velocity_mps: np.ndarray) -> None:
        """A person's velocity (2,)."""
        self._world.walk(self.id, velocity_mps)

    def place(self, pose: Pose) -> None:
        """Move at once."""
        self._world.place(self.id, pose)

    def show_lights(self, names: Iterable[str]) -> None:
        """See `World.show_lights`."""
        self._world.show_lights(self.id, names)

    def open_door(self, side: str) -> None:
        """See `World.open_door`."""
        self._world.open_door(self.id, side)

    def step(self, truth: Truth, rows: dict[int, int]) -> None:
        """Read the tick and steer along the path, if there is one. `rows`: actor id -> row of `truth.actors`."""
        self.row = truth.actors[rows[self.id]] if self.id in rows else None
        if self._path is None or self.row is None:
            return
        if np.linalg.norm(self._path[-1] - self.row[:2]) < END_M + 0.1 * self.speed_mps:
            self.arrived = True
            self.brake()
            return
        station_m, _ = project(self._path, self.row[:2])
        wanted_mps = self._speed_mps
        if self._careful:
            wanted_mps = min(wanted_mps, _careful_speed(self._path, station_m, truth.actors[:, :2]))
        self._hold(wanted_mps, truth.time_us)
        self._world.drive(self.id, _command(self._path, station_m, self.row, wanted_mps, self._trim))

    def _hold(self, wanted_mps: float, time_us: int) -> None:
        passed_s = 0.0 if self._time_us is None else (time_us - self._time_us) * 1e-6
        self._time_us = time_us
        trim = self._trim + TRIM_PER_M * (wanted_mps - self.speed_mps) * passed_s
        self._trim = float(np.clip(trim, 0.0, TRIM_MOST)) if wanted_mps > 0.0 else 0.0


def _command(path: np.ndarray, station_m: float, row: np.ndarray, wanted_mps: float, trim: float) -> Command:
    """Pure pursuit along the path, a proportional controller for the speed with a throttle that makes up for drag."""
    speed_mps = math.hypot(row[5], row[6])
    reach_m = LOOK_AHEAD_M + LOOK_AHEAD_S * speed_mps
    target = to_frame(resample(path, np.array([station_m + reach_m])), row[0], row[1], row[3])[0]
    curvature = 2.0 * target[1] / max(float(target @ target), 1e-3)
    steer = float(np.clip(math.atan(WHEELBASE_M * curvature) / FULL_STEER_RAD, -1.0, 1.0))
    error_mps = wanted_mps - speed_mps
    if error_mps < -SLACK_MPS or wanted_mps == 0.0:
        return Command(0.0, steer, float(np.clip(-BRAKE_PER_MPS * error_mps, 0.1, 1.0)))
    hold = THROTTLE_HOLD + HOLD_PER_MPS * wanted_mps + trim
    return Command(float(np.clip(hold + THROTTLE_PER_MPS * error_mps, 0.0, 1.0)), steer, 0.0)


def _careful_speed(path: np.ndarray, station_m: float, others: np.ndarray) -> float:
    """The speed from which one can still stop behind the first of the others (n, 2) that is in the way."""
    here = resample(path, np.array([station_m]))[0]
    near = others[np.linalg.norm(others - here, axis=1) < 60.0]
    ahead_m = math.inf
    for point in near:
        at_m, aside_m = project(path, point)
        if at_m > station_m + 1.0 and abs(aside_m) < CAREFUL_SIDE_M:
            ahead_m = min(ahead_m, at_m - station_m)
    return math.sqrt(2.0 * CAREFUL_BRAKE_MPS2 * max(ahead_m - CAREFUL_GAP_M, 0.0))
