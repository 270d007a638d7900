"""Plan and own state in, pedals out: one lateral and one longitudinal PID, each with its own log.

The law is that of the LBC / TransFuser line (P on the last error, I on the mean of a window, D on the last
difference, no time step); lateral gains and look-ahead are PDM-Lite's. Knows nothing of models or simulators.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import arc_length, from_frame, resample, to_frame
from drive_agent.types import Command, ControlTerms, EgoState, Plan


@dataclass(frozen=True)
class PidGains:
    p: float
    i: float
    d: float
    window: int


@dataclass(frozen=True)
class ControlConfig:
    """Gains and limits. Steering errors are in units of 90 degrees, speeds in m/s."""

    lateral: PidGains = PidGains(3.118, 0.641, 1.378, 6)
    lookahead_min_m: float = 2.4
    lookahead_max_m: float = 10.5
    lookahead_per_mps: float = 0.35
    longitudinal: PidGains = PidGains(1.2, 0.3, 0.1, 20)
    throttle_max: float = 0.75
    brake_gain: float = 0.25  # brake per m/s of overspeed
    overspeed_ratio: float = 1.05  # below it the car coasts
    stop_below_mps: float = 0.3  # a smaller target speed means stand still
    hold_brake: float = 0.5
    preview_s: float = 0.5  # the target speed is read this far ahead on the profile


class Pid:
    """PID over a window of errors."""

    def __init__(self, gains: PidGains) -> None:
        self._gains = gains
        self._errors: deque[float] = deque([0.0] * gains.window, maxlen=gains.window)

    def step(self, error: float) -> tuple[float, float, float]:
        """The three terms for a new error."""
        self._errors.append(error)
        gains = self._gains
        return (
            gains.p * error,
            gains.i * sum(self._errors) / len(self._errors),
            gains.d * (self._errors[-1] - self._errors[-2]),
        )

    def reset(self) -> None:
        self._errors.extend([0.0] * self._gains.window)


def move_plan(plan: Plan, then: EgoState, now: EgoState) -> tuple[np.ndarray, float]:
    """The plan's path (n, 2) seen from the car's pose now, and the plan's age in seconds."""
    in_local = from_frame(plan.path_ego, then.x_m, then.y_m, then.yaw_rad)
    return to_frame(in_local, now.x_m, now.y_m, now.yaw_rad), (now.time_us - plan.time_us) / 1e6


class Controller:
    """Tracks a plan. `step` returns the command and the log of both controllers."""

    def __init__(self, config: ControlConfig) -> None:
        self._config = config
        self._lateral = Pid(config.lateral)
        self._longitudinal = Pid(config.longitudinal)

    def step(self, plan: Plan, then: EgoState, now: EgoState) -> tuple[Command, ControlTerms, ControlTerms]:
        """Track `plan`, made when the car was at `then`, from where it is `now`."""
        path, age_s = move_plan(plan, then, now)
        steer, lateral = self._steer(path, now.speed_mps)
        target = float(np.interp(age_s + self._config.preview_s, plan.speed_times_s, plan.speeds_mps))
        throttle, brake, longitudinal = self._pedals(target, now.speed_mps)
        return Command(throttle, steer, brake), lateral, longitudinal

    def _steer(self, path: np.ndarray, speed_mps: float) -> tuple[float, ControlTerms]:
        aim = aim_point(path, self._lookahead(speed_mps))
        error = float(np.arctan2(aim[1], max(aim[0], 0.1)) / (np.pi / 2))
        if speed_mps < 0.05:  # standing: an integral would wind up on an angle that cannot change
            self._lateral.reset()
        p, i, d = self._lateral.step(error)
        raw = p + i + d
        steer = float(np.clip(raw, -1.0, 1.0))
        return steer, ControlTerms(0.0, error, p, i, d, steer != raw)

    def _lookahead(self, speed_mps: float) -> float:
        config = self._config
        reach = 0.2 + config.lookahead_per_mps * speed_mps * 3.6 * 0.28 + config.lookahead_min_m
        return float(np.clip(reach, config.lookahead_min_m, config.lookahead_max_m))

    def _pedals(self, target_mps: float, speed_mps: float) -> tuple[float, float, ControlTerms]:
        config = self._config
        error = target_mps - speed_mps
        if target_mps < config.stop_below_mps:
            self._longitudinal.reset()
            brake = max(config.hold_brake, min(1.0, config.brake_gain * speed_mps))
            return 0.0, brake, ControlTerms(target_mps, error, -brake, 0.0, 0.0, brake == 1.0)
        if speed_mps > target_mps * config.overspeed_ratio:
            self._longitudinal.reset()
            brake = float(np.clip(config.brake_gain * -error, 0.0, 1.0))
            return 0.0, brake, ControlTerms(target_mps, error, -brake, 0.0, 0.0, brake == 1.0)
        p, i, d = self._longitudinal.step(error)
        raw = p + i + d
        throttle = float(np.clip(raw, 0.0, config.throttle_max))
        return throttle, 0.0, ControlTerms(target_mps, error, p, i, d, throttle != raw)


def aim_point(path: np.ndarray, distance_m: float) -> np.ndarray:
    """The point (2,) of a path that lies `distance_m` ahead of the car's nearest place on it."""
    nearest = int(np.argmin((path**2).sum(1)))
    along = arc_length(path)
    return resample(path, np.array([along[nearest] + distance_m]))[0]
