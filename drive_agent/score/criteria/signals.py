"""Red lights and stop signs.

Source: RunningRedLightTest and RunningStopTest in scenario_runner's atomic_criteria.py. They start from the trigger boxes
of CARLA's signs, which a `RoadMap` does not have: for lights, the stop lines stand in for the boxes; for stop signs the
boxes are made as CARLA's StopSignComponent makes them.
"""

from __future__ import annotations

import math

import numpy as np

from drive_agent.roadmap import Lane, RoadMap, StopLine
from drive_agent.score.criteria.tick import EgoTick
from drive_agent.score.events import RED_LIGHT, STOP, Event, place_text
from drive_agent.score.lanes import LanePlace, nearest_place, place_on
from drive_agent.types import LightState

Point = tuple[float, float]


class RedLight:
    """The ego's tail crosses, on the lane it is governed on, the border of the junction behind a light that is red.

    That border counts, not the painted line before it. Each light counts once in a row; so does each lane, which some maps
    put under two lights.
    """

    STEP_M = 0.5  # in which the border is looked for
    REACH_M = 15.0
    TAIL_NEAR = 0.8  # of the half length, behind the origin
    TAIL_FAR_M = 1.0  # behind the rear bumper
    HALF_LINE = 0.6  # of the lane width

    def __init__(self, road_map: RoadMap) -> None:
        self._map = road_map
        stops = _stops(road_map, "light")
        self._x, self._y = _columns(stops)
        self._stops = [(line, self._junction_border(place)) for line, place in stops]
        self._last_signal = ""
        self._last_lane = -1

    def update(self, tick: EgoTick) -> list[Event]:
        near = (np.hypot(self._x - tick.x_m, self._y - tick.y_m) <= self.REACH_M).nonzero()[0]
        red = [self._stops[k] for k in near if self._counts(tick, *self._stops[k])]
        if not red:
            return []
        tail = self._tail(tick)
        lane = nearest_place(self._map, *tail[1]).road_and_lane
        for line, place in red:
            if self._crosses(tick, tail, lane, place):
                self._last_signal, self._last_lane = line.signal_id, place.lane.index
                message = (
                    f"Agent ran a red light {line.signal_id} at {place_text(*map(float, line.position))}"
                )
                return [tick.event(RED_LIGHT, message, other_id=line.signal_id)]
        return []

    def _counts(self, tick: EgoTick, line: StopLine, place: LanePlace) -> bool:
        if line.signal_id == self._last_signal or place.lane.index == self._last_lane:
            return False
        return tick.truth.lights.get(line.signal_id) == LightState.RED

    def _junction_border(self, stop: LanePlace) -> LanePlace:
        """The last place before the junction that a stop line belongs to; the stop itself where none is near."""
        lane, station = stop.lane, stop.station_m
        for _ in range(int(self.REACH_M / self.STEP_M)):
            ahead, ahead_station = _forward(self._map, lane, station, self.STEP_M)
            if ahead is None:
                return stop
            if ahead.is_junction:
                return place_on(self._map, lane.index, station)
            lane, station = ahead, ahead_station
        return stop

    def _tail(self, tick: EgoTick) -> tuple[Point, Point]:
        near, far = -self.TAIL_NEAR * tick.half_length_m, -(tick.half_length_m + self.TAIL_FAR_M)
        cos, sin = tick.forward
        return (tick.x_m + near * cos, tick.y_m + near * sin), (tick.x_m + far * cos, tick.y_m + far * sin)

    def _crosses(
        self, tick: EgoTick, tail: tuple[Point, Point], lane: tuple[int, int], stop: LanePlace
    ) -> bool:
        cos, sin = math.cos(stop.heading_rad), math.sin(stop.heading_rad)
        if lane != stop.road_and_lane or cos * tick.forward[0] + sin * tick.forward[1] <= 0:
            return False
        half = self.HALF_LINE * stop.width_m
        left, right = (
            (stop.x_m - half * sin, stop.y_m + half * cos),
            (stop.x_m + half * sin, stop.y_m - half * cos),
        )
        return _segments_meet(*tail, left, right)


