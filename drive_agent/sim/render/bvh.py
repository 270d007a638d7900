"""Bounding volume hierarchies over boxes and triangles, built by the surface area heuristic over bins (Wald, 2007).

100,000 triangles take about a tenth of a second. Who asks the trees is `trace`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drive_agent.sim.render.kernel import F32, Scalar, device, kernel

ZERO = F32(0.0)
FAR = F32(1e30)
PADDING_M = F32(1e-4)  # of boxes: nothing slips between rounded numbers
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
