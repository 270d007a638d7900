"""How much road there is on either side of a route. Knows nothing of road users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.expert.corridor import RouteTrack
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import Route

DRIVABLE = ("driving", "parking")
PROBE_M, REACH_M = 0.25, 8.0
CELL_M = 4.0
HAIR_M = 0.05


@dataclass(frozen=True)
class Room:
    """Borders left of the route's line, metres, left positive: each lies at or beyond the one before."""

    own_left_m: float  # of the own lane
    own_right_m: float
    same_left_m: float  # of the lanes of the own direction
    left_m: float  # of all lanes, the oncoming ones too
    right_m: float  # of driving and parking lanes

    def narrowed(self, other: Room) -> Room:
        """Where both hold."""
        return Room(
            min(self.own_left_m, other.own_left_m),
            max(self.own_right_m, other.own_right_m),
            min(self.same_left_m, other.same_left_m),
            min(self.left_m, other.left_m),
            max(self.right_m, other.right_m),
        )


class RoadRoom:
    """Looks borders up in the map where they are asked for, and keeps them."""

    def __init__(self, road_map: RoadMap, route: Route, track: RouteTrack) -> None:
        self._map = road_map
        self._lanes = np.asarray(route.lanes)
        self._track = track
        self._known: dict[int, Room] = {}

    def between(self, from_m: float, to_m: float) -> Room:
        """The room that there is all the way between two stations of the route."""
        cells = range(int(from_m // CELL_M), int(to_m // CELL_M) + 1)
        rooms = [self._at(cell) for cell in cells]
        narrow = rooms[0]
        for room in rooms[1:]:
            narrow = narrow.narrowed(room)
        return narrow

    def _at(self, cell: int) -> Room:
        if cell not in self._known:
            self._known[cell] = self._measured(cell * CELL_M)
        return self._known[cell]

    def _measured(self, station_m: float) -> Room:
        row = int(np.abs(self._track.stations_m - station_m).argmin())
        own = self._map.lanes[int(self._lanes[row])]
        tangent, point = self._track.tangents[row], self._track.points[row]
        normal = np.array([-tangent[1], tangent[0]])
        borders = {"own_left_m": 0.0, "own_right_m": 0.0, "same_left_m": 0.0, "left_m": 0.0, "right_m": 0.0}
        for side in (1.0, -1.0):
            for reach_m in np.arange(PROBE_M, REACH_M + PROBE_M, PROBE_M):
                index = self._lane_at(point + side * reach_m * normal, normal)
                if index < 0 or not _may_use(self._map.lanes[index], own, to_left=side > 0.0):
                    break
                lane = self._map.lanes[index]
                for name in _names(lane, own, to_left=side > 0.0):
                    borders[name] = side * float(reach_m)
        return Room(**borders)

    def _lane_at(self, place: np.ndarray, normal: np.ndarray) -> int:
        """The lane there; between two lanes, where rounding may leave a hair's breadth to neither, one of them."""
        here = self._map.lane_at(place, kinds=DRIVABLE)
        return here if here >= 0 else self._map.lane_at(place - HAIR_M * normal, kinds=DRIVABLE)


def _may_use(lane: Lane, own: Lane, *, to_left: bool) -> bool:
    """Inside a junction only the own lane counts; a parking bay across the road is no way to go."""
    if own.is_junction or lane.is_junction:
        return lane.index == own.index
    return lane.road_id == own.road_id and (lane.kind == "driving" or not to_left)


def _names(lane: Lane, own: Lane, *, to_left: bool) -> list[str]:
    """The borders that reach as far as this lane does."""
    names = ["left_m" if to_left else "right_m"]
    if lane.index == own.index:
        names.append("own_left_m" if to_left else "own_right_m")
    if to_left and lane.lane_id * own.lane_id > 0:
        names.append("same_left_m")
    return names
