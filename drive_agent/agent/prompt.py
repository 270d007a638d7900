"""Frame in, question out: which pictures, which numbers, which words. Knows nothing of who answers."""

from __future__ import annotations

import numpy as np

from drive_agent.types import CameraImage, Frame, Maneuver, Prompt, PromptState

REACH_M = 60.0  # a maneuver further ahead is not mentioned yet
WORDS = {
    Maneuver.LEFT: "turn left",
    Maneuver.RIGHT: "turn right",
    Maneuver.STRAIGHT: "go straight on at the junction",
    Maneuver.LANE_FOLLOW: "follow the lane",
    Maneuver.CHANGE_LANE_LEFT: "change to the left lane",
    Maneuver.CHANGE_LANE_RIGHT: "change to the right lane",
}


def prompt_state(frame: Frame) -> PromptState:
    """The numbers of a prompt: own motion, the maneuver that matters, the next two route points (the last repeated)."""
    targets = frame.route_ego[:2]
    if len(targets) < 2:
        targets = np.repeat(targets[-1:], 2, axis=0)
    maneuver, distance_m = _maneuver_ahead(frame)
    return PromptState(frame.ego.speed_mps, frame.ego.since_stop_m, maneuver, distance_m, targets)


def _maneuver_ahead(frame: Frame) -> tuple[Maneuver, float]:
    if frame.maneuver != Maneuver.LANE_FOLLOW:
        return frame.maneuver, 0.0
    for point, maneuver in zip(frame.route_ego, frame.route_maneuvers, strict=True):
        distance_m = float(np.hypot(*point))
        if distance_m > REACH_M:
            break
        if maneuver != Maneuver.LANE_FOLLOW:
            return maneuver, distance_m
    return Maneuver.LANE_FOLLOW, REACH_M


def build_prompt(frame: Frame, cameras: tuple[str, ...]) -> Prompt:
    """Ask for what is seen, what will happen and where to drive, with the pictures of `cameras` in that order."""
    missing = [name for name in cameras if name not in frame.cameras]
    if missing:
        raise ValueError(
            f"cameras {missing} are not in the frame, which has {sorted(frame.cameras)}; use a rig that has them"
        )
    images = tuple(frame.cameras[name] for name in cameras)
    return ask(images, tuple(frame.previous.get(name) for name in cameras), prompt_state(frame))


def ask(
    images: tuple[CameraImage, ...], previous: tuple[CameraImage | None, ...], state: PromptState
) -> Prompt:
    """The same about given pictures and numbers, which training has without a frame."""
    content: list[dict] = []
    for image in images:
        content += [{"type": "text", "text": f"{image.name} camera:"}, {"type": "image"}]
    content.append({"type": "text", "text": question(state)})
    return Prompt(({"role": "user", "content": content},), images, previous, state)


def question(state: PromptState) -> str:
    """The words of the question; every number in them comes from `state`."""
    (x1, y1), (x2, y2) = state.targets_ego
    when = "now" if state.maneuver_m == 0.0 else f"in {state.maneuver_m:.0f} m"
    task = WORDS[state.maneuver] + ("" if state.maneuver == Maneuver.LANE_FOLLOW else f" {when}")
    return (
        f"Own speed {state.speed_mps:.1f} m/s, {state.since_stop_m:.0f} m since the last stop. Task: {task}. "
        f"Next route points ({x1:.0f},{y1:.0f}) ({x2:.0f},{y2:.0f}) m ahead and left. "
        "What is there, what will it do, where do you drive and how fast?"
    )
