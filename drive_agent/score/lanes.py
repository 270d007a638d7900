"""The point on a lane's centre line nearest to a place: what CARLA's `Map.get_waypoint` answers, from a `RoadMap`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.roadmap import Lane, RoadMap


@dataclass(frozen=True)
class LanePlace:
    """A point on a lane's centre line; world frame."""

    lane: Lane
    x_m: float
    y_m: float
    station_m: float
    heading_rad: float
    width_m: float

    def distance_m(self, x_m: float, y_m: float) -> float:
        """In the plane."""
        return math.hypot(self.x_m - x_m, self.y_m - y_m)

    @property
    def road_and_lane(self) -> tuple[int, int]:
        """OpenDRIVE's numbers; the Leaderboard tells lanes apart by these, across lane sections."""
        return self.lane.road_id, self.lane.lane_id


def nearest_place(road_map: RoadMap, x_m: float, y_m: float, kind: str = "driving") -> LanePlace:
    """The nearest centre point of any lane of a kind. Raises ValueError when the map has none."""
    lane, station_m, _ = road_map.nearest_lane(np.array([x_m, y_m]), kinds=(kind,))
    return place_on(road_map, lane, station_m)


def place_on(road_map: RoadMap, lane: int, station_m: float) -> LanePlace:
    """The centre point of a lane at a distance along it."""
    x_m, y_m, _, heading_rad = road_map.pose_on(lane, station_m)
    line = road_map.lanes[lane]
    width_m = float(np.interp(station_m, line.stations_m, line.width))
    return LanePlace(line, x_m, y_m, station_m, heading_rad, width_m)
