"""Bounding volume hierarchies: the nearest triangle that a ray meets, exactly, in about 0.3 microseconds.

Trees are built by the surface area heuristic over bins (Wald, 2007). Bodies keep a tree each in their own frame; a
small tree over their bounding boxes, built anew for every moment, places them in the world. Only the outer sides of
triangles are met, as only they are drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.kernel import F32, Instances, Scalar, device, kernel

ZERO, ONE = F32(0.0), F32(1.0)
FAR, TINY = F32(1e30), F32(1e-12)
PADDING_M = F32(1e-4)  # of boxes: nothing slips between rounded numbers
INSIDE = F32(-1e-5)  # barycentric slack: rays that meet the seam of two triangles meet one of them
LEAF_ITEMS, BINS = 4, 12
INNER = -1
DEPTH_OF_HEURISTIC = 40  # below it halves, so that the stack cannot overflow
STACK = 72


class Tree(NamedTuple):
    """A binary tree over items. A node holds the boxes of its two children."""

    bounds: np.ndarray  # float32 (nodes, 2 children, low and high, xyz)
    children: np.ndarray  # int32 (nodes, 2): a node or, where `counts` is not INNER, the first item of a leaf
    counts: np.ndarray  # int32 (nodes, 2): items of a leaf


class Surfaces(NamedTuple):
    """Triangles ready for rays, in the order of the leaves; several trees may share the arrays."""

    tree: Tree
    planes: (
        np.ndarray
    )  # float32 (n, 12): unit normal and offset, then two planes that give barycentric coordinates
    triangles: np.ndarray  # int32 (n,), row of kernel.Triangles


class Ray(NamedTuple):
    """Origin, unit direction and its inverse."""

    x: np.float32
    y: np.float32
    z: np.float32
    dx: np.float32
    dy: np.float32
    dz: np.float32
    inverse_x: np.float32
    inverse_y: np.float32
    inverse_z: np.float32


class Crowd(NamedTuple):
    """Bodies at one moment."""

    surfaces: Surfaces  # of all bodies, each in its own frame
    tree: Tree  # over the boxes of the parts
    parts: np.ndarray  # int32 (k,), in the order of the leaves: row of Instances
    roots: np.ndarray  # int32 (rows of Instances,): node of `surfaces` where the part's tree begins


class Hits(NamedTuple):
    """What n rays met."""

    distance_m: np.ndarray  # float32 (n,); the reach where nothing was met
    triangle: np.ndarray  # int32 (n,), row of kernel.Triangles; -1: nothing
    instance: np.ndarray  # int32 (n,), row of Instances; 0: the static world
    cos_incidence: np.ndarray  # float32 (n,)


# ---- building --------------------------------------------------------------------------------------------------------


def build_tree(low: np.ndarray, high: np.ndarray) -> tuple[Tree, np.ndarray]:
    """A tree over n >= 1 boxes, float32 (n, 3) each, and the order of the items in its leaves, int32 (n,)."""
    count = len(low)
    order = np.arange(count, dtype=np.int32)
    room = max(1, count)
    tree = Tree(
        np.empty((room, 2, 2, 3), np.float32), np.empty((room, 2), np.int32), np.empty((room, 2), np.int32)
    )
    bins = np.empty((BINS, 2, 3), np.float32), np.empty(BINS, np.int32), np.empty(BINS, np.float32)
    box = np.empty((2, 2, 3), np.float32)
    todo = np.empty((4 * STACK, 5), np.int32)
    nodes = _build(np.float32(low), np.float32(high), order, tree, todo, box, *bins)
    return Tree(*(column[:nodes].copy() for column in tree)), order


def build_surfaces(corners: np.ndarray, normals: np.ndarray, first_row: int) -> Surfaces:
    """Triangles float32 (n, 3, 3) with outward normals (n, 3), which are the rows from `first_row` on, n >= 1."""
    tree, order = build_tree(corners.min(1) - PADDING_M, corners.max(1) + PADDING_M)
    return Surfaces(tree, _planes(corners[order], normals[order]), (order + first_row).astype(np.int32))


def with_tree(forest: Surfaces, addition: Surfaces) -> tuple[Surfaces, int]:
    """Both, and the node where the tree of `addition` begins."""
    root, first = len(forest.tree.counts), len(forest.triangles)
    is_leaf = addition.tree.counts != INNER
    moved = addition.tree._replace(
        children=addition.tree.children + np.where(is_leaf, first, root).astype(np.int32)
    )
    tree = Tree(*(np.concatenate(pair) for pair in zip(forest.tree, moved, strict=True)))
    planes = np.concatenate([forest.planes, addition.planes])
    return Surfaces(tree, planes, np.concatenate([forest.triangles, addition.triangles])), root


def no_surfaces() -> Surfaces:
    """The forest before its first tree."""
    empty = Tree(np.empty((0, 2, 2, 3), np.float32), np.empty((0, 2), np.int32), np.empty((0, 2), np.int32))
    return Surfaces(empty, np.empty((0, 12), np.float32), np.empty(0, np.int32))


def _planes(corners: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Planes of triangles; with p on the triangle the second and third say its barycentric coordinates."""
    a, b, c = np.moveaxis(corners.astype(np.float64), 1, 0)
    along, aside = b - a, c - a
    across = np.cross(along, aside)
    flip = np.where(np.einsum("ij,ij->i", across, normals) < 0.0, -1.0, 1.0)[:, None]
    area = np.linalg.norm(across, axis=1)[:, None]
    # a sliver has no area: its planes are never met
    safe = np.where(area > 0.0, area, 1.0)
    unit = across / safe
    columns = [flip * unit, np.cross(aside, unit) / safe, np.cross(unit, along) / safe]
    offsets = [-np.einsum("ij,ij->i", column, a)[:, None] for column in columns]
    pairs = [part for pair in zip(columns, offsets, strict=True) for part in pair]
    return np.concatenate(pairs, axis=1).astype(np.float32)


