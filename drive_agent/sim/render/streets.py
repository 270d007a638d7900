"""OpenDRIVE lanes become road surface, kerbs, pavements and verges.

The file is read only for which lanes there are; where they lie comes from `carla.Map.get_waypoint_xodr`, so the
picture always agrees with what the client computes. CARLA ignores lane heights: pavements are raised here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import carla
import numpy as np

from drive_agent.sim.opendrive import LaneSpan
from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, join, strip, wall

END_M = 1e-3  # kept from the ends of a lane, which belong to the next one
KERB_M = 0.15
VERGE_M = 2.0  # width of the slope from the road's edge down to the terrain
VERGE_DROP_M = 0.30
SHORTEST_M = 0.05  # of a lane that is drawn
FLATNESS_M = 0.02  # a lane's edge may leave the sampled curve by this much

ASPHALT_COLOR = (0.30, 0.30, 0.31)
SHOULDER_COLOR = (0.42, 0.42, 0.42)
KERB_COLOR = (0.66, 0.66, 0.64)
PAVING_COLOR = (0.62, 0.60, 0.57)
GRASS_COLOR = (0.36, 0.47, 0.20)
LANE_COLORS = {"shoulder": SHOULDER_COLOR, "biking": (0.46, 0.27, 0.22), "parking": (0.36, 0.35, 0.35)}

CARRIAGEWAY = {
    "driving", "bidirectional", "onRamp", "offRamp", "connectingRamp", "slipLane", "entry", "exit", "parking", "biking",
    "stop", "bus", "taxi", "HOV", "tram", "rail", "roadWorks", "special1", "special2", "special3",
}  # fmt: skip
RAISED = {"sidewalk", "border", "walking", "curb"}
PLANTED = {"median", "restricted"}
DRAWN = CARRIAGEWAY | RAISED | PLANTED | {"shoulder"}


@dataclass(frozen=True)
class StreetSettings:
    """How a map becomes streets: what of CARLA's parameters for generated worlds has a meaning here."""

    step_m: float = 2.0  # between samples along a lane
    wall_height_m: float = 0.0  # of walls along the outer edges of roads outside junctions; 0: none
    junction_extra_m: float = 0.0  # added to the width of driving lanes inside junctions
    visible: bool = True  # False: road surface, markings and walls are not drawn


DEFAULT_STREETS = StreetSettings()


@dataclass(frozen=True)
class Ribbon:
    """One lane of one lane section, in driving direction. Points are CARLA world, metres."""

    road_id: int
    lane_id: int
    kind: str  # OpenDRIVE lane type
    junction_id: int  # -1 outside junctions
    outermost: bool  # nothing is drawn on its right
    innermost: bool  # the road's centre line is its left edge
    alone: bool  # no lanes on the other side of the centre line
    by_median: bool  # a median is its left neighbour
    on_motorway: bool
    s_m: np.ndarray  # float64 (n,), along the road
    center: np.ndarray  # float64 (n, 3)
    right: np.ndarray  # float64 (n, 3), unit vectors to the driver's right
    width_m: np.ndarray  # float64 (n,)

    @property
    def in_junction(self) -> bool:
        """Whether the lane is a connection inside a junction."""
        return self.junction_id != -1

    @property
    def open_sides(self) -> tuple[float, ...]:
        """Sides where nothing of its road lies beside it: +1 right, -1 left."""
        return ((1.0,) if self.outermost else ()) + ((-1.0,) if self.innermost and self.alone else ())

    def edge(self, side: float) -> np.ndarray:
        """(n, 3) points at `side` half-widths to the right: -1 the left edge, +1 the right edge."""
        return self.center + self.right * (self.width_m * 0.5 * side)[:, None]


@dataclass(frozen=True)
class _LaneEntry:
    """A lane that is drawn, and how it lies among those of its section."""

    span: LaneSpan
    outermost: bool
    innermost: bool
    alone: bool
    by_median: bool


def _entries(lanes: Sequence[LaneSpan]) -> Iterator[_LaneEntry]:
    """Every lane that is drawn, section by section."""
    for _, section in groupby(lanes, key=lambda lane: (lane.road_id, lane.start_s)):
        drawn = [lane for lane in section if lane.kind in DRAWN]
        for lane in drawn:
            same_side = [abs(other.lane_id) for other in drawn if other.lane_id * lane.lane_id > 0]
            facing = any(other.lane_id * lane.lane_id < 0 for other in drawn)
            inner_id = lane.lane_id - (1 if lane.lane_id > 0 else -1)
            inner = next((other.kind for other in drawn if other.lane_id == inner_id), "none")
            yield _LaneEntry(
                lane,
                outermost=abs(lane.lane_id) == max(same_side),
                innermost=abs(lane.lane_id) == 1,
                alone=not facing,
                by_median=lane.kind in CARRIAGEWAY and inner in PLANTED,
            )


def lane_ribbons(
    carla_map: carla.Map, lanes: Sequence[LaneSpan], settings: StreetSettings = DEFAULT_STREETS
) -> list[Ribbon]:
    """Sample every drawn lane of the map. Sections shorter than 5 cm are left out."""
    ribbons = []
    for entry in _entries(lanes):
        table = _sampled(carla_map, entry.span, settings.step_m)
        distinct = np.r_[True, np.linalg.norm(np.diff(table[:, 1:4], axis=0), axis=1) > 1e-3][: len(table)]
        if distinct.sum() < 2:
            continue
        table = table[distinct]
        width_m = table[:, 6]
        if entry.span.junction_id != -1 and entry.span.drivable:
            width_m = width_m + settings.junction_extra_m
        ribbons.append(
            Ribbon(
                road_id=entry.span.road_id,
                lane_id=entry.span.lane_id,
                kind=entry.span.kind,
                junction_id=entry.span.junction_id,
                outermost=entry.outermost,
                innermost=entry.innermost,
                alone=entry.alone,
                by_median=entry.by_median,
                on_motorway=entry.span.on_motorway,
                s_m=table[:, 0],
                center=table[:, 1:4],
                right=np.column_stack([table[:, 4:6], np.zeros(len(table))]),
                width_m=width_m,
            )
        )
    return ribbons


