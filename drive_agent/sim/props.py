"""Props: things that stand where they were put until physics takes them; then they fall, slide and turn when
they are hit.
"""

import math

import numpy as np

from drive_agent.sim.catalogue_props import PropModel
from drive_agent.sim.compiled import compiled
from drive_agent.sim.ground import ground_height
from drive_agent.sim.vehicle_dynamics import GRAVITY_MPS2

_SLIDING_FRICTION = 0.6
_SPIN_DECAY_RADPS2 = 8.0
_REST_M = 0.05  # nearer to the ground than this, a prop lies on it
_BURIED_M = 1.0  # deeper than this below the ground, a prop is not on this ground at all

PROP = np.dtype(
    [
        # origin: middle of the bottom
        ("x", "f8"), ("y", "f8"), ("z", "f8"), ("pitch", "f8"), ("yaw", "f8"), ("roll", "f8"),  # m, rad
        ("velocity", "f8", (3,)), ("acceleration", "f8", (3,)), ("yaw_rate", "f8"),
        ("simulate_physics", "i8"), ("gravity", "i8"), ("collisions", "i8"),
        ("half_extents", "f8", (3,)), ("mass", "f8"),
    ],
    align=True,
)  # fmt: skip


def new_prop(model: PropModel) -> np.ndarray:
    """PROP () at the origin; loose ones have physics from the start."""
    prop = np.zeros((), PROP)
    prop["half_extents"], prop["mass"] = model.half_extents_m, model.mass_kg
    prop["simulate_physics"], prop["gravity"], prop["collisions"] = model.loose, 1, 1
    return prop


@compiled
def _slide(p, delta_s):
    """Friction with the ground, until it lies still."""
    speed = math.hypot(p.velocity[0], p.velocity[1])
    slower = _SLIDING_FRICTION * GRAVITY_MPS2 * delta_s
    share = max(0.0, 1.0 - slower / speed) if speed > 0.0 else 0.0
    p.velocity[0] *= share
    p.velocity[1] *= share
    p.yaw_rate = math.copysign(max(0.0, abs(p.yaw_rate) - _SPIN_DECAY_RADPS2 * delta_s), p.yaw_rate)


@compiled
def step_props(grid, props, delta_s):
    """Advance every PROP (n,) under physics by delta_s."""
    for index in range(props.shape[0]):
        p = props[index]
        if p.simulate_physics == 0:
            continue
        before_x, before_y, before_z = p.velocity[0], p.velocity[1], p.velocity[2]
        p.x += p.velocity[0] * delta_s
        p.y += p.velocity[1] * delta_s
        p.yaw += p.yaw_rate * delta_s
        height = ground_height(grid, p.x, p.y, p.z)
        if math.isnan(height) or p.z < height - _BURIED_M:
            p.velocity[2] = 0.0
            _slide(p, delta_s)
        elif p.z <= height + _REST_M and p.velocity[2] <= 0.0:
            p.z, p.velocity[2] = height, 0.0
            _slide(p, delta_s)
        else:
            p.velocity[2] -= GRAVITY_MPS2 * delta_s if p.gravity == 1 else 0.0
            p.z = max(height, p.z + p.velocity[2] * delta_s)
        p.acceleration[0] = (p.velocity[0] - before_x) / delta_s
        p.acceleration[1] = (p.velocity[1] - before_y) / delta_s
        p.acceleration[2] = (p.velocity[2] - before_z) / delta_s


@compiled
def write_prop_records(props, rows, records):
    """PROP (n,) -> rows (n,) of RECORD (m,), the snapshot."""
    for index in range(props.shape[0]):
        p = props[index]
        record = records[rows[index]]
        record.pose[0], record.pose[1], record.pose[2] = p.x, p.y, p.z
        record.pose[3], record.pose[4] = math.degrees(p.pitch), math.degrees(p.yaw)
        record.pose[5] = math.degrees(p.roll)
        record.angular_velocity[2] = math.degrees(p.yaw_rate)
        for axis in range(3):
            record.velocity[axis] = p.velocity[axis]
            record.acceleration[axis] = p.acceleration[axis]
