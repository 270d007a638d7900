"""What lies under the wheels, as one frozen value: lanes, borders, markings, stop lines, lights, crosswalks.

Built once from a `carla.Map` (drive/carla_map.py), written once per log, read by expert, director, scores, plan
reward, bird's-eye view and exports. Knows nothing of carla. World frame (right-handed), metres, radians.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    successors: tuple[int, ...]  # indices of driving lanes that follow
    predecessors: tuple[int, ...]
    left: int  # neighbour in the same direction, -1 when none
    right: int
    left_change: bool  # may one change to it (by the marking)
    right_change: bool
    left_marking: tuple[str, str]  # (type, colour), e.g. ("broken", "white")
    right_marking: tuple[str, str]
    speed_limit_mps: float

    @property
    def is_junction(self) -> bool:
        return self.junction_id >= 0


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
    name: str
    lanes: tuple[Lane, ...]
    stop_lines: tuple[StopLine, ...]
    crosswalks: tuple[np.ndarray, ...]  # closed rings (k, 3)
    geo_reference: tuple[float, float]  # latitude, longitude of the world's origin, degrees
