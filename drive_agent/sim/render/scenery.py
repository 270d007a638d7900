"""The static world of a map: streets, buildings, plants, lights and signs, with the boxes that things bump into.

Object numbers are negative: light k of `Scenery.lights` is object -(k + 1) and appears as that number in the instance
picture; every other standing object follows. Surfaces (roads, grass, pavements) are object 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import carla
import numpy as np

from drive_agent.sim import opendrive
from drive_agent.sim.render import buildings, furniture, labels, markings, plants, roadside, streets
from drive_agent.sim.render.backdrop import backdrop
from drive_agent.sim.render.fields import ARABLE, Fields
from drive_agent.sim.render.ground import GroundMap, lamp_map
from drive_agent.sim.render.guard_rails import guard_rails
from drive_agent.sim.render.junctions import junction_floors
from drive_agent.sim.render.materials import WOOD
from drive_agent.sim.render.mesh import Mesh, join
from drive_agent.sim.render.plots import Distances, Plots
from drive_agent.sim.render.signals import (
    GIVE_WAY,
    KIND_OF_TYPE,
    LIGHT,
    SPEED_LIMIT,
    STOP,
    Approach,
    RoadClearance,
    Views,
    approaches,
    mast_place,
)
from drive_agent.sim.render.terrain import Terrain
from drive_agent.sim.render.walls import road_walls

MARGIN_M = 140.0  # land beyond the outermost road
LAMP_SPACING_M = 30.0
TREE_SPACING_M = (9.0, 26.0)
LOW_TREES_M = 7.0  # of a road or house: only trees that one sees under


@dataclass(frozen=True)
class TrafficLight:
    """One OpenDRIVE signal that is a light; `object_id` is its number in instance pictures."""

    signal_id: str
    object_id: int
    x: float  # foot of the mast
    y: float
    z: float
    yaw_rad: float = 0.0  # the driving direction it is for
    heads: tuple[tuple[float, float, float], ...] = ()  # centres, in the frame of the mast


@dataclass(frozen=True)
class StreetLamp:
    """One street lamp: its number in the mesh, where it hangs, and the foot of its pool of light."""

    object_id: int
    head: tuple[float, float, float]
    pool: tuple[float, float, float]


@dataclass(frozen=True)
class Scenery:
    """Everything that stands still. Coordinates are CARLA world (left-handed), metres."""

    mesh: Mesh
    lights: tuple[TrafficLight, ...]
    lamps: GroundMap
    static_boxes: np.ndarray  # float64 (n, 7): centre x, y, z, half-length, half-width, half-height, yaw_rad
    static_tags: np.ndarray  # uint8 (n,), see labels.py
    static_objects: np.ndarray = field(
        default_factory=lambda: np.zeros(0, np.int32)
    )  # int32 (n,), in the mesh
    street_lamps: tuple[StreetLamp, ...] = ()
    backdrop: Mesh = field(default_factory=lambda: join([]))  # seen from afar, casts no shadow, met by no ray


class _Stand:
    """Collects standing objects, numbers them and remembers their boxes."""

    def __init__(self) -> None:
        self.meshes: list[Mesh] = []
        self.boxes: list[tuple[float, ...]] = []
        self.tags: list[int] = []
        self.box_objects: list[int] = []
        self.lights: list[TrafficLight] = []
        self.lamps: list[StreetLamp] = []
        self._next = -1

    def add(self, mesh: Mesh) -> int:
        """Add a placed object; returns its number."""
        number = self._next
        self._next -= 1
        self.meshes.append(mesh.numbered(number))
        return number

    def bump(
        self, x: float, y: float, z: float, half: tuple[float, float, float], yaw_rad: float, tag: int
    ) -> None:
        """A box on the ground at (x, y, z) that things collide with: that of the object added last."""
        self.boxes.append((x, y, z + half[2], *half, yaw_rad))
        self.tags.append(tag)
        self.box_objects.append(self._next + 1)


def _add_light(stand: _Stand, approach: Approach, clearance: RoadClearance) -> None:
    ahead, aside = mast_place(approach, clearance)
    lane = approach.lanes[0]
    x, y, z = lane.right_edge + lane.forward * ahead + lane.right * aside
    heads = tuple(
        aside + float((lane.right_edge - other.center) @ lane.right) for other in approach.lanes[:2]
    )
    mesh = furniture.traffic_light(heads).placed(x, y, z, approach.yaw_rad)
    number = stand.add(mesh)
    places = tuple(furniture.head_places(heads))
    stand.lights.append(TrafficLight(approach.signal_id, number, x, y, z, approach.yaw_rad, places))
    stand.bump(x, y, z, (0.13, 0.13, furniture.MAST_HEIGHT_M / 2), approach.yaw_rad, labels.TRAFFIC_LIGHT)


def _add_idle_light(stand: _Stand, landmark: carla.Landmark) -> None:
    """A light that rules no lane: drawn where the map has it, so that every light of the map can be set."""
    place, yaw_rad = landmark.transform.location, math.radians(landmark.transform.rotation.yaw)
    number = stand.add(furniture.traffic_light((2.0,)).placed(place.x, place.y, place.z, yaw_rad))
    places = tuple(furniture.head_places((2.0,)))
    stand.lights.append(TrafficLight(landmark.id, number, place.x, place.y, place.z, yaw_rad, places))


def _add_sign(stand: _Stand, approach: Approach, clearance: RoadClearance) -> None:
    lane = approach.lanes[0]
    spots = lane.right_edge[:2] + np.arange(0.7, 6.0, 0.4)[:, None] * lane.right[:2]
    free = np.nonzero(clearance.of(spots) > 0.5)[0]
    x, y = spots[free[0] if len(free) else 0]
    if approach.kind == STOP:
        mesh = furniture.stop_sign()
    elif approach.kind == GIVE_WAY:
        mesh = furniture.give_way_sign()
    else:
        mesh = furniture.speed_limit_sign(approach.value)
    z = lane.center[2] + streets.KERB_M
    stand.add(mesh.placed(x, y, z, approach.yaw_rad))
    stand.bump(x, y, z, (0.06, 0.06, 1.3), approach.yaw_rad, labels.TRAFFIC_SIGNS)


def _stop_lines(found: list[Approach]) -> list[Mesh]:
    meshes = []
    for approach in found:
        if approach.kind == SPEED_LIMIT:
            continue
        line = markings.give_way_line if approach.kind == GIVE_WAY else markings.stop_line
        meshes += [line(lane.left_edge, lane.right_edge, lane.forward) for lane in approach.lanes]
    return meshes


def _along(
    line: np.ndarray, start: float, rng: np.random.Generator, spacing: tuple[float, float]
) -> Iterator[int]:
    """Indices of a polyline at random distances."""
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    at = start
    while at < along[-1] - 2.0:
        yield int(np.searchsorted(along, at))
        at += rng.uniform(*spacing)


def _add_lamps_and_trees(
    stand: _Stand,
    ribbons: list[streets.Ribbon],
    views: Views,
    clearance: RoadClearance,
    rng: np.random.Generator,
) -> None:
    """Street lamps at the kerb and trees at the back of every pavement."""
    lamp = furniture.street_lamp()
    for ribbon in ribbons:
        if ribbon.kind not in streets.RAISED or ribbon.in_junction or not ribbon.outermost:
            continue
        yaw = np.arctan2(ribbon.right[:, 1], ribbon.right[:, 0]) - math.pi / 2
        kerb = ribbon.edge(-1.0) + ribbon.right * 0.35
        first = LAMP_SPACING_M * (0.25 if ribbon.lane_id < 0 else 0.75)
        for k in _along(kerb, first, rng, (LAMP_SPACING_M, LAMP_SPACING_M)):
            x, y, z = kerb[k] + [0, 0, streets.KERB_M]
            number = stand.add(lamp.placed(x, y, z, float(yaw[k])))
            stand.bump(x, y, z, (0.1, 0.1, furniture.LAMP_HEIGHT_M / 2), float(yaw[k]), labels.POLES)
            pool_x, pool_y, pool_z = (kerb[k] - ribbon.right[k] * furniture.LAMP_ARM_M).tolist()
            head = (pool_x, pool_y, float(z) + furniture.LAMP_HEIGHT_M - 0.2)
            stand.lamps.append(StreetLamp(number, head, (pool_x, pool_y, pool_z)))
        back = ribbon.edge(1.0) - ribbon.right * 0.4
        for k in _along(back, rng.uniform(3.0, 12.0), rng, TREE_SPACING_M):
            x, y = back[k, :2]
            if views.hidden_by(x, y) or clearance.of(back[k : k + 1, :2])[0] < 1.6:
                continue
            place = (x, y, back[k, 2] + streets.KERB_M)
            _add_tree(stand, place, rng, (0.7, 0.95), int(rng.choice(plants.STREET_KINDS)))


def _add_tree(
    stand: _Stand,
    place: tuple[float, float, float],
    rng: np.random.Generator,
    sizes: tuple[float, float],
    kind: int,
) -> None:
    shade = rng.uniform(0.85, 1.15)
    tree = plants.tree(kind).tinted((shade, shade, shade))
    stand.add(tree.placed(*place, rng.uniform(0, 2 * math.pi), rng.uniform(*sizes)))
    stand.bump(*place, (0.17, 0.17, 1.2), 0.0, labels.VEGETATION)


def _add_scattered(
    stand: _Stand,
    ribbons: list[streets.Ribbon],
    plots: Plots,
    fields: Fields,
    terrain: Terrain,
    distances: Distances,
    views: Views,
    rng: np.random.Generator,
) -> None:
    """Trees and bushes on free land within sight of the roads, where nothing is sown."""
    points = np.concatenate(
        [ribbon.center[::6, :2] for ribbon in ribbons if ribbon.kind in streets.CARRIAGEWAY]
    )
    for x, y in (points + rng.normal(0.0, 28.0, points.shape)).tolist():
        if rng.random() < 0.5 or fields.crop_at(x, y) in ARABLE:
            continue
        if not plots.take_if_free(x, y, 0.0, 3.0, 3.0):
            continue
        place = (x, y, terrain.at(x, y) - 0.1)
        if rng.random() < 0.7:
            near = distances.of(np.array([[x, y]]))[0] < LOW_TREES_M
            kinds = plants.STREET_KINDS if near else plants.WILD_KINDS
            if not views.hidden_by(x, y):
                _add_tree(stand, place, rng, (0.8, 1.4), int(rng.choice(kinds)))
        else:
            stand.add(plants.bush().placed(*place, rng.uniform(0, 6.28), rng.uniform(0.7, 1.4)))


def _add_country(
    stand: _Stand,
    ribbons: list[streets.Ribbon],
    fields: Fields,
    terrain: Terrain,
    distances: Distances,
    clearance: RoadClearance,
    rng: np.random.Generator,
) -> None:
    """Woods, hedges, fences and rows of trees; white posts and tall grass beside country roads."""
    for field_ in fields.fields:
        if field_.crop == WOOD:
            for x, y in fields.wood(field_, distances, rng).tolist():
                _add_tree(
                    stand,
                    (x, y, terrain.at(x, y) - 0.1),
                    rng,
                    (0.8, 1.3),
                    int(rng.choice(plants.WILD_KINDS)),
                )
    for pieces in (
        roadside.along_borders(fields, terrain, distances, rng),
        roadside.along_roads(ribbons, terrain, distances, rng),
    ):
        for piece in pieces:
            if piece.mesh is None:
                _add_tree(
                    stand, (piece.x, piece.y, piece.z), rng, (0.8, 1.2), int(rng.choice(plants.WILD_KINDS))
                )
                continue
            stand.add(piece.mesh)
            tag = labels.FENCES if piece.kind == roadside.FENCE else labels.VEGETATION
            stand.bump(piece.x, piece.y, piece.z, piece.half_extents, piece.yaw_rad, tag)
    post = roadside.marker_post()
    for place in roadside.marker_places(ribbons, clearance):
        stand.add(post.placed(*place))
    tuft = plants.tuft()
    for place in roadside.tuft_places(ribbons, terrain, clearance, rng):
        stand.add(tuft.placed(*place, rng.uniform(0, 6.28), rng.uniform(0.7, 1.3)))


def build_scenery(
    carla_map: carla.Map,
    opendrive_text: str,
    seed: int = 0,
    settings: streets.StreetSettings = streets.DEFAULT_STREETS,
) -> Scenery:
    """Build the static world of a map; the same map and seed give the same world.

    Raises ValueError when the map has no lane that can be drawn.
    """
    rng = np.random.default_rng(seed)
    ribbons = streets.lane_ribbons(carla_map, opendrive.parse(opendrive_text).lanes, settings)
    if not any(ribbon.kind in streets.CARRIAGEWAY for ribbon in ribbons):
        raise ValueError(
            "the map has no driving lane; expected at least one road with a lane of type driving"
        )
    points = np.concatenate([ribbon.center[:, :2] for ribbon in ribbons])
    low, high = points.min(0) - MARGIN_M, points.max(0) + MARGIN_M
    floor_mesh, floor = junction_floors(ribbons)
    clearance, terrain, plots = RoadClearance(ribbons, floor), Terrain(ribbons, low, high), Plots(low, high)
    plots.take_ribbons(ribbons, 0.5)
    plots.take_points(floor)
    found = approaches(carla_map)
    stand = _Stand()
    for approach in found:
        if approach.kind == LIGHT:
            _add_light(stand, approach, clearance)
    ruling = {light.signal_id for light in stand.lights}
    for landmark in carla_map.get_all_landmarks():
        if KIND_OF_TYPE.get(landmark.type) == LIGHT and landmark.id not in ruling:
            ruling.add(landmark.id)
            _add_idle_light(stand, landmark)
    for approach in found:
        if approach.kind != LIGHT:
            _add_sign(stand, approach, clearance)
    reach = float(np.linalg.norm(high - low)) / 2 - MARGIN_M * 0.7
    for building in buildings.along_streets(ribbons, plots, rng, (low + high) / 2, reach):
        stand.add(buildings.building_mesh(building))
        half = (building.front_m / 2, building.depth_m / 2, building.height_m / 2)
        stand.bump(building.x, building.y, building.z, half, building.yaw_rad, labels.BUILDINGS)
    for rail in guard_rails(ribbons, clearance):
        stand.add(rail.mesh)
        stand.bump(rail.x, rail.y, rail.z, rail.half_extents, rail.yaw_rad, labels.GUARD_RAIL)
    views = Views([approach for approach in found if approach.kind != SPEED_LIMIT])
    _add_lamps_and_trees(stand, ribbons, views, clearance, rng)
    distances = plots.distances()
    fields = Fields(terrain, distances, rng)
    _add_scattered(stand, ribbons, plots, fields, terrain, distances, views, rng)
    _add_country(stand, ribbons, fields, terrain, distances, clearance, rng)
    for piece in road_walls(ribbons, settings.wall_height_m):
        stand.add(piece.mesh if settings.visible else join([]))
        stand.bump(piece.x, piece.y, piece.z, piece.half_extents, piece.yaw_rad, labels.WALLS)
    ground = [fields.mesh()]
    if settings.visible:
        ground += [
            streets.road_surface(ribbons),
            floor_mesh,
            markings.lane_lines(carla_map, ribbons),
            markings.crosswalk_stripes(carla_map),
            *_stop_lines(found),
        ]
    return Scenery(
        join(ground + stand.meshes),
        tuple(stand.lights),
        lamp_map(np.array([lamp.pool for lamp in stand.lamps]), low, high),
        np.array(stand.boxes, float).reshape(-1, 7),
        np.array(stand.tags, np.uint8),
        np.array(stand.box_objects, np.int32),
        tuple(stand.lamps),
        backdrop(terrain, rng),
    )
