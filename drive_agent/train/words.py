"""Rows of the training data as questions and answers in words, for models that are fine-tuned on this project's wording.

The question is what `Tuned` asks when driving, the answer what it understands. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drive_agent.agent.plan_arrays import SPEED_TIMES_S, speed_profile
from drive_agent.agent.plan_text import write_plan, write_scene
from drive_agent.agent.prompt import ask
from drive_agent.agent.rationale_text import write_rationale
from drive_agent.data.shards import NONE_M
from drive_agent.rig import CameraMount
from drive_agent.train.answers import rationale_of
from drive_agent.types import (
    CameraImage,
    Forecast,
    LightState,
    Maneuver,
    ObjectKind,
    Plan,
    Prompt,
    PromptState,
    Scene,
    SceneObject,
)


def example(row: dict[str, np.ndarray], cameras: Sequence[CameraMount], *, scene: bool) -> tuple[Prompt, str]:
    """Question and answer of one row of `data.shards` (a row of each column)."""
    state = PromptState(
        float(row["speed_mps"]), float(row["since_stop_m"]), Maneuver(int(row["maneuver"])),
        float(row["maneuver_m"]), np.asarray(row["targets_ego"], dtype=float),
    )  # fmt: skip
    images = tuple(CameraImage(mount.name, 0, np.asarray(row[f"{mount.name}_rgb"]), b"") for mount in cameras)
    prompt = ask(images, (None,) * len(images), state)
    speeds = speed_profile(state.speed_mps, float(row["target_speed_mps"]))
    plan = write_plan(Plan(0, np.asarray(row["path"], dtype=float), SPEED_TIMES_S, speeds))
    return prompt, f"{write_scene(*_scene(row))}\n{plan}" if scene else plan


def thought(row: dict[str, np.ndarray]) -> str:
    """The rationale of a row, to be thought before its answer."""
    return write_rationale(rationale_of(row))


def _scene(row: dict[str, np.ndarray]) -> tuple[Scene, Forecast]:
    """What can be seen and where it will be."""
    rows = np.asarray(row["objects"], dtype=float)
    rows = rows[rows[:, 0] >= 0]
    objects = tuple(SceneObject(ObjectKind(int(r[0])), 1.0, *(float(v) for v in r[1:5])) for r in rows)
    gap_m = float(row["gap_m"])
    scene = Scene(objects, LightState(int(row["light"])), 1.0, None if gap_m >= NONE_M else gap_m)
    return scene, Forecast(rows[:, None, 1:3] + rows[:, 7:13].reshape(-1, 3, 2))
