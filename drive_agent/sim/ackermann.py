"""Driving by speed and steering angle instead of pedals: the controller behind `apply_ackermann_control`."""

from dataclasses import dataclass, field

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.vehicle_dynamics import STEER_GAIN
from drive_agent.sim.wire import RequestError, decode_number

DEFAULT_GAINS = [
    0.15,
    0.0,
    0.25,
    0.01,
    0.0,
    0.01,
]  # speed kp, ki, kd, acceleration kp, ki, kd: CARLA's defaults
_COMFORT_MPS2 = 4.0
_STANDSTILL_MPS = 0.1
_SPEED_GAIN = 1.5  # 1/s: wanted acceleration per m/s of speed error


@dataclass
class AckermannDriver:
    """Target of one vehicle. steer in rad (right positive), speed in m/s (negative: reverse), acceleration in m/s^2."""

    actor: Actor
    steer_rad: float = 0.0
    speed_mps: float = 0.0
    acceleration_mps2: float = 0.0
    gains: list[float] = field(default_factory=lambda: list(DEFAULT_GAINS))

    def aim(self, control: object) -> None:
        """`[steer, steer_speed, speed, acceleration, jerk]`, or RequestError."""
        if not isinstance(control, list) or len(control) != 5:
            raise RequestError(f"ackermann control is {control!r}: expected five numbers")
        values = [decode_number(value, "ackermann control") for value in control]
        self.steer_rad, self.speed_mps, self.acceleration_mps2 = values[0], values[2], abs(values[3])

    def step(self, vehicles: np.ndarray, delta_s: float) -> None:
        """Set throttle, brake and steering of the VEHICLE towards the target."""
        row = vehicles[self.actor.slot]
        limit = self.acceleration_mps2 or _COMFORT_MPS2
        backwards = self.speed_mps < 0.0
        speed = -float(row["forward_mps"]) if backwards else float(row["forward_mps"])
        gain = _SPEED_GAIN * self.gains[0] / DEFAULT_GAINS[0]
        wanted = max(-limit, min(limit, gain * (abs(self.speed_mps) - speed)))
        coast, strongest = float(row["coast"]), float(row["gear_force"][0] / row["mass"])
        row["reverse"] = backwards
        if self.speed_mps == 0.0 and speed < _STANDSTILL_MPS:
            row["throttle"], row["brake"] = 0.0, 1.0
        else:
            row["throttle"] = min(1.0, max(0.0, wanted + coast) / (strongest + coast))
            row["brake"] = min(1.0, max(0.0, -wanted - coast) * float(row["mass"] / row["brake_force"]))
        row["steer"] = max(-1.0, min(1.0, self.steer_rad / (STEER_GAIN * float(row["max_steer_rad"]))))
