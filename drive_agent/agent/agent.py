"""One tick of the agent: packet -> frame -> prompt -> reply -> plan -> command -> guard.

Pure: no socket, no file, no torch, no carla. The model answers when the cameras deliver; in between the last plan is
moved to now and tracked. Knows nothing of ground truth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from drive_agent.agent.control import ControlConfig, Controller
from drive_agent.agent.frame import FrameBuilder
from drive_agent.agent.guard import GuardConfig, check
from drive_agent.agent.plan_arrays import read_plan, read_scene
from drive_agent.agent.prompt import build_prompt
from drive_agent.models.base import Model
from drive_agent.types import (
    Briefing,
    ControlTerms,
    Decision,
    EgoState,
    Plan,
    PlanError,
    SensorPacket,
)

IDLE = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)


@dataclass(frozen=True)
class AgentConfig:
    control: ControlConfig = field(default_factory=ControlConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)


class Agent:
    """Drives one route at a time: `brief` it, then `step` with every packet."""

    def __init__(self, model: Model, config: AgentConfig) -> None:
        self._model = model
        self._config = config

    def brief(self, briefing: Briefing) -> None:
        """Forget the last route and take the next one."""
        self._frames = FrameBuilder(briefing)
        self._control = Controller(self._config.control)
        self._plan: Plan | None = None
        self._planned_at: EgoState | None = None

    def step(self, packet: SensorPacket) -> Decision:
        """Everything of one tick, as a `Decision`."""
        now = self._frames.ego(packet)
        thought = self._think(packet) if packet.images else {}
        plan, planned_at = self._plan, self._planned_at
        command, lateral, longitudinal, age_s = None, IDLE, IDLE, 0.0
        if plan is not None and planned_at is not None:
            command, lateral, longitudinal = self._control.step(plan, planned_at, now)
            age_s = (now.time_us - plan.time_us) / 1e6
        checked, rule = check(command, age_s, self._config.guard)
        return Decision(checked, lateral, longitudinal, rule, plan, ego=now, **thought)

    def _think(self, packet: SensorPacket) -> dict:
        """Ask the model; a good plan replaces the held one. Returns the model's part of the `Decision`."""
        start = time.perf_counter()
        frame = self._frames.frame(packet)
        prompt = build_prompt(frame, tuple(camera.name for camera in self._model.cameras))
        asked = time.perf_counter()
        reply = self._model.answer(prompt)
        answered = time.perf_counter()
        timings = {"frame": (asked - start) * 1e3, "model": (answered - asked) * 1e3, **reply.timings_ms}
        thought = {"frame": frame, "prompt": prompt, "reply": reply, "timings_ms": timings}
        plan = read_plan(reply, packet.time_us, packet.speed_mps)
        if isinstance(plan, PlanError):
            return {**thought, "plan_error": plan}
        self._plan, self._planned_at = plan, frame.ego
        scene, forecast = read_scene(reply)
        return {**thought, "scene": scene, "forecast": forecast}
