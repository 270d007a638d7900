"""The wording of a rationale: what matters, what could be done, what is decided and why. Written and read here alone.

    light red in 15 m
    ahead vehicle in 10 m, moving
    rule none
    going on runs the red light
    stopping is right
    so stop for the red light

Distances are told in steps. The fifth line follows from the last one; a text in which they disagree is refused. Knows
nothing of models.
"""

from __future__ import annotations

from drive_agent.agent.plan_arrays import MOVE_UP_MPS, ROLL_MPS
from drive_agent.agent.slots import Slots, nearest
from drive_agent.types import Action, Cause, LightState, ObjectKind, Rationale

STEPS_M = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0)
REACH_M = 45.0  # what is farther is not told
STANDING_MPS = 0.5
SLOWER_MPS = 0.4  # a target that much lower, half a second ahead, means slowing down
PACE_S = 3.0  # going on at this pace is judged so far ahead

_AHEAD = {
    ObjectKind.VEHICLE: "vehicle",
    ObjectKind.CYCLIST: "cyclist",
    ObjectKind.WALKER: "person",
    ObjectKind.PROP: "obstacle",
}
_OFFENCE = {
    Cause.FREE: "is free",
    Cause.CURVE: "is too fast for the curve",
    Cause.RED_LIGHT: "runs the red light",
    Cause.YELLOW_LIGHT: "runs the yellow light",
    Cause.QUEUE: "blocks the junction",
    Cause.STOP_SIGN: "misses the stop sign",
    Cause.VEHICLE: "hits the vehicle",
    Cause.PERSON: "hits the person",
    Cause.RIGHT_OF_WAY: "takes the right of way",
    Cause.GAP: "finds no gap",
    Cause.OBSTACLE: "hits the obstacle",
}
_ACTION = {
    Action.GO_ON: "go on",
    Action.SLOW_DOWN: "slow down",
    Action.STOP: "stop",
    Action.WAIT: "wait",
    Action.SET_OFF: "set off",
}
_CAUSE = {
    Cause.FREE: ", the way is free",
    Cause.CURVE: " for the curve",
    Cause.RED_LIGHT: " for the red light",
    Cause.YELLOW_LIGHT: " for the yellow light",
    Cause.QUEUE: " for the queue behind the line",
    Cause.STOP_SIGN: " for the stop sign",
    Cause.VEHICLE: " for the vehicle ahead",
    Cause.PERSON: " for the person",
    Cause.RIGHT_OF_WAY: " for those with right of way",
    Cause.GAP: " for a gap in the lane to join",
    Cause.OBSTACLE: " for the obstacle in the lane",
}


def _lights() -> dict[str, tuple[LightState, float | None]]:
    out: dict[str, tuple[LightState, float | None]] = {"light none\n": (LightState.NONE, None)}
    for state in (LightState.RED, LightState.YELLOW, LightState.GREEN):
        out |= {f"light {state.name.lower()} in {m:.0f} m\n": (state, m) for m in STEPS_M}
    return out


def _things() -> dict[str, tuple[ObjectKind | None, float | None, bool]]:
    out: dict[str, tuple[ObjectKind | None, float | None, bool]] = {"ahead free\n": (None, None, False)}
    for kind, word in _AHEAD.items():
        for m in STEPS_M:
            out[f"ahead {word} in {m:.0f} m, standing\n"] = (kind, m, False)
            out[f"ahead {word} in {m:.0f} m, moving\n"] = (kind, m, True)
    return out


def _rules() -> dict[str, tuple[float | None, float | None]]:
    out: dict[str, tuple[float | None, float | None]] = {"rule none\n": (None, None)}
    out |= {f"rule stop sign in {m:.0f} m\n": (m, None) for m in STEPS_M}
    return out | {f"rule give way in {m:.0f} m\n": (None, m) for m in STEPS_M}


_LIGHTS, _THINGS, _RULES = _lights(), _things(), _rules()
_STOPPING = ("stopping is needless\n", "stopping is right\n")
SLOTS = Slots(
    (
        tuple(_LIGHTS),
        tuple(_THINGS),
        tuple(_RULES),
        tuple(f"going on {text}\n" for text in _OFFENCE.values()),
        _STOPPING,
        tuple(f"so {text}" for text in _ACTION.values()),
        tuple(_CAUSE.values()),
    )
)


def write_rationale(rationale: Rationale) -> str:
    """The lines of a rationale. Inverse of `read_rationale`, distances rounded to `STEPS_M`."""
    return SLOTS.write(choose(rationale))


def read_rationale(text: str) -> Rationale | None:
    """The rationale that a text tells, None unless the whole text is one."""
    choice = SLOTS.read(text)
    return None if choice is None else chosen(choice)


def choose(rationale: Rationale) -> tuple[int, ...]:
    """The phrase of every slot; of stop sign and right of way the sign is told."""
    light_m, ahead_m = _step(rationale.light_m), _step(rationale.ahead_m)
    stop_m, give_way_m = _step(rationale.stop_sign_m), _step(rationale.give_way_m)
    light = (LightState.NONE, None) if light_m is None else (rationale.light, light_m)
    thing = (None, None, False) if ahead_m is None else (rationale.ahead, ahead_m, rationale.ahead_moves)
    rule = (stop_m, None) if stop_m is not None else (None, give_way_m)
    return (
        list(_LIGHTS.values()).index(light),
        list(_THINGS.values()).index(thing),
        list(_RULES.values()).index(rule),
        list(_OFFENCE).index(rationale.going_on),
        int(stands(rationale.action)),
        list(_ACTION).index(rationale.action),
        list(_CAUSE).index(rationale.cause),
    )


def chosen(choice: tuple[int, ...]) -> Rationale | None:
    """Inverse of `choose`; None where stopping is called right and something else is decided, or the other way round."""
    light, light_m = list(_LIGHTS.values())[choice[0]]
    ahead, ahead_m, moves = list(_THINGS.values())[choice[1]]
    stop_m, give_way_m = list(_RULES.values())[choice[2]]
    going_on, action, cause = list(_OFFENCE)[choice[3]], list(_ACTION)[choice[5]], list(_CAUSE)[choice[6]]
    if bool(choice[4]) != stands(action):
        return None
    return Rationale(light, light_m, ahead, ahead_m, moves, stop_m, give_way_m, going_on, action, cause)


def stands(action: Action) -> bool:
    """Whether an action ends at a stand."""
    return action in (Action.STOP, Action.WAIT)


def action_of(speed_mps: float, target_mps: float) -> Action:
    """What one does who drives `speed_mps` and wants `target_mps`."""
    if speed_mps < STANDING_MPS:
        return Action.WAIT if target_mps < MOVE_UP_MPS else Action.SET_OFF
    if target_mps < ROLL_MPS:
        return Action.STOP
    return Action.SLOW_DOWN if target_mps < speed_mps - SLOWER_MPS else Action.GO_ON


def reach_m(speed_mps: float) -> float:
    """How far going on at this pace leads while it is judged; from a stand, as far as one gets by setting off."""
    return max(speed_mps, ROLL_MPS) * PACE_S


def _step(distance_m: float | None) -> float | None:
    if distance_m is None or distance_m > REACH_M:
        return None
    return STEPS_M[nearest(max(distance_m, 0.0), STEPS_M)]
