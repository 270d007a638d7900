"""Rows of the training data as values that are put into words: the rationale of a frame, and answers about its scene.

The wordings themselves lie in `agent.rationale_text` and `agent.quiz_text`. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drive_agent.agent import quiz_text
from drive_agent.agent.rationale_text import REACH_M, SLOWER_MPS, STEPS_M, action_of, reach_m
from drive_agent.agent.slots import nearest
from drive_agent.data.shards import NONE_M
from drive_agent.rig import CameraMount
from drive_agent.types import Action, Cause, LightState, ObjectKind, Rationale

FREE_M = 40.0  # with nothing nearer, the way is free
NEAR_M = 40.0  # road users within are counted
MOVES_MPS = 0.5
HEIGHT_M = {ObjectKind.VEHICLE: 1.5, ObjectKind.CYCLIST: 1.7, ObjectKind.WALKER: 1.75}
SPARE_PX = 7  # around a person that is pointed at

# what one hits by going on, where it is no vehicle
_HITS: dict[int, Cause] = {ObjectKind.WALKER: Cause.PERSON, ObjectKind.PROP: Cause.OBSTACLE}

Row = Mapping[str, np.ndarray]


def rationale_of(row: Row) -> Rationale:
    """Why the expert wants the speed that it wants."""
    speed_mps = float(row["speed_mps"])
    kind, gap_m = int(row["lead_kind"]), float(row["gap_m"])
    light, light_m = LightState(int(row["light"])), float(row["light_m"])
    cause = Cause(int(row["cause"]))
    return Rationale(
        light=light,
        light_m=_told(light_m) if light else None,
        ahead=ObjectKind(kind) if kind >= 0 and gap_m <= REACH_M else None,
        ahead_m=_told(gap_m) if kind >= 0 else None,
        ahead_moves=float(row["lead_speed_mps"]) > MOVES_MPS,
        stop_sign_m=_told(float(row["stop_m"])),
        give_way_m=_told(float(row["yield_m"])),
        going_on=offence(row, cause),
        action=action_of(speed_mps, float(row["target_speed_mps"])),
        cause=cause,
    )


def offence(row: Row, cause: Cause) -> Cause:
    """What going on at this pace would offend soonest; FREE where it offends nothing."""
    reach = reach_m(float(row["speed_mps"]))
    dangers = {
        _HITS.get(int(row["lead_kind"]), Cause.VEHICLE): _closing_m(row),
        Cause.STOP_SIGN: float(row["stop_m"]),
        Cause.RIGHT_OF_WAY: float(row["yield_m"]),
    }
    states = {LightState.RED: Cause.RED_LIGHT, LightState.YELLOW: Cause.YELLOW_LIGHT}
    state = LightState(int(row["light"]))
    if state in states and (state == LightState.RED or cause == Cause.YELLOW_LIGHT):
        dangers[states[state]] = float(row["light_m"])
    soonest = min(dangers, key=lambda danger: dangers[danger])
    if dangers[soonest] < reach:
        return soonest
    slower = float(row["target_speed_mps"]) < float(row["speed_mps"]) - SLOWER_MPS
    return cause if slower else Cause.FREE


def _closing_m(row: Row) -> float:
    """Way to the first thing ahead, as long as it drives on itself."""
    return float(row["gap_m"]) + float(row["lead_speed_mps"]) * 3.0


def _told(distance_m: float) -> float | None:
    return None if distance_m > REACH_M else max(distance_m, 0.0)


# ---- questions ---------------------------------------------------------------------------------------------------


def answer_of(name: str, row: Row, camera: CameraMount) -> tuple[int, ...] | None:
    """The right answer to a question as a choice of its slots; None where the row cannot tell."""
    return _ANSWERS[name](row, camera)


def _light(row: Row, _: CameraMount) -> tuple[int, ...]:
    return (int(row["light"]),)


def _free(row: Row, _: CameraMount) -> tuple[int, ...]:
    return (int(float(row["gap_m"]) < FREE_M),)


def _gap(row: Row, _: CameraMount) -> tuple[int, ...]:
    gap_m = float(row["gap_m"])
    return (len(STEPS_M) if gap_m > REACH_M else nearest(gap_m, STEPS_M),)


def _count(row: Row, kinds: tuple[ObjectKind, ...]) -> tuple[int, ...]:
    return (min(len(_near(row, kinds)), quiz_text.MANY),)


def _near(row: Row, kinds: tuple[ObjectKind, ...]) -> np.ndarray:
    """Labelled road users of these kinds within NEAR_M, nearest first."""
    objects = np.asarray(row["objects"], dtype=float)
    away = np.hypot(objects[:, 1], objects[:, 2])
    return objects[np.isin(objects[:, 0], kinds) & (away < NEAR_M)]


def _stop_sign(row: Row, _: CameraMount) -> tuple[int, ...]:
    return (int(float(row["stop_m"]) >= NONE_M),)


def _nearer(row: Row, _: CameraMount) -> tuple[int, ...]:
    seen = _near(row, (ObjectKind.VEHICLE, ObjectKind.WALKER))
    return (2 if not len(seen) else int(seen[0, 0] == ObjectKind.WALKER),)


def _action(row: Row, _: CameraMount) -> tuple[int, ...]:
    action = action_of(float(row["speed_mps"]), float(row["target_speed_mps"]))
    return (list(Action).index(action),)


def _box(row: Row, camera: CameraMount) -> tuple[int, ...] | None:
    seen = region(row, (ObjectKind.VEHICLE,), camera)
    if seen is None:
        return None
    left, top, right, bottom = np.round(seen / quiz_text.STEP_PX).astype(int)
    return (0, left, top, max(right, left + 1), max(bottom, top + 1))


def _point(row: Row, camera: CameraMount) -> tuple[int, ...] | None:
    seen = region(row, (ObjectKind.WALKER,), camera)
    if seen is None:
        return None
    column, row_ = np.round((seen[:2] + seen[2:]) / 2 / quiz_text.STEP_PX).astype(int)
    return (0, column, row_)


def region(row: Row, kinds: tuple[ObjectKind, ...], camera: CameraMount) -> np.ndarray | None:
    """Where the picture shows the nearest one of these kinds: left, top, right, bottom in pixels; None: nowhere."""
    for one in _near(row, kinds):
        _, x, y, heading, _, half_length, half_width = one[:7]
        cos, sin = np.cos(heading), np.sin(heading)
        corners = np.array(
            [
                (x + a * half_length * cos - b * half_width * sin, y + a * half_length * sin + b * half_width * cos, z)
                for a in (-1, 1)
                for b in (-1, 1)
                for z in (0.0, HEIGHT_M[ObjectKind(int(one[0]))])
            ]
        )  # fmt: skip
        pixels, depth = camera.project(corners)
        if (depth < 0.5).any():
            continue
        size = (camera.width, camera.height)
        low, high = pixels.min(0).clip(0, size), pixels.max(0).clip(0, size)
        if (high - low > 1.0).all():
            return np.concatenate([low, high])
    return None


_VEHICLES = (ObjectKind.VEHICLE, ObjectKind.CYCLIST)
_ANSWERS = {
    "light": _light,
    "free": _free,
    "gap": _gap,
    "vehicles": lambda row, _: _count(row, _VEHICLES),
    "people": lambda row, _: _count(row, (ObjectKind.WALKER,)),
    "stop_sign": _stop_sign,
    "nearer": _nearer,
    "box": _box,
    "point": _point,
    "action": _action,
}
