"""The mesh that pedestrians walk on: it covers the pavements, joins them over crosswalks, and its file is sound."""

from __future__ import annotations

import struct

import carla
import numpy as np
import pytest

from drive_agent.sim import navigation_file
from drive_agent.sim.navigation import WalkMesh, build_walk_mesh
from drive_agent.sim.navigation_file import CROSSWALK_AREA, ROAD_AREA, SIDEWALK_AREA
from drive_agent.sim.render.markings import crosswalk_rings
from scenarios import towns

_SQUARES = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 1], [0, 2, 1], [4, 0, 0], [4, 2, 1]], float)
_TWO = np.array([[0, 1, 2, 3], [1, 4, 5, 2]])
_AREAS = np.array([SIDEWALK_AREA, CROSSWALK_AREA], np.uint8)


@pytest.fixture(scope="module", params=["Brookfield", "Oldbridge"])
def town(request: pytest.FixtureRequest) -> tuple[carla.Map, WalkMesh]:
    text = towns.load(request.param)
    carla_map = carla.Map(request.param, text)
    mesh = build_walk_mesh(carla_map, text)
    assert mesh is not None
    return carla_map, mesh


def _reached(mesh: WalkMesh, allowed: np.ndarray) -> np.ndarray:
    """Which quads can be walked to from the first one, over allowed ones."""
    beyond = navigation_file.neighbours(mesh.quads)
    seen, edge = np.zeros(len(mesh.quads), bool), [0]
    while edge:
        quad = edge.pop()
        if allowed[quad] and not seen[quad]:
            seen[quad] = True
            edge += [k for k in beyond[quad].tolist() if k >= 0]
    return seen


def test_every_crosswalk_of_the_town_is_a_way(town: tuple[carla.Map, WalkMesh]) -> None:
    carla_map, mesh = town
    ways = mesh.quads[mesh.areas == CROSSWALK_AREA]
    rings = crosswalk_rings(carla_map.get_crosswalks())
    assert len(ways) == len(rings)
    middles = mesh.corners[ways].mean(1)[:, :2]
    for ring in rings:
        assert np.linalg.norm(middles - ring[:4, :2].mean(0), axis=1).min() < 2.0


def test_one_can_walk_from_any_pavement_to_any_other(town: tuple[carla.Map, WalkMesh]) -> None:
    _, mesh = town
    allowed = mesh.areas != ROAD_AREA
    assert (_reached(mesh, allowed) == allowed).all()


def test_the_pavement_quads_lie_on_pavements(town: tuple[carla.Map, WalkMesh]) -> None:
    carla_map, mesh = town
    for middle in mesh.corners[mesh.quads[mesh.areas == SIDEWALK_AREA]].mean(1)[::40]:
        place = carla.Location(*middle)
        lane = carla_map.get_waypoint(place, lane_type=carla.LaneType.Sidewalk)
        assert lane.transform.location.distance(place) < lane.lane_width / 2


def test_roads_can_be_crossed_away_from_crosswalks(town: tuple[carla.Map, WalkMesh]) -> None:
    _, mesh = town
    beyond = navigation_file.neighbours(mesh.quads)
    over_roads = beyond[mesh.areas == ROAD_AREA]
    assert len(over_roads) > 50
    assert ((over_roads >= 0).sum(1) == 2).all()


def test_the_same_map_gives_the_same_mesh(town: tuple[carla.Map, WalkMesh]) -> None:
    carla_map, mesh = town
    again = build_walk_mesh(carla_map, carla_map.to_opendrive())
    assert again is not None
    assert navigation_file.encode(again.corners, again.quads, again.areas) == navigation_file.encode(
        mesh.corners, mesh.quads, mesh.areas
    )


def test_the_file_is_as_long_as_it_says_and_winds_its_polygons_clockwise() -> None:
    content = navigation_file.encode(_SQUARES, _TWO, _AREAS)
    magic, version, tiles = struct.unpack_from("<4s2i", content)
    assert (magic, version, tiles) == (b"TESM", 1, 1)
    tile_ref, size = struct.unpack_from("<Ii", content, 40)
    assert tile_ref == 1 << 1  # salt 1 above one bit for two polygons
    assert len(content) == 48 + size
    assert content[48:52] == b"VAND"
    corners = np.frombuffer(content, "<f4", 18, 148).reshape(6, 3)
    assert np.array_equal(corners, _SQUARES[:, [0, 2, 1]].astype("f4"))
    for start in (220, 252):
        x, _, y = corners[np.frombuffer(content, "<u2", 4, start + 4)].T
        assert np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0.0


def test_quads_that_share_a_side_are_neighbours() -> None:
    assert navigation_file.neighbours(_TWO).tolist() == [[-1, 1, -1, -1], [-1, -1, -1, 0]]


def test_what_would_kill_the_client_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 to"):
        navigation_file.encode(_SQUARES, _TWO[:0], _AREAS[:0])
    with pytest.raises(ValueError, match="not convex"):
        navigation_file.encode(_SQUARES, np.array([[0, 2, 1, 3]]), _AREAS[:1])
    with pytest.raises(ValueError, match="share a side"):
        navigation_file.neighbours(np.array([[0, 1, 2, 3], [1, 4, 5, 2], [1, 6, 7, 2]]))
