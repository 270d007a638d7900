"""Paint on the road: lane lines with their type and colour, crosswalk stripes, stop lines and give-way teeth."""

from __future__ import annotations

import carla
import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, join, mesh_of, quads, strip
from drive_agent.sim.render.streets import CARRIAGEWAY, Ribbon

LIFT_M = 0.02
DASH_M, PERIOD_M = 3.0, 9.0
DEFAULT_WIDTH_M = 0.14
WHITE, YELLOW = (0.93, 0.93, 0.91), (0.88, 0.66, 0.10)
STOP_LINE_M = 0.45
BAY_M, BAY_TICK_M = 6.0, 0.06  # length of a parking bay, half the width of the line between two

LINES_PER_TYPE = {  # (broken?, offset in line widths) of every line of a marking
    "Solid": ((False, 0.0),),
    "Broken": ((True, 0.0),),
    "SolidSolid": ((False, -1.0), (False, 1.0)),
    "SolidBroken": ((False, -1.0), (True, 1.0)),
    "BrokenSolid": ((True, -1.0), (False, 1.0)),
    "BrokenBroken": ((True, -1.0), (True, 1.0)),
}


def _paint(left: np.ndarray, right: np.ndarray, color: tuple[float, float, float]) -> Mesh:
    return strip(left, right, color, labels.ROAD_LINES, materials.MARKING, LIFT_M)


def _between(points: np.ndarray, along: np.ndarray, start: float, end: float) -> np.ndarray:
    """The part of a polyline (n, 3) between two distances along it, with exact ends."""
    inner = along[(along > start + 1e-6) & (along < end - 1e-6)]
    wanted = np.r_[start, inner, end]
    return np.stack([np.interp(wanted, along, points[:, k]) for k in range(3)], 1)


def _line(
    edge: np.ndarray, right: np.ndarray, width: float, color: tuple[float, float, float], *, broken: bool
) -> list[Mesh]:
    """One painted line of a given width along `edge` (n, 3)."""
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))]
    half = right * (width / 2)
    low, high = edge - half, edge + half
    pieces = [(0.0, along[-1])]
    if broken:
        pieces = [(a, min(a + DASH_M, along[-1])) for a in np.arange(1.5, along[-1] - 0.5, PERIOD_M)]
    return [_paint(_between(low, along, a, b), _between(high, along, a, b), color) for a, b in pieces]


def _edge_marking(carla_map: carla.Map, ribbon: Ribbon, side: int) -> list[Mesh]:
    """The marking on one edge of a lane (-1 left, +1 right), run by run of equal marking."""
    seen = []
    for s in ribbon.s_m.tolist():
        waypoint = carla_map.get_waypoint_xodr(ribbon.road_id, ribbon.lane_id, s)
        marking = (
            None
            if waypoint is None
            else (waypoint.right_lane_marking if side > 0 else waypoint.left_lane_marking)
        )
        seen.append(None if marking is None else (str(marking.type), str(marking.color), marking.width))
    edge = ribbon.edge(side)
    meshes: list[Mesh] = []
    start = 0
    for k in range(1, len(seen) + 1):
        if k < len(seen) and seen[k] == seen[start]:
            continue
        run = slice(start, min(k + 1, len(seen)))
        if seen[start] is not None and seen[start][0] in LINES_PER_TYPE and len(edge[run]) >= 2:
            kind, color_name, width = seen[start]
            width = width if width > 0.01 else DEFAULT_WIDTH_M
            color = YELLOW if color_name == "Yellow" else WHITE
            inset_m = 0.5 * width + 0.08
            is_inside = ribbon.by_median if side < 0 else ribbon.outermost or kind == "Solid"
            inset = -side * inset_m if is_inside else 0.0
            for broken, offset in LINES_PER_TYPE[kind]:
                shift = ribbon.right[run] * (offset * width + inset)
                meshes += _line(edge[run] + shift, ribbon.right[run], width, color, broken=broken)
        start = k
    return meshes


def lane_lines(carla_map: carla.Map, ribbons: list[Ribbon]) -> Mesh:
    """Markings of all lanes outside junctions, on motorways inside too.

    Every lane draws its outer line; lane -1 (or a lone 1) the centre, a lane beside a median the median's edge.
    """
    meshes: list[Mesh] = []
    for ribbon in ribbons:
        if (ribbon.in_junction and not ribbon.on_motorway) or ribbon.kind not in CARRIAGEWAY:
            continue
        meshes += _edge_marking(carla_map, ribbon, 1)
        if ribbon.lane_id == -1 or (ribbon.innermost and ribbon.alone) or ribbon.by_median:
            meshes += _edge_marking(carla_map, ribbon, -1)
    return join(meshes + [_bay_ticks(ribbon) for ribbon in ribbons if ribbon.kind == "parking"])


def _bay_ticks(ribbon: Ribbon) -> Mesh:
    """Short lines across a parking lane, one a bay."""
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(ribbon.center, axis=0), axis=1))]
    bays = max(int(along[-1] / BAY_M), 1)
    ticks = []
    for station in np.linspace(0.0, along[-1], bays + 1)[1:-1]:
        left, right = (
            _between(ribbon.edge(side), along, station - BAY_TICK_M, station + BAY_TICK_M)
            for side in (-1.0, 1.0)
        )
        ticks.append(_paint(left, right, WHITE))
    return join(ticks)


def crosswalk_rings(points: list[carla.Location]) -> list[np.ndarray]:
    """CARLA's flat list of crosswalk corners, split where a ring returns to its first corner."""
    rings, ring = [], []
    for point in points:
        corner = np.array([point.x, point.y, point.z])
        if len(ring) > 2 and np.linalg.norm(corner - ring[0]) < 0.05:
            rings.append(np.array(ring))
            ring = []
        else:
            ring.append(corner)
    return rings


def crosswalk_stripes(carla_map: carla.Map) -> Mesh:
    """Bars parallel to the traffic on every four-cornered crosswalk."""
    meshes = []
    for ring in crosswalk_rings(carla_map.get_crosswalks()):
        if len(ring) < 4:
            continue
        short, long = ring[1] - ring[0], ring[3] - ring[0]
        if np.linalg.norm(short) > np.linalg.norm(long):
            short, long = long, short
        bars = max(2, int(np.linalg.norm(long) / 1.1))
        start = (np.arange(bars)[:, None] + 0.22) / bars
        a, b = ring[0] + long * start, ring[0] + long * (start + 0.52 / bars)
        up = np.array([0, 0, LIFT_M + 0.005])
        faces = quads(a + up, a + short + up, b + short + up, b + up)
        meshes.append(mesh_of(faces, WHITE, labels.ROAD_LINES, materials.MARKING))
    return join(meshes)


def stop_line(left: np.ndarray, right: np.ndarray, forward: np.ndarray) -> Mesh:
    """A solid bar across a lane whose front edge runs from `left` to `right` (3,)."""
    back = forward * STOP_LINE_M
    return _paint(np.stack([left - back, left]), np.stack([right - back, right]), WHITE)


def give_way_line(left: np.ndarray, right: np.ndarray, forward: np.ndarray) -> Mesh:
    """A row of short blocks across a lane."""
    count = max(2, int(np.linalg.norm(right - left) / 0.75))
    share = (np.arange(count)[:, None] + 0.2) / count
    a, b = left + (right - left) * share, left + (right - left) * (share + 0.6 / count)
    up = np.array([0, 0, LIFT_M])
    faces = quads(a + up, b + up, b - forward * STOP_LINE_M + up, a - forward * STOP_LINE_M + up)
    return mesh_of(faces, WHITE, labels.ROAD_LINES, materials.MARKING)
