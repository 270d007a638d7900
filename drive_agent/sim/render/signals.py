"""Where lights and signs have to stand: every controlled approach of the map, and a free place for its mast.

A landmark's own yaw does not tell which traffic it is for (lights of opposite directions on one road can show the same
yaw), so directions come from the lanes of the landmark's validity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import carla
import numpy as np

from drive_agent.sim.render.streets import CARRIAGEWAY, Ribbon

LIGHT, STOP, GIVE_WAY, SPEED_LIMIT = "light", "stop", "give_way", "speed_limit"
KIND_OF_TYPE = {"1000001": LIGHT, "206": STOP, "205": GIVE_WAY, "274": SPEED_LIMIT}

ENTRY_MARGIN_M = 1.0  # stop line before a junction whose signal sits inside it
MAST_AHEAD_M = np.arange(
    11.0, 50.0, 1.0
)  # nearer, the upper head would leave a camera's 26 degrees at the line
MAST_ASIDE_M = np.arange(0.8, 10.0, 0.6)
MOST_LANES = 8  # looked for on one side of a road
CLEARANCE_M, LOOK_AROUND_M = 0.9, 12.0
SIGHT_BEFORE_M, SIGHT_AFTER_M = 28.0, 14.0  # kept free of trees around a stop line, along the approach


@dataclass(frozen=True)
class LaneEnd:
    """A lane at its stop line, in driving direction; world, metres."""

    center: np.ndarray  # float64 (3,)
    forward: np.ndarray  # float64 (3,), unit, horizontal
    right: np.ndarray  # float64 (3,), unit, horizontal
    width_m: float

    @property
    def left_edge(self) -> np.ndarray:
        return self.center - self.right * (self.width_m / 2)

    @property
    def right_edge(self) -> np.ndarray:
        return self.center + self.right * (self.width_m / 2)


@dataclass(frozen=True)
class Approach:
    """What one OpenDRIVE signal controls: lanes from the driver's right to the left."""

    signal_id: str
    kind: str
    value: float  # of a speed limit, as written in the map
    lanes: tuple[LaneEnd, ...]

    @property
    def yaw_rad(self) -> float:
        """Driving direction of the rightmost lane."""
        return math.atan2(self.lanes[0].forward[1], self.lanes[0].forward[0])


def _lane_end(waypoint: carla.Waypoint) -> LaneEnd:
    place, yaw = waypoint.transform.location, math.radians(waypoint.transform.rotation.yaw)
    return LaneEnd(
        np.array([place.x, place.y, place.z]),
        np.array([math.cos(yaw), math.sin(yaw), 0.0]),
        np.array([-math.sin(yaw), math.cos(yaw), 0.0]),
        waypoint.lane_width,
    )


def _before_junction(waypoint: carla.Waypoint) -> carla.Waypoint | None:
    """The waypoint itself, or the last one before the junction that it lies in."""
    for _ in range(80):
        if not waypoint.is_junction:
            return waypoint
        earlier = waypoint.previous(ENTRY_MARGIN_M)
        if not earlier:
            return None
        waypoint = earlier[0]
    return None


def _candidate_lanes(landmark: carla.Landmark) -> list[int]:
    """Lane ids of the validity; where the map gives none, all lanes of the landmark's orientation."""
    lanes = [
        lane
        for low, high in landmark.get_lane_validities()
        for lane in range(min(low, high), max(low, high) + 1)
        if lane
    ]
    if lanes:
        return lanes
    sides = {carla.LandmarkOrientation.Positive: (-1,), carla.LandmarkOrientation.Negative: (1,)}
    return [side * k for side in sides.get(landmark.orientation, (-1, 1)) for k in range(1, MOST_LANES + 1)]


def _controlled(carla_map: carla.Map, landmark: carla.Landmark) -> list[carla.Waypoint]:
    """Waypoints of the driving lanes that the landmark is for, at their stop line."""
    found = []
    for lane in _candidate_lanes(landmark):
        # A signal may stand exactly at the end of its road, where the map has no waypoint any more.
        stations = (landmark.s, landmark.s - 0.05, landmark.s + 0.05)
        waypoints = (carla_map.get_waypoint_xodr(landmark.road_id, lane, s) for s in stations if s >= 0.0)
        waypoint = next((waypoint for waypoint in waypoints if waypoint is not None), None)
        if waypoint is not None and waypoint.lane_type == carla.LaneType.Driving:
            entry = _before_junction(waypoint)
            if entry is not None:
                found.append(entry)
    return found


