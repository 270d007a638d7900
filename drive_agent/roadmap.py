"""What lies under the wheels, as one frozen value: lanes, borders, markings, stop lines, lights, crosswalks.

Built once from a `carla.Map` (drive/carla_map.py), written once per log, read by expert, director, scores, plan
reward, bird's-eye view and exports. Knows nothing of carla. World frame (right-handed), metres, radians.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from drive_agent.geometry import arc_length
from drive_agent.lane_index import LaneIndex


@dataclass(frozen=True)
class Lane:
    """One lane between two lane-section borders, points about 1 m apart **in driving direction**."""

    index: int  # position in RoadMap.lanes
    road_id: int
    section_id: int
    lane_id: int  # OpenDRIVE's: negative right of the reference line
    kind: str  # "driving", "parking", "shoulder", "sidewalk", "biking", ...
    junction_id: int  # -1 outside junctions
    center: np.ndarray  # (n, 3)
    heading: np.ndarray  # (n,)
    width: np.ndarray  # (n,)
    successors: tuple[int, ...]  # indices of lanes of the same kind that follow
    predecessors: tuple[int, ...]
    left: int  # neighbour of the same kind in the same direction, -1 when none
    right: int
    left_change: bool  # may one change to it (by the marking)
    right_change: bool
    left_marking: tuple[str, str]  # (type, colour), e.g. ("broken", "white")
    right_marking: tuple[str, str]
    speed_limit_mps: float

    @property
    def is_junction(self) -> bool:
        return self.junction_id >= 0

    @cached_property
    def stations_m(self) -> np.ndarray:
        """Distance along the centre line in the plane at each of its points, (n,)."""
        return arc_length(self.center[:, :2])

    @property
    def length_m(self) -> float:
        return float(self.stations_m[-1])


@dataclass(frozen=True)
class StopLine:
    """Where the traffic of some lanes has to stop for a light or a sign."""

    kind: str  # "light", "stop", "yield"
    signal_id: str  # OpenDRIVE id, the key of Truth.lights
    lanes: tuple[int, ...]  # indices of the lanes it governs
    stations_m: tuple[float, ...]  # where on each of these lanes
    segment: np.ndarray  # (2, 2) ends of the line
    position: np.ndarray  # (3,) of the light or sign itself


@dataclass(frozen=True)
class RoadMap:
    """A whole town. Stations are metres along a lane's centre line in driving direction, lateral offsets left positive."""

    name: str
    lanes: tuple[Lane, ...]
    stop_lines: tuple[StopLine, ...]
    crosswalks: tuple[np.ndarray, ...]  # closed rings (k, 3)
    geo_reference: tuple[float, float]  # latitude, longitude of the world's origin, degrees

    def nearest_lane(
        self, point: np.ndarray, heading: float | None = None, kinds: tuple[str, ...] = ("driving",)
    ) -> tuple[int, float, float]:
        """Lane index, station and lateral offset (left positive) of the lane centre nearest to a point (2,) or (3,).

        With a heading, a radian of disagreement counts as `lane_index.METRES_PER_RADIAN` of distance: it tells apart
        the two directions of a street and the crossing ways of a junction. Raises ValueError when the map has no
        lane of these kinds.
        """
        return self._index_of(kinds).nearest(float(point[0]), float(point[1]), heading)

    def lane_at(
        self, point: np.ndarray, heading: float | None = None, kinds: tuple[str, ...] = ("driving",)
    ) -> int:
        """Index of the lane whose surface holds the point, -1 when none does."""
        index, station_m, lateral_m = self.nearest_lane(point, heading, kinds)
        lane = self.lanes[index]
        width_m = np.interp(station_m, lane.stations_m, lane.width)
        is_beside = abs(lateral_m) <= width_m / 2
        return index if is_beside else -1

    def pose_on(self, lane: int, station_m: float) -> tuple[float, float, float, float]:
        """x, y, z and heading on the centre of a lane; stations beyond its ends are clipped to them."""
        line = self.lanes[lane]
        stations = line.stations_m
        k = min(max(bisect.bisect_right(stations, station_m) - 1, 0), len(stations) - 2)
        before_m, after_m = stations[k : k + 2].tolist()
        share = min(max((station_m - before_m) / (after_m - before_m), 0.0), 1.0)
        (x0, y0, z0), (x1, y1, z1) = line.center[k : k + 2].tolist()
        heading, following = line.heading[k : k + 2].tolist()
        turn = (following - heading + math.pi) % (2 * math.pi) - math.pi
        return (
            x0 + share * (x1 - x0), y0 + share * (y1 - y0), z0 + share * (z1 - z0), heading + share * turn,
        )  # fmt: skip

    def next_stop_line(
        self, lane_path: Sequence[int], station_m: float = 0.0
    ) -> tuple[StopLine, float] | None:
        """The first stop line at or after `station_m` of the path's first lane, and how far it is, metres.

        `lane_path`: lane indices in driving order; a step to a neighbour is a lane change and costs no distance.
        """
        travelled_m = -station_m
        for lane, following in zip(lane_path, (*lane_path[1:], None), strict=True):
            line = self.lanes[lane]
            if following is not None and following in (line.left, line.right):
                same_place_m = station_m * self.lanes[following].length_m / line.length_m
                travelled_m += station_m - same_place_m
                station_m = same_place_m
                continue
            ahead = [(s, k) for s, k in self._stops_on.get(lane, ()) if s >= station_m]
            if ahead:
                stop_m, number = min(ahead)
                return self.stop_lines[number], travelled_m + stop_m
            travelled_m += line.length_m
            station_m = 0.0
        return None

    @cached_property
    def _stops_on(self) -> dict[int, list[tuple[float, int]]]:
        """Lane index -> (station, number of the stop line)."""
        stops: dict[int, list[tuple[float, int]]] = {}
        for number, stop in enumerate(self.stop_lines):
            for lane, station_m in zip(stop.lanes, stop.stations_m, strict=True):
                stops.setdefault(lane, []).append((station_m, number))
        return stops

    @cached_property
    def _indices(self) -> dict[tuple[str, ...], LaneIndex]:
        return {}

    def _index_of(self, kinds: tuple[str, ...]) -> LaneIndex:
        index = self._indices.get(kinds)
        if index is None:
            chosen = [lane for lane in self.lanes if lane.kind in kinds]
            if not chosen:
                known = sorted({lane.kind for lane in self.lanes})
                raise ValueError(f"map {self.name!r} has no lane of kind {kinds}, only {known}")
            index = LaneIndex([(lane.index, lane.center, lane.heading, lane.stations_m) for lane in chosen])
            self._indices[kinds] = index
        return index

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, strings and numbers: what JSON can hold, without loss."""
        return {
            "name": self.name,
            "lanes": [_plain(lane) for lane in self.lanes],
            "stop_lines": [_plain(stop) for stop in self.stop_lines],
            "crosswalks": [ring.tolist() for ring in self.crosswalks],
            "geo_reference": list(self.geo_reference),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RoadMap:
        """Inverse of `to_dict`."""
        latitude, longitude = values["geo_reference"]
        return cls(
            name=values["name"],
            lanes=tuple(_restored(Lane, lane) for lane in values["lanes"]),
            stop_lines=tuple(_restored(StopLine, stop) for stop in values["stop_lines"]),
            crosswalks=tuple(np.array(ring, float) for ring in values["crosswalks"]),
            geo_reference=(latitude, longitude),
        )


def _plain(value: Lane | StopLine) -> dict[str, Any]:
    pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: item.tolist() if isinstance(item, np.ndarray) else item for name, item in pairs}


def _restored(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass from what `_plain` or JSON made of it: arrays and tuples by the field's declared type."""

    def convert(declared: str, item: Any) -> Any:
        if declared == "np.ndarray":
            return np.array(item, float)
        return tuple(item) if declared.startswith("tuple") else item

    return kind(**{field.name: convert(str(field.type), values[field.name]) for field in fields(kind)})
