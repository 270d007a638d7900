"""Who touches whom: oriented boxes against each other and against the town's static boxes, pushed apart without bounce.

Boxes stand upright: overlap is tested in the plane with the separating axis theorem and in height by
intervals. A contact moves the two apart in proportion to their inverse masses, takes away the speed at which
they approach where they touch, and turns them when it is not their middle that was hit (planar rigid bodies,
inelastic, without friction).
"""

import math
from typing import NamedTuple

import numpy as np

from drive_agent.sim.compiled import compiled

STATIC_CELL_M = 16.0
LARGEST_INFLATION_M = 1.0  # boxes are listed in all cells that they would touch if they were larger by this
MAX_CONTACTS = 1024
_PARALLEL = 0.995  # cosine of the angle at which two sides meet flat, not with a corner

BODY = np.dtype(
    [
        ("x", "f8"), ("y", "f8"), ("z", "f8"),  # middle of the box, m
        ("half_length", "f8"), ("half_width", "f8"), ("half_height", "f8"), ("yaw", "f8"),
        ("velocity_x", "f8"), ("velocity_y", "f8"), ("yaw_rate", "f8"),  # m/s, rad/s
        ("inverse_mass", "f8"), ("inverse_inertia", "f8"),  # 1/kg, 1/(kg m^2); 0: immovable
        ("push_x", "f8"), ("push_y", "f8"),  # out: how far contacts moved it, m
        ("impulse_x", "f8"), ("impulse_y", "f8"),  # out: what contacts gave it, N s
        ("collisions", "i8"), ("walker", "i8"),
        ("part_of", "i8"),  # 0, or 1 + the body that carries it, which it does not touch
    ],
    align=True,
)  # fmt: skip
CONTACT = np.dtype(
    [
        ("first", "i8"),  # body
        ("second", "i8"),  # body, or static box if `static`
        ("static", "i8"),
        ("normal_x", "f8"), ("normal_y", "f8"),  # from first to second
        ("depth", "f8"), ("impulse", "f8"),  # m, N s
    ],
    align=True,
)  # fmt: skip


class StaticGrid(NamedTuple):
    """Static boxes and, per cell, which of them touch it."""

    boxes: np.ndarray  # float64 (n, 7): centre x, y, z, half length, width, height, yaw
    starts: np.ndarray  # int64 (columns * rows + 1,)
    items: np.ndarray  # int64 (k,)
    spans: np.ndarray  # int64 (n, 4): first and last column, first and last row of each box
    origin_x: float
    origin_y: float
    columns: int
    rows: int


def build_static_grid(boxes: np.ndarray) -> StaticGrid:
    """Index float64 (n, 7) boxes by cells of 16 m."""
    if len(boxes) == 0:
        empty = np.zeros(0, np.int64)
        return StaticGrid(
            np.zeros((0, 7)), np.zeros(2, np.int64), empty, np.zeros((0, 4), np.int64), 0.0, 0.0, 1, 1
        )
    cos, sin = np.abs(np.cos(boxes[:, 6])), np.abs(np.sin(boxes[:, 6]))
    reach_x = boxes[:, 3] * cos + boxes[:, 4] * sin + LARGEST_INFLATION_M
    reach_y = boxes[:, 3] * sin + boxes[:, 4] * cos + LARGEST_INFLATION_M
    origin_x, origin_y = float((boxes[:, 0] - reach_x).min()), float((boxes[:, 1] - reach_y).min())
    first_column = ((boxes[:, 0] - reach_x - origin_x) / STATIC_CELL_M).astype(np.int64)
    last_column = ((boxes[:, 0] + reach_x - origin_x) / STATIC_CELL_M).astype(np.int64)
    first_row = ((boxes[:, 1] - reach_y - origin_y) / STATIC_CELL_M).astype(np.int64)
    last_row = ((boxes[:, 1] + reach_y - origin_y) / STATIC_CELL_M).astype(np.int64)
    spans = np.column_stack([first_column, last_column, first_row, last_row])
    columns, rows = int(last_column.max()) + 1, int(last_row.max()) + 1
    pairs = [
        (row * columns + column, index)
        for index, (c0, c1, r0, r1) in enumerate(spans.tolist())
        for row in range(r0, r1 + 1)
        for column in range(c0, c1 + 1)
    ]
    pairs.sort()
    cells = np.array([cell for cell, _ in pairs], np.int64)
    items = np.array([item for _, item in pairs], np.int64)
    starts = np.searchsorted(cells, np.arange(columns * rows + 1)).astype(np.int64)
    return StaticGrid(
        np.ascontiguousarray(boxes, np.float64), starts, items, spans, origin_x, origin_y, columns, rows
    )


