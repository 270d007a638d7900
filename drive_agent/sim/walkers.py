"""Pedestrians: they go where their control says, at its speed, on the ground, until something throws them over.

One who has fallen slides, lies, and gets up again after a while if nothing can hurt it (`is_invincible`, as
in CARLA's blueprints); another stays where it lies. No knees, no fear.
"""

import math

import numpy as np

from drive_agent.sim.catalogue import WalkerModel
from drive_agent.sim.compiled import compiled
from drive_agent.sim.ground import ground_height
from drive_agent.sim.vehicle_dynamics import GRAVITY_MPS2

_JUMP_MPS = 3.0
_SLIDING_FRICTION = 0.6
_FALL_RADPS = 5.0
_LYING_PITCH_RAD = -1.5  # face down; upright a right angle more
_STEP_M = 0.6  # a walker within this of its standing height stands

WALKER = np.dtype(
    [
        # origin: middle of the body
        ("x", "f8"), ("y", "f8"), ("z", "f8"), ("pitch", "f8"), ("yaw", "f8"), ("roll", "f8"),  # m, rad
        ("velocity", "f8", (3,)), ("acceleration", "f8", (3,)),
        ("direction", "f8", (3,)), ("speed_mps", "f8"), ("jump", "i8"),
        ("simulate_physics", "i8"), ("gravity", "i8"), ("collisions", "i8"), ("invincible", "i8"),
        ("fallen", "i8"), ("lies_for_s", "f8"),
        ("half_extents", "f8", (3,)), ("mass", "f8"),
    ],
    align=True,
)  # fmt: skip


def new_walker(model: WalkerModel, *, invincible: bool) -> np.ndarray:
    """WALKER () standing at the origin."""
    walker = np.zeros((), WALKER)
    walker["half_extents"] = model.half_extents_m
    walker["mass"] = 30.0 if model.age == "child" else 75.0
    walker["direction"] = (1.0, 0.0, 0.0)
    for flag in ("simulate_physics", "gravity", "collisions"):
        walker[flag] = 1
    walker["invincible"] = invincible
    return walker


@compiled
def _vertical_step(grid, w, delta_s):
    """Stand (or lie) on the ground, jump off it, or fall to it."""
    half_height = w.half_extents[2] * math.cos(w.pitch) + w.half_extents[0] * math.sin(abs(w.pitch))
    ground = ground_height(grid, w.x, w.y, w.z - half_height)
    if math.isnan(ground):
        w.velocity[2] = 0.0
        return
    gap = w.z - half_height - ground
    reach = w.half_extents[2] if w.fallen == 1 else _STEP_M
    standing = abs(gap) < reach and w.velocity[2] <= 0.0
    if standing and w.jump == 1 and w.fallen == 0:
        w.velocity[2], standing = _JUMP_MPS, False
    if gap < -_STEP_M or (w.gravity == 0 and not standing):
        w.velocity[2] = 0.0
    elif standing:
        w.z, w.velocity[2] = ground + half_height, 0.0
    else:
        w.velocity[2] -= GRAVITY_MPS2 * delta_s
        w.z += w.velocity[2] * delta_s


@compiled
def _walk(w):
    """The velocity that the control asks for, at once."""
    length = math.hypot(w.direction[0], w.direction[1])
    speed = w.speed_mps if length > 1e-6 else 0.0
    if speed == 0.0:
        w.velocity[0], w.velocity[1] = 0.0, 0.0
        return
    w.velocity[0], w.velocity[1] = w.direction[0] / length * speed, w.direction[1] / length * speed
    w.yaw = math.atan2(w.velocity[1], w.velocity[0])


@compiled
def _lie(w, delta_s):
    """Topple, slide to a stop, and after a while get up, if it can."""
    w.pitch = max(_LYING_PITCH_RAD, w.pitch - _FALL_RADPS * delta_s)
    speed = math.hypot(w.velocity[0], w.velocity[1])
    slower = _SLIDING_FRICTION * GRAVITY_MPS2 * delta_s
    share = max(0.0, 1.0 - slower / speed) if speed > 0.0 else 0.0
    w.velocity[0] *= share
    w.velocity[1] *= share
    w.lies_for_s -= delta_s
    if w.invincible == 1 and w.lies_for_s <= 0.0 and share == 0.0:
        w.fallen, w.pitch = 0, 0.0
        w.z += w.half_extents[2] - w.half_extents[0]


@compiled
def step_walkers(grid, walkers, delta_s):
    """Advance every WALKER (n,) by delta_s."""
    for index in range(walkers.shape[0]):
        w = walkers[index]
        if w.simulate_physics == 0:
            continue
        before_x, before_y = w.velocity[0], w.velocity[1]
        if w.fallen == 1:
            _lie(w, delta_s)
        else:
            _walk(w)
        w.acceleration[0] = (w.velocity[0] - before_x) / delta_s
        w.acceleration[1] = (w.velocity[1] - before_y) / delta_s
        w.x += w.velocity[0] * delta_s
        w.y += w.velocity[1] * delta_s
        _vertical_step(grid, w, delta_s)


@compiled
def write_walker_records(walkers, rows, records):
    """WALKER (n,) -> rows (n,) of WALKER_RECORD (m,), the snapshot."""
    for index in range(walkers.shape[0]):
        w = walkers[index]
        record = records[rows[index]]
        record.pose[0], record.pose[1], record.pose[2] = w.x, w.y, w.z
        record.pose[3], record.pose[4], record.pose[5] = (
            math.degrees(w.pitch),
            math.degrees(w.yaw),
            math.degrees(w.roll),
        )
        for axis in range(3):
            record.velocity[axis] = w.velocity[axis]
            record.acceleration[axis] = w.acceleration[axis]
            record.direction[axis] = w.direction[axis]
        record.speed = w.speed_mps
        record.jump = w.jump
