"""How far along the route, how far from it, how long for it: the criteria that follow the dense route.

Source: RouteCompletionTest, InRouteTest, MinimumSpeedRouteTest in scenario_runner's atomic_criteria.py and
RouteTimeoutBehavior in its timer.py.
"""

from __future__ import annotations

import math

import numpy as np

from drive_agent.routing import Route
from drive_agent.score.criteria.tick import HAIR_S, EgoTick
from drive_agent.score.events import MIN_SPEED, ROUTE_DEVIATION, ROUTE_TIMEOUT, Event

DEFAULT_LIMIT_MPS = 30 / 3.6  # CARLA's, where the map states none


class DenseRoute:
    """The route's points as plain numbers: positions, forward directions with their slope, distance along."""

    def __init__(self, route: Route) -> None:
        points = np.asarray(route.points, dtype=float)
        if len(points) < 2:
            raise ValueError(f"a route of {len(points)} points cannot be judged, expected at least 2")
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        flat = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1))])
        slope = np.arctan(
            np.gradient(points[:, 2], np.maximum.accumulate(flat + 1e-9 * np.arange(len(flat))))
        )
        heading = np.asarray(route.headings, dtype=float)
        forward = np.stack(
            [np.cos(heading) * np.cos(slope), np.sin(heading) * np.cos(slope), np.sin(slope)], -1
        )
        self.points: list[tuple[float, float, float]] = [tuple(p) for p in points.tolist()]
        self.forward: list[tuple[float, float, float]] = [tuple(f) for f in forward.tolist()]
        self.along_m: list[float] = [0.0, *np.cumsum(steps).tolist()]

    @property
    def length_m(self) -> float:
        return self.along_m[-1]

    def passed(self, index: int, window: int, tick: EgoTick) -> list[int]:
        """Which of the `window` points after `index` lie behind the ego."""
        found = []
        for k in range(index + 1, min(index + window + 1, len(self.points))):
            (x, y, z), (fx, fy, fz) = self.points[k], self.forward[k]
            if (tick.x_m - x) * fx + (tick.y_m - y) * fy + (tick.z_m - z) * fz > 0:
                found.append(k)
        return found


class RouteCompletion:
    """Share of the route that lies behind; complete beyond 99 % and within 10 m of the end."""

    WINDOW = 2
    PERCENT = 99.0
    DISTANCE_M = 10.0

    def __init__(self, route: DenseRoute) -> None:
        self._route = route
        self._index = 0
        self._reached = False
        self.percent = 0.0
        self.completed = False

    def update(self, tick: EgoTick) -> list[Event]:
        if self._reached:  # the Leaderboard's route ends one tick after the goal is reached
            self.completed = True
            return []
        passed = self._route.passed(self._index, self.WINDOW, tick)
        if passed:
            self._index = passed[-1]
            self.percent = round(self._route.along_m[self._index] / self._route.length_m * 100, 2)
        distance = math.dist((tick.x_m, tick.y_m, tick.z_m), self._route.points[-1])
        if self.percent > self.PERCENT and distance < self.DISTANCE_M:
            self._reached = True
            self.percent = 100.0
        return []


class InRoute:
    """Deviation: 30 m away from the route, or more than 30 % of its length driven 15 to 30 m away."""

    WINDOW = 5
    MAX_M = 30.0
    SAFE_M = 15.0
    MAX_PERCENT = 30.0

    def __init__(self, route: DenseRoute) -> None:
        self._route = route
        self._index = 0
        self._safe = True
        self._outside_m = 0.0
        self.deviated = False

    def update(self, tick: EgoTick) -> list[Event]:
        if self.deviated:
            return []
        nearest, distance = self._nearest(tick)
        off = distance >= self.MAX_M
        if not off:
            self._safe = distance < self.SAFE_M
        if nearest != self._index:
            if not self._safe:
                self._outside_m += self._route.along_m[nearest] - self._route.along_m[self._index]
                off = off or 100 * self._outside_m / self._route.length_m > self.MAX_PERCENT
            self._index = nearest
        if not off:
            return []
        self.deviated = True
        return [tick.event(ROUTE_DEVIATION, f"Agent deviated from the route at {tick.place}")]

    def _nearest(self, tick: EgoTick) -> tuple[int, float]:
        best, shortest = self._index, math.inf
        for k in range(self._index, min(self._index + self.WINDOW + 1, len(self._route.points))):
            distance = math.hypot(tick.x_m - self._route.points[k][0], tick.y_m - self._route.points[k][1])
            if distance <= shortest:
                best, shortest = k, distance
        return best, shortest


