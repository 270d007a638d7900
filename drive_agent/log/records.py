"""Between what one tick produced (`types.Decision`) and how it lies in the log (`TickRecord`).

The one difference: in the log a picture is named, not held. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Callable

from drive_agent.log.schema import FrameRecord, ImageRef, PromptRecord, TickRecord
from drive_agent.types import CameraImage, Decision, Frame, Prompt

Fetch = Callable[[ImageRef], CameraImage]


def record_of(time_us: int, decision: Decision) -> TickRecord:
    """The log's form of a decision made at `time_us`."""
    return TickRecord(
        time_us=time_us,
        command=decision.command,
        lateral=decision.lateral,
        longitudinal=decision.longitudinal,
        guard=decision.guard,
        plan=decision.plan,
        plan_error=decision.plan_error,
        scene=decision.scene,
        forecast=decision.forecast,
        frame=decision.frame and _frame_record(decision.frame),
        prompt=decision.prompt and _prompt_record(decision.prompt),
        reply=decision.reply,
        timings_ms=decision.timings_ms,
        ego=decision.ego,
    )


def decision_of(record: TickRecord, fetch: Fetch) -> Decision:
    """The decision again; `fetch` brings the pictures (`Episode.image`)."""
    return Decision(
        command=record.command,
        lateral=record.lateral,
        longitudinal=record.longitudinal,
        guard=record.guard,
        plan=record.plan,
        plan_error=record.plan_error,
        frame=record.frame and frame_of(record.frame, fetch),
        prompt=record.prompt and prompt_of(record.prompt, fetch),
        reply=record.reply,
        scene=record.scene,
        forecast=record.forecast,
        timings_ms=record.timings_ms,
        ego=record.ego,
    )


def frame_of(record: FrameRecord, fetch: Fetch) -> Frame:
    """What the model could see, again."""
    return Frame(
        time_us=record.time_us,
        cameras={ref.name: fetch(ref) for ref in record.cameras},
        previous={ref.name: fetch(ref) for ref in record.previous},
        ego=record.ego,
        history_ego=record.history_ego,
        route_ego=record.route_ego,
        route_maneuvers=record.route_maneuvers,
        maneuver=record.maneuver,
    )


def prompt_of(record: PromptRecord, fetch: Fetch) -> Prompt:
    """What the model was asked, again."""
    return Prompt(
        messages=record.messages,
        images=tuple(fetch(ref) for ref in record.images),
        previous_images=tuple(ref and fetch(ref) for ref in record.previous_images),
        state=record.state,
        pattern=record.pattern,
    )


def images_of(decision: Decision) -> list[CameraImage]:
    """Every picture that a decision refers to, older ones first."""
    images: list[CameraImage] = []
    if decision.frame:
        images += [*decision.frame.previous.values(), *decision.frame.cameras.values()]
    if decision.prompt:
        images += [image for image in decision.prompt.previous_images if image]
        images += decision.prompt.images
    return sorted(images, key=lambda image: image.time_us)


def _frame_record(frame: Frame) -> FrameRecord:
    return FrameRecord(
        time_us=frame.time_us,
        cameras=tuple(_ref(image) for image in frame.cameras.values()),
        previous=tuple(_ref(image) for image in frame.previous.values()),
        ego=frame.ego,
        history_ego=frame.history_ego,
        route_ego=frame.route_ego,
        route_maneuvers=frame.route_maneuvers,
        maneuver=frame.maneuver,
    )


def _prompt_record(prompt: Prompt) -> PromptRecord:
    return PromptRecord(
        messages=prompt.messages,
        images=tuple(_ref(image) for image in prompt.images),
        previous_images=tuple(image and _ref(image) for image in prompt.previous_images),
        state=prompt.state,
        pattern=prompt.pattern,
    )


def _ref(image: CameraImage) -> ImageRef:
    return ImageRef(image.name, image.time_us)
