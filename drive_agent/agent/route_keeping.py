"""A told path is held against the route that was given: one that misses the next route point is bent towards it.

Expert paths pass within 2.3 m of a route point 5 to 30 m ahead, around obstacles too. One that misses it by much more
follows somebody else, or another road. Knows nothing of models.
"""

from __future__ import annotations

import numpy as np

from drive_agent.geometry import arc_length, project, resample

NEAR_M = 5.0  # a nearer route point is as good as reached
FAR_M = 35.0  # a farther one may lie round a bend
TOLERANCE_M = 4.5


def keep_to_route(path_ego: np.ndarray, route_ego: np.ndarray) -> np.ndarray:
    """The path (n, 2), bent where it misses the first of the route points (m, 2) ahead; all metres, ego frame."""
    if not len(route_ego):
        return path_ego
    point = np.asarray(route_ego[0], dtype=float)
    if point[0] < NEAR_M or np.hypot(*point) > FAR_M:
        return path_ego
    whole = np.vstack([np.zeros((1, 2)), path_ego])
    at_m, _ = project(whole, point)
    stations_m = arc_length(whole)
    miss = point - resample(whole, np.array([at_m]))[0]
    if np.hypot(*miss) <= TOLERANCE_M or at_m <= 0.0:
        return path_ego
    return path_ego + miss * np.minimum(stations_m[1:, None] / at_m, 1.0) ** 2
