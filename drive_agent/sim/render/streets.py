"""OpenDRIVE lanes become road surface, kerbs, pavements and verges.

The file is read only for which lanes there are; where they lie comes from `carla.Map.get_waypoint_xodr`, so the
picture always agrees with what the client computes. CARLA ignores lane heights: pavements are raised here.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

import carla
import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, join, strip, wall

STEP_M = 2.0  # between samples along a lane
KERB_M = 0.15
VERGE_M = 2.0  # width of the slope from the road's edge down to the terrain
VERGE_DROP_M = 0.30
FLATNESS_M = 0.02  # a lane's edge may leave the sampled curve by this much

ASPHALT_COLOR = (0.30, 0.30, 0.31)
SHOULDER_COLOR = (0.42, 0.42, 0.42)
KERB_COLOR = (0.66, 0.66, 0.64)
PAVING_COLOR = (0.62, 0.60, 0.57)
GRASS_COLOR = (0.36, 0.47, 0.20)
LANE_COLORS = {"shoulder": SHOULDER_COLOR, "biking": (0.46, 0.27, 0.22), "parking": (0.36, 0.35, 0.35)}

CARRIAGEWAY = {"driving", "bidirectional", "onRamp", "offRamp", "entry", "exit", "parking", "biking", "stop"}
RAISED = {"sidewalk", "border", "walking"}
PLANTED = {"median", "restricted"}
DRAWN = CARRIAGEWAY | RAISED | PLANTED | {"shoulder"}


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

    def edge(self, side: float) -> np.ndarray:
        """(n, 3) points at `side` half-widths to the right: -1 the left edge, +1 the right edge."""
        return self.center + self.right * (self.width_m * 0.5 * side)[:, None]


@dataclass(frozen=True)
class _LaneEntry:
    road_id: int
    lane_id: int
    kind: str
    junction_id: int
    outermost: bool
    innermost: bool
    alone: bool
    by_median: bool
    on_motorway: bool
    start_m: float
    end_m: float


def _entries(opendrive_text: str) -> Iterator[_LaneEntry]:
    """Every lane that is drawn, section by section."""
    for road in ElementTree.fromstring(opendrive_text.encode()).iter("road"):
        sections = list(road.iter("laneSection"))
        bounds = [float(section.get("s", 0)) for section in sections] + [float(road.get("length", 0))]
        on_motorway = any(record.get("type") == "motorway" for record in road.iter("type"))
        for index, section in enumerate(sections):
            kinds = {int(lane.get("id", 0)): lane.get("type", "none") for lane in section.iter("lane")}
            drawn = [lane for lane, kind in kinds.items() if lane and kind in DRAWN]
            for lane in drawn:
                same_side = [abs(other) for other in drawn if other * lane > 0]
                yield _LaneEntry(
                    int(road.get("id", -1)),
                    lane,
                    kinds[lane],
                    int(road.get("junction", -1)),
                    abs(lane) == max(same_side),
                    abs(lane) == 1,
                    not any(other * lane < 0 for other in drawn),
                    kinds[lane] in CARRIAGEWAY and kinds.get(lane - (1 if lane > 0 else -1)) in PLANTED,
                    on_motorway,
                    bounds[index],
                    bounds[index + 1],
                )


def lane_ribbons(carla_map: carla.Map, opendrive_text: str) -> list[Ribbon]:
    """Sample every drawn lane of the map. Sections shorter than 5 cm are left out."""
    ribbons = []
    for entry in _entries(opendrive_text):
        length = entry.end_m - entry.start_m
        if length < 0.05:
            continue
        count = max(2, math.ceil(length / STEP_M) + 1)
        rows = []
        for s in np.linspace(entry.start_m + 1e-3, entry.end_m - 1e-3, count).tolist():
            waypoint = carla_map.get_waypoint_xodr(entry.road_id, entry.lane_id, s)
            if waypoint is None:
                continue
            transform = waypoint.transform
            place, yaw = transform.location, math.radians(transform.rotation.yaw)
            rows.append((s, place.x, place.y, place.z, -math.sin(yaw), math.cos(yaw), waypoint.lane_width))
        if len(rows) < 2:
            continue
        table = np.array(rows)
        if entry.lane_id > 0:
            table = table[::-1]
        center, width = table[:, 1:4], table[:, 6]
        right = np.stack([table[:, 4], table[:, 5], np.zeros(len(table))], 1)
        distinct = np.r_[True, np.linalg.norm(np.diff(center, axis=0), axis=1) > 1e-3]
        if distinct.sum() < 2:
            continue
        ribbons.append(
            Ribbon(
                entry.road_id,
                entry.lane_id,
                entry.kind,
                entry.junction_id,
                entry.outermost,
                entry.innermost,
                entry.alone,
                entry.by_median,
                entry.on_motorway,
                table[distinct, 0],
                center[distinct],
                right[distinct],
                width[distinct],
            )
        )
    return ribbons


def _stride(edges: np.ndarray) -> int:
    """Largest power-of-two stride whose straight pieces stay within FLATNESS_M of all samples. edges (n, k, 3)."""
    n, stride = len(edges), 1
    while stride * 2 < n:
        chosen = _every(n, stride * 2)
        position = np.interp(np.arange(n), chosen, np.arange(len(chosen)))
        low = np.minimum(position.astype(int), len(chosen) - 2)
        share = (position - low)[:, None, None]
        straight = edges[chosen[low]] * (1 - share) + edges[chosen[low + 1]] * share
        if np.abs(straight - edges).max() > FLATNESS_M:
            break
        stride *= 2
    return stride


def _every(n: int, stride: int) -> np.ndarray:
    chosen = np.arange(0, n, stride)
    return chosen if chosen[-1] == n - 1 else np.r_[chosen, n - 1]


def _lane_surface(ribbon: Ribbon) -> list[Mesh]:
    """Surface of one lane; raised lanes get kerb faces and a kerb stone on the road side."""
    left, right = ribbon.edge(-1.0), ribbon.edge(1.0)
    chosen = _every(len(left), _stride(np.stack([left, right], 1)))
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
    sides = ([1.0] if ribbon.outermost else []) + ([-1.0] if ribbon.innermost and ribbon.alone else [])
    meshes = []
    for side in sides:
        edge = ribbon.edge(side)
        edge = edge + [0, 0, lift - 0.01]
        foot = edge + ribbon.right * (side * VERGE_M) - [0, 0, lift + VERGE_DROP_M]
        chosen = _every(len(edge), _stride(np.stack([edge, foot], 1)))
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