@compiled
def overlap(ax, ay, a_length, a_width, a_yaw, bx, by, b_length, b_width, b_yaw):
    """Separating axis test of two rectangles: depth (0: apart) and the unit normal from a to b of the least overlap."""
    dx, dy = bx - ax, by - ay
    reach = math.hypot(a_length, a_width) + math.hypot(b_length, b_width)
    if dx * dx + dy * dy > reach * reach:
        return 0.0, 0.0, 0.0
    a_cos, a_sin, b_cos, b_sin = math.cos(a_yaw), math.sin(a_yaw), math.cos(b_yaw), math.sin(b_yaw)
    along, across = abs(a_cos * b_cos + a_sin * b_sin), abs(a_sin * b_cos - a_cos * b_sin)
    depth, normal_x, normal_y = 1e18, 0.0, 0.0
    for axis in range(4):
        if axis == 0:
            x, y, extent = a_cos, a_sin, a_length + b_length * along + b_width * across
        elif axis == 1:
            x, y, extent = -a_sin, a_cos, a_width + b_length * across + b_width * along
        elif axis == 2:
            x, y, extent = b_cos, b_sin, b_length + a_length * along + a_width * across
        else:
            x, y, extent = -b_sin, b_cos, b_width + a_length * across + a_width * along
        distance = dx * x + dy * y
        if extent - abs(distance) <= 0.0:
            return 0.0, 0.0, 0.0
        if extent - abs(distance) < depth:
            depth = extent - abs(distance)
            sign = 1.0 if distance >= 0.0 else -1.0
            normal_x, normal_y = sign * x, sign * y
    return depth, normal_x, normal_y


@compiled
def _apart_in_height(body, z, half_height):
    return abs(body.z - z) >= body.half_height + half_height


@compiled
def _side(x, y, half_length, half_width, yaw, normal_x, normal_y):
    """What of a rectangle faces a unit normal: a stretch across it, from and to; of a corner both are the same.

    Positions across the normal are counted along (-normal_y, normal_x).
    """
    cos, sin = math.cos(yaw), math.sin(yaw)
    along, across = cos * normal_x + sin * normal_y, cos * normal_y - sin * normal_x
    length, width = math.copysign(half_length, along), math.copysign(half_width, across)
    middle, reach = y * normal_x - x * normal_y, 0.0
    if abs(along) > _PARALLEL:
        width, reach = 0.0, half_width
    elif abs(across) > _PARALLEL:
        length, reach = 0.0, half_length
    middle += width * along - length * across
    return middle - reach, middle + reach


@compiled
def _shared_side(a, bx, by, b_length, b_width, b_yaw, normal_x, normal_y):
    """Where the facing sides of BODY a and another rectangle overlap, as a position across the normal."""
    a_low, a_high = _side(a.x, a.y, a.half_length, a.half_width, a.yaw, normal_x, normal_y)
    # seen from b the normal is turned round, and so is the axis that positions are counted on
    b_low, b_high = _side(bx, by, b_length, b_width, b_yaw, -normal_x, -normal_y)
    return (max(a_low, -b_high) + min(a_high, -b_low)) / 2.0


@compiled
def _resolve(bodies, first, second, depth, normal_x, normal_y, touch):
    """Push apart and stop the approach; second = -1 is immovable. Returns the impulse, N s.

    touch: where they touch, as a position across the normal; a body's arm is its distance from there.
    """
    a = bodies[first]
    inverse_b, bx, by, b_turn, b_spin = 0.0, 0.0, 0.0, 0.0, 0.0
    a_turn = a.y * normal_x - a.x * normal_y - touch  # arm x normal, m
    if second >= 0:
        b = bodies[second]
        inverse_b, b_spin = b.inverse_mass, b.inverse_inertia
        b_turn = b.y * normal_x - b.x * normal_y - touch
        bx, by = b.velocity_x, b.velocity_y
    total = a.inverse_mass + inverse_b
    if total <= 0.0:
        return 0.0
    approach = (a.velocity_x - bx) * normal_x + (a.velocity_y - by) * normal_y + a.yaw_rate * a_turn
    if second >= 0:
        approach -= bodies[second].yaw_rate * b_turn
    stiff = total + a_turn * a_turn * a.inverse_inertia + b_turn * b_turn * b_spin
    impulse = max(0.0, approach) / stiff
    share = a.inverse_mass / total
    _give(a, -impulse, -depth * share, normal_x, normal_y, a_turn)
    if second >= 0:
        _give(bodies[second], impulse, depth * (1.0 - share), normal_x, normal_y, b_turn)
    return impulse


@compiled
def _give(body, impulse, push, normal_x, normal_y, turn):
    """An impulse along the normal at an arm of `turn`, and a shift."""
    body.push_x += push * normal_x
    body.push_y += push * normal_y
    body.x += push * normal_x
    body.y += push * normal_y
    body.velocity_x += impulse * body.inverse_mass * normal_x
    body.velocity_y += impulse * body.inverse_mass * normal_y
    body.yaw_rate += impulse * body.inverse_inertia * turn
    body.impulse_x += impulse * normal_x
    body.impulse_y += impulse * normal_y


