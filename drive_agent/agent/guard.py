"""The last gate before the pedals: finite, in range, and tracking a plan that is fresh. Says which rule spoke."""

from __future__ import annotations

import math
from dataclasses import dataclass

from drive_agent.types import Command


@dataclass(frozen=True)
class GuardConfig:
    plan_hold_s: float = 1.0  # an older plan is no longer driven
    stop_brake: float = 0.6


def check(command: Command | None, plan_age_s: float, config: GuardConfig) -> tuple[Command, str]:
    """The command that may be sent and the rule that changed it ("" when none did).

    No command means that there has been no plan yet.
    """
    stop = Command(0.0, 0.0, config.stop_brake)
    if command is None:
        return stop, "no plan yet"
    if plan_age_s > config.plan_hold_s:
        return Command(
            0.0, command.steer if math.isfinite(command.steer) else 0.0, config.stop_brake
        ), "plan too old"
    if not all(math.isfinite(v) for v in (command.throttle, command.steer, command.brake)):
        return stop, "command not finite"
    clipped = Command(
        min(max(command.throttle, 0.0), 1.0),
        min(max(command.steer, -1.0), 1.0),
        min(max(command.brake, 0.0), 1.0),
    )
    if clipped != command:
        return clipped, "command out of range"
    return command, ""
