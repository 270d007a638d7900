"""How fast one may drive on a lane: what the road's type or the lane says, and speed-limit signs from where they
stand on.

A sign holds to the end of its road. A lane of which the file says nothing, as inside the junctions of CARLA's
towns, goes on with the limit of the lane it comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import carla

from drive_agent.sim.opendrive import LaneSpan, OpenDrive, kmh
from drive_agent.sim.signal_sites import ruled_lanes

DEFAULT_LIMIT_KMH = 30.0  # CARLA's vehicles begin with it
SIGN_KIND = "274"
_LOOK_BACK_M = (1.0, 5.0, 15.0, 30.0, 50.0)


@dataclass(frozen=True)
class LaneLimit:
    """Limit of one lane: that of its beginning, and the signs beside it as (station, limit) in driving direction."""

    start_kmh: float
    signs: tuple[tuple[float, float], ...]
    forwards: bool  # whether one drives towards larger stations

    def at(self, s: float) -> float:
        """km/h at a station."""
        limit = self.start_kmh
        for sign_s, sign_kmh in self.signs:
            if (sign_s <= s) if self.forwards else (sign_s >= s):
                limit = sign_kmh
        return limit


def lane_limits(carla_map: carla.Map, parsed: OpenDrive) -> dict[LaneSpan, LaneLimit]:
    """The limit of every drivable lane."""
    spans: dict[tuple[int, int], list[LaneSpan]] = {}
    for lane in parsed.lanes:
        if lane.drivable:
            spans.setdefault((lane.road_id, lane.lane_id), []).append(lane)
    signs: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for spec in parsed.signals:
        if spec.kind == SIGN_KIND and spec.value > 0.0:
            for lane_id in ruled_lanes(spans, spec.place):
                signs.setdefault((spec.place.road_id, lane_id), []).append(
                    (spec.place.s, kmh(spec.value, spec.unit))
                )
    said = {key: next((lane.speed_limit_mps for lane in lanes), None) for key, lanes in spans.items()}
    return {
        lane: LaneLimit(
            _start_kmh(carla_map, lane, said),
            tuple(sorted(signs.get(key, ()), reverse=lane.lane_id > 0)),
            lane.lane_id < 0,
        )
        for key, lanes in spans.items()
        for lane in lanes
    }


def _start_kmh(carla_map: carla.Map, lane: LaneSpan, said: Mapping[tuple[int, int], float | None]) -> float:
    if lane.speed_limit_mps is not None:
        return lane.speed_limit_mps * 3.6
    start_s = lane.start_s + 1e-3 if lane.lane_id < 0 else lane.end_s - 1e-3
    waypoint = carla_map.get_waypoint_xodr(lane.road_id, lane.lane_id, start_s)
    if waypoint is None:
        return DEFAULT_LIMIT_KMH
    for distance in _LOOK_BACK_M:
        for behind in waypoint.previous(distance):
            limit = said.get((behind.road_id, behind.lane_id))
            if limit is not None:
                return limit * 3.6
    return DEFAULT_LIMIT_KMH