class StopSign:
    """The ego passes the area of a stop sign without having stood still in it."""

    REACH_M = 4.0
    STEP_M = 0.5
    STANDING_MPS = 0.1
    BACKWARDS = -0.17  # ScenarioRunner's for about 100 degrees
    HALF_BOX = 0.45  # of the lane width, along and across; the box ends at the line
    STRETCH = 1.2

    def __init__(self, road_map: RoadMap) -> None:
        self._map = road_map
        self._stops = [
            (line, place_on(road_map, place.lane.index, place.station_m - self.HALF_BOX * place.width_m))
            for line, place in _stops(road_map, "stop")
        ]
        self._x, self._y = _columns(self._stops)
        self._target: int | None = None
        self._stood = False
        self._last_failed: str | None = None

    def update(self, tick: EgoTick) -> list[Event]:
        if self._target is None:
            self._target = self._scan(tick)
            return []
        if tick.speed_mps < self.STANDING_MPS:
            self._stood = True
        if self._affects(self._target, self._ahead(tick.lane)):
            return []
        line, _ = self._stops[self._target]
        failed = not self._stood and line.signal_id != self._last_failed
        self._target, self._stood = None, False
        if not failed:
            return []
        self._last_failed = line.signal_id
        message = f"Agent ran a stop with id={line.signal_id} at {place_text(*map(float, line.position))}"
        return [tick.event(STOP, message, other_id=line.signal_id)]

    def _scan(self, tick: EgoTick) -> int | None:
        """The stop sign that the ego has come to, unless it goes backwards or against the lane."""
        near = (np.hypot(self._x - tick.lane.x_m, self._y - tick.lane.y_m) <= self.REACH_M).nonzero()[0]
        if not len(near) or tick.forward_mps < self.BACKWARDS:
            return None
        if math.cos(tick.yaw_rad - tick.lane.heading_rad) < self.BACKWARDS:
            return None
        ahead = self._ahead(tick.lane)
        return next((int(k) for k in near if self._affects(k, ahead)), None)

    def _affects(self, stop: int, ahead: np.ndarray) -> bool:
        """Is the nearest lane point within reach, and any of the points from there on in the sign's box."""
        _, place = self._stops[stop]
        if math.hypot(place.x_m - ahead[0, 0], place.y_m - ahead[0, 1]) > self.REACH_M:
            return False
        cos, sin = math.cos(place.heading_rad), math.sin(place.heading_rad)
        delta = ahead - (place.x_m, place.y_m)
        along, across = delta @ (cos, sin), delta @ (-sin, cos)
        half = self.STRETCH * self.HALF_BOX * place.width_m
        return bool(((np.abs(along) < half) & (np.abs(across) < half)).any())

    def _ahead(self, place: LanePlace) -> np.ndarray:
        """Points (n, 2) of the lane centre from the ego's on, over the first successors, `REACH_M` far."""
        points = [(place.x_m, place.y_m)]
        lane, station = place.lane, place.station_m
        for _ in range(int(self.REACH_M / self.STEP_M)):
            lane, station = _forward(self._map, lane, station, self.STEP_M)
            if lane is None:
                break
            points.append(self._map.pose_on(lane.index, station)[:2])
        return np.array(points)


def _forward(road_map: RoadMap, lane: Lane, station_m: float, step_m: float) -> tuple[Lane | None, float]:
    """The place a step further along a lane and its first successor, None where the road ends."""
    station_m += step_m
    if station_m <= lane.length_m:
        return lane, station_m
    if not lane.successors:
        return None, 0.0
    return road_map.lanes[lane.successors[0]], station_m - lane.length_m


def _stops(road_map: RoadMap, kind: str) -> list[tuple[StopLine, LanePlace]]:
    """Every lane's stopping point of the lines of one kind."""
    return [
        (line, place_on(road_map, lane, station))
        for line in road_map.stop_lines
        if line.kind == kind
        for lane, station in zip(line.lanes, line.stations_m, strict=True)
    ]


def _columns(stops: list[tuple[StopLine, LanePlace]]) -> tuple[np.ndarray, np.ndarray]:
    """x and y of their places."""
    return np.array([place.x_m for _, place in stops]), np.array([place.y_m for _, place in stops])


def _segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Do the segments ab and cd share a point."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) <= 0 and side(c, d, a) * side(c, d, b) <= 0
