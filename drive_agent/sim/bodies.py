"""Vehicles, walkers and props as boxes that can touch, and what contacts did to them, written back. Compiled."""

import math

from drive_agent.sim.compiled import compiled

GROUND_CLEARANCE_M = 0.2  # what lies lower than this passes between the wheels
_WALKER_STANDS_MPS = 2.0  # a push that changes a walker's speed by more throws it over
LYING_S = 4.0  # how long a walker that cannot die stays down


@compiled
def _clear(body, inverse_mass):
    body.inverse_mass = inverse_mass
    body.push_x, body.push_y, body.impulse_x, body.impulse_y = 0.0, 0.0, 0.0, 0.0
    body.part_of = 0


@compiled
def vehicle_bodies(vehicles, bodies):
    """VEHICLE (n,) -> BODY (n,)."""
    for index in range(vehicles.shape[0]):
        v, b = vehicles[index], bodies[index]
        cos, sin = math.cos(v.yaw), math.sin(v.yaw)
        b.x = v.x + cos * v.box_center[0] - sin * v.box_center[1]
        b.y = v.y + sin * v.box_center[0] + cos * v.box_center[1]
        top = v.box_center[2] + v.half_extents[2]
        b.z, b.yaw = v.z + (top + GROUND_CLEARANCE_M) / 2.0, v.yaw
        b.half_length, b.half_width = v.half_extents[0], v.half_extents[1]
        b.half_height = (top - GROUND_CLEARANCE_M) / 2.0
        b.velocity_x = v.forward_mps * cos - v.lateral_mps * sin
        b.velocity_y = v.forward_mps * sin + v.lateral_mps * cos
        b.yaw_rate = v.yaw_rate
        _clear(b, 1.0 / v.mass if v.simulate_physics == 1 else 0.0)
        b.inverse_inertia = 1.0 / v.yaw_inertia if v.simulate_physics == 1 else 0.0
        b.collisions, b.walker = v.collisions, 0


@compiled
def walker_bodies(walkers, bodies):
    """WALKER (n,) -> BODY (n,): a box that stands or, for one who has fallen, lies."""
    for index in range(walkers.shape[0]):
        w, b = walkers[index], bodies[index]
        b.x, b.y, b.z, b.yaw = w.x, w.y, w.z, w.yaw
        b.half_length, b.half_width, b.half_height = w.half_extents[0], w.half_extents[1], w.half_extents[2]
        if w.fallen == 1:
            b.half_length, b.half_height = w.half_extents[2], w.half_extents[0]
        b.velocity_x, b.velocity_y, b.yaw_rate = w.velocity[0], w.velocity[1], 0.0
        _clear(b, 1.0 / w.mass if w.simulate_physics == 1 else 0.0)
        b.inverse_inertia = 0.0
        b.collisions, b.walker = w.collisions, 1


@compiled
def prop_bodies(props, bodies):
    """PROP (n,) -> BODY (n,). What lies flat is no obstacle, on a slope neither."""
    for index in range(props.shape[0]):
        p, b = props[index], bodies[index]
        b.x, b.y, b.z, b.yaw = p.x, p.y, p.z + p.half_extents[2], p.yaw
        b.half_length, b.half_width, b.half_height = p.half_extents[0], p.half_extents[1], p.half_extents[2]
        b.velocity_x, b.velocity_y, b.yaw_rate = p.velocity[0], p.velocity[1], p.yaw_rate
        _clear(b, 1.0 / p.mass if p.simulate_physics == 1 else 0.0)
        size = p.half_extents[0] * p.half_extents[0] + p.half_extents[1] * p.half_extents[1]
        b.inverse_inertia = 3.0 * b.inverse_mass / size
        b.collisions, b.walker = p.collisions, 0
        if 2.0 * p.half_extents[2] < GROUND_CLEARANCE_M:
            b.collisions = 0


@compiled
def apply_to_vehicles(bodies, vehicles):
    """What the contacts did to BODY (n,) -> VEHICLE (n,)."""
    for index in range(vehicles.shape[0]):
        v, b = vehicles[index], bodies[index]
        if v.simulate_physics == 0:
            continue
        v.x += b.push_x
        v.y += b.push_y
        if b.impulse_x != 0.0 or b.impulse_y != 0.0:
            cos, sin = math.cos(v.yaw), math.sin(v.yaw)
            v.forward_mps = b.velocity_x * cos + b.velocity_y * sin
            v.lateral_mps = -b.velocity_x * sin + b.velocity_y * cos
            v.yaw_rate = b.yaw_rate


@compiled
def apply_to_walkers(bodies, walkers):
    """What the contacts did to BODY (n,) -> WALKER (n,): shoved out of the way, or thrown over."""
    for index in range(walkers.shape[0]):
        w, b = walkers[index], bodies[index]
        if w.simulate_physics == 0:
            continue
        w.x += b.push_x
        w.y += b.push_y
        if w.fallen == 1 or math.hypot(b.impulse_x, b.impulse_y) > _WALKER_STANDS_MPS * w.mass:
            if w.fallen == 0:
                w.fallen, w.lies_for_s = 1, LYING_S
                w.yaw = math.atan2(b.velocity_y, b.velocity_x)
            w.velocity[0], w.velocity[1] = b.velocity_x, b.velocity_y


@compiled
def apply_to_props(bodies, props):
    """What the contacts did to BODY (n,) -> PROP (n,)."""
    for index in range(props.shape[0]):
        p, b = props[index], bodies[index]
        if p.simulate_physics == 1:
            p.x += b.push_x
            p.y += b.push_y
            p.velocity[0], p.velocity[1], p.yaw_rate = b.velocity_x, b.velocity_y, b.yaw_rate