def approaches(carla_map: carla.Map) -> list[Approach]:
    """Every light, stop, give-way and speed-limit sign that rules a lane, in the map's order, one per signal id."""
    lanes: dict[tuple[str, str], dict[tuple[int, int], carla.Waypoint]] = {}
    values: dict[tuple[str, str], float] = {}
    for landmark in carla_map.get_all_landmarks():
        kind = KIND_OF_TYPE.get(landmark.type)
        if kind is None:
            continue
        key = (landmark.id, kind)
        values[key] = landmark.value
        for waypoint in _controlled(carla_map, landmark):
            lanes.setdefault(key, {}).setdefault((waypoint.road_id, waypoint.lane_id), waypoint)
    result = []
    for (signal_id, kind), by_lane in lanes.items():
        ends = [_lane_end(waypoint) for waypoint in by_lane.values()]
        base = ends[0]
        ends.sort(key=lambda end: -float((end.center - base.center) @ base.right))
        result.append(Approach(signal_id, kind, values[(signal_id, kind)], tuple(ends)))
    return result


class Views:
    """What drivers have to see: the space between the lanes before a stop line and the sign or light there."""

    def __init__(self, found: list[Approach]):
        ends = [approach.lanes[0] for approach in found]
        self._corners = np.array([end.right_edge[:2] for end in ends]).reshape(-1, 2)
        self._forward = np.array([end.forward[:2] for end in ends]).reshape(-1, 2)
        self._right = np.array([end.right[:2] for end in ends]).reshape(-1, 2)

    def hidden_by(self, x: float, y: float) -> bool:
        """Whether a tree at (x, y) would stand between some drivers and their sign or light."""
        offset = np.array([x, y]) - self._corners
        ahead, aside = (offset * self._forward).sum(1), (offset * self._right).sum(1)
        between = (ahead > -SIGHT_BEFORE_M) & (ahead < SIGHT_AFTER_M) & (aside > -8.0) & (aside < 9.0)
        return bool(between.any())


class RoadClearance:
    """How far a point is from the carriageway. `floor` (n, 2) are points of junctions between their lanes."""

    def __init__(self, ribbons: list[Ribbon], floor: np.ndarray):
        driven = [ribbon for ribbon in ribbons if ribbon.kind in CARRIAGEWAY]
        centers = np.concatenate([ribbon.center[:, :2] for ribbon in driven] + [floor])
        half = np.concatenate([ribbon.width_m / 2 for ribbon in driven] + [np.full(len(floor), 0.4)])
        order = np.argsort(centers[:, 0], kind="stable")
        self._centers, self._half = centers[order], half[order]

    def of(self, points: np.ndarray) -> np.ndarray:
        """Metres from each point (n, 2) to the nearest carriageway edge, negative inside, at most LOOK_AROUND_M."""
        low, high = points.min(0) - LOOK_AROUND_M, points.max(0) + LOOK_AROUND_M
        column = slice(*np.searchsorted(self._centers[:, 0], (low[0], high[0])))
        near = (self._centers[column, 1] > low[1]) & (self._centers[column, 1] < high[1])
        if not near.any():
            return np.full(len(points), LOOK_AROUND_M)
        centers, half = self._centers[column][near], self._half[column][near]
        dx = points[:, 0, None] - centers[:, 0]
        dy = points[:, 1, None] - centers[:, 1]
        return np.minimum((np.sqrt(dx * dx + dy * dy) - half).min(1), LOOK_AROUND_M)


def mast_place(approach: Approach, clearance: RoadClearance) -> tuple[float, float]:
    """(metres ahead of the stop line, metres right of the approach's right edge) of a free spot for the mast.

    The nearest spot at least 11 m ahead that is off every carriageway: the light is seen from the stop line, its bulbs
    are as large as they can be, and nobody drives into the mast.
    """
    lane = approach.lanes[0]
    ahead, aside = (grid.ravel() for grid in np.meshgrid(MAST_AHEAD_M, MAST_ASIDE_M, indexing="ij"))
    spots = lane.right_edge[:2] + ahead[:, None] * lane.forward[:2] + aside[:, None] * lane.right[:2]
    free = clearance.of(spots) > CLEARANCE_M
    if not free.any():
        return float(MAST_AHEAD_M[0]), float(MAST_ASIDE_M[-1])
    cost = np.where(free, ahead + 1.5 * aside, np.inf)
    best = int(np.argmin(cost))
    return float(ahead[best]), float(aside[best])
