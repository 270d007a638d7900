"""A walkable mesh as the file that CARLA's client loads: one Detour tile in the "MSET" envelope of Recast's samples.

The client trusts every index in it and dies of a wrong one, so the values are checked here. Little-endian; Detour's
axes are x, up, y of CARLA's world.
"""

import struct

import numpy as np

SIDEWALK_AREA, CROSSWALK_AREA, ROAD_AREA = 1, 2, 3
MOST_POLYGONS = 0xFFF0  # indices are 16 bits wide, and 0 means none where neighbours are named
PEDESTRIAN_HEIGHT_M, PEDESTRIAN_RADIUS_M, CLIMB_M = 1.8, 0.3, 0.2

_SET_MAGIC, _SET_VERSION = 0x4D534554, 1  # "MSET"
_TILE_MAGIC, _TILE_VERSION = 0x444E4156, 7  # "DNAV"
_SALT = 1  # of the first tile in a fresh mesh
_CORNERS = 4
_HEIGHT_MARGIN_M = 1.0

_POLYGON = np.dtype(
    [("first_link", "<u4"), ("corners", "<u2", 6), ("neighbours", "<u2", 6), ("flags", "<u2"), ("count", "u1"), ("area", "u1")]
)  # fmt: skip
_LINK_BYTES = 12  # the client fills these in
_DETAIL = np.dtype([("first_corner", "<u4"), ("first_triangle", "<u4"), ("corners", "u1"), ("triangles", "u1"), ("pad", "<u2")])  # fmt: skip
# Two triangles of a quad: corners, and which of their sides are sides of the quad, two bits each
_TRIANGLES = np.array([[0, 1, 2, 0b000101], [0, 2, 3, 0b010100]], np.uint8)


def encode(corners: np.ndarray, quads: np.ndarray, areas: np.ndarray) -> bytes:
    """The file of a mesh: corners (n, 3) in CARLA's world, metres, convex quads (m, 4) of indices, areas (m,).

    Quads are neighbours where they share two corners. ValueError where it is empty, too large, not convex, or where
    three share a side.
    """
    if not 0 < len(quads) <= MOST_POLYGONS or len(corners) > MOST_POLYGONS:
        raise ValueError(
            f"{len(quads)} polygons with {len(corners)} corners: expected 1 to {MOST_POLYGONS}; cut the map"
        )
    quads = _clockwise(corners, quads)
    polygons = np.zeros(len(quads), _POLYGON)
    polygons["corners"][:, :_CORNERS] = quads
    polygons["neighbours"][:, :_CORNERS] = neighbours(quads) + 1
    polygons["flags"], polygons["count"], polygons["area"] = 1 << areas, _CORNERS, areas
    details = np.zeros(len(quads), _DETAIL)
    details["first_triangle"], details["triangles"] = 2 * np.arange(len(quads)), 2
    places = np.ascontiguousarray(corners[:, [0, 2, 1]], "<f4")
    low = places.min(0) - [0.0, _HEIGHT_MARGIN_M, 0.0]
    high = places.max(0) + [0.0, _HEIGHT_MARGIN_M, 0.0]
    links = len(quads) * _CORNERS
    header = struct.pack(
        "<5iI9i10f",
        _TILE_MAGIC, _TILE_VERSION, 0, 0, 0, 0, len(quads), len(corners), links, len(quads), 0, 2 * len(quads), 0, 0, len(quads),
        PEDESTRIAN_HEIGHT_M, PEDESTRIAN_RADIUS_M, CLIMB_M, *low, *high, 1.0,
    )  # fmt: skip
    tile = b"".join(
        (header, places.tobytes(), polygons.tobytes(), bytes(_LINK_BYTES * links), details.tobytes())
        + (np.tile(_TRIANGLES, (len(quads), 1)).tobytes(),)
    )
    width, height = high[0] - low[0], high[2] - low[2]
    room = 1 << (len(quads) - 1).bit_length()
    start = struct.pack("<3i5f2i", _SET_MAGIC, _SET_VERSION, 1, *low, width, height, 1, room)
    return start + struct.pack("<Ii", _SALT * room, len(tile)) + tile


def _clockwise(corners: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """The quads wound as Detour wants them, seen from above in a frame with x to the right and y up."""
    around = corners[quads][:, :, :2]
    sides = np.roll(around, -1, 1) - around
    after = np.roll(sides, -1, 1)
    turns = sides[..., 0] * after[..., 1] - sides[..., 1] * after[..., 0]
    if not ((turns > 0).all(1) | (turns < 0).all(1)).all():
        raise ValueError("a polygon of the mesh is not convex; expected only convex ones")
    return np.where((turns > 0).all(1)[:, None], quads[:, ::-1], quads)


def neighbours(quads: np.ndarray) -> np.ndarray:
    """(m, 4) of which quad lies beyond each side (from a corner to the next), -1 for none."""
    sides = np.sort(np.stack([quads, np.roll(quads, -1, 1)], 2).reshape(-1, 2), 1)
    order = np.lexsort(sides.T)
    same = (np.diff(sides[order], axis=0) == 0).all(1)
    if (same[1:] & same[:-1]).any():
        raise ValueError("three polygons of the mesh share a side; expected two at most")
    beyond = np.full(len(sides), -1)
    first, second = order[:-1][same], order[1:][same]
    beyond[first], beyond[second] = second // _CORNERS, first // _CORNERS
    return beyond.reshape(quads.shape)