class RouteTimeout:
    """300 s, and for every metre passed the time it takes at a tenth of the speed limit there."""

    WINDOW = 3
    START_S = 300.0
    SHARE = 0.1

    def __init__(self, route: DenseRoute) -> None:
        self._route = route
        self._index = 0
        self._start_s: float | None = None
        self._allowed_s = self.START_S
        self.timed_out = False

    def update(self, tick: EgoTick) -> list[Event]:
        if self._start_s is None:
            self._start_s = tick.time_s
        passed = self._route.passed(self._index, self.WINDOW, tick)
        if passed:
            limit = tick.lane.lane.speed_limit_mps or DEFAULT_LIMIT_MPS
            distance = self._route.along_m[passed[-1]] - self._route.along_m[self._index]
            self._allowed_s += distance / (limit * self.SHARE)
            self._index = passed[-1]
        if self.timed_out or tick.time_s - self._start_s <= self._allowed_s - HAIR_S:
            return []
        self.timed_out = True
        return [tick.event(ROUTE_TIMEOUT, "Route timeout.")]


class MinimumSpeed:
    """Mean speed on each part of the route, in percent of the mean speed of the background traffic."""

    WINDOW = 2
    LAST_PART_SHARE = 0.95
    BACKGROUND = "background"

    def __init__(self, route: DenseRoute, parts: int, *, every: bool) -> None:
        self._route = route
        self._part_m = route.length_m / parts
        self._every = every
        self._index = 0
        self._part_start_m = 0.0
        self._ids: tuple[int, ...] = ()
        self._traffic = np.zeros(0, int)
        self._clear()

    def update(self, tick: EgoTick) -> list[Event]:
        events = []
        passed = self._route.passed(self._index, self.WINDOW, tick)
        if passed:
            self._index = passed[-1]
        if self._route.along_m[self._index] - self._part_start_m > self._part_m:
            events = self._report(tick)
            self._part_start_m = self._route.along_m[self._index]
            self._clear()
        traffic_mps = self._traffic_speed(tick)
        if traffic_mps is not None:
            self._traffic_sum += traffic_mps
            self._ego_sum += tick.speed_mps
        return events

    def finish(self, tick: EgoTick, *, closings: int) -> list[Event]:
        """The last part, when nearly all of the route was driven.

        The Leaderboard's behaviour tree closes this criterion twice when a route ends by itself and once when it is
        broken off, and each closing writes (and charges) the last part again; published results show the pair.
        """
        share = self._route.along_m[self._index] / self._route.length_m
        return self._report(tick) * closings if share > self.LAST_PART_SHARE else []

    def _clear(self) -> None:
        self._ego_sum = self._traffic_sum = 0.0

    def _traffic_speed(self, tick: EgoTick) -> float | None:
        """Mean speed of the background vehicles, None when there are none."""
        truth = tick.truth
        if truth.ids != self._ids:
            self._ids = truth.ids
            infos = [truth.infos[actor] for actor in truth.ids]
            wanted = [i.role == self.BACKGROUND and i.type_id.startswith("vehicle") for i in infos]
            self._traffic = np.flatnonzero(wanted)
        if not len(self._traffic):
            return None
        return float(np.hypot(truth.actors[self._traffic, 5], truth.actors[self._traffic, 6]).mean())

    def _report(self, tick: EgoTick) -> list[Event]:
        percent = round(self._ego_sum / self._traffic_sum * 100, 2) if self._traffic_sum else 100
        if percent >= 100 and not self._every:
            return []
        message = f"Average speed is {percent}% of the surrounding traffic's one"
        return [tick.event(MIN_SPEED, message, value=percent)]
