"""The batch that a traffic manager sends in every tick, a `VehicleControl` for each of its cars, taken as arrays.

Ordinary batches only: whatever is odd about one (another command, a gone vehicle, a value that is no number) is left to
`rpc_batch`, which looks at each command and says what is wrong.
"""

from itertools import chain
from typing import Any

import numpy as np

from drive_agent.sim.actors import Kind
from drive_agent.sim.wire import COMMAND_METHODS, Encoded, value_result
from drive_agent.sim.world import World

_CONTROL = COMMAND_METHODS.index("apply_control_to_vehicle")
_PEDAL, _FLAG, _GEAR = {float, int}, {bool}, {int}
_TYPES = (
    _PEDAL,
    _PEDAL,
    _PEDAL,
    _FLAG,
    _FLAG,
    _FLAG,
    _GEAR,
)  # throttle, steer, brake; hand brake, reverse, manual
_MEMBERS = len(_TYPES)
_LOWEST_GEAR, _HIGHEST_GEAR = -1, 100


def apply_controls(world: World, batch: list[Any]) -> Encoded | None:
    """Results of the commands, as `rpc_control.apply_control_to_vehicle` gives them one by one; None if nothing was done."""
    try:
        indexes, ids, controls = zip(*[(index, *payload) for ((index, payload),) in batch], strict=True)
    except (TypeError, ValueError):  # not all of them have the shape of a control
        return None
    if set(indexes) != {_CONTROL} or set(map(type, controls)) != {list} or set(map(type, ids)) != {int}:
        return None
    flat = list(chain.from_iterable(controls))
    if set(map(len, controls)) != {_MEMBERS}:
        return None
    if not all(_TYPES[k].issuperset(map(type, flat[k::_MEMBERS])) for k in range(_MEMBERS)):
        return None
    actors = [world.actors.find(actor_id) for actor_id in ids]
    if any(actor is None or actor.kind is not Kind.VEHICLE for actor in actors):
        return None
    values = np.array(flat, np.float64).reshape(-1, _MEMBERS)
    if not np.isfinite(values).all():
        return None
    _write(world.vehicles.rows, np.array([actor.slot for actor in actors if actor is not None]), values)
    if world.ackermann:
        for actor_id in ids:
            world.ackermann.pop(actor_id, None)
    return [value_result(actor_id) for actor_id in ids]


def _write(rows: np.ndarray, slots: np.ndarray, values: np.ndarray) -> None:
    """Values float64 (n, 7) into VEHICLE rows; a slot that comes twice keeps the later ones."""
    throttle, steer, brake, hand_brake, reverse, manual, gear = values.T
    shifts = manual != 0.0
    rows["throttle"][slots] = throttle.clip(0.0, 1.0)
    rows["steer"][slots] = steer.clip(-1.0, 1.0)
    rows["brake"][slots] = brake.clip(0.0, 1.0)
    rows["hand_brake"][slots] = hand_brake != 0.0
    rows["manual_gear_shift"][slots] = shifts
    rows["reverse"][slots] = np.where(shifts, gear < 0.0, reverse != 0.0)
    if shifts.any():
        rows["gear"][slots[shifts]] = gear[shifts].clip(_LOWEST_GEAR, _HIGHEST_GEAR)
