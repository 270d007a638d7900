"""Lights and signs that govern a route, by the route stations of their stop lines. Knows nothing of traffic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.corridor import RouteTrack
from drive_agent.geometry import arc_length
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route

ON_ROUTE_M = 2.0


@dataclass(frozen=True)
class RouteLine:
    """A stop line that the route crosses."""

    station_m: float
    kind: str  # "light", "stop" or "yield"
    signal_id: str


def lines_on_route(road_map: RoadMap, route: Route, track: RouteTrack) -> tuple[RouteLine, ...]:
    """Stop lines on the route's own lanes, in driving order; a lane that is driven twice has its line twice."""
    lanes = np.asarray(route.lanes)
    found = []
    for line in road_map.stop_lines:
        for lane_index, station_m in zip(line.lanes, line.stations_m, strict=True):
            rows = np.flatnonzero(lanes == lane_index)
            if not len(rows):
                continue
            center = road_map.lanes[lane_index].center[:, :2]
            along = arc_length(center)
            place = np.array([np.interp(station_m, along, center[:, k]) for k in (0, 1)])
            for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
                at = _station(track, run, place)
                if at is not None:
                    found.append(RouteLine(at, line.kind, line.signal_id))
    return tuple(sorted(found, key=lambda line: line.station_m))


def _station(track: RouteTrack, run: np.ndarray, place: np.ndarray) -> float | None:
    """Route station beside a place, None when this run of route points does not pass it."""
    gaps = track.points[run] - place
    nearest = int((gaps**2).sum(1).argmin())
    if (gaps[nearest] ** 2).sum() > ON_ROUTE_M**2:
        return None
    tangent = track.tangents[run[nearest]]
    return float(track.stations_m[run[nearest]] - gaps[nearest] @ tangent)
