"""Where pedestrians walk on their own: the pavements of a town as a mesh, joined by its crosswalks and, elsewhere, over its roads.

Every pavement is a row of quads; a way over a road is one quad between a side of this pavement's and a side of that
one's. The genuine client loads the mesh (`navigation_file`) and walks `controller.ai.walker` on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, pairwise

import carla
import numpy as np

from drive_agent.sim import opendrive
from drive_agent.sim.navigation_file import CROSSWALK_AREA, PEDESTRIAN_RADIUS_M, ROAD_AREA, SIDEWALK_AREA
from drive_agent.sim.render.markings import crosswalk_rings
from drive_agent.sim.render.streets import Ribbon, flat_pieces, lane_ribbons

WALKED = ("sidewalk", "walking")
NARROWEST_M = 2 * PEDESTRIAN_RADIUS_M + 0.3  # of a pavement that people walk on
JOINT_M = 0.5  # ends of pavements this near to each other are one
REACH_M = 8.0  # between the end of a crosswalk and the pavement that it leads to
WAY_M = (1.0, 4.0)  # narrowest and usual width of a way over a road
EVERY_M = 25.0  # between places where a road without a crosswalk can be crossed
ROAD_M = (4.0, 30.0)  # between the pavements of a road that can be crossed
FLATNESS_M = 0.1  # a pavement's edge may leave the map's by this much: fewer quads, longer ways for the client's search
MARGIN_M = 0.3  # kept between cuts of a pavement
FLAT_M2 = 1e-3  # corners that turn less are straight


@dataclass(frozen=True)
class WalkMesh:
    """Convex quads, neighbours where they share two corners. CARLA world, metres."""

    corners: np.ndarray  # float64 (n, 3)
    quads: np.ndarray  # int (m, 4), indices of corners
    areas: np.ndarray  # uint8 (m,), what one walks on: `navigation_file`'s


@dataclass
class _Pavement:
    """One pavement in driving direction, its walls kept at a body's distance, and where ways over the road leave it."""

    road_id: int
    lane_id: int
    in_junction: bool
    along: np.ndarray  # (n,) m
    road_side: np.ndarray  # (n, 3)
    far_side: np.ndarray  # (n, 3)
    base: np.ndarray  # stations between which it is straight
    cuts: list[tuple[float, float]] = field(default_factory=list)  # never overlapping

    def at(self, stations: np.ndarray, side: np.ndarray) -> np.ndarray:
        """(k, 3) points of a side."""
        return np.stack([np.interp(stations, self.along, side[:, axis]) for axis in range(3)], 1)

    def free(self, low: float, high: float) -> tuple[float, float] | None:
        """What of a stretch no other way has taken, None where it is too short to be one."""
        begin, end = self.along[0], self.along[-1]
        low = begin if low - begin < MARGIN_M else low
        high = end if end - high < MARGIN_M else high
        for first, last in self.cuts:
            if first - MARGIN_M < high and last + MARGIN_M > low:
                if first - MARGIN_M - low > high - last - MARGIN_M:
                    high = min(high, first - MARGIN_M)
                else:
                    low = max(low, last + MARGIN_M)
        return (low, high) if high - low >= WAY_M[0] else None

    def stations(self) -> np.ndarray:
        """Where its quads begin and end: at its bends and at every cut, at none inside a cut."""
        kept = self.base
        for low, high in self.cuts:
            kept = kept[(kept < low - MARGIN_M) | (kept > high + MARGIN_M)]
        return np.unique(np.r_[self.along[[0, -1]], kept, np.array(self.cuts).ravel()])


def _pavement(ribbon: Ribbon) -> _Pavement | None:
    width_m = np.minimum(ribbon.width_m, np.median(ribbon.width_m))
    if width_m.min() < NARROWEST_M:
        return None
    inset = 1.0 - 2.0 * PEDESTRIAN_RADIUS_M / ribbon.width_m.min()
    sides = np.stack([ribbon.edge(-inset), ribbon.edge(inset)], 1)
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(ribbon.center[:, :2], axis=0), axis=1))]
    base = along[flat_pieces(sides, FLATNESS_M)]
    return _Pavement(
        ribbon.road_id, ribbon.lane_id, ribbon.in_junction, along, sides[:, 0], sides[:, 1], base
    )


