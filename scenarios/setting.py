"""Where a scenario is put: its trigger on a route through a town, and what lies ahead. Knows nothing of actors.

World frame, metres, radians. Stations count along the route from its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drive_agent.geometry import arc_length, project, resample
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import Maneuver
from scenarios.spots import Spot


@dataclass(frozen=True)
class Setting:
    """A trigger on a route."""

    road_map: RoadMap
    route: Route
    trigger_m: float

    @cached_property
    def here(self) -> Spot:
        """The trigger, on the lane of the route."""
        row = int(np.abs(self.stations_m - self.trigger_m).argmin())
        point, heading_rad = self.route.points[row], float(self.route.headings[row])
        return Spot.at(self.road_map, point, heading_rad)

    @cached_property
    def path(self) -> np.ndarray:
        """The route's points, (n, 2)."""
        return self.route.points[:, :2]

    @cached_property
    def stations_m(self) -> np.ndarray:
        """(n,) of the route's points."""
        return arc_length(self.path)

    @property
    def left_m(self) -> float:
        """How much of the route comes after the trigger."""
        return float(self.stations_m[-1]) - self.trigger_m

    def route_station_m(self, point: np.ndarray) -> float:
        """Where along the route a point is nearest."""
        return project(self.path, point[:2])[0]

    def route_point(self, station_m: float) -> np.ndarray:
        """(2,) on the route."""
        return resample(self.path, np.array([station_m]))[0]

    def route_lanes(self, from_m: float, to_m: float) -> list[int]:
        """Indices of the lanes that the route uses between two stations, in order, without repetition."""
        at = (self.stations_m >= from_m) & (self.stations_m <= to_m)
        lanes = [int(lane) for lane in self.route.lanes[at]]
        return [lane for k, lane in enumerate(lanes) if not k or lane != lanes[k - 1]]

    @cached_property
    def junction(self) -> Crossing | None:
        """The first junction after the trigger, None when the route comes to none."""
        used, row = np.unique(self.route.lanes, return_inverse=True)
        inside = np.array([self.road_map.lanes[int(lane)].is_junction for lane in used])[row]
        ahead = np.flatnonzero(inside & (self.stations_m >= self.trigger_m))
        if not len(ahead):
            return None
        first = int(ahead[0])
        after = np.flatnonzero(~inside[first:])
        last = first + int(after[0]) if len(after) else len(inside) - 1
        entry = int(self.route.lanes[max(first - 1, 0)])
        return Crossing(
            begin_m=float(self.stations_m[first]),
            end_m=float(self.stations_m[last]),
            maneuver=self.route.maneuvers[first],
            junction_id=self.road_map.lanes[int(self.route.lanes[first])].junction_id,
            entry_lane=entry,
            exit_lane=int(self.route.lanes[last]),
            light=self.light_of([entry, int(self.route.lanes[first])]),
        )

    def light_of(self, lane_indices: Sequence[int]) -> str | None:
        """OpenDRIVE id of the traffic light that governs one of these lanes, None when none does."""
        return self._sign_of("light", lane_indices)

    def stop_sign_of(self, lane_indices: Sequence[int]) -> str | None:
        """OpenDRIVE id of the stop sign that governs one of these lanes, None when none does."""
        return self._sign_of("stop", lane_indices)

    def _sign_of(self, kind: str, lane_indices: Sequence[int]) -> str | None:
        for stop in self.road_map.stop_lines:
            if stop.kind == kind and set(stop.lanes) & set(lane_indices):
                return stop.signal_id
        return None


@dataclass(frozen=True)
class Crossing:
    """How the route passes one junction."""

    begin_m: float  # stations along the route
    end_m: float
    maneuver: Maneuver
    junction_id: int
    entry_lane: int  # lane indices, outside the junction
    exit_lane: int
    light: str | None  # OpenDRIVE id of the light that governs the entry

    @property
    def turns(self) -> bool:
        return self.maneuver in (Maneuver.LEFT, Maneuver.RIGHT)
