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

import numpy as np

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
MOVE_UP_MPS = 0.6
ACCEL_MPS2, DECEL_MPS2 = 2.0, 4.0  # how fast the profile moves to the target speed
EMERGENCY_MPS2 = 8.0  # where a lead is too near for that
TOUCH_M = 1.0  # a told gap may be so much too long
BRAKE_MPS2 = 1.8  # to a line or a lead that is told
LAST_BRAKE_MPS2 = {LightState.RED: 5.0, LightState.YELLOW: 3.5}  # what would need more is driven past
LIGHT_SPARE_M, STOP_SPARE_M, LEAD_SPARE_M = 1.5, 1.5, 3.0  # from the standing car to what it stands before
SETTLE_M = 1.5  # who stands within this of the stopping place stays there
PREVIEW_S = 0.5  # what a controller needs to follow
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


def read_plan(reply: Reply, ego: EgoState, signs: StopSigns) -> Plan | PlanError:
    """The plan in a reply's arrays about what was seen at `ego`; `signs` is what was told before."""
    missing = [name for name in NEEDED if name not in reply.arrays]
    if missing:
        return PlanError(f"reply lacks arrays {missing}")
    bad = [name for name in NEEDED if not np.isfinite(reply.arrays[name]).all()]
    if bad:
        return PlanError(f"reply arrays {bad} are not finite")
    if complaint := _misfit(reply.arrays):
        return PlanError(complaint)
    path = np.asarray(reply.arrays["path_ego"], dtype=float)
    target = min(
        target_speed(reply.arrays, ego.speed_mps),
        speed_to_light(reply.arrays, ego.speed_mps),
        speed_to_stop_sign(signs.way_m(told_m(reply.arrays, "stop"), ego), ego.speed_mps),
        speed_behind_lead(reply.arrays, ego.speed_mps),
    )
    decel_mps2 = EMERGENCY_MPS2 if is_emergency(reply.arrays, ego.speed_mps) else DECEL_MPS2
    return Plan(ego.time_us, path, SPEED_TIMES_S, speed_profile(ego.speed_mps, target, decel_mps2))


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
    stop_light = arrays["light_probs"][LightState.RED] + arrays["light_probs"][LightState.YELLOW]
    held = stop_light > 0.5 or arrays["gap_probs"][-1] < 0.5
    threshold = MOVE_UP_MPS if speed_mps < MOVE_UP_MPS and not held else ROLL_MPS
    return mean if mean >= threshold else 0.0


def speed_to_light(arrays: dict[str, np.ndarray], speed_mps: float) -> float:
    """The speed that still stops before the line of a told red or yellow light; inf where there is none.

    The told target speed weighs everything that it was learnt with, above all what the car ahead does. A light, a sign
    or a lead that the same reply tells is not outvoted by that.
    """
    probs = arrays["light_probs"]
    if probs[LightState.RED] + probs[LightState.YELLOW] <= 0.5:
        return np.inf
    state = max((LightState.RED, LightState.YELLOW), key=lambda one: probs[one])
    way_m = float(arrays["light_m"])
    if speed_mps**2 > 2 * LAST_BRAKE_MPS2[state] * way_m:
        return np.inf
    if speed_mps < MOVE_UP_MPS and way_m - LIGHT_SPARE_M < SETTLE_M:
        return 0.0
    return _speed_to(way_m - LIGHT_SPARE_M, speed_mps)


def speed_to_stop_sign(way_m: float | None, speed_mps: float) -> float:
    """The speed that still stops before the line of a stop sign; inf where there is none, or it is too near."""
    if way_m is None or speed_mps**2 > 2 * LAST_BRAKE_MPS2[LightState.RED] * way_m:
        return np.inf
    return _speed_to(way_m - STOP_SPARE_M, speed_mps)


def speed_behind_lead(arrays: dict[str, np.ndarray], speed_mps: float) -> float:
    """The speed that still stops behind a told lead, should it brake as well; inf where there is none.

    Who stands decides by the target speed alone when to go: a lead that is not there must not hold a car for ever.
    """
    gap_m = told_m(arrays, "gap")
    if gap_m is None or speed_mps < MOVE_UP_MPS:
        return np.inf
    return _speed_to(gap_m - LEAD_SPARE_M, speed_mps, float(arrays["lead_speed_mps"]))


def is_emergency(arrays: dict[str, np.ndarray], speed_mps: float) -> bool:
    """Whether comfortable braking would end in a told lead."""
    gap_m = told_m(arrays, "gap")
    closing_mps = speed_mps - float(arrays["lead_speed_mps"])
    return gap_m is not None and closing_mps > 0.0 and closing_mps**2 > 2 * DECEL_MPS2 * (gap_m - TOUCH_M)


def told_m(arrays: dict[str, np.ndarray], name: str) -> float | None:
    """The mean told distance of "gap" or "stop", given that there is one; None where "none" is likelier."""
    probs = arrays[f"{name}_probs"][:-1]
    return float(probs @ arrays[f"{name}_values_m"] / probs.sum()) if probs.sum() > 0.5 else None


def _speed_to(room_m: float, speed_mps: float, then_mps: float = 0.0) -> float:
    """The speed that brakes to `then_mps` within `room_m` metres, a little ahead of time."""
    return float(np.sqrt(2 * BRAKE_MPS2 * max(room_m - PREVIEW_S * speed_mps, 0.0) + then_mps**2))


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
