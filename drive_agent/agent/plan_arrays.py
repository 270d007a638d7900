"""Named reply arrays in, `Plan`, `Scene` and `Forecast` out. The only place that knows the arrays' layout.

| array            | shape    | meaning                                                                          |
|------------------|----------|----------------------------------------------------------------------------------|
| path_ego         | (n, 2)   | points of the path ahead, metres                                                 |
| speed_probs      | (k,)     | probabilities of the target speeds `speed_values_mps` (k,)                       |
| light_probs      | (4,)     | probabilities of `LightState` for the light that governs                         |
| light_m          | ()       | from the front of the car to its stop line                                       |
| stop_probs       | (s + 1,) | probabilities of the distances `stop_values_m` (s,) to a stop sign's line that   |
|                  |          | is still to be obeyed; the last one is "none"                                    |
| gap_probs        | (g + 1,) | probabilities of the free distances `gap_values_m` (g,); the last one is "none"  |
| lead_speed_mps   | ()       | how fast whoever ends that distance moves along the own way                      |
| objects          | (m, f)   | one row an object, columns `OBJECT_FIELDS`                                       |
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from drive_agent.agent.bounds import DECEL_MPS2, STANDING_MPS, Ahead, hardest_brake_mps2, top_speed
from drive_agent.agent.leads import Leads
from drive_agent.agent.people import People
from drive_agent.agent.standing import Standing
from drive_agent.agent.stop_signs import StopSigns
from drive_agent.types import (
    ROAD_USERS,
    EgoState,
    Forecast,
    LightState,
    ObjectKind,
    Plan,
    PlanError,
    Reply,
    Scene,
    SceneObject,
)

SPEED_TIMES_S = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
ROLL_MPS = 1.5  # slower targets mean stand still
MOVE_UP_MPS = 0.6  # for who stands and is not held
ACCEL_MPS2 = 2.0  # how fast the profile moves up to the target speed
OBJECT_FIELDS = (
    "kind",
    "score",
    "x_m",
    "y_m",
    "heading_rad",
    "speed_mps",
    "half_length_m",
    "half_width_m",
) + tuple(
    f"d{axis}{second}_m" for second in (1, 2, 3) for axis in "xy"
)  # d: displacement in the ego frame after so many seconds
NEEDED = (
    "path_ego",
    "speed_probs",
    "speed_values_mps",
    "light_probs",
    "light_m",
    "stop_probs",
    "stop_values_m",
    "gap_probs",
    "gap_values_m",
    "lead_speed_mps",
    "objects",
)


@dataclass(frozen=True)
class Memory:
    """What was told before, as far as plans need it."""

    signs: StopSigns = field(default_factory=StopSigns)
    leads: Leads = field(default_factory=Leads)
    standing: Standing = field(default_factory=Standing)
    people: People = field(default_factory=People)


def read_plan(reply: Reply, ego: EgoState, memory: Memory) -> Plan | PlanError:
    """The plan in a reply's arrays about what was seen at `ego`."""
    missing = [name for name in NEEDED if name not in reply.arrays]
    if missing:
        return PlanError(f"reply lacks arrays {missing}")
    bad = [name for name in NEEDED if not np.isfinite(reply.arrays[name]).all()]
    if bad:
        return PlanError(f"reply arrays {bad} are not finite")
    if complaint := _misfit(reply.arrays):
        return PlanError(complaint)
    path = np.asarray(reply.arrays["path_ego"], dtype=float)
    ahead = read_ahead(reply.arrays, ego, memory)
    target = min(target_speed(reply.arrays, ego.speed_mps), top_speed(ahead, ego.speed_mps))
    speeds_mps = speed_profile(ego.speed_mps, target, hardest_brake_mps2(ahead, ego.speed_mps))
    return Plan(ego.time_us, path, SPEED_TIMES_S, speeds_mps)


