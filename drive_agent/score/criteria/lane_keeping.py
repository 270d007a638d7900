"""Being where no lane is, or in a lane of the opposite direction.

Source: OutsideRouteLanesTest in scenario_runner's atomic_criteria.py.
"""

from __future__ import annotations

import math
from dataclasses import replace

from drive_agent.roadmap import RoadMap
from drive_agent.score.criteria.route import DenseRoute
from drive_agent.score.criteria.tick import EgoTick
from drive_agent.score.events import OUTSIDE_LANES, Event
from drive_agent.score.lanes import LanePlace, nearest_place


class OutsideRouteLanes:
    """Metres of the route driven outside its lanes, in percent of the metres driven: one event, kept up to date."""

    WINDOW = 3
    ALLOWED_M = 0.5
    MAX_VEHICLE_DEG = 120.0  # between ego and lane, just after a junction
    MAX_LANE_DEG = 150.0  # between the lanes of two ticks

    def __init__(self, route: DenseRoute, road_map: RoadMap) -> None:
        self._route = route
        self._map = road_map
        self._has_parking = any(lane.kind == "parking" for lane in road_map.lanes)
        self._index = 0
        self._last: LanePlace | None = None
        self._wrong_lane = False
        self._wrong_lane_counts = True
        self._driven_m = 0.0
        self._outside_m = 0.0
        self.event: Event | None = None

    def switch_wrong_lane(self, *, active: bool) -> None:
        """A scenario that sends the ego into the opposite lane suspends that half of the test."""
        self._wrong_lane_counts = active

    def update(self, tick: EgoTick) -> list[Event]:
        """Reports the event when it arises; `event` has the up-to-date one."""
        outside = self._is_outside(tick)
        self._update_wrong_lane(tick)
        arisen = self.event is None
        for k in self._route.passed(self._index, self.WINDOW, tick):
            step = math.dist(self._route.points[self._index], self._route.points[k])
            self._driven_m += step
            if outside or (self._wrong_lane_counts and self._wrong_lane):
                self._outside_m += step
            self._index = k
            if self._outside_m:
                self._set_event(tick)
        return [self.event] if arisen and self.event else []

    def _set_event(self, tick: EgoTick) -> None:
        percent = self._outside_m / self._driven_m * 100
        message = (
            f"Agent went outside its route lanes for about {round(self._outside_m, 3)} meters "
            f"({round(percent, 2)}% of the completed route)"
        )
        if self.event is None:
            self.event = tick.event(OUTSIDE_LANES, message, value=percent)
        else:
            self.event = replace(self.event, message=message, value=percent)

    def _is_outside(self, tick: EgoTick) -> bool:
        place, distance = tick.lane, tick.lane.distance_m(tick.x_m, tick.y_m)
        if distance > place.width_m / 2 and self._has_parking:
            parking = nearest_place(self._map, tick.x_m, tick.y_m, "parking")
            parking_distance = parking.distance_m(tick.x_m, tick.y_m)
            if parking_distance <= distance:
                place, distance = parking, parking_distance
        return distance > place.width_m / 2 + self.ALLOWED_M

    def _update_wrong_lane(self, tick: EgoTick) -> None:
        now, last = tick.lane, self._last or tick.lane
        if now.lane.is_junction:
            self._wrong_lane = False
        elif now.road_and_lane != last.road_and_lane:
            if last.lane.is_junction:
                self._wrong_lane = _angle_deg(now.heading_rad, tick.yaw_rad) >= self.MAX_VEHICLE_DEG
            elif _angle_deg(now.heading_rad, last.heading_rad) > self.MAX_LANE_DEG:
                self._wrong_lane = not self._wrong_lane  # going out, or coming back
        self._last = now


def _angle_deg(a_rad: float, b_rad: float) -> float:
    """Angle between two directions, 0 to 180."""
    return abs(math.degrees((a_rad - b_rad + math.pi) % (2 * math.pi) - math.pi))
