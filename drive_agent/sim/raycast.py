"""Rays against upright boxes and the ground: what lidar, radar, obstacle sensor and `cast_ray` see. Boxes, not meshes."""

import math

import numpy as np
from numba import njit

from drive_agent.sim.collision import STATIC_CELL_M
from drive_agent.sim.ground import ground_height

NOTHING, GROUND = -1, -2  # `target` otherwise: index of a body, or number of bodies + index of a static box

HIT = np.dtype([("distance", "f8"), ("target", "i8"), ("cos_incidence", "f8")], align=True)


@njit(cache=True, nogil=True, error_model="numpy")
def _slab(origin, direction, half):
    """Entry and exit of a ray through -half..half on one axis."""
    if abs(direction) < 1e-12:
        return (-1e18, 1e18) if abs(origin) <= half else (1e18, -1e18)
    near, far = (-half - origin) / direction, (half - origin) / direction
    return (near, far) if near <= far else (far, near)


@njit(cache=True, nogil=True, error_model="numpy")
def _box_distance(ox, oy, oz, dx, dy, dz, x, y, z, length, width, height, yaw):
    """Distance to where a unit ray enters an upright box, and the cosine of incidence; (1e18, 0) for a miss or from inside."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    px, py, pz = ox - x, oy - y, oz - z
    along, across = dx * cos + dy * sin, -dx * sin + dy * cos
    near_x, far_x = _slab(px * cos + py * sin, along, length)
    near_y, far_y = _slab(-px * sin + py * cos, across, width)
    near_z, far_z = _slab(pz, dz, height)
    near = max(near_x, near_y, near_z)
    if near <= 0.0 or near > min(far_x, far_y, far_z):
        return 1e18, 0.0
    return near, abs(along if near == near_x else across if near == near_y else dz)


@njit(cache=True, nogil=True, error_model="numpy")
def _ground_distance(ground, level, ox, oy, oz, dx, dy, dz, reach):
    """Distance along a falling ray to the ground: from the height under the start, corrected twice where it lands."""
    if dz > -1e-6:
        return 1e18
    distance = (oz - level) / -dz
    for _ in range(2):
        if not 0.0 < distance < reach * 1.5:
            return 1e18
        height = ground_height(ground, ox + dx * distance, oy + dy * distance, level)
        if math.isnan(height):
            break
        distance = (oz - height) / -dz
    return distance if distance > 0.0 else 1e18


@njit(cache=True, nogil=True, error_model="numpy")
def _first_crossing(start, direction, origin, cell):
    """Distance along a ray to where it leaves its cell on one axis, the distance per cell, and the way it goes."""
    if abs(direction) < 1e-12:
        return 1e18, 1e18, 0
    edge = origin + (cell + (1 if direction > 0.0 else 0)) * STATIC_CELL_M
    return (edge - start) / direction, STATIC_CELL_M / abs(direction), 1 if direction > 0.0 else -1


@njit(cache=True, nogil=True, error_model="numpy")
def _static_hit(grid, ox, oy, oz, dx, dy, dz, reach, inflate, best):
    """Nearest static box along a ray nearer than `best`; visits the cells it crosses (Amanatides and Woo, 1987)."""
    found, cosine, limit = -1, 0.0, min(reach, best)
    column = int(math.floor((ox - grid.origin_x) / STATIC_CELL_M))
    row = int(math.floor((oy - grid.origin_y) / STATIC_CELL_M))
    next_x, each_x, way_x = _first_crossing(ox, dx, grid.origin_x, column)
    next_y, each_y, way_y = _first_crossing(oy, dy, grid.origin_y, row)
    entered = 0.0
    while entered <= limit:
        if 0 <= row < grid.rows and 0 <= column < grid.columns:
            cell = row * grid.columns + column
            for slot in range(grid.starts[cell], grid.starts[cell + 1]):
                box = grid.boxes[grid.items[slot]]
                distance, cos = _box_distance(
                    ox, oy, oz, dx, dy, dz, box[0], box[1], box[2],
                    box[3] + inflate, box[4] + inflate, box[5] + inflate, box[6],
                )  # fmt: skip
                if distance < limit:
                    limit, found, cosine = distance, grid.items[slot], cos
        if next_x < next_y:
            entered, next_x, column = next_x, next_x + each_x, column + way_x
        else:
            entered, next_y, row = next_y, next_y + each_y, row + way_y
    return limit, found, cosine


@njit(cache=True, nogil=True, error_model="numpy")
def cast_rays(origin, directions, reach, bodies, skip, grid, ground, see_ground, see_static, inflate, hits):
    """First thing each unit direction (n, 3) meets within `reach` metres of origin (3,) -> HIT (n,).

    Body `skip` is not seen (the carrier of the sensor); boxes grow by `inflate` metres, at most
    LARGEST_INFLATION_M, on every side.
    """
    ox, oy, oz = origin[0], origin[1], origin[2]
    level = ground_height(ground, ox, oy, oz)
    if math.isnan(level):
        level = 0.0
    near = np.empty(bodies.shape[0], np.int64)
    near_count = 0
    for index in range(bodies.shape[0]):
        b = bodies[index]
        size = math.sqrt(b.half_length**2 + b.half_width**2 + b.half_height**2) + inflate
        far = math.sqrt((b.x - ox) ** 2 + (b.y - oy) ** 2 + (b.z - oz) ** 2)
        if index != skip and far < reach + size:
            near[near_count] = index
            near_count += 1
    for ray in range(directions.shape[0]):
        dx, dy, dz = directions[ray, 0], directions[ray, 1], directions[ray, 2]
        best, target, cosine = reach, NOTHING, 0.0
        if see_ground:
            distance = _ground_distance(ground, level, ox, oy, oz, dx, dy, dz, reach)
            if distance < best:
                best, target, cosine = distance, GROUND, -dz
        for slot in range(near_count):
            b = bodies[near[slot]]
            distance, cos = _box_distance(
                ox, oy, oz, dx, dy, dz, b.x, b.y, b.z,
                b.half_length + inflate, b.half_width + inflate, b.half_height + inflate, b.yaw,
            )  # fmt: skip
            if distance < best:
                best, target, cosine = distance, near[slot], cos
        if see_static:
            distance, found, cos = _static_hit(grid, ox, oy, oz, dx, dy, dz, reach, inflate, best)
            if found >= 0:
                best, target, cosine = distance, bodies.shape[0] + found, cos
        hit = hits[ray]
        hit.distance, hit.target, hit.cos_incidence = best, target, cosine