def _misfit(arrays: dict[str, np.ndarray]) -> str:
    """What does not fit the layout, in words; "" when all does."""
    path, kinds = arrays["path_ego"], len(ROAD_USERS)
    if path.ndim != 2 or path.shape[1] != 2 or len(path) < 2:
        return f"path_ego has shape {path.shape}, expected (n >= 2, 2)"
    expected = {
        "speed_values_mps": (np.size(arrays["speed_values_mps"]),),
        "speed_probs": (np.size(arrays["speed_values_mps"]),),
        "light_probs": (len(LightState),),
        "light_m": (),
        "stop_values_m": (np.size(arrays["stop_values_m"]),),
        "stop_probs": (np.size(arrays["stop_values_m"]) + 1,),
        "gap_values_m": (np.size(arrays["gap_values_m"]),),
        "gap_probs": (np.size(arrays["gap_values_m"]) + 1,),
        "lead_speed_mps": (),
        "objects": (len(arrays["objects"]) if arrays["objects"].ndim else 0, len(OBJECT_FIELDS)),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            return f"{name} has shape {arrays[name].shape}, expected {shape}"
    unknown = sorted(set(arrays["objects"][:, 0].tolist()) - set(range(kinds)))
    return f"objects have kinds {unknown}, expected 0 to {kinds - 1}" if unknown else ""


def target_speed(arrays: dict[str, np.ndarray], speed_mps: float) -> float:
    """The mean of the told target speeds; a slow one means stand.

    Near a stop the mean of "0" and "a little" is "creep": without a threshold the car rolls over the line at red. Once
    it stands and neither a light nor an object holds it, a slow target means to move up, for example to a stop sign.
    """
    mean = float(arrays["speed_probs"] @ arrays["speed_values_mps"])
    held = told_light(arrays) != LightState.NONE or arrays["gap_probs"][-1] < 0.5
    threshold = MOVE_UP_MPS if speed_mps < STANDING_MPS and not held else ROLL_MPS
    return mean if mean >= threshold else 0.0


def read_ahead(arrays: dict[str, np.ndarray], ego: EgoState, memory: Memory) -> Ahead:
    """What the arrays tell ahead, with what is kept in mind."""
    gap_m, lead_speed_mps = memory.leads.ahead(told_m(arrays, "gap"), float(arrays["lead_speed_mps"]), ego)
    objects = np.asarray(arrays["objects"], dtype=float)
    walkers = objects[objects[:, 0] == ObjectKind.WALKER][:, [2, 3, 1]]
    return Ahead(
        light=told_light(arrays),
        light_m=float(arrays["light_m"]),
        stop_m=memory.signs.way_m(told_m(arrays, "stop"), ego),
        gap_m=gap_m,
        lead_speed_mps=lead_speed_mps,
        person_m=memory.people.way_m(walkers, np.asarray(arrays["path_ego"], dtype=float), ego),
        stood_s=memory.standing.for_s(ego),
    )


def told_light(arrays: dict[str, np.ndarray]) -> LightState:
    """RED or YELLOW where a light that has to be stopped for is told, else NONE."""
    probs = arrays["light_probs"]
    if probs[LightState.RED] + probs[LightState.YELLOW] <= 0.5:
        return LightState.NONE
    return max((LightState.RED, LightState.YELLOW), key=lambda state: probs[state])


def told_m(arrays: dict[str, np.ndarray], name: str) -> float | None:
    """The mean told distance of "gap" or "stop", given that there is one; None where "none" is likelier."""
    probs = arrays[f"{name}_probs"][:-1]
    return float(probs @ arrays[f"{name}_values_m"] / probs.sum()) if probs.sum() > 0.5 else None


def speed_profile(speed_mps: float, target_mps: float, decel_mps2: float = DECEL_MPS2) -> np.ndarray:
    """Speeds at `SPEED_TIMES_S` on the way from the own to the target speed, within bounds."""
    return np.clip(
        target_mps, speed_mps - decel_mps2 * SPEED_TIMES_S, speed_mps + ACCEL_MPS2 * SPEED_TIMES_S
    ).clip(0.0)


def read_scene(reply: Reply) -> tuple[Scene, Forecast]:
    """What the reply says is there and where it will be."""
    arrays = reply.arrays
    light = int(np.argmax(arrays["light_probs"]))
    objects = tuple(
        SceneObject(ObjectKind(int(row[0])), *(float(v) for v in row[1:6])) for row in arrays["objects"]
    )
    scene = Scene(objects, LightState(light), float(arrays["light_probs"][light]), told_m(arrays, "gap"))
    rows = np.asarray(arrays["objects"], dtype=float).reshape(-1, len(OBJECT_FIELDS))
    return scene, Forecast(rows[:, None, 2:4] + rows[:, 8:14].reshape(-1, 3, 2))