@compiled
def _note(contacts, count, first, second, static, depth, normal_x, normal_y, impulse):
    if count < contacts.shape[0]:
        c = contacts[count]
        c.first, c.second, c.static = first, second, static
        c.depth, c.normal_x, c.normal_y, c.impulse = depth, normal_x, normal_y, impulse
        count += 1
    return count


@compiled
def collide_bodies(bodies, contacts, count):
    """All pairs of BODY (n,), resolved in order of index. Returns the number of contacts noted so far."""
    reach = np.empty(bodies.shape[0])
    for index in range(bodies.shape[0]):
        reach[index] = math.hypot(bodies[index].half_length, bodies[index].half_width)
    for first in range(bodies.shape[0]):
        a = bodies[first]
        if a.collisions == 0:
            continue
        for second in range(first + 1, bodies.shape[0]):
            b = bodies[second]
            dx, dy, near = b.x - a.x, b.y - a.y, reach[first] + reach[second]
            if dx * dx + dy * dy > near * near:
                continue
            immovable = a.inverse_mass == 0.0 and b.inverse_mass == 0.0
            if b.collisions == 0 or immovable or (a.walker == 1 and b.walker == 1):
                continue
            if b.part_of == first + 1 or (a.part_of > 0 and b.part_of > 0):
                continue
            if _apart_in_height(a, b.z, b.half_height):
                continue
            depth, nx, ny = overlap(
                a.x, a.y, a.half_length, a.half_width, a.yaw, b.x, b.y, b.half_length, b.half_width, b.yaw
            )
            if depth > 0.0:
                touch = _shared_side(a, b.x, b.y, b.half_length, b.half_width, b.yaw, nx, ny)
                impulse = _resolve(bodies, first, second, depth, nx, ny, touch)
                count = _note(contacts, count, first, second, 0, depth, nx, ny, impulse)
    return count


@compiled
def collide_static(bodies, grid, contacts, count):
    """Every movable BODY (n,) against the town. Returns the number of contacts noted so far."""
    for first in range(bodies.shape[0]):
        a = bodies[first]
        if a.collisions == 0 or a.inverse_mass == 0.0:
            continue
        reach = math.hypot(a.half_length, a.half_width)
        c0 = max(0, int(math.floor((a.x - reach - grid.origin_x) / STATIC_CELL_M)))
        c1 = min(grid.columns - 1, int(math.floor((a.x + reach - grid.origin_x) / STATIC_CELL_M)))
        r0 = max(0, int(math.floor((a.y - reach - grid.origin_y) / STATIC_CELL_M)))
        r1 = min(grid.rows - 1, int(math.floor((a.y + reach - grid.origin_y) / STATIC_CELL_M)))
        for row in range(r0, r1 + 1):
            for column in range(c0, c1 + 1):
                cell = row * grid.columns + column
                for slot in range(grid.starts[cell], grid.starts[cell + 1]):
                    item = grid.items[slot]
                    # a box that spans several cells is tested in the first one only
                    if column != max(c0, grid.spans[item, 0]) or row != max(r0, grid.spans[item, 2]):
                        continue
                    box = grid.boxes[item]
                    if _apart_in_height(a, box[2], box[5]):
                        continue
                    depth, nx, ny = overlap(
                        a.x, a.y, a.half_length, a.half_width, a.yaw, box[0], box[1], box[3], box[4], box[6]
                    )
                    if depth > 0.0:
                        touch = _shared_side(a, box[0], box[1], box[3], box[4], box[6], nx, ny)
                        impulse = _resolve(bodies, first, -1, depth, nx, ny, touch)
                        count = _note(contacts, count, first, item, 1, depth, nx, ny, impulse)
    return count


def blocked_by(candidate: np.ndarray, bodies: np.ndarray, grid: StaticGrid) -> bool:
    """Whether BODY (1,) would stand in one of BODY (n,) or in a static box: the test before a spawn."""
    trial = np.concatenate([candidate, bodies])
    trial["walker"] = 0
    trial["inverse_mass"] = 0.0
    trial["inverse_mass"][0] = 1.0
    trial["collisions"][0] = 1
    contacts = np.zeros(1, CONTACT)
    count = collide_static(trial[:1], grid, contacts, 0)
    return count > 0 or _first_touches_any(trial)


@compiled
def _first_touches_any(bodies):
    a = bodies[0]
    for index in range(1, bodies.shape[0]):
        b = bodies[index]
        if b.collisions == 0 or _apart_in_height(a, b.z, b.half_height):
            continue
        depth, _, _ = overlap(
            a.x, a.y, a.half_length, a.half_width, a.yaw, b.x, b.y, b.half_length, b.half_width, b.yaw
        )
        if depth > 0.0:
            return True
    return False