@dataclass(frozen=True)
class _Way:
    """A quad over a road, from a stretch of one pavement to a stretch of another."""

    ends: tuple[int, int]  # pavements
    stretches: tuple[tuple[float, float], tuple[float, float]]
    area: int


def _crosswalk_ends(ring: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Both short sides of a crosswalk's four corners: two points (2, 2) and the direction (2,) out of it."""
    corners = ring[:4, :2]
    if np.linalg.norm(corners[1] - corners[0]) > np.linalg.norm(corners[2] - corners[1]):
        corners = np.roll(corners, -1, 0)
    outward = corners[:2].mean(0) - corners[2:].mean(0)
    outward = outward / np.linalg.norm(outward)
    return [(corners[:2], outward), (corners[2:], -outward)]


def _reached(
    pavements: list[_Pavement], end: np.ndarray, outward: np.ndarray
) -> tuple[int, float, float] | None:
    """The pavement that a crosswalk leads to, and the stretch of it that faces the crosswalk's end (2, 2)."""
    best, nearest = None, REACH_M
    middle = end.mean(0)
    for index, pavement in enumerate(pavements):
        gaps = pavement.road_side[:, :2] - middle
        distance = np.where(gaps @ outward > -1.5, np.linalg.norm(gaps, axis=1), np.inf)
        if distance.min() < nearest:
            best, nearest = index, float(distance.min())
    if best is None:
        return None
    side = pavements[best].road_side[:, :2]
    fine = np.linspace(0.0, pavements[best].along[-1], max(int(pavements[best].along[-1] / 0.2), 2))
    side = pavements[best].at(fine, pavements[best].road_side)[:, :2]
    stations = [fine[np.linalg.norm(side - corner, axis=1).argmin()] for corner in end]
    return best, min(stations), max(stations)


def _over_crosswalks(carla_map: carla.Map, pavements: list[_Pavement]) -> list[_Way]:
    ways = []
    for ring in crosswalk_rings(carla_map.get_crosswalks()):
        if len(ring) < 4:
            continue
        one, other = (_reached(pavements, end, outward) for end, outward in _crosswalk_ends(ring))
        if one and other and one[0] != other[0]:
            ways.append(_Way((one[0], other[0]), (one[1:], other[1:]), CROSSWALK_AREA))
    return ways


def _over_roads(pavements: list[_Pavement]) -> list[_Way]:
    """A way each EVERY_M over every road with pavements on both sides."""
    ways = []
    for a, b in combinations(range(len(pavements)), 2):
        one, other = pavements[a], pavements[b]
        if one.in_junction or one.road_id != other.road_id or one.lane_id * other.lane_id > 0:
            continue
        for middle in np.arange(EVERY_M / 2, one.along[-1], EVERY_M):
            here = one.at(np.array([middle]), one.road_side)[0, :2]
            gaps = np.linalg.norm(other.road_side[:, :2] - here, axis=1)
            if ROAD_M[0] < gaps.min() < ROAD_M[1]:
                there, half = other.along[gaps.argmin()], WAY_M[1] / 2
                stretches = ((middle - half, middle + half), (there - half, there + half))
                ways.append(_Way((a, b), stretches, ROAD_AREA))
    return ways


def _is_convex(corners: np.ndarray) -> bool:
    """Whether (4, 3) corners in order go round a convex polygon, seen from above."""
    sides = np.roll(corners[:, :2], -1, 0) - corners[:, :2]
    after = np.roll(sides, -1, 0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    return bool((turns > FLAT_M2).all() or (turns < -FLAT_M2).all())


@dataclass
class _Mesh:
    """The mesh while it grows. A corner is known by (pavement, station, side); joined ones share a number."""

    pavements: list[_Pavement]
    places: list[np.ndarray] = field(default_factory=list)
    numbers: dict[tuple[int, float, int], int] = field(default_factory=dict)
    quads: list[list[int]] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)

    def corner(self, pavement: int, station: float, side: int) -> int:
        """The number of a corner: side 0 is the road's."""
        key = (pavement, float(station), side)
        if key not in self.numbers:
            walked = self.pavements[pavement]
            line = walked.far_side if side else walked.road_side
            self.numbers[key] = self._place(walked.at(np.array([station]), line)[0])
        return self.numbers[key]

    def join(self, one: tuple[int, float, int], other: tuple[int, float, int], place: np.ndarray) -> None:
        """Make two corners one, at a place."""
        self.numbers[one] = self.numbers[other] = self._place(place)

    def _place(self, place: np.ndarray) -> int:
        self.places.append(place)
        return len(self.places) - 1

    def add(self, quad: list[int], area: int) -> bool:
        """Take a quad in if it is convex."""
        convex = len(set(quad)) == len(quad) and _is_convex(np.array([self.places[k] for k in quad]))
        if convex:
            self.quads.append(quad)
            self.areas.append(area)
        return convex


def _join_ends(mesh: _Mesh) -> None:
    """Ends of pavements that are each other's nearest, within JOINT_M, share their corners."""
    ends = [(k, float(p.along[row]), row) for k, p in enumerate(mesh.pavements) for row in (0, -1)]
    sides = np.array(
        [[mesh.pavements[k].road_side[row], mesh.pavements[k].far_side[row]] for k, _, row in ends]
    )
    gaps = np.linalg.norm(sides.mean(1)[:, None] - sides.mean(1)[None], axis=2)
    owner = np.array([k for k, _, _ in ends])
    gaps[owner[:, None] == owner[None]] = np.inf
    nearest = gaps.argmin(1)
    for i, j in enumerate(nearest.tolist()):
        if i < j and nearest[j] == i and gaps[i, j] < JOINT_M:
            straight, crossed = (np.linalg.norm(sides[i, 0] - sides[j, side]) for side in (0, 1))
            for side in (0, 1):
                other = side if straight < crossed else 1 - side
                place = (sides[i, side] + sides[j, other]) / 2
                mesh.join((*ends[i][:2], side), (*ends[j][:2], other), place)


def _add_way(mesh: _Mesh, way: _Way) -> None:
    """Take a way in where both its pavements have room for it and it is convex."""
    stretches = []
    for end, stretch in zip(way.ends, way.stretches, strict=True):
        free = mesh.pavements[end].free(*stretch)
        if free is None:
            return
        stretches.append(free)
    (a, b), (first, last), (start, stop) = way.ends, *stretches
    here = [mesh.corner(a, first, 0), mesh.corner(a, last, 0)]
    there = [mesh.corner(b, start, 0), mesh.corner(b, stop, 0)]
    if mesh.add([*here, *there], way.area) or mesh.add([*here, *reversed(there)], way.area):
        for end, stretch in zip(way.ends, stretches, strict=True):
            mesh.pavements[end].cuts.append(stretch)


def build_walk_mesh(carla_map: carla.Map, opendrive_text: str) -> WalkMesh | None:
    """The mesh of a map, None where it has no pavement."""
    ribbons = lane_ribbons(carla_map, opendrive.parse(opendrive_text).lanes)
    pavements = [_pavement(ribbon) for ribbon in ribbons if ribbon.kind in WALKED]
    mesh = _Mesh([pavement for pavement in pavements if pavement is not None])
    if not mesh.pavements:
        return None
    _join_ends(mesh)
    for way in _over_crosswalks(carla_map, mesh.pavements) + _over_roads(mesh.pavements):
        _add_way(mesh, way)
    for index, pavement in enumerate(mesh.pavements):
        stations = pavement.stations().tolist()
        for low, high in pairwise(stations):
            quad = [(low, 0), (high, 0), (high, 1), (low, 1)]
            mesh.add([mesh.corner(index, station, side) for station, side in quad], SIDEWALK_AREA)
    return WalkMesh(np.array(mesh.places), np.array(mesh.quads), np.array(mesh.areas, np.uint8))
