"""A sphere that moves along a line until it touches a triangle. Exact: faces, edges and corners (Ericson, 2005, 5.5.6)."""

import numpy as np

NEVER = np.inf


def sweep_sphere(
    corners: np.ndarray, normals: np.ndarray, origin: np.ndarray, direction: np.ndarray, radius_m: float, reach_m: float
) -> tuple[float, int]:  # fmt: skip
    """How far the sphere gets, and the triangle that stops it; -1 where none of corners (n, 3, 3) does within the reach.

    Triangles stop what comes from their outer side, where `normals` (n, 3) point; `direction` is a unit vector.
    """
    if len(corners) == 0:
        return reach_m, -1
    corners, normals = corners.astype(np.float64) - origin, normals.astype(np.float64)
    distances = _to_faces(corners, normals, direction, radius_m)
    for k in range(3):
        start, end = corners[:, k], corners[:, (k + 1) % 3]
        distances = np.minimum(distances, _to_edges(start, end - start, direction, radius_m))
        distances = np.minimum(distances, _to_points(start, direction, radius_m))
    outside = -np.einsum("ij,ij->i", corners[:, 0], normals) >= 0.0
    distances = np.where(outside, distances, NEVER)
    nearest = int(np.argmin(distances))
    return (float(distances[nearest]), nearest) if distances[nearest] <= reach_m else (reach_m, -1)


def _to_faces(corners: np.ndarray, normals: np.ndarray, direction: np.ndarray, radius_m: float) -> np.ndarray:
    """Distance at which the sphere touches the inside of each triangle; 0 where it does already."""
    height = -np.einsum("ij,ij->i", corners[:, 0], normals)
    falling = normals @ direction
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(height <= radius_m, 0.0, (radius_m - height) / falling)
    # where it touches the plane: the middle of the sphere moved down by its height there
    down = np.where(height <= radius_m, height, radius_m)
    point = np.where(np.isfinite(distance), distance, 0.0)[:, None] * direction - down[:, None] * normals
    inside = np.ones(len(corners), bool)
    turning = np.einsum(
        "ij,ij->i", np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), normals
    )
    for k in range(3):
        start, end = corners[:, k], corners[:, (k + 1) % 3]
        side = np.einsum("ij,ij->i", np.cross(end - start, point - start), normals)
        inside &= side * turning >= 0.0
    return np.where(inside & ((height <= radius_m) | (falling < 0.0)), distance, NEVER)


def _to_edges(start: np.ndarray, edge: np.ndarray, direction: np.ndarray, radius_m: float) -> np.ndarray:
    """Distance at which the sphere touches each segment between its ends: a ray against an infinite cylinder."""
    length2 = np.maximum(np.einsum("ij,ij->i", edge, edge), 1e-18)
    along, before = edge @ direction, np.einsum("ij,ij->i", edge, -start)
    aside = direction - (along / length2)[:, None] * edge
    offset = -start - (before / length2)[:, None] * edge
    distance = _first_root(
        np.einsum("ij,ij->i", aside, aside), np.einsum("ij,ij->i", aside, offset),
        np.einsum("ij,ij->i", offset, offset) - radius_m**2,
    )  # fmt: skip
    share = (before + np.where(np.isfinite(distance), distance, 0.0) * along) / length2
    return np.where((share >= 0.0) & (share <= 1.0), distance, NEVER)


def _to_points(point: np.ndarray, direction: np.ndarray, radius_m: float) -> np.ndarray:
    """Distance at which the sphere touches each point."""
    return _first_root(
        np.ones(len(point)), -(point @ direction), np.einsum("ij,ij->i", point, point) - radius_m**2
    )


def _first_root(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The first t >= 0 at which a t^2 + 2 b t + c falls to 0; 0 where it is below already; NEVER without one."""
    under = b * b - a * c
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (-b - np.sqrt(np.maximum(under, 0.0))) / a
    root = np.where((under >= 0.0) & (b < 0.0) & (a > 1e-15), root, NEVER)
    return np.where(c <= 0.0, 0.0, root)
