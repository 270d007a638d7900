"""The wording of a scene, its forecast and a plan, as fine-tuned models speak it: written and read here and nowhere else.

    light red
    way 12.5 m
    vehicle at (+14.0, -1.5) heading +0.05 speed 4.2 then (+18.2, -1.5) (+22.4, -1.4) (+26.6, -1.4)
    path (+2.00, +0.00) (+4.00, +0.03) ...
    speed 4.5 5.0 5.0 5.0 5.0 5.0

Metres in the ego frame of the pictures' time (x ahead, y left), radians, m/s. `way` is the free distance ahead, `path`
has a point at each of `PATH_STATIONS_M` along the way, `speed` a value at each of `SPEED_TIMES_S`; what follows "then" is
where the object will be in 1, 2 and 3 s. The patterns are plain regular expressions: a decoder that is held to them
cannot write what is not read here (and digits are [0-9], since a digit class means those of every script to some). Knows nothing
of models.
"""

from __future__ import annotations

import math
import re

import numpy as np

from drive_agent.agent.plan_arrays import SPEED_TIMES_S
from drive_agent.types import (
    PATH_STATIONS_M,
    ROAD_USERS,
    Forecast,
    LightState,
    ObjectKind,
    Plan,
    PlanError,
    Scene,
    SceneObject,
)

MAX_OBJECTS = 8  # only the nearest ones are told
MAX_SPEED_MPS = 40.0  # a faster plan is refused

_FAR, _NEAR = r"[+-][0-9]{1,2}\.[0-9]", r"[+-][0-9]{1,2}\.[0-9][0-9]"
_ANGLE, _POSITIVE = r"[+-][0-9]\.[0-9][0-9]", r"[0-9]{1,2}\.[0-9]"
_NUMBER = re.compile(r"[+-]?[0-9]+\.[0-9]+")
_OBJECT = (
    rf"({'|'.join(kind.name.lower() for kind in ROAD_USERS)}) at \(({_FAR}), ({_FAR})\) heading ({_ANGLE}) "
    rf"speed ({_POSITIVE}) then((?: \({_FAR}, {_FAR}\)){{3}})"
)
SCENE_PATTERN = (
    rf"light ({'|'.join(light.name.lower() for light in LightState)})\nway (free|{_POSITIVE} m)"
    rf"((?:\n{_OBJECT}){{0,{MAX_OBJECTS}}})"
)
PLAN_PATTERN = (
    rf"path((?: \({_NEAR}, {_NEAR}\)){{{len(PATH_STATIONS_M)}}})\n"
    rf"speed((?: {_POSITIVE}){{{len(SPEED_TIMES_S)}}})"
)


def write_scene(scene: Scene, forecast: Forecast) -> str:
    """The lines of a scene and its forecast; scores and probabilities are not told. Inverse of `read_scene`."""
    gap = scene.lead_gap_m
    lines = [
        f"light {scene.light.name.lower()}",
        "way free" if gap is None else f"way {_positive(gap)} m",
    ]
    near = sorted(range(len(scene.objects)), key=lambda k: math.hypot(*_place(scene.objects[k])))
    for k in near[:MAX_OBJECTS]:
        thing = scene.objects[k]
        lines.append(
            f"{thing.kind.name.lower()} at {_points([_place(thing)], 1)} heading {_signed(thing.heading_rad, 2, 9.99)} "
            f"speed {_positive(thing.speed_mps)} then {_points(forecast.positions_ego[k], 1)}"
        )
    return "\n".join(lines)


def read_scene(text: str) -> tuple[Scene, Forecast] | None:
    """The scene and forecast in a text, None when it holds none. What is told is taken as certain."""
    found = re.search(SCENE_PATTERN, text)
    if found is None:
        return None
    gap = None if found[2] == "free" else float(found[2].removesuffix(" m"))
    objects, futures = [], []
    for kind, *numbers, positions in re.findall(_OBJECT, found[3]):
        x_m, y_m, heading_rad, speed_mps = map(float, numbers)
        objects.append(SceneObject(ObjectKind[kind.upper()], 1.0, x_m, y_m, heading_rad, speed_mps))
        futures.append(_numbers(positions).reshape(3, 2))
    scene = Scene(tuple(objects), LightState[found[1].upper()], 1.0, gap)
    return scene, Forecast(np.array(futures, dtype=float).reshape(-1, 3, 2))


def write_plan(plan: Plan) -> str:
    """The lines of a plan. Inverse of `read_plan`.

    Raises ValueError unless it has a point at each of PATH_STATIONS_M and a speed at each of SPEED_TIMES_S.
    """
    if len(plan.path_ego) != len(PATH_STATIONS_M) or not np.array_equal(plan.speed_times_s, SPEED_TIMES_S):
        raise ValueError(
            f"plan has {len(plan.path_ego)} points and speeds at {plan.speed_times_s} s, expected "
            f"{len(PATH_STATIONS_M)} points and speeds at {SPEED_TIMES_S} s; resample it first"
        )
    speeds = " ".join(_positive(speed) for speed in plan.speeds_mps)
    return f"path {_points(plan.path_ego, 2)}\nspeed {speeds}"


def read_plan(text: str, time_us: int) -> Plan | PlanError:
    """The plan in a text, made from pictures of `time_us`."""
    found = re.search(PLAN_PATTERN, text)
    if found is None:
        return PlanError(f"no plan in {_quote(text)}, expected 'path (+x.xx, +y.yy) ...' and 'speed v.v ...'")
    speeds = _numbers(found[2])
    if speeds.max() > MAX_SPEED_MPS:
        return PlanError(f"the plan's speed reaches {speeds.max():g} m/s, expected at most {MAX_SPEED_MPS:g}")
    return Plan(time_us, _numbers(found[1]).reshape(-1, 2), SPEED_TIMES_S, speeds)


def _place(thing: SceneObject) -> tuple[float, float]:
    return thing.x_m, thing.y_m


def _points(points: object, digits: int) -> str:
    rows = np.asarray(points, dtype=float).reshape(-1, 2)
    return " ".join(f"({_signed(x, digits, 99.0)}, {_signed(y, digits, 99.0)})" for x, y in rows)


def _signed(value: float, digits: int, limit: float) -> str:
    """A number with its sign, drawn in to the limits that the wording can tell; never a negative zero."""
    return f"{round(min(max(float(value), -limit), limit), digits) + 0.0:+.{digits}f}"


def _positive(value: float) -> str:
    return f"{round(min(max(float(value), 0.0), 99.0), 1) + 0.0:.1f}"


def _numbers(text: str) -> np.ndarray:
    return np.array([float(number) for number in _NUMBER.findall(text)])


def _quote(text: str) -> str:
    """The beginning of a text on one line, for a message."""
    return repr(text[:80] + ("..." if len(text) > 80 else ""))