def _sampled(carla_map: carla.Map, lane: LaneSpan, step_m: float) -> np.ndarray:
    """float64 (n, 7): station, x, y, z, direction to the right (x, y) and width along a lane, in driving direction."""
    length_m = lane.end_s - lane.start_s
    if length_m < SHORTEST_M:
        return np.zeros((0, 7))
    count = max(2, math.ceil(length_m / step_m) + 1)
    rows = []
    for s in np.linspace(lane.start_s + END_M, lane.end_s - END_M, count).tolist():
        waypoint = carla_map.get_waypoint_xodr(lane.road_id, lane.lane_id, s)
        if waypoint is not None:
            transform = waypoint.transform
            place, yaw = transform.location, math.radians(transform.rotation.yaw)
            rows.append((s, place.x, place.y, place.z, -math.sin(yaw), math.cos(yaw), waypoint.lane_width))
    table = np.array(rows).reshape(-1, 7)
    if lane.lane_id > 0:
        table = table[::-1].copy()
    forward = np.column_stack([table[:, 5], -table[:, 4]])
    table[:1, 1:3] -= END_M * forward[:1]  # back to the joint: no seam between two lanes
    table[-1:, 1:3] += END_M * forward[-1:]
    return table


def _stride(edges: np.ndarray, flatness_m: float) -> int:
    """Largest power-of-two stride whose straight pieces stay that near to all samples. edges (n, k, 3)."""
    n, stride = len(edges), 1
    while stride * 2 < n:
        chosen = _every(n, stride * 2)
        position = np.interp(np.arange(n), chosen, np.arange(len(chosen)))
        low = np.minimum(position.astype(int), len(chosen) - 2)
        share = (position - low)[:, None, None]
        straight = edges[chosen[low]] * (1 - share) + edges[chosen[low + 1]] * share
        if np.abs(straight - edges).max() > flatness_m:
            break
        stride *= 2
    return stride


def _every(n: int, stride: int) -> np.ndarray:
    chosen = np.arange(0, n, stride)
    return chosen if chosen[-1] == n - 1 else np.r_[chosen, n - 1]


def flat_pieces(edges: np.ndarray, flatness_m: float = FLATNESS_M) -> np.ndarray:
    """Indices of those samples of parallel polylines (n, k, 3) that keep them that near to all samples."""
    return _every(len(edges), _stride(edges, flatness_m))


def straight_pieces(line: np.ndarray) -> np.ndarray:
    """Those points of a polyline (n, 3) that keep it within FLATNESS_M."""
    return line[flat_pieces(line[:, None])]


def _lane_surface(ribbon: Ribbon) -> list[Mesh]:
    """Surface of one lane; raised lanes get kerb faces and a kerb stone on the road side."""
    left, right = ribbon.edge(-1.0), ribbon.edge(1.0)
    chosen = flat_pieces(np.stack([left, right], 1))
    left, right, across = left[chosen], right[chosen], ribbon.right[chosen]
    if ribbon.kind in RAISED:
        stone = left + across * np.minimum(0.18, 0.4 * ribbon.width_m[chosen])[:, None]
        return [
            strip(stone, right, PAVING_COLOR, labels.SIDEWALKS, materials.PAVING, KERB_M),
            strip(left, stone, KERB_COLOR, labels.SIDEWALKS, materials.PLAIN, KERB_M),
            wall(left, KERB_M, -across, KERB_COLOR, labels.SIDEWALKS),
        ]
    if ribbon.kind in PLANTED:
        return [
            strip(left, right, GRASS_COLOR, labels.TERRAIN, materials.GRASS, KERB_M),
            wall(left, KERB_M, -across, KERB_COLOR, labels.SIDEWALKS),
            wall(right, KERB_M, across, KERB_COLOR, labels.SIDEWALKS),
        ]
    color = LANE_COLORS.get(ribbon.kind, ASPHALT_COLOR)
    return [strip(left, right, color, labels.ROADS, materials.ASPHALT)]


def _verges(ribbon: Ribbon) -> list[Mesh]:
    """Grass slopes from the outer edge of a road down into the terrain."""
    lift = KERB_M if ribbon.kind in RAISED | PLANTED else 0.0
    meshes = []
    for side in ribbon.open_sides:
        edge = ribbon.edge(side)
        edge = edge + [0, 0, lift - 0.01]
        foot = edge + ribbon.right * (side * VERGE_M) - [0, 0, lift + VERGE_DROP_M]
        chosen = flat_pieces(np.stack([edge, foot], 1))
        meshes.append(strip(edge[chosen], foot[chosen], GRASS_COLOR, labels.TERRAIN, materials.GRASS))
    return meshes


def road_surface(ribbons: list[Ribbon]) -> Mesh:
    """All lanes with kerbs and, outside junctions, verges."""
    meshes: list[Mesh] = []
    for ribbon in ribbons:
        meshes += _lane_surface(ribbon)
        if not ribbon.in_junction:
            meshes += _verges(ribbon)
    return join(meshes)
