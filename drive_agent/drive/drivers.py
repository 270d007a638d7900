"""Who drives: the agent, which sees only packets, and the privileged ones, which plan from ground truth.

Both end in the same controller and guard, so that a score compares plans and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from drive_agent.agent.agent import Agent, AgentConfig
from drive_agent.agent.control import Controller
from drive_agent.agent.guard import check
from drive_agent.drive.env import Ground
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.types import Briefing, Decision, EgoState, Plan, SensorPacket, Truth


class AgentDriver:
    """The agent behind the loop's `Driver` role: ground truth stops here."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        del ground
        self.agent.brief(briefing)

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        del truth
        return self.agent.step(packet)

    def recall(self, packet: SensorPacket, truth: Truth, decided: Decision) -> None:
        """See `fork.RecallingDriver`."""
        del truth
        self.agent.recall(packet, decided)


PlanOf = Callable[[Truth], Plan]  # a privileged planner of one route


class PrivilegedDriver:
    """Plans from ground truth at every tick; the plan is tracked like any other."""

    def __init__(self, planner_of: Callable[[Ground], PlanOf], config: AgentConfig) -> None:
        self._planner_of = planner_of
        self._config = config

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        del briefing
        self._plan_of = self._planner_of(ground)
        self._control = Controller(self._config.control)

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        plan = self._plan_of(truth)
        now = true_state(packet, truth)
        command, lateral, longitudinal = self._control.step(plan, now, now)
        checked, rule = check(command, 0.0, self._config.guard)
        return Decision(checked, lateral, longitudinal, rule, plan, ego=now)

    def recall(self, packet: SensorPacket, truth: Truth, decided: Decision) -> None:
        """See `fork.RecallingDriver`. What it would have decided itself is its state; what was decided, the world's."""
        del decided
        self.step(packet, truth)


def true_state(packet: SensorPacket, truth: Truth) -> EgoState:
    """The ego's exact pose (rear axle), in world axes."""
    x, y, _, yaw = truth.ego[:4]
    cos, sin = math.cos(yaw), math.sin(yaw)
    return EgoState(
        packet.time_us, x - REAR_AXLE_TO_ORIGIN_M * cos, y - REAR_AXLE_TO_ORIGIN_M * sin, yaw, packet.speed_mps,
        packet.accel_mps2, packet.yaw_rate_radps, 0.0,
    )  # fmt: skip
