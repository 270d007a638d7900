"""Places on lanes and how to get from one to the next: ahead, behind, beside, across the road.

What `carla.Waypoint` is to ScenarioRunner, on a `RoadMap`. World frame, metres, radians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import project, wrap_angle
from drive_agent.roadmap import Lane, RoadMap
from scenarios.routes import Pose

ROAD_KINDS = ("driving", "parking")  # what cars may stand on


@dataclass(frozen=True)
class Spot:
    """A place on the middle of a lane."""

    road_map: RoadMap
    lane_index: int
    station_m: float

    @classmethod
    def at(
        cls,
        road_map: RoadMap,
        point: np.ndarray | tuple[float, ...],
        heading_rad: float | None = None,
        kinds: tuple[str, ...] = ("driving",),
    ) -> Spot:
        """The spot nearest to a point (x, y, ...)."""
        lane, station_m, _ = road_map.nearest_lane(np.asarray(point), heading_rad, kinds)
        return cls(road_map, lane, station_m)

    @property
    def lane(self) -> Lane:
        return self.road_map.lanes[self.lane_index]

    @property
    def width_m(self) -> float:
        """Of the lane here."""
        return float(np.interp(self.station_m, self.lane.stations_m, self.lane.width))

    @property
    def point(self) -> np.ndarray:
        """(3,)."""
        return np.array(self.road_map.pose_on(self.lane_index, self.station_m)[:3])

    @property
    def heading_rad(self) -> float:
        return self.road_map.pose_on(self.lane_index, self.station_m)[3]

    def pose(self, left_m: float = 0.0, turned_rad: float = 0.0) -> Pose:
        """A pose beside the lane's middle, turned against its direction."""
        x_m, y_m, z_m, heading_rad = self.road_map.pose_on(self.lane_index, self.station_m)
        sin, cos = math.sin(heading_rad), math.cos(heading_rad)
        return x_m - left_m * sin, y_m + left_m * cos, z_m, float(wrap_angle(heading_rad + turned_rad))

    def ahead(self, way_m: float, *, into_junction: bool = True) -> Spot:
        """So far ahead, straight on where the lane forks; at the end of the road (or before a junction) it stops."""
        lane, station_m = self.lane, self.station_m + way_m
        while station_m > lane.length_m:
            following = straightest(self.road_map, lane)
            if following is None or (following.is_junction and not into_junction):
                return Spot(self.road_map, lane.index, lane.length_m)
            station_m -= lane.length_m
            lane = following
        return Spot(self.road_map, lane.index, station_m)

    def behind(self, way_m: float, *, into_junction: bool = True) -> Spot:
        """So far back, straight where lanes join; at the begin of the road (or after a junction) it stops."""
        lane, station_m = self.lane, self.station_m - way_m
        while station_m < 0.0:
            before = straightest_before(self.road_map, lane)
            if before is None or (before.is_junction and not into_junction):
                return Spot(self.road_map, lane.index, 0.0)
            station_m += before.length_m
            lane = before
        return Spot(self.road_map, lane.index, station_m)

    def along(self, way_m: float) -> Spot:
        """A little further on this very lane, at most to its end."""
        return Spot(self.road_map, self.lane_index, min(max(self.station_m + way_m, 0.0), self.lane.length_m))

    def left(self) -> Spot | None:
        """The neighbouring lane of the same kind and direction."""
        return self._beside(self.lane.left)

    def right(self) -> Spot | None:
        """The neighbouring lane of the same kind and direction."""
        return self._beside(self.lane.right)

    def same_direction(self) -> tuple[Spot, ...]:
        """All lanes of this kind and direction, the leftmost first."""
        leftmost = self
        while (further := leftmost.left()) is not None:
            leftmost = further
        lanes = [leftmost]
        while (further := lanes[-1].right()) is not None:
            lanes.append(further)
        return tuple(lanes)

    def opposite(self) -> Spot | None:
        """The nearest driving lane of the other direction of this road."""
        return self._nearest(
            [lane for lane in self._road() if lane.lane_id * self.lane.lane_id < 0], "driving"
        )

    def edge(self, side: str, kinds: tuple[str, ...] = ROAD_KINDS) -> Spot:
        """The outermost lane of these kinds on the "left" or "right" side of this direction."""
        outward = 1 if side == "right" else -1
        own = abs(self.lane.lane_id)
        lanes = [
            lane
            for lane in self._road()
            if lane.lane_id * self.lane.lane_id > 0
            and lane.kind in kinds
            and outward * (abs(lane.lane_id) - own) > 0
        ]
        if not lanes:
            return self
        outermost = max(lanes, key=lambda lane: outward * abs(lane.lane_id))
        return self._on(outermost)

    def beside(self, kind: str, side: str = "right") -> Spot | None:
        """The nearest lane of a kind ("parking", "shoulder", "biking", "sidewalk") on a side of this direction."""
        outward = 1 if side == "right" else -1
        own = abs(self.lane.lane_id)
        lanes = [
            lane
            for lane in self._road()
            if lane.lane_id * self.lane.lane_id > 0 and outward * (abs(lane.lane_id) - own) > 0
        ]
        return self._nearest(lanes, kind)

    def distance_m(self, point: np.ndarray) -> float:
        """In the plane."""
        return float(math.dist(self.point[:2], point[:2]))

    def _road(self) -> list[Lane]:
        here = self.lane
        return [
            lane
            for lane in self.road_map.lanes
            if lane.road_id == here.road_id and lane.section_id == here.section_id
        ]

    def _nearest(self, lanes: list[Lane], kind: str) -> Spot | None:
        fitting = [lane for lane in lanes if lane.kind == kind]
        return self._on(min(fitting, key=lambda lane: abs(lane.lane_id))) if fitting else None

    def _beside(self, lane_index: int) -> Spot | None:
        return None if lane_index < 0 else self._on(self.road_map.lanes[lane_index])

    def _on(self, lane: Lane) -> Spot:
        """The place on another lane of this road that is beside this one."""
        station_m, _ = project(lane.center[:, :2], self.point[:2])
        return Spot(self.road_map, lane.index, station_m)


def straightest(road_map: RoadMap, lane: Lane) -> Lane | None:
    """Of the lanes that follow, the one that turns least; None at the end of a road."""
    following = [road_map.lanes[k] for k in lane.successors]
    return min(following, key=_turn_rad, default=None)


def straightest_before(road_map: RoadMap, lane: Lane) -> Lane | None:
    """Of the lanes that lead here, the one that turns least; None at the begin of a road."""
    before = [road_map.lanes[k] for k in lane.predecessors]
    return min(before, key=_turn_rad, default=None)


def lane_path(start: Spot, length_m: float, step_m: float = 1.0) -> np.ndarray:
    """Points (n, 2) of the way straight ahead from a spot, about `step_m` apart; shorter where the road ends."""
    spots = [start.ahead(way_m) for way_m in np.arange(0.0, length_m + step_m, step_m)]
    points = np.array([spot.point[:2] for spot in spots])
    new = np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-3
    return points[np.concatenate([[True], new])]


def shifted(path: np.ndarray, left_m: float) -> np.ndarray:
    """A path (n, 2) moved to its left."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    return path + left_m * np.column_stack([-along[:, 1], along[:, 0]])


def _turn_rad(lane: Lane) -> float:
    return abs(float(wrap_angle(lane.heading[-1] - lane.heading[0])))
