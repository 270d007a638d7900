"""Ask a model again: the inputs of a log, one moment or all of a route, in open loop; what it says beside what was said.

The model may be the same or another; cameras may be taken away and words or numbers of the prompt changed. Nothing
drives: whether another answer would have been better is for `drive.fork` to find out. Needs no simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from drive_agent.agent.agent import Agent
from drive_agent.agent.dialogue import Understood
from drive_agent.agent.prompt import question
from drive_agent.log.records import frame_of, prompt_of
from drive_agent.log.schema import TickRecord
from drive_agent.log.store import Episode
from drive_agent.score.planned import plan_poses
from drive_agent.types import CameraImage, LightState, Maneuver, Plan, PlanError, Prompt, Reply, Scene

OTHER_PATH_M, OTHER_SPEED_MPS = 1.0, 1.5  # from where on a plan is another decision, not another shade of it


@dataclass(frozen=True)
class Edit:
    """What is asked otherwise than it was: cameras made black, words put in place of the question's, numbers changed."""

    without: tuple[str, ...] = ()
    text: str | None = None
    speed_mps: float | None = None
    maneuver: Maneuver | None = None
    maneuver_m: float | None = None

    @property
    def is_nothing(self) -> bool:
        return self == Edit()


@dataclass(frozen=True)
class Answer:
    """One reply and what it says."""

    reply: Reply
    plan: Plan | PlanError
    scene: Scene | None


@dataclass(frozen=True)
class Asked:
    """A question of the log, `time_s` after its first tick, with the reply of then and the one of now."""

    time_s: float
    prompt: Prompt
    then: Answer
    now: Answer

    @property
    def identical(self) -> bool:
        """Is the reply the same to the last bit, timings aside?"""
        a, b = self.then.reply, self.now.reply
        return (
            a.text == b.text
            and a.arrays.keys() == b.arrays.keys()
            and all(np.array_equal(a.arrays[name], b.arrays[name]) for name in a.arrays)
        )

    @property
    def path_m(self) -> float | None:
        """Mean distance of where the two plans put the car at the half seconds of 3 s; None where one of the replies holds no plan."""
        a, b = self.then.plan, self.now.plan
        if isinstance(a, PlanError) or isinstance(b, PlanError):
            return None
        return float(np.linalg.norm((plan_poses(a) - plan_poses(b))[:, :2], axis=1).mean())

    @property
    def speed_mps(self) -> float | None:
        """How much faster the plan of now is at its end."""
        a, b = self.then.plan, self.now.plan
        if isinstance(a, PlanError) or isinstance(b, PlanError):
            return None
        return float(b.speeds_mps[-1] - a.speeds_mps[-1])

    @property
    def decided_otherwise(self) -> bool:
        """Is it another decision: another way, another speed, or a plan where there was none?"""
        if self.path_m is None or self.speed_mps is None:
            return isinstance(self.then.plan, PlanError) != isinstance(self.now.plan, PlanError)
        return self.path_m > OTHER_PATH_M or abs(self.speed_mps) > OTHER_SPEED_MPS

    @property
    def lights(self) -> tuple[LightState | None, LightState | None]:
        """The light that then's and now's reply see."""
        return tuple(answer.scene.light if answer.scene else None for answer in (self.then, self.now))  # type: ignore[return-value]


def ask_at(episode: Episode, agent: Agent, at_s: float, edit: Edit, *, same_model: bool) -> Asked:
    """The last question not after `at_s`. Raises ValueError for a log without one."""
    last, start_us = None, next((time_us for time_us, _ in episode.ticks()), episode.end_us)
    if not 0 <= at_s <= (episode.end_us - start_us) / 1e6:
        raise ValueError(
            f"at={at_s:g}: the drive of {episode.path} lasts {(episode.end_us - start_us) / 1e6:.2f} s; give a time in it"
        )
    for asked in _questions(episode):
        if asked[0] > at_s + 1e-6:
            break
        last = asked
    if last is None:
        raise ValueError(
            f"at={at_s:g}: {episode.path} has no question to a model up to then; give a later time"
        )
    return _ask(episode, agent, *last, edit, same_model=same_model)


def ask_all(episode: Episode, agent: Agent, edit: Edit, *, same_model: bool) -> Iterator[Asked]:
    """Every question of a log, in order. Raises ValueError for a log without one."""
    found = False
    for time_s, record in _questions(episode):
        found = True
        yield _ask(episode, agent, time_s, record, edit, same_model=same_model)
    if not found:
        raise ValueError(f"{episode.path} has no question to a model: its driver was none; drive it with one")


def _questions(episode: Episode) -> Iterator[tuple[float, TickRecord]]:
    start_us = None
    for time_us, record in episode.ticks():
        start_us = time_us if start_us is None else start_us
        if record.prompt is not None and record.frame is not None and record.reply is not None:
            yield (time_us - start_us) / 1e6, record


def _ask(
    episode: Episode, agent: Agent, time_s: float, record: TickRecord, edit: Edit, *, same_model: bool
) -> Asked:
    """The logged prompt itself for the model that it was written for; another model asks about the frame in its own way."""
    assert record.prompt is not None and record.frame is not None and record.reply is not None
    frame = frame_of(record.frame, episode.image)
    if same_model:
        prompt = prompt_of(record.prompt, episode.image)
    else:
        prompt = agent.dialogue.ask(frame, tuple(camera.name for camera in agent.model.cameras))
    prompt = edited(prompt, edit)
    reply = agent.model.answer(prompt)
    then_plan = record.plan_error or record.plan or PlanError("the reply came to nothing")
    said: Understood = agent.dialogue.understand(reply, frame)
    if same_model and record.plan is not None and record.plan.time_us != frame.time_us:
        then_plan = agent.dialogue.understand(record.reply, frame).plan  # it counted only later
    then = Answer(record.reply, then_plan, record.scene)
    return Asked(time_s, prompt, then, Answer(reply, said.plan, said.scene))


def edited(prompt: Prompt, edit: Edit) -> Prompt:
    """The prompt with an edit made. Raises ValueError for a camera that it has no picture of."""
    if edit.is_nothing:
        return prompt
    unknown = set(edit.without) - {image.name for image in prompt.images}
    if unknown:
        raise ValueError(
            f"without={','.join(sorted(unknown))}: the prompt has pictures of {[image.name for image in prompt.images]}"
        )
    changed = {
        name: value
        for name in ("speed_mps", "maneuver", "maneuver_m")
        if (value := getattr(edit, name)) is not None
    }
    state = replace(prompt.state, **changed)
    text = edit.text if edit.text is not None else question(state) if changed else None
    return replace(
        prompt,
        messages=prompt.messages if text is None else _with_text(prompt.messages, text),
        images=tuple(_seen(image, edit) for image in prompt.images),
        previous_images=tuple(image and _seen(image, edit) for image in prompt.previous_images),
        state=state,
    )


def _seen(image: CameraImage, edit: Edit) -> CameraImage:
    return replace(image, rgb=np.zeros_like(image.rgb)) if image.name in edit.without else image


def _with_text(messages: tuple[dict, ...], text: str) -> tuple[dict, ...]:
    """The last words of the last message replaced: those are the question, what stands before names the pictures."""
    *before, last = messages
    content = last["content"]
    if isinstance(content, str):
        return (*before, {**last, "content": text})
    place = max(k for k, part in enumerate(content) if part["type"] == "text")
    parts = [{**part, "text": text} if k == place else part for k, part in enumerate(content)]
    return (*before, {**last, "content": parts})
