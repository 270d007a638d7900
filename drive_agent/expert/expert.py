"""The privileged driver: rules on ground truth. It makes the demonstrations and is the upper baseline.

`ScriptedDriver` beside it follows the same path at constant speed and is blind to all else: the lower baseline.
Pure: no socket, no carla, no torch.
"""

from __future__ import annotations

import numpy as np

from drive_agent.expert.corridor import Corridor, RouteTrack
from drive_agent.expert.longitudinal import PROFILE_TIMES_S, bounds, cause, profile, reason, target_speed
from drive_agent.expert.merging import Merging
from drive_agent.expert.others import Boxes, EgoPose
from drive_agent.expert.situation import Finding, Observer, Situation
from drive_agent.geometry import arc_length, to_frame
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import PATH_STATIONS_M, Cause, Plan, Truth


def path_ego(ego: EgoPose, corridor: Corridor) -> np.ndarray:
    """The corridor's points (10, 2) at `PATH_STATIONS_M`, in the ego frame."""
    return to_frame(corridor.points[PATH_STATIONS_M.astype(int)], ego.x_m, ego.y_m, ego.yaw_rad)


class Expert:
    """Drives one route: `step` with every `Truth`, in order."""

    def __init__(self, road_map: RoadMap, route: Route) -> None:
        self._observer = Observer(road_map, route)
        self._merging = Merging(road_map, route, RouteTrack(road_map, route))
        self._length_m = float(arc_length(np.asarray(route.points)[:, :2])[-1])
        self.left_m = self._length_m  # way to the end of the route
        self.offset_m = 0.0  # how far the rear axle is left of the route

    def step(self, truth: Truth) -> tuple[Plan, Situation]:
        """The plan for now and the situation that it answers."""
        found = self._observer.look(truth)
        self.left_m = self._length_m - found.corridor.begin_m
        self.offset_m = found.corridor.offset_m
        limits = bounds(found) + self._merging.look(found.ego, found.corridor, found.others)
        target_mps, by = target_speed(found, limits)
        plan = Plan(
            time_us=truth.time_us,
            path_ego=path_ego(found.ego, found.corridor),
            speed_times_s=PROFILE_TIMES_S,
            speeds_mps=profile(found, limits),
            reason=reason(found, target_mps, by),
        )
        return plan, _situation(truth.time_us, found, target_mps, cause(found, target_mps, by))


def _situation(time_us: int, found: Finding, target_mps: float, why: Cause) -> Situation:
    lead, other = found.lead, found.conflict
    return Situation(
        time_us=time_us,
        light=found.light,
        light_m=found.light_m,
        gap_m=None if lead is None else lead.gap_m,
        lead_speed_mps=0.0 if lead is None else lead.speed_mps,
        lead_kind=None if lead is None else lead.kind,
        lead_id=None if lead is None else lead.actor_id,
        stop_m=found.stop_m,
        yield_m=found.yield_m,
        yield_to=None if other is None else other.actor_id,
        target_speed_mps=target_mps,
        cause=why,
        route_path_ego=path_ego(found.ego, found.along_route),
    )


class ScriptedDriver:
    """Follows the route at constant speed, whatever happens: what a blind driver achieves."""

    def __init__(self, road_map: RoadMap, route: Route, speed_mps: float = 8.0) -> None:
        self._track = RouteTrack(road_map, route)
        self._boxes = Boxes()
        self._speed_mps = speed_mps

    def step(self, truth: Truth) -> Plan:
        """The plan for now."""
        ego, _ = self._boxes.read(truth)
        corridor = self._track.corridor(ego.x_m, ego.y_m, ego.speed_mps)
        speeds = np.full(len(PROFILE_TIMES_S), self._speed_mps)
        return Plan(
            truth.time_us, path_ego(ego, corridor), PROFILE_TIMES_S, speeds, "driving at constant speed"
        )
