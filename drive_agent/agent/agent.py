"""One tick of the agent: packet -> frame -> prompt -> reply -> plan -> command -> guard.

Pure: no socket, no file, no torch, no carla. The model answers when the cameras deliver; in between the last plan is
moved to now and tracked. A reply can be made to count later than it came: then the car drives on the plan before, and
pictures that come in between are not asked about, as with a model that takes so long. Knows nothing of ground truth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from drive_agent.agent.control import ControlConfig, Controller
from drive_agent.agent.dialogue import Arrays, Dialogue, Understood
from drive_agent.agent.frame import FrameBuilder
from drive_agent.agent.guard import GuardConfig, check
from drive_agent.models.base import Model
from drive_agent.types import (
    Briefing,
    ControlTerms,
    Decision,
    EgoState,
    Frame,
    Plan,
    PlanError,
    Reply,
    SensorPacket,
)

IDLE = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)


@dataclass(frozen=True)
class AgentConfig:
    control: ControlConfig = field(default_factory=ControlConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    latency_s: float | None = (
        0.0  # simulated time until a reply counts; None: as long as the call really took
    )


class Agent:
    """Drives one route at a time: `brief` it, then `step` with every packet."""

    def __init__(self, model: Model, config: AgentConfig, dialogue: Dialogue | None = None) -> None:
        self.model = model
        self.dialogue: Dialogue = dialogue or Arrays()
        self._config = config

    def brief(self, briefing: Briefing) -> None:
        """Forget the last route and take the next one."""
        self._frames = FrameBuilder(briefing)
        self._control = Controller(self._config.control)
        self._plan: Plan | None = None
        self._planned_at: EgoState | None = None
        self._coming: tuple[Plan | PlanError, EgoState] | None = None  # a reply that does not count yet
        self._due_us = 0

    def step(self, packet: SensorPacket) -> Decision:
        """Everything of one tick, as a `Decision`."""
        now = self._frames.ego(packet)
        thought = self._think(packet) if packet.images else {}
        self._adopt(now)
        plan, planned_at = self._plan, self._planned_at
        command, lateral, longitudinal, age_s = None, IDLE, IDLE, 0.0
        if plan is not None and planned_at is not None:
            command, lateral, longitudinal = self._control.step(plan, planned_at, now)
            age_s = (now.time_us - plan.time_us) / 1e6
        checked, rule = check(command, age_s, self._config.guard)
        return Decision(checked, lateral, longitudinal, rule, plan, ego=now, **thought)

    def recall(self, packet: SensorPacket, decided: Decision) -> None:
        """Live through a tick that was decided before: the state afterwards is as if `step` had decided so."""
        now = self._frames.ego(packet)
        if decided.frame is not None:
            self._frames.remember(decided.frame.cameras)
            if decided.reply is not None:
                self._expect(decided.reply, decided.frame, decided.timings_ms["model"] / 1e3)
        self._adopt(now)
        if decided.plan is not None and (self._plan is None or decided.plan.time_us != self._plan.time_us):
            # Somebody else's, in words or numbers that this agent's dialogue does not read.
            self._plan, self._planned_at = decided.plan, self._frames.ego_at(decided.plan.time_us)
        if self._plan is not None and self._planned_at is not None:
            self._control.step(self._plan, self._planned_at, now)

    def _think(self, packet: SensorPacket) -> dict:
        """Ask the model unless it is busy with the last question. Returns the model's part of the `Decision`."""
        start = time.perf_counter()
        frame = self._frames.frame(packet)
        if self._coming is not None and packet.time_us < self._due_us:
            return {}
        self._adopt(frame.ego)
        prompt = self.dialogue.ask(frame, tuple(camera.name for camera in self.model.cameras))
        asked = time.perf_counter()
        reply = self.model.answer(prompt)
        answered = time.perf_counter()
        timings = {"frame": (asked - start) * 1e3, "model": (answered - asked) * 1e3, **reply.timings_ms}
        thought = {"frame": frame, "prompt": prompt, "reply": reply, "timings_ms": timings}
        said = self._expect(reply, frame, answered - asked)
        error = said.plan if isinstance(said.plan, PlanError) else None
        return {**thought, "plan_error": error, "scene": said.scene, "forecast": said.forecast}

    def _expect(self, reply: Reply, frame: Frame, took_s: float) -> Understood:
        """Let a reply count as soon as its latency is over."""
        said = self.dialogue.understand(reply, frame)
        latency_s = took_s if self._config.latency_s is None else self._config.latency_s
        self._coming, self._due_us = (said.plan, frame.ego), frame.time_us + round(latency_s * 1e6)
        return said

    def _adopt(self, now: EgoState) -> None:
        """Let the reply count once its time has come; a good plan replaces the held one."""
        if self._coming is None or now.time_us < self._due_us:
            return
        (plan, planned_at), self._coming = self._coming, None
        if isinstance(plan, Plan):
            self._plan, self._planned_at = plan, planned_at
