"""Disturbs an expert at the wheel, so that demonstrations show how to come back to the lane and to the right speed.

Knows nothing of carla.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.types import Command


@dataclass(frozen=True)
class DisturbConfig:
    steer_every_s: float = 5.0  # mean time between two pushes at the wheel
    steer_length_s: tuple[float, float] = (0.5, 1.5)
    curvature_per_m: tuple[float, float] = (0.015, 0.06)
    pace_every_s: float = 12.0
    pace_length_s: tuple[float, float] = (1.0, 3.5)
    pace: tuple[float, float] = (0.3, 1.25)  # factor on the planned speeds
    offset_max_m: float = 0.9  # beyond it the push ends


class Disturbance:
    """Pushes at the wheel and wrong pace, at random times. One for each car; `step` once a tick."""

    def __init__(self, config: DisturbConfig, rng: np.random.Generator, tick_s: float) -> None:
        self._config = config
        self._rng = rng
        self._tick_s = tick_s
        self._steer_left_s = self._pace_left_s = 0.0
        self._steer = 0.0
        self._pace = 1.0

    @property
    def pace(self) -> float:
        """Factor on the planned speeds."""
        return self._pace if self._pace_left_s > 0.0 else 1.0

    def step(self, offset_m: float, steer_per_curvature_m: float) -> None:
        """Advance one tick. `offset_m`: distance from the lane centre, `steer_per_curvature_m`: wheel for 1/m."""
        config, rng = self._config, self._rng
        self._steer_left_s -= self._tick_s
        self._pace_left_s -= self._tick_s
        if abs(offset_m) > config.offset_max_m:
            self._steer_left_s = 0.0
        if self._steer_left_s <= 0.0 and rng.random() < self._tick_s / config.steer_every_s:
            self._steer_left_s = rng.uniform(*config.steer_length_s)
            self._steer = rng.choice((-1, 1)) * rng.uniform(*config.curvature_per_m) * steer_per_curvature_m
        if self._pace_left_s <= 0.0 and rng.random() < self._tick_s / config.pace_every_s:
            self._pace_left_s = rng.uniform(*config.pace_length_s)
            self._pace = rng.uniform(*config.pace)

    def on(self, command: Command) -> Command:
        """The command with the push at the wheel in place of the controller's small correction."""
        if self._steer_left_s <= 0.0:
            return command
        steer = float(np.clip(command.steer + self._steer, -1.0, 1.0))
        return Command(command.throttle, steer, command.brake)
