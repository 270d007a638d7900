"""Trees find what an exhaustive search finds."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.sim.render import bvh
from drive_agent.sim.render.kernel import Instances


def soup(seed: int, count: int, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Random triangles within 20 m of the origin, and normals that face either side."""
    random = np.random.default_rng(seed)
    corners = random.uniform(-20, 20, (count, 1, 3)) + random.normal(0, size, (count, 3, 3))
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = across / np.linalg.norm(across, axis=1)[:, None] * random.choice([-1.0, 1.0], (count, 1))
    return corners.astype(np.float32), normals.astype(np.float32)


def exhaustive(corners: np.ndarray, normals: np.ndarray, direction: np.ndarray) -> tuple[float, int]:
    """Distance and index of the nearest outer side along a ray from the origin (Moeller and Trumbore, 1997)."""
    best, found = np.inf, -1
    for k, (a, b, c) in enumerate(corners.astype(float)):
        matrix = np.column_stack([-direction, b - a, c - a])
        if normals[k] @ direction < 0 and abs(np.linalg.det(matrix)) > 1e-12:
            t, u, v = np.linalg.solve(matrix, -a)
            if t > 0 and u >= 0 and v >= 0 and u + v <= 1 and t < best:
                best, found = t, k
    return best, found


def nearest(corners: np.ndarray, normals: np.ndarray, directions: np.ndarray, reach: float) -> bvh.Hits:
    count = len(directions)
    hits = bvh.Hits(
        np.empty(count, np.float32), np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.float32)
    )  # fmt: skip
    empty = bvh.no_surfaces()
    crowd = bvh.Crowd(empty, empty.tree, np.zeros(0, np.int32), np.zeros(1, np.int32))
    town = Instances(
        np.eye(3, dtype=np.float32)[None], np.zeros((1, 3), np.float32), np.zeros(1, np.int32), np.zeros((1, 3), np.float32),
        np.zeros(1, np.int32),
    )  # fmt: skip
    bvh.cast(
        bvh.build_surfaces(corners, normals, 100), crowd, town, np.zeros(3, np.float32), directions.astype(np.float32),
        np.float32(reach), hits, np.empty((2, bvh.STACK), np.int32), np.empty((2, bvh.STACK), np.float32),
    )  # fmt: skip
    return hits


@pytest.mark.parametrize(("count", "size"), [(1, 3.0), (2, 3.0), (5, 6.0), (300, 1.5)])
def test_rays_meet_the_nearest_outer_side(count: int, size: float) -> None:
    corners, normals = soup(count, count, size)
    directions = np.random.default_rng(7).normal(0, 1, (150, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    if count < 10:  # most would miss: aim at the triangles
        directions[:100] = corners.mean(1)[np.arange(100) % count]
        directions /= np.linalg.norm(directions, axis=1)[:, None]
    hits = nearest(corners, normals, directions, 1000.0)
    met = 0
    for k, direction in enumerate(directions):
        distance, index = exhaustive(corners, normals, direction)
        if index < 0:
            assert hits.triangle[k] == -1
            assert hits.distance_m[k] == 1000.0
        else:
            met += 1
            assert hits.triangle[k] == 100 + index
            assert hits.distance_m[k] == pytest.approx(distance, rel=1e-4)
            assert hits.cos_incidence[k] == pytest.approx(-normals[index] @ direction, abs=1e-4)
    assert met > 0


def test_many_equal_boxes_do_not_overflow_the_stack() -> None:
    low = np.zeros((5000, 3), np.float32)
    tree, order = bvh.build_tree(low, low + 1)
    assert sorted(order.tolist()) == list(range(5000))
    assert tree.counts[tree.counts != bvh.INNER].sum() == 5000


def test_boxes_that_grow_geometrically_stay_within_the_stack() -> None:
    low = np.zeros((2000, 3), np.float32)
    low[:, 0] = 1.04 ** np.arange(2000)
    tree, _ = bvh.build_tree(low, low * np.float32(1.01))

    def depth(node: int) -> int:
        inner = [c for c, n in zip(tree.children[node], tree.counts[node], strict=True) if n == bvh.INNER]
        return 1 + max((depth(child) for child in inner), default=0)

    assert depth(0) < bvh.STACK - 1


def test_a_box_finds_the_triangles_that_reach_into_it() -> None:
    corners, normals = soup(3, 400, 1.0)
    surfaces = bvh.build_surfaces(corners, normals, 0)
    low, high = np.float32([-4, -4, -4]), np.float32([5, 6, 7])
    faces, stack = np.empty(400, np.int32), np.empty(bvh.STACK, np.int32)
    found = set(surfaces.triangles[faces[: bvh.within(surfaces, low, high, stack, faces)]].tolist())
    overlapping = ((corners.max(1) >= low) & (corners.min(1) <= high)).all(1)
    assert found >= set(np.nonzero(overlapping)[0].tolist())
    assert len(found) < 200
