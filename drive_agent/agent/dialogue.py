"""How the agent speaks with a model: what it asks, and what it understands of the reply.

The embedded model answers in arrays; others in words, which a model that was fine-tuned on them (`Tuned`) and one that
was not (`Stock`) are asked for differently. Knows nothing of who answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from drive_agent.agent import plan_arrays, plan_text, rationale_text
from drive_agent.agent.boxes_text import read_boxes
from drive_agent.agent.prompt import build_prompt
from drive_agent.agent.route_keeping import keep_to_route
from drive_agent.agent.stock_prompt import stock_prompt
from drive_agent.agent.waypoint_text import read_waypoints
from drive_agent.rig import CameraMount
from drive_agent.types import Forecast, Frame, Plan, PlanError, Prompt, Reply, Scene


@dataclass(frozen=True)
class Understood:
    """What a reply says; scene and forecast are None when it says nothing of them."""

    plan: Plan | PlanError
    scene: Scene | None = None
    forecast: Forecast | None = None


class Dialogue(Protocol):
    """One way to ask and to understand."""

    def ask(self, frame: Frame, cameras: tuple[str, ...]) -> Prompt:
        """The question about the pictures of `cameras`. Raises ValueError when the frame lacks one."""
        ...

    def understand(self, reply: Reply, frame: Frame) -> Understood:
        """What the reply to the question about `frame` says."""
        ...


class Arrays:
    """Replies are named arrays, now and then with a rationale in words."""

    def __init__(self, explain_every: int = 0) -> None:
        """A rationale is asked for with the first of every `explain_every` questions; 0: never."""
        self._every = explain_every
        self._asked = 0
        self._memory = plan_arrays.Memory()

    def ask(self, frame: Frame, cameras: tuple[str, ...]) -> Prompt:
        prompt = build_prompt(frame, cameras)
        explain = self._every > 0 and self._asked % self._every == 0
        self._asked += 1
        return replace(prompt, slots=rationale_text.SLOTS.phrases) if explain else prompt

    def understand(self, reply: Reply, frame: Frame) -> Understood:
        plan = plan_arrays.read_plan(reply, frame.ego, self._memory)
        if isinstance(plan, PlanError):
            return Understood(plan)
        plan = replace(plan, path_ego=keep_to_route(plan.path_ego, frame.route_ego))
        if reply.text:
            plan = replace(plan, reason=_on_one_line(reply.text))
        return Understood(plan, *plan_arrays.read_scene(reply))


class Tuned:
    """Replies are words of `plan_text`, learnt."""

    def __init__(self, *, scene: bool) -> None:
        lines = [plan_text.SCENE_PATTERN] if scene else []
        self.pattern = "\n".join([*lines, plan_text.PLAN_PATTERN])

    def ask(self, frame: Frame, cameras: tuple[str, ...]) -> Prompt:
        return replace(build_prompt(frame, cameras), pattern=self.pattern)

    def understand(self, reply: Reply, frame: Frame) -> Understood:
        if reply.error or reply.text is None:
            return Understood(_silence(reply))
        answer = after_thought(reply.text)
        scene, forecast = plan_text.read_scene(answer) or (None, None)
        plan = plan_text.read_plan(answer, frame.time_us)
        if isinstance(plan, Plan):
            plan = replace(plan, reason=_on_one_line(thought_of(reply.text)))
        return Understood(plan, scene, forecast)


class Stock:
    """Replies are published wordings that the question explains: boxes in seen pixels, waypoints in metres."""

    def __init__(self, mounts: Sequence[CameraMount], picture_tokens: int, *, scene: bool) -> None:
        self._mounts = tuple(mounts)
        self._picture_tokens = picture_tokens
        self._scene = scene

    def ask(self, frame: Frame, cameras: tuple[str, ...]) -> Prompt:
        return stock_prompt(frame, cameras, scene=self._scene)

    def understand(self, reply: Reply, frame: Frame) -> Understood:
        if reply.error or reply.text is None:
            return Understood(_silence(reply))
        answer = after_thought(reply.text)
        scene, forecast = read_boxes(answer, self._mounts, self._picture_tokens) or (None, None)
        return Understood(read_waypoints(answer, frame.time_us), scene, forecast)


def after_thought(text: str) -> str:
    """The answer that follows the thinking."""
    return text.rpartition("</think>")[2].strip()


def thought_of(text: str) -> str:
    """What was thought before the answer, "" for nothing."""
    return text.rpartition("</think>")[0].removeprefix("<think>").strip()


def _on_one_line(text: str) -> str:
    return "; ".join(line for line in text.splitlines() if line)


def _silence(reply: Reply) -> PlanError:
    return PlanError(f"no answer: {reply.error or 'the reply holds no text'}")
