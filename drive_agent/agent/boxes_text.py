"""Objects as boxes in pictures, as stock Qwen2.5-VL class models tell them, and their lift onto the road.

    Objects: [{"bbox_2d": [412, 180, 470, 228], "label": "car", "camera": "CAM_FRONT", "moves": "away", "speed_mps": 6.0}]
    Light: red

Boxes are pixels of the picture as the model saw it (resized). The foot of a box, cast onto flat ground, is where the
object stands; one whose foot lies above the horizon or too far away has no place and is left out. `moves` is told as seen
from the own car. Knows nothing of models.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from drive_agent.models.picture_size import resized
from drive_agent.rig import CameraMount
from drive_agent.types import Forecast, LightState, ObjectKind, Scene, SceneObject

MAX_OBJECTS = 6
REACH_M = 80.0
LABELS = {
    "car": ObjectKind.VEHICLE,
    "truck": ObjectKind.VEHICLE,
    "bus": ObjectKind.VEHICLE,
    "motorcycle": ObjectKind.VEHICLE,
    "bicycle": ObjectKind.CYCLIST,
    "person": ObjectKind.WALKER,
}
MOVES_RAD = {"stands": 0.0, "away": 0.0, "towards": math.pi, "left": math.pi / 2, "right": -math.pi / 2}
IN_LANE_M = 1.6  # an object nearer than this to the own axis is in the way


def scene_pattern(cameras: Sequence[str]) -> str:
    """The regular expression of the two lines, with these camera names."""
    names = "|".join(re.escape(name) for name in cameras)
    pixel = r"(?:0|[1-9][0-9]{0,3})"  # JSON knows no leading zeros
    one = (
        rf'\{{"bbox_2d": \[{pixel}, {pixel}, {pixel}, {pixel}\], '
        rf'"label": "(?:{"|".join(LABELS)})", "camera": "(?:{names})", '
        rf'"moves": "(?:{"|".join(MOVES_RAD)})", "speed_mps": (?:0|[1-9][0-9]?)\.[0-9]\}}'
    )
    lights = "|".join(light.name.lower() for light in LightState)
    return rf"Objects: \[(?:{one}(?:, {one}){{0,{MAX_OBJECTS - 1}}})?\]\nLight: (?:{lights})"


def read_boxes(text: str, mounts: Sequence[CameraMount], max_tokens: int) -> tuple[Scene, Forecast] | None:
    """The scene in a text about the pictures of `mounts`, seen with at most `max_tokens` each; None when there is none.

    An entry that is not an object of a known camera and label is left out. Futures are told motion going on.
    """
    found = re.search(r"Objects: (\[.*?\])\s*\nLight: (\w+)", text, re.DOTALL)
    if found is None or found[2].upper() not in LightState.__members__:
        return None
    try:
        entries = json.loads(found[1])
    except json.JSONDecodeError:
        return None
    by_name = {mount.name: mount for mount in mounts}
    lifted = [_lift(entry, by_name, max_tokens) for entry in entries[:MAX_OBJECTS]]
    objects = tuple(thing for thing in lifted if thing is not None)
    ahead = [thing.x_m for thing in objects if thing.x_m > 0 and abs(thing.y_m) < IN_LANE_M]
    scene = Scene(objects, LightState[found[2].upper()], 1.0, min(ahead, default=None))
    return scene, Forecast(np.array([_futures(thing) for thing in objects]).reshape(-1, 3, 2))


def _lift(entry: Any, mounts: dict[str, CameraMount], max_tokens: int) -> SceneObject | None:
    """The object of one entry on the road; None when it has no place there or is no object."""
    if not isinstance(entry, dict):
        return None
    mount, kind = mounts.get(str(entry.get("camera"))), LABELS.get(str(entry.get("label")))
    box, speed = entry.get("bbox_2d"), entry.get("speed_mps", 0.0)
    heading = MOVES_RAD.get(str(entry.get("moves")))
    if mount is None or kind is None or heading is None or not _numbers(box, 4) or not _numbers([speed], 1):
        return None
    place = foot_on_ground(np.array(box, dtype=float), mount, max_tokens)
    if place is None:
        return None
    moving = 0.0 if entry["moves"] == "stands" else max(float(speed), 0.0)
    return SceneObject(kind, 1.0, *place, heading, moving)


def foot_on_ground(box: np.ndarray, mount: CameraMount, max_tokens: int) -> tuple[float, float] | None:
    """Where the lower edge of a box [x1, y1, x2, y2] in seen pixels meets flat ground, ego metres; None if nowhere."""
    seen = resized(mount.width, mount.height, max_tokens)
    pixel = np.array([(box[0] + box[2]) / 2, max(box[1], box[3])]) * (mount.width, mount.height) / seen
    ray = mount.ray(pixel[None])[0]
    if ray[2] >= -1e-6:
        return None
    x_m, y_m = np.array([mount.x_m, mount.y_m]) + ray[:2] * (mount.z_m / -ray[2])
    return (float(x_m), float(y_m)) if math.hypot(x_m, y_m) <= REACH_M else None


def _futures(thing: SceneObject) -> np.ndarray:
    step = thing.speed_mps * np.array([math.cos(thing.heading_rad), math.sin(thing.heading_rad)])
    return np.array([thing.x_m, thing.y_m]) + np.outer([1.0, 2.0, 3.0], step)


def _numbers(value: Any, count: int) -> bool:
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(part, (int, float)) and math.isfinite(part) for part in value)
