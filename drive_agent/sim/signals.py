"""State of the traffic lights: cycles of the groups, what users set by hand, and which vehicle stands before which light.

A group is a junction; its controllers take turns. A turn is green, yellow, then red for all. Times belong to a controller.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from drive_agent.sim.compiled import compiled
from drive_agent.sim.opendrive import Controller
from drive_agent.sim.signal_sites import SignalSite
from drive_agent.sim.wire import LightState, RequestError

GREEN_S, YELLOW_S, RED_S = 10.0, 3.0, 2.0
_PHASES = (LightState.GREEN, LightState.YELLOW, LightState.RED)
_REACH_HEIGHT_M = 2.0

TRIGGER = np.dtype(
    [(name, "f8") for name in ("x", "y", "z", "cos", "sin", "half_along", "half_across")] + [("light", "i8")],
    align=True,
)


@dataclass
class Turn:
    """One controller: lights (by index) that show the same, and how long."""

    lights: list[int]
    durations_s: list[float] = field(
        default_factory=lambda: [GREEN_S, YELLOW_S, RED_S]
    )  # in the order of _PHASES


@dataclass
class Group:
    """The turns of one junction; `elapsed_s` is the time in the present phase."""

    turns: list[Turn]
    active: int = 0
    phase: int = 0
    elapsed_s: float = 0.0
    frozen: bool = False


class Signals:
    """All lights of a town, by index in the order of the sites; states: int64 (n,), LightState."""

    def __init__(self, sites: tuple[SignalSite, ...], controllers: tuple[Controller, ...]) -> None:
        self.lights = [site for site in sites if site.is_light]
        self.states = np.full(len(self.lights), int(LightState.RED), np.int64)
        self.groups = _build_groups(self.lights, controllers)
        self.group_of = {
            light: group for group in self.groups for turn in group.turns for light in turn.lights
        }
        self.turn_of = {light: turn for group in self.groups for turn in group.turns for light in turn.lights}
        self.triggers = _build_triggers(self.lights)
        self.reset()

    def reset(self) -> None:
        """Every group back to the start of its first turn."""
        for group in self.groups:
            self.reset_group(group)

    def reset_group(self, group: Group) -> None:
        """One group back to the start of its first turn."""
        group.active, group.phase, group.elapsed_s = 0, 0, 0.0
        self._show(group)

    def step(self, delta_s: float) -> None:
        """Advance the cycles of the groups that are not frozen."""
        for group in self.groups:
            if not group.frozen:
                group.elapsed_s += delta_s
                self._advance(group)

    def _advance(self, group: Group) -> None:
        changed = False
        # at most one whole cycle: durations of zero must not hang the server
        for _ in range(len(group.turns) * len(_PHASES)):
            duration = group.turns[group.active].durations_s[group.phase]
            if group.elapsed_s < duration - 1e-6:
                break
            group.elapsed_s -= duration
            group.phase += 1
            if group.phase == len(_PHASES):
                group.phase, group.active = 0, (group.active + 1) % len(group.turns)
            changed = True
        if changed:
            self._show(group)

    def _show(self, group: Group) -> None:
        for index, turn in enumerate(group.turns):
            state = _PHASES[group.phase] if index == group.active else LightState.RED
            for light in turn.lights:
                self.states[light] = int(state)

    def set_state(self, light: int, state: int) -> None:
        """Show this state until the group's next change (freeze the lights to keep it)."""
        if state not in set(LightState):
            raise RequestError(
                f"traffic light state is {state!r}: expected 0 red, 1 yellow, 2 green, 3 off or 4 unknown"
            )
        self.states[light] = int(state)

    def set_duration(self, light: int, state: LightState, seconds: float) -> None:
        """How long the controller of this light shows green, yellow or (all) red."""
        if seconds < 0.0:
            raise RequestError(f"duration is {seconds}: expected seconds, zero or more")
        self.turn_of[light].durations_s[_PHASES.index(state)] = seconds

    def freeze_all(self, *, frozen: bool) -> None:
        """Stop or restart all cycles."""
        for group in self.groups:
            group.frozen = frozen

    def members(self, light: int) -> list[int]:
        """All lights of the junction of this one, itself included, in order."""
        return sorted(member for turn in self.group_of[light].turns for member in turn.lights)


def _build_groups(lights: list[SignalSite], controllers: tuple[Controller, ...]) -> list[Group]:
    """Controllers by junction; a light without controller takes a turn of its own."""
    index_of = {light.signal_id: index for index, light in enumerate(lights)}
    turns: dict[object, list[Turn]] = {}
    assigned: set[int] = set()
    for controller in controllers:
        members = [
            index_of[s] for s in controller.signal_ids if s in index_of and index_of[s] not in assigned
        ]
        if not members:
            continue
        assigned.update(members)
        junction = controller.junction_id if controller.junction_id >= 0 else lights[members[0]].junction_id
        key = junction if junction >= 0 else ("controller", controller.controller_id)
        turns.setdefault(key, []).append(Turn(members))
    for index, light in enumerate(lights):
        if index not in assigned:
            key = light.junction_id if light.junction_id >= 0 else ("light", light.signal_id)
            turns.setdefault(key, []).append(Turn([index]))
    return [Group(group_turns) for group_turns in turns.values()]


def _build_triggers(lights: list[SignalSite]) -> np.ndarray:
    """TRIGGER (n,): every box of every light."""
    rows = [
        (box.x, box.y, box.z, math.cos(yaw), math.sin(yaw), box.half_along, box.half_across, index)
        for index, light in enumerate(lights)
        for box in light.boxes
        for yaw in [math.radians(box.yaw_deg)]
    ]
    return np.array(rows, TRIGGER)


@compiled
def assign_lights(vehicles, triggers, states, actor_ids):
    """Give each VEHICLE (n,) the light it stands before: a point halfway to its front bumper is in the trigger box.

    states, actor_ids: int64 per light. A vehicle without a light reads green, as in CARLA.
    """
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        cos, sin = math.cos(v.yaw), math.sin(v.yaw)
        x, y = v.x + 0.5 * v.half_extents[0] * cos, v.y + 0.5 * v.half_extents[0] * sin
        v.light_id, v.light_state = 0, 2
        for slot in range(triggers.shape[0]):
            t = triggers[slot]
            dx, dy = x - t.x, y - t.y
            if abs(dx * t.cos + dy * t.sin) > t.half_along or abs(dy * t.cos - dx * t.sin) > t.half_across:
                continue
            if cos * t.cos + sin * t.sin > 0.5 and abs(v.z + 1.0 - t.z) < _REACH_HEIGHT_M:
                v.light_id, v.light_state = actor_ids[t.light], states[t.light]
                break
