"""Pedestrians: they go where their control says, at its speed, on the ground. No knees, no fear."""

import math

import numpy as np
from numba import njit

from drive_agent.sim.catalogue import WalkerModel
from drive_agent.sim.ground import ground_height
from drive_agent.sim.vehicle_dynamics import GRAVITY_MPS2

_JUMP_MPS = 3.0
_STEP_M = 0.6  # a walker within this of its standing height stands

WALKER = np.dtype(
    [
        # origin: middle of the body
        ("x", "f8"), ("y", "f8"), ("z", "f8"), ("pitch", "f8"), ("yaw", "f8"), ("roll", "f8"),  # m, rad
        ("velocity", "f8", (3,)), ("acceleration", "f8", (3,)),
        ("direction", "f8", (3,)), ("speed_mps", "f8"), ("jump", "i8"),
        ("simulate_physics", "i8"), ("gravity", "i8"), ("collisions", "i8"),
        ("half_extents", "f8", (3,)), ("mass", "f8"),
    ],
    align=True,
)  # fmt: skip


def new_walker(model: WalkerModel) -> np.ndarray:
    """WALKER () standing at the origin."""
    walker = np.zeros((), WALKER)
    walker["half_extents"] = model.half_extents_m
    walker["mass"] = 30.0 if model.age == "child" else 75.0
    walker["direction"] = (1.0, 0.0, 0.0)
    for flag in ("simulate_physics", "gravity", "collisions"):
        walker[flag] = 1
    return walker


@njit(cache=True, nogil=True, error_model="numpy")
def _vertical_step(grid, w, delta_s):
    """Stand on the ground, jump off it, or fall to it."""
    ground = ground_height(grid, w.x, w.y, w.z - w.half_extents[2])
    if math.isnan(ground):
        w.velocity[2] = 0.0
        return
    gap = w.z - w.half_extents[2] - ground
    standing = abs(gap) < _STEP_M and w.velocity[2] <= 0.0
    if standing and w.jump == 1:
        w.velocity[2], standing = _JUMP_MPS, False
    if gap < -_STEP_M or (w.gravity == 0 and not standing):
        w.velocity[2] = 0.0
    elif standing:
        w.z, w.velocity[2] = ground + w.half_extents[2], 0.0
    else:
        w.velocity[2] -= GRAVITY_MPS2 * delta_s
        w.z += w.velocity[2] * delta_s


@njit(cache=True, nogil=True, error_model="numpy")
def step_walkers(grid, walkers, delta_s):
    """Advance every WALKER (n,) by delta_s."""
    for index in range(walkers.shape[0]):
        w = walkers[index]
        if w.simulate_physics == 0:
            continue
        length = math.hypot(w.direction[0], w.direction[1])
        speed = w.speed_mps if length > 1e-6 else 0.0
        velocity_x = w.direction[0] / length * speed if speed != 0.0 else 0.0
        velocity_y = w.direction[1] / length * speed if speed != 0.0 else 0.0
        w.acceleration[0] = (velocity_x - w.velocity[0]) / delta_s
        w.acceleration[1] = (velocity_y - w.velocity[1]) / delta_s
        w.velocity[0], w.velocity[1] = velocity_x, velocity_y
        w.x += velocity_x * delta_s
        w.y += velocity_y * delta_s
        if speed != 0.0:
            w.yaw = math.atan2(velocity_y, velocity_x)
        _vertical_step(grid, w, delta_s)


@njit(cache=True, nogil=True, error_model="numpy")
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
