"""State of the traffic lights: cycles of the groups, what users set by hand, and which vehicle stands before which light.

A group is a junction; its controllers take turns. A turn is green, yellow, then red for all. Times belong to a controller.
"""

import math
from typing import Any

import numpy as np

from drive_agent.sim.compiled import compiled
from drive_agent.sim.opendrive import Controller
from drive_agent.sim.signal_sites import SignalSite
from drive_agent.sim.wire import LightState, RequestError

GREEN_S, YELLOW_S, RED_S = 10.0, 3.0, 2.0
_PHASES = (LightState.GREEN, LightState.YELLOW, LightState.RED)
_SHOWN = tuple(int(phase) for phase in _PHASES)
_REACH_HEIGHT_M = 2.0

TRIGGER = np.dtype(
    [(name, "f8") for name in ("x", "y", "z", "cos", "sin", "half_along", "half_across")] + [("light", "i8")],
    align=True,
)
# One junction: its turns, which follow one another in the array of all turns, and the time in the present phase.
GROUP = np.dtype(
    [
        ("first_turn", "i8"), ("turns", "i8"), ("active", "i8"), ("phase", "i8"),
        ("elapsed_s", "f8"), ("frozen", "i8"),
    ],
    align=True,
)  # fmt: skip
# One controller: how long its lights show green, yellow and red.
TURN = np.dtype([("durations_s", "f8", (len(_PHASES),))], align=True)
# One light: where it belongs, what it shows, and which actor and row of the snapshot it is.
LIGHT = np.dtype(
    [("group", "i8"), ("turn", "i8"), ("state", "i8"), ("actor", "i8"), ("row", "i8")], align=True
)


class Signals:
    """All lights of a town, by index in the order of the sites.

    groups, turns, table: GROUP, TURN and LIGHT arrays; states: LightState of the lights, a view of the table.
    """

    def __init__(self, sites: tuple[SignalSite, ...], controllers: tuple[Controller, ...]) -> None:
        self.lights = [site for site in sites if site.is_light]
        groups = _build_groups(self.lights, controllers)
        self.groups = np.zeros(len(groups), GROUP)
        self.turns = np.zeros(sum(map(len, groups)), TURN)
        self.table = np.zeros(len(self.lights), LIGHT)
        self.turns["durations_s"] = GREEN_S, YELLOW_S, RED_S
        first_turn = 0
        for index, turns in enumerate(groups):
            self.groups["first_turn"][index], self.groups["turns"][index] = first_turn, len(turns)
            for turn, members in enumerate(turns, first_turn):
                self.table["group"][members], self.table["turn"][members] = index, turn
            first_turn += len(turns)
        self.states = self.table["state"]
        self.triggers = _build_triggers(self.lights)
        self.reset()

    def reset(self) -> None:
        """Every group back to the start of its first turn."""
        for group in range(len(self.groups)):
            self._reset(group)

    def reset_group_of(self, light: int) -> None:
        """The group of this light back to the start of its first turn."""
        self._reset(int(self.table["group"][light]))

    def _reset(self, group: int) -> None:
        for name in ("active", "phase", "elapsed_s"):
            self.groups[name][group] = 0
        _show(self.groups, self.table, group)

    def step(self, delta_s: float) -> None:
        """Advance the cycles of the groups that are not frozen."""
        _step(self.groups, self.turns, self.table, delta_s)

    def group_of(self, light: int) -> Any:
        """GROUP (): a view."""
        return self.groups[self.table["group"][light]]

    def durations_s(self, light: int) -> tuple[float, float, float]:
        """How long the controller of this light shows green, yellow and (all) red."""
        green, yellow, red = self.turns["durations_s"][self.table["turn"][light]].tolist()
        return green, yellow, red

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
        self.turns["durations_s"][self.table["turn"][light], _PHASES.index(state)] = seconds

    def freeze_all(self, *, frozen: bool) -> None:
        """Stop or restart all cycles."""
        self.groups["frozen"] = frozen

    def members(self, light: int) -> list[int]:
        """All lights of the junction of this one, itself included, in order."""
        return np.flatnonzero(self.table["group"] == self.table["group"][light]).tolist()


def _build_groups(lights: list[SignalSite], controllers: tuple[Controller, ...]) -> list[list[list[int]]]:
    """Lights of every turn of every group: controllers by junction; a light without controller takes a turn of its own."""
    index_of = {light.signal_id: index for index, light in enumerate(lights)}
    turns: dict[object, list[list[int]]] = {}
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
        turns.setdefault(key, []).append(members)
    for index, light in enumerate(lights):
        if index not in assigned:
            key = light.junction_id if light.junction_id >= 0 else ("light", light.signal_id)
            turns.setdefault(key, []).append([index])
    return list(turns.values())


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
def _step(groups, turns, lights, delta_s):
    """Advance the cycle of every GROUP (n,) that is not frozen; TURN (m,), LIGHT (k,)."""
    for index in range(groups.shape[0]):
        group = groups[index]
        if group.frozen == 1:
            continue
        group.elapsed_s += delta_s
        changed = False
        # at most one whole cycle: durations of zero must not hang the server
        for _ in range(group.turns * len(_PHASES)):
            duration = turns[group.first_turn + group.active].durations_s[group.phase]
            if group.elapsed_s < duration - 1e-6:
                break
            group.elapsed_s -= duration
            group.phase += 1
            if group.phase == len(_PHASES):
                group.phase, group.active = 0, (group.active + 1) % group.turns
            changed = True
        if changed:
            _show(groups, lights, index)


@compiled
def _show(groups, lights, index):
    """Let every LIGHT (n,) of a GROUP show its phase, or red if it is the turn of others."""
    group = groups[index]
    for slot in range(lights.shape[0]):
        light = lights[slot]
        if light.group == index:
            goes = light.turn == group.first_turn + group.active
            light.state = _SHOWN[group.phase] if goes else _SHOWN[-1]


@compiled
def write_light_records(groups, turns, lights, records):
    """LIGHT (n,) -> their rows of SIGNAL_RECORD (m,), the snapshot."""
    for index in range(lights.shape[0]):
        light = lights[index]
        record, group, durations_s = records[light.row], groups[light.group], turns[light.turn].durations_s
        record.green_s, record.yellow_s, record.red_s = durations_s[0], durations_s[1], durations_s[2]
        record.elapsed_s, record.frozen, record.light_state = group.elapsed_s, group.frozen, light.state


@compiled
def assign_lights(vehicles, triggers, lights):
    """Give each VEHICLE (n,) the LIGHT (m,) it stands before: a point halfway to its front bumper is in the trigger box.

    A vehicle without a light reads green, as in CARLA.
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
                v.light_id, v.light_state = lights[t.light].actor, lights[t.light].state
                break
