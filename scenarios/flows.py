"""A stream of vehicles from one place to another, as long as it is stepped: what ScenarioRunner calls an actor flow."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from drive_agent.geometry import arc_length, project, resample
from drive_agent.routing import plan_route
from scenarios.performers import Performer
from scenarios.scene import Scene
from scenarios.spots import Spot, lane_path

SINK_M = 4.0
MEETS_M, SLOW_MPS = 1.5, 3.0  # ways so near to each other have met; an ego slower than this will drive faster
CURVE_ACCEL_MPS2, CURVE_SPAN_M = 4.5, 4.0  # sideways; how far before and behind a point its curve is measured
CURVE_BRAKE_MPS2 = 3.0
CARS = {"base_type": "car", "has_lights": "true", "special_type": ""}
OPPOSITE_S, OPPOSITE_M = (
    1.5,
    30.0,
)  # an oncoming flow begins and ends so far from the obstacle: time at the limit, plus


class Flow:
    """Vehicles at gaps drawn from an interval. Call `step` every tick."""

    def __init__(
        self,
        scene: Scene,
        path: np.ndarray,
        gap_m: tuple[float, float],
        speed_mps: float,
        *,
        filled: bool = False,
        first_m: float = 0.0,
        careful: bool = False,
        model: str = "vehicle.*",
        wanted: Mapping[str, str] | None = None,
    ) -> None:
        """`path` (n, 2) from source to sink; `filled`: vehicles stand along all of it from the begin.

        `first_m` is where on the path the first one of the others begins; before its begin is so much later.
        """
        self._scene = scene
        self._path = path
        self._stations_m = arc_length(path)
        self._gap_m = gap_m
        self._speeds_mps = _speeds(path, self._stations_m, speed_mps)
        self._careful = careful
        self._model, self._wanted = model, CARS if wanted is None else wanted
        self._vehicles: list[Performer] = []
        self._next_gap_m = self._drawn_gap()
        self._begin_s = scene.time_s - min(first_m, 0.0) / speed_mps
        for station_m in self._begins(first_m, filled=filled):
            self._send(station_m)

    def _begins(self, first_m: float, *, filled: bool) -> list[float]:
        """Stations of those who are on the path from the begin, the farthest first."""
        end_m = float(self._stations_m[-1]) - 2.0 * SINK_M
        ahead, behind = [], [first_m]
        while filled and (station_m := (ahead or [first_m])[-1] + self._drawn_gap()) < end_m:
            ahead.append(station_m)
        while (station_m := behind[-1] - self._drawn_gap()) > 0.0:
            behind.append(station_m)
        return [station_m for station_m in (*reversed(ahead), *behind) if 0.0 < station_m < end_m]

    def step(self) -> None:
        """Take vehicles away at the sink, let a new one in at the source when the last is far enough."""
        for vehicle in list(self._vehicles):
            vehicle.change_speed(self._speed_at(project(self._path, vehicle.position)[0]))
            if math.dist(vehicle.position, self._path[-1]) < SINK_M or vehicle.arrived:
                self._vehicles.remove(vehicle)
                self._scene.dismiss(vehicle)
        if self._scene.time_s < self._begin_s:
            return
        last = self._vehicles[-1] if self._vehicles else None
        if last is None or math.dist(last.position, self._path[0]) > self._next_gap_m:
            self._next_gap_m = self._drawn_gap()
            self._send(0.0)

    def _send(self, station_m: float) -> None:
        """A vehicle on the path; none where something stands there."""
        here, beyond = resample(self._path, np.array([station_m, station_m + 1.0]))
        heading_rad = math.atan2(*(beyond - here)[::-1])
        spot = Spot.at(self._scene.road_map, here, heading_rad)
        pose = (float(here[0]), float(here[1]), float(spot.point[2]), heading_rad)
        vehicle = self._scene.try_put(self._model, pose, wanted=self._wanted)
        if vehicle is not None:
            keep = self._stations_m > station_m
            path = np.concatenate([here[None], self._path[keep]])
            vehicle.follow(path, self._speed_at(station_m), at_once=True, careful=self._careful)
            self._vehicles.append(vehicle)

    def _speed_at(self, station_m: float) -> float:
        return float(np.interp(station_m, self._stations_m, self._speeds_mps))

    def _drawn_gap(self) -> float:
        return float(self._scene.rng.uniform(*self._gap_m))


def _speeds(path: np.ndarray, stations_m: np.ndarray, speed_mps: float) -> np.ndarray:
    """The stream's speed at each point of its path (n, 2): slower in bends, and in time before them."""
    at_m = stations_m[:, None] + CURVE_SPAN_M * np.array([-1.0, 0.0, 1.0])
    before, here, after = (resample(path, np.clip(m, 0.0, stations_m[-1])) for m in at_m.T)
    first, second = here - before, after - here
    turn = np.abs(
        np.arctan2(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0], (first * second).sum(1))
    )
    speeds = np.minimum(np.sqrt(CURVE_ACCEL_MPS2 * CURVE_SPAN_M / np.maximum(turn, 1e-3)), speed_mps)
    energy = speeds**2 + 2.0 * CURVE_BRAKE_MPS2 * stations_m
    return np.sqrt(np.minimum.accumulate(energy[::-1])[::-1] - 2.0 * CURVE_BRAKE_MPS2 * stations_m)


def meeting_m(scene: Scene, path: np.ndarray, speed_mps: float) -> float:
    """Where on its path (n, 2) a vehicle is now that meets the ego at the speeds of both, before its begin if negative."""
    stations_m = np.arange(scene.ego_m, float(scene.setting.stations_m[-1]), 1.0)
    route = resample(scene.setting.path, stations_m)
    gaps_m = np.linalg.norm(route[:, None] - path[None], axis=2)
    near = gaps_m.min(1) < MEETS_M
    row = int(near.argmax()) if near.any() else int(gaps_m.min(1).argmin())
    arrival_s = (float(stations_m[row]) - scene.ego_m) / max(scene.ego_speed_mps, SLOW_MPS)
    return float(arc_length(path)[gaps_m[row].argmin()]) - speed_mps * arrival_s


def way(source: Spot, sink: Spot) -> np.ndarray:
    """The driving way (n, 2) between two spots."""
    return plan_route(source.road_map, np.array([source.point, sink.point])).points[:, :2]


def oncoming(scene: Scene, opposite: Spot, gap_m: tuple[float, float]) -> Flow:
    """Careful traffic on the lane of the other direction, past a spot on it."""
    limit_mps = opposite.lane.speed_limit_mps
    reach_m = OPPOSITE_S * 3.6 * limit_mps + OPPOSITE_M  # the official flow takes km/h for m/s here
    source = opposite.behind(reach_m, into_junction=False)
    length_m = source.distance_m(opposite.point) + reach_m
    path = lane_path(source, min(length_m, _before_junction_m(source)))
    return Flow(scene, path, gap_m, limit_mps, careful=True)


def _before_junction_m(spot: Spot) -> float:
    """How far one can drive from a spot before a junction."""
    far_m = 0.0
    while far_m < 400.0 and not spot.ahead(far_m + 5.0).lane.is_junction:
        far_m += 5.0
    return far_m
