"""Compiled inner loops of making a town's meshes: thousands of small solids, for which numpy calls would cost the most."""

from __future__ import annotations

import math

import numpy as np

from drive_agent.sim.render.kernel import Scalar, kernel

SMALLEST_NORMAL_M2 = 1e-10  # twice the area of a triangle that is kept


@kernel
def facets(
    corners: np.ndarray, outward_from: np.ndarray, upward: Scalar, normals: np.ndarray, kept: np.ndarray
) -> None:
    """Unit normals (n, 3) of triangles (n, 3, 3), turned away from a point (3,) or upward; kept (n,) tells which have one."""
    for i in range(corners.shape[0]):
        a, b, c = corners[i, 0], corners[i, 1], corners[i, 2]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        length = math.sqrt(x * x + y * y + z * z)
        kept[i] = length > SMALLEST_NORMAL_M2
        if not kept[i]:
            continue
        x, y, z = x / length, y / length, z / length
        outward = z
        if not upward:
            outward = x * ((a[0] + b[0] + c[0]) / 3.0 - outward_from[0])
            outward += y * ((a[1] + b[1] + c[1]) / 3.0 - outward_from[1])
            outward += z * ((a[2] + b[2] + c[2]) / 3.0 - outward_from[2])
        sign = -1.0 if outward < 0.0 else 1.0
        normals[i, 0], normals[i, 1], normals[i, 2] = sign * x, sign * y, sign * z


@kernel
def heights_of_nearest(places: np.ndarray, points: np.ndarray, heights: np.ndarray) -> None:
    """Heights (n,) of the points (m, 3) that lie nearest to places (n, 2) in the plane."""
    for i in range(places.shape[0]):
        best = math.inf
        for k in range(points.shape[0]):
            dx, dy = places[i, 0] - points[k, 0], places[i, 1] - points[k, 1]
            distance = math.sqrt(dx * dx + dy * dy)
            if distance < best:
                best = distance
                heights[i] = points[k, 2]


@kernel
def cells_of_rectangle(
    low: np.ndarray, cell_m: Scalar, step_m: Scalar, place: np.ndarray, size: np.ndarray, cells: np.ndarray
) -> None:
    """Cells (rows * columns, 2) under points `step_m` apart in a turned rectangle.

    place: x, y, cosine and sine of its yaw; size: length, width, rows, columns of points.
    """
    row_count, column_count = int(size[2]), int(size[3])
    for row in range(row_count):
        v = -size[1] / 2 + row * step_m
        for column in range(column_count):
            u = -size[0] / 2 + column * step_m
            k = row * column_count + column
            cells[k, 0] = math.floor((place[0] + u * place[2] - v * place[3] - low[0]) / cell_m)
            cells[k, 1] = math.floor((place[1] + u * place[3] + v * place[2] - low[1]) / cell_m)


@kernel
def distances_to_taken(taken: np.ndarray, distance: np.ndarray) -> None:
    """Distances (rows, columns), in cells, from every cell to the nearest taken one: two sweeps, off by at most 8 %."""
    rows, columns = taken.shape
    diagonal = np.float32(math.sqrt(2.0))
    for i in range(rows):
        for j in range(columns):
            best = np.float32(0.0) if taken[i, j] else np.float32(1e6)
            if i > 0:
                best = min(best, distance[i - 1, j] + np.float32(1.0))
                if j > 0:
                    best = min(best, distance[i - 1, j - 1] + diagonal)
                if j < columns - 1:
                    best = min(best, distance[i - 1, j + 1] + diagonal)
            if j > 0:
                best = min(best, distance[i, j - 1] + np.float32(1.0))
            distance[i, j] = best
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            best = distance[i, j]
            if i < rows - 1:
                best = min(best, distance[i + 1, j] + np.float32(1.0))
                if j > 0:
                    best = min(best, distance[i + 1, j - 1] + diagonal)
                if j < columns - 1:
                    best = min(best, distance[i + 1, j + 1] + diagonal)
            if j < columns - 1:
                best = min(best, distance[i, j + 1] + np.float32(1.0))
            distance[i, j] = best
