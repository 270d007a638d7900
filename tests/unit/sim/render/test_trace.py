"""Rays find what an exhaustive search finds."""

from __future__ import annotations

import numpy as np
import pytest

from drive_agent.sim.render import bvh, trace
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


def nearest(corners: np.ndarray, normals: np.ndarray, directions: np.ndarray, reach: float) -> trace.Hits:
    empty = bvh.no_surfaces()
    crowd = trace.Crowd(empty, empty.tree, np.zeros(0, np.int32), np.zeros(1, np.int32))
    town = Instances(
        np.eye(3, dtype=np.float32)[None], np.zeros((1, 3), np.float32), np.zeros(1, np.int32), np.zeros((1, 3), np.float32),
        np.zeros(1, np.int32),
    )  # fmt: skip
    surfaces = bvh.build_surfaces(corners, normals, 100)
    return trace.cast_rays(
        surfaces, crowd, town, np.zeros(3, np.float32), directions.astype(np.float32), reach
    )


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


def test_a_box_finds_the_triangles_that_reach_into_it() -> None:
    corners, normals = soup(3, 400, 1.0)
    surfaces = bvh.build_surfaces(corners, normals, 0)
    low, high = np.float32([-4, -4, -4]), np.float32([5, 6, 7])
    found = set(surfaces.triangles[trace.faces_within(surfaces, low, high)].tolist())
    overlapping = ((corners.max(1) >= low) & (corners.min(1) <= high)).all(1)
    assert found >= set(np.nonzero(overlapping)[0].tolist())
    assert len(found) < 200