@device
def _clear(box: np.ndarray) -> None:
    for axis in range(3):
        box[0, axis], box[1, axis] = FAR, -FAR


@device
def _include(box: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    for axis in range(3):
        box[0, axis] = min(box[0, axis], low[axis])
        box[1, axis] = max(box[1, axis], high[axis])


@device
def _half_area(box: np.ndarray) -> Scalar:
    x, y, z = box[1, 0] - box[0, 0], box[1, 1] - box[0, 1], box[1, 2] - box[0, 2]
    return x * y + y * z + z * x


@device
def _bin_of(low: np.ndarray, high: np.ndarray, item: int, axis: int, centers: np.ndarray) -> int:
    """Bin of an item's centre; `centers` is the box of all centres, doubled."""
    share = (low[item, axis] + high[item, axis] - centers[0, axis]) / (centers[1, axis] - centers[0, axis])
    return min(BINS - 1, int(share * F32(BINS)))


@device
def _best_split(
    low: np.ndarray, high: np.ndarray, order: np.ndarray, first: int, last: int, centers: np.ndarray,
    bins: np.ndarray, counts: np.ndarray, costs: np.ndarray, box: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Axis and last bin of the left half with the least expected cost; axis -1 where all centres coincide."""
    best, best_axis, best_bin = FAR, -1, 0
    for axis in range(3):
        if centers[1, axis] - centers[0, axis] <= F32(1e-6):
            continue
        for b in range(BINS):
            _clear(bins[b])
            counts[b] = 0
        for k in range(first, last):
            b = _bin_of(low, high, order[k], axis, centers)
            _include(bins[b], low[order[k]], high[order[k]])
            counts[b] += 1
        _clear(box)
        items = 0
        for b in range(BINS - 1, 0, -1):
            _include(box, bins[b, 0], bins[b, 1])
            items += counts[b]
            costs[b] = _half_area(box) * F32(items) if items > 0 else ZERO
        _clear(box)
        items = 0
        for b in range(BINS - 1):
            _include(box, bins[b, 0], bins[b, 1])
            items += counts[b]
            if 0 < items < last - first and _half_area(box) * F32(items) + costs[b + 1] < best:
                best, best_axis, best_bin = _half_area(box) * F32(items) + costs[b + 1], axis, b
    return best_axis, best_bin


@device
def _partition(
    low: np.ndarray, high: np.ndarray, order: np.ndarray, first: int, last: int, centers: np.ndarray, axis: int, split: int
) -> int:  # fmt: skip
    """Move the items of the bins up to `split` to the front; returns where the others begin."""
    i, j = first, last - 1
    while i <= j:
        item = order[i]
        if _bin_of(low, high, item, axis, centers) <= split:
            i += 1
        else:
            order[i], order[j] = order[j], item
            j -= 1
    return i


@kernel
def _build(
    low: np.ndarray, high: np.ndarray, order: np.ndarray, tree: Tree, todo: np.ndarray, boxes: np.ndarray,
    bins: np.ndarray, counts: np.ndarray, costs: np.ndarray,
) -> int:  # fmt: skip
    """Fill `tree` and sort `order`; returns the number of nodes. The other arrays are scratch."""
    whole, centers = boxes[0], boxes[1]
    nodes, waiting = 0, 1
    todo[0, 0], todo[0, 1], todo[0, 2], todo[0, 3], todo[0, 4] = 0, order.shape[0], -1, 0, 0
    while waiting > 0:
        waiting -= 1
        first, last, parent = todo[waiting, 0], todo[waiting, 1], todo[waiting, 2]
        side, depth = todo[waiting, 3], todo[waiting, 4]
        _clear(whole)
        _clear(centers)
        for k in range(first, last):
            item = order[k]
            _include(whole, low[item], high[item])
            for axis in range(3):
                doubled = low[item, axis] + high[item, axis]
                centers[0, axis] = min(centers[0, axis], doubled)
                centers[1, axis] = max(centers[1, axis], doubled)
        if parent >= 0:
            for axis in range(3):
                tree.bounds[parent, side, 0, axis] = whole[0, axis]
                tree.bounds[parent, side, 1, axis] = whole[1, axis]
            if last - first <= LEAF_ITEMS:
                tree.children[parent, side], tree.counts[parent, side] = first, last - first
                continue
            tree.children[parent, side], tree.counts[parent, side] = nodes, INNER
        axis, split = -1, 0
        if depth < DEPTH_OF_HEURISTIC:
            axis, split = _best_split(low, high, order, first, last, centers, bins, counts, costs, whole)
        middle = (first + last) // 2
        if axis >= 0:
            middle = _partition(low, high, order, first, last, centers, axis, split)
        for half in range(2):
            todo[waiting, 0] = middle if half else first
            todo[waiting, 1] = last if half else middle
            todo[waiting, 2], todo[waiting, 3], todo[waiting, 4] = nodes, half, depth + 1
            waiting += 1
        nodes += 1
    return nodes


# ---- casting ---------------------------------------------------------------------------------------------------------


@device
def _ray(x: Scalar, y: Scalar, z: Scalar, dx: Scalar, dy: Scalar, dz: Scalar) -> Ray:
    # a direction without a component gets a tiny one: no division by zero, no difference that a float32 could show
    return Ray(
        x, y, z, dx, dy, dz,
        ONE / (dx if abs(dx) > TINY else TINY), ONE / (dy if abs(dy) > TINY else TINY),
        ONE / (dz if abs(dz) > TINY else TINY),
    )  # fmt: skip


@device
def _entry(bounds: np.ndarray, node: int, side: int, ray: Ray, limit: Scalar) -> Scalar:
    """Distance at which the ray enters a child's box; FAR for a miss or where it lies beyond `limit`."""
    box = bounds[node, side]
    a, b = (box[0, 0] - ray.x) * ray.inverse_x, (box[1, 0] - ray.x) * ray.inverse_x
    near, far = min(a, b), max(a, b)
    a, b = (box[0, 1] - ray.y) * ray.inverse_y, (box[1, 1] - ray.y) * ray.inverse_y
    near, far = max(near, min(a, b)), min(far, max(a, b))
    a, b = (box[0, 2] - ray.z) * ray.inverse_z, (box[1, 2] - ray.z) * ray.inverse_z
    near, far = max(max(near, min(a, b)), ZERO), min(min(far, max(a, b)), limit)
    return near if near <= far else FAR


@device
def _met(planes: np.ndarray, face: int, ray: Ray, limit: Scalar) -> Scalar:
    """Distance to the outer side of a triangle, or `limit`."""
    plane = planes[face]
    falling = ray.dx * plane[0] + ray.dy * plane[1] + ray.dz * plane[2]
    if falling < ZERO:
        distance = -(ray.x * plane[0] + ray.y * plane[1] + ray.z * plane[2] + plane[3]) / falling
        if ZERO < distance < limit:
            x, y, z = ray.x + distance * ray.dx, ray.y + distance * ray.dy, ray.z + distance * ray.dz
            u = x * plane[4] + y * plane[5] + z * plane[6] + plane[7]
            v = x * plane[8] + y * plane[9] + z * plane[10] + plane[11]
            if u >= INSIDE and v >= INSIDE and u + v <= ONE - INSIDE:
                return distance
    return limit


@device
def _nearest_face(
    surfaces: Surfaces, root: int, ray: Ray, limit: Scalar, stack: np.ndarray, entries: np.ndarray
) -> tuple[Scalar, int]:
    """Distance and face of the nearest triangle of the tree at `root`, nearer than `limit`; face -1: none."""
    tree, found = surfaces.tree, -1
    stack[0], entries[0], waiting = root, ZERO, 1
    while waiting > 0:
        waiting -= 1
        if entries[waiting] >= limit:
            continue
        node = stack[waiting]
        while node >= 0:
            here, near, there = -1, FAR, FAR
            for side in range(2):
                entry = _entry(tree.bounds, node, side, ray, limit)
                if entry < FAR:
                    child, count = tree.children[node, side], tree.counts[node, side]
                    if count == INNER:
                        if here < 0:
                            here, near = child, entry
                        else:
                            there = entry
                            if there < near:
                                child, here = here, child
                                near, there = there, near
                            stack[waiting], entries[waiting] = child, there
                            waiting += 1
                    else:
                        for face in range(child, child + count):
                            distance = _met(surfaces.planes, face, ray, limit)
                            if distance < limit:
                                limit, found = distance, face
            node = here
    return limit, found


@device
def _in_frame_of(instances: Instances, i: int, ray: Ray) -> Ray:
    turn, place = instances.rotations[i], instances.translations[i]
    x, y, z = ray.x - place[0], ray.y - place[1], ray.z - place[2]
    return _ray(
        turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z,
        turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z,
        turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z,
        turn[0, 0] * ray.dx + turn[1, 0] * ray.dy + turn[2, 0] * ray.dz,
        turn[0, 1] * ray.dx + turn[1, 1] * ray.dy + turn[2, 1] * ray.dz,
        turn[0, 2] * ray.dx + turn[1, 2] * ray.dy + turn[2, 2] * ray.dz,
    )


@kernel
def cast(
    town: Surfaces, crowd: Crowd, instances: Instances, origin: np.ndarray, directions: np.ndarray, reach_m: Scalar,
    hits: Hits, stacks: np.ndarray, entries: np.ndarray,
) -> None:  # fmt: skip
    """The first thing that each unit direction, float32 (n, 3), meets within `reach_m` of `origin` (3,).

    stacks: int32 (2, STACK) and entries: float32 (2, STACK) are scratch.
    """
    x, y, z = origin[0], origin[1], origin[2]
    before = (
        -1
    )  # the face that the ray before met: most often this one meets it too, and then little is left to search
    for r in range(directions.shape[0]):
        ray = _ray(x, y, z, directions[r, 0], directions[r, 1], directions[r, 2])
        limit, found = reach_m, -1
        if before >= 0:
            limit = _met(town.planes, before, ray, reach_m)
            found = before if limit < reach_m else -1
        distance, face = _nearest_face(town, 0, ray, limit, stacks[0], entries[0])
        if face >= 0:
            limit, found = distance, face
        before = found
        hits.instance[r], hits.triangle[r], hits.cos_incidence[r] = 0, -1, ZERO
        if found >= 0:
            plane = town.planes[found]
            hits.triangle[r] = town.triangles[found]
            hits.cos_incidence[r] = -(ray.dx * plane[0] + ray.dy * plane[1] + ray.dz * plane[2])
        hits.distance_m[r] = limit
        if crowd.parts.shape[0] > 0:
            _cast_at_crowd(crowd, instances, ray, r, hits, stacks, entries)


@device
def _cast_at_crowd(
    crowd: Crowd, instances: Instances, ray: Ray, r: int, hits: Hits, stacks: np.ndarray, entries: np.ndarray
) -> None:
    """Let bodies nearer than hit r take its place."""
    tree, stack, waiting = crowd.tree, stacks[1], 1
    stack[0] = 0
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        for side in range(2):
            if _entry(tree.bounds, node, side, ray, hits.distance_m[r]) == FAR:
                continue
            child, count = tree.children[node, side], tree.counts[node, side]
            if count == INNER:
                stack[waiting] = child
                waiting += 1
                continue
            for k in range(child, child + count):
                i = crowd.parts[k]
                own = _in_frame_of(instances, i, ray)
                distance, face = _nearest_face(
                    crowd.surfaces, crowd.roots[i], own, hits.distance_m[r], stacks[0], entries[0]
                )
                if face >= 0:
                    plane = crowd.surfaces.planes[face]
                    hits.distance_m[r], hits.instance[r] = distance, i
                    hits.triangle[r] = crowd.surfaces.triangles[face]
                    hits.cos_incidence[r] = -(own.dx * plane[0] + own.dy * plane[1] + own.dz * plane[2])


@kernel
def within(
    surfaces: Surfaces, low: np.ndarray, high: np.ndarray, stack: np.ndarray, faces: np.ndarray
) -> int:
    """Write the faces whose leaves reach into an upright box, float32 (3,) each, to `faces`; returns their number."""
    tree, found, waiting = surfaces.tree, 0, 1
    stack[0] = 0
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        for side in range(2):
            box, apart = tree.bounds[node, side], False
            for axis in range(3):
                apart = apart or box[0, axis] > high[axis] or box[1, axis] < low[axis]
            child, count = tree.children[node, side], tree.counts[node, side]
            if apart:
                continue
            if count == INNER:
                stack[waiting] = child
                waiting += 1
            else:
                for face in range(child, child + count):
                    faces[found] = face
                    found += 1
    return found
