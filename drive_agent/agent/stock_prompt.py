"""The question to a model that was never trained on this project's: everything is explained, and the answer's form too.

Own motion, history, command and the form of the trajectory follow the published prompts of text planners (ReCogDrive
family, arXiv 2506.08052); objects are asked as boxes, as Qwen2.5-VL class models tell them. Knows nothing of models.
"""

from __future__ import annotations

import numpy as np

from drive_agent.agent.boxes_text import LABELS, MAX_OBJECTS, MOVES_RAD, scene_pattern
from drive_agent.agent.prompt import prompt_state
from drive_agent.agent.waypoint_text import POINTS, STEP_S, WAYPOINTS_PATTERN
from drive_agent.types import Frame, LightState, Maneuver, Prompt, PromptState

SYSTEM = "You are a helpful assistant."  # what the model's own evaluation suite sends
HISTORY = 4  # past poses told, the present one included
COMMANDS = {
    Maneuver.LEFT: "TURN LEFT",
    Maneuver.RIGHT: "TURN RIGHT",
    Maneuver.STRAIGHT: "GO STRAIGHT",
    Maneuver.LANE_FOLLOW: "GO STRAIGHT",
    Maneuver.CHANGE_LANE_LEFT: "CHANGE LANE LEFT",
    Maneuver.CHANGE_LANE_RIGHT: "CHANGE LANE RIGHT",
}
_OBJECTS = (
    "First list the road users that matter to you, at most {most}, as JSON on one line after 'Objects: ', each as "
    '{{"bbox_2d": [x1, y1, x2, y2], "label": "...", "camera": "...", "moves": "...", "speed_mps": 0.0}}, with '
    "bbox_2d in pixels, label one of {labels}, moves one of {moves} as seen from your car. On the next line tell the "
    "traffic light that holds for your lane as 'Light: ' and one of {lights}. On the next line tell your trajectory.\n"
)


def stock_prompt(frame: Frame, cameras: tuple[str, ...], *, scene: bool) -> Prompt:
    """Ask for a trajectory, and for objects and the light as well if `scene`, about the pictures of `cameras`."""
    state = prompt_state(frame)
    content: list[dict] = []
    for name in cameras:
        content += [{"type": "text", "text": f"{name}: "}, {"type": "image"}, {"type": "text", "text": "\n"}]
    content.append({"type": "text", "text": _question(frame, state, scene=scene)})
    lines = [scene_pattern(cameras)] if scene else []
    return Prompt(
        messages=({"role": "system", "content": SYSTEM}, {"role": "user", "content": content}),
        images=tuple(frame.cameras[name] for name in cameras),
        previous_images=(None,) * len(cameras),
        state=state,
        pattern="\n".join([*lines, WAYPOINTS_PATTERN]),
    )


def _question(frame: Frame, state: PromptState, *, scene: bool) -> str:
    (x1, y1), (x2, y2) = state.targets_ego
    command = COMMANDS[state.maneuver] + (f" in {state.maneuver_m:.0f} m" if state.maneuver_m else "")
    if state.maneuver == Maneuver.LANE_FOLLOW:
        command = COMMANDS[state.maneuver]
    asked = ""
    if scene:
        asked = _OBJECTS.format(
            most=MAX_OBJECTS,
            labels=", ".join(LABELS),
            moves=", ".join(MOVES_RAD),
            lights=", ".join(light.name.lower() for light in LightState),
        )
    return (
        "You drive the car that carries these cameras. Coordinates are metres in its frame: x ahead, y to the left; "
        "headings are radians, left positive.\n"
        f"Own motion so far, as (x, y, heading):\n{_history(frame.history_ego)}\n"
        f"Velocity {frame.ego.speed_mps:.2f} m/s, acceleration {frame.ego.accel_mps2:.2f} m/s^2.\n"
        f"Active navigation command: [{command}]. Next route points: ({x1:.1f}, {y1:.1f}), ({x2:.1f}, {y2:.1f}).\n"
        "Keep to the lane, obey traffic lights and signs, keep clear of others, make progress.\n"
        f"{asked}"
        f"Predict {POINTS} future points of your trajectory, one every {STEP_S} s, each as (x, y, heading) with two "
        "decimals, in the form 'Here is the planning trajectory [PT, (+0.00, +0.00, +0.00), ...].'"
    )


def _history(history_ego: np.ndarray) -> str:
    return "\n".join(
        f"t{time_s:+.1f} s: ({x:.2f}, {y:.2f}, {turn:.2f})" for time_s, x, y, turn in history_ego[-HISTORY:]
    )
