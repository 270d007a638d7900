"""Other road users as intervals along and across a route, near it. Knows nothing of what they mean for the ego."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.corridor import RouteTrack
from drive_agent.expert.others import Others

BEHIND_M, AHEAD_M = 80, 220
BESIDE_M = 9.0  # how far beside the route things count
ENDS_M = 10.0  # and how far before and behind it


@dataclass(frozen=True)
class BesideRoute:
    """One row a road user. Stations and sides are the route's, whatever way the ego takes itself."""

    rows: np.ndarray  # (n,) of the `Others` it was made of
    tail_m: np.ndarray  # (n,) station of the nearest point
    head_m: np.ndarray  # (n,) and of the farthest
    right_m: np.ndarray  # (n,) lateral extent, left positive
    left_m: np.ndarray
    along_mps: np.ndarray  # (n,) speed along the route, negative for oncoming
    across_mps: np.ndarray

    def overlaps(self, center_m: float, half_m: float) -> np.ndarray:
        """(n,) whether each reaches into a strip of that half width around a path that far left of the route."""
        return (self.left_m > center_m - half_m) & (self.right_m < center_m + half_m)


def beside_route(track: RouteTrack, begin_m: float, others: Others) -> BesideRoute:
    """Where the others are, seen along the route around station `begin_m`."""
    at = (track.stations_m > begin_m - BEHIND_M) & (track.stations_m < begin_m + AHEAD_M)
    points, tangents, stations = track.points[at], track.tangents[at], track.stations_m[at]
    along, aside = _located(others.center, points, tangents, stations)
    on_route = (along > stations[0] - ENDS_M) & (along < stations[-1] + ENDS_M)
    rows = np.flatnonzero(on_route & (np.abs(aside) < BESIDE_M))
    probes = others.probes()[rows]
    flat_along, flat_left = _located(probes.reshape(-1, 2), points, tangents, stations)
    along, left = flat_along.reshape(probes.shape[:2]), flat_left.reshape(probes.shape[:2])
    nearest = _nearest(others.center[rows], points)
    tangent, velocity = tangents[nearest], others.velocity[rows]
    return BesideRoute(
        rows=rows,
        tail_m=along.min(1, initial=np.inf),
        head_m=along.max(1, initial=-np.inf),
        right_m=left.min(1, initial=np.inf),
        left_m=left.max(1, initial=-np.inf),
        along_mps=(velocity * tangent).sum(1),
        across_mps=tangent[:, 0] * velocity[:, 1] - tangent[:, 1] * velocity[:, 0],
    )


def _nearest(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    return ((points**2).sum(1) - 2.0 * places @ points.T).argmin(1)


def _located(
    places: np.ndarray, points: np.ndarray, tangents: np.ndarray, stations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Stations and offsets (n,) of places (n, 2) beside a polyline."""
    nearest = _nearest(places, points)
    gap, tangent = places - points[nearest], tangents[nearest]
    along = stations[nearest] + (gap * tangent).sum(1)
    return along, tangent[:, 0] * gap[:, 1] - tangent[:, 1] * gap[:, 0]
