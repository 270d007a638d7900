"""Houses along the streets: blocks of flats with windows, shops at their foot, and gabled houses further out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import (
    BACK,
    FRONT,
    LEFT,
    RIGHT,
    TOP,
    Mesh,
    Rgb,
    box,
    join,
    mesh_of,
    quads,
    shaded,
)
from drive_agent.sim.render.plots import Plots
from drive_agent.sim.render.streets import RAISED, Ribbon

WALL_COLORS = (
    (0.78, 0.70, 0.60), (0.66, 0.42, 0.34), (0.80, 0.78, 0.74), (0.62, 0.64, 0.68), (0.84, 0.75, 0.58),
    (0.55, 0.44, 0.40), (0.72, 0.62, 0.50), (0.70, 0.50, 0.40), (0.86, 0.84, 0.80),
)  # fmt: skip
ROOF_COLORS = ((0.46, 0.24, 0.18), (0.32, 0.31, 0.33), (0.50, 0.32, 0.22), (0.27, 0.28, 0.31))
AWNING_COLORS = (
    (0.70, 0.20, 0.16),
    (0.85, 0.80, 0.68),
    (0.16, 0.36, 0.28),
    (0.20, 0.30, 0.52),
    (0.86, 0.62, 0.20),
)
RAILING_COLOR, GLASS_COLOR = (0.34, 0.35, 0.37), (0.20, 0.24, 0.28)
STOREY_M, BAY_M, BASE_M = 3.1, 2.7, 0.4


@dataclass(frozen=True)
class Building:
    """A footprint: centre on the ground, front along its own x axis."""

    x: float
    y: float
    z: float
    yaw_rad: float
    front_m: float
    depth_m: float
    height_m: float
    kind: str  # "block", "shops", "house"
    color: Rgb
    roof_color: Rgb
    look: int  # chooses among roofs, balconies and awnings


def _walls(b: Building, low: float, high: float, material: int, storey: float, row: int = 0) -> list[Mesh]:
    """Four walls in the building's frame; window bays fill each wall evenly. `row` is the number of the lowest storey:
    0 has doors.
    """
    mesh = box(
        (b.front_m, b.depth_m, high - low), (0, 0, (low + high) / 2), b.color, labels.BUILDINGS, material,
        sides=(BACK, FRONT, LEFT, RIGHT),
    )  # fmt: skip
    spans = np.where(np.abs(mesh.normals[:, 0]) > 0.5, b.depth_m, b.front_m)
    bay = spans / np.maximum(1, np.round(spans / BAY_M))
    params = np.stack(
        [-spans / 2, np.full(len(mesh), low - row * storey), bay, np.full(len(mesh), storey)], 1
    )
    return [replace(mesh, params=params.astype(np.float32))]


def _roof_face(corners: np.ndarray, color: Rgb) -> list[Mesh]:
    """A roof's triangles (n, 3, 3), seen from above and, under the eaves, from below."""
    above = mesh_of(corners, color, labels.BUILDINGS, materials.ROOF)
    below = mesh_of(corners, color, labels.BUILDINGS, outward_from=corners.mean((0, 1)) + [0, 0, 50.0])
    return [above, below]


def _gable(b: Building, low: float, rise: float) -> list[Mesh]:
    """A pitched roof with eaves, and the two wall triangles under it; its ridge runs along the front or across."""
    across = b.look % 3 == 0
    x, y, over = (b.depth_m / 2, b.front_m / 2, 0.45) if across else (b.front_m / 2, b.depth_m / 2, 0.45)
    ridge = np.array([[-x - over, 0, low + rise], [x + over, 0, low + rise]])
    eave = low - over * rise / y
    meshes = []
    for side in (-1, 1):
        foot = np.array([[-x - over, side * (y + over), eave], [x + over, side * (y + over), eave]])
        meshes += _roof_face(quads(ridge[:1], ridge[1:], foot[1:], foot[:1]), b.roof_color)
        end = np.array([[[side * x, -y, low], [side * x, y, low], [side * x, 0, low + rise]]])
        meshes.append(mesh_of(end, b.color, labels.BUILDINGS, outward_from=np.array([0, 0, low])))
    return [mesh.placed(0, 0, 0, np.pi / 2) for mesh in meshes] if across else meshes


def _hipped(b: Building, low: float, rise: float) -> list[Mesh]:
    """A roof that slopes to all four sides."""
    over = 0.45
    x, y = b.front_m / 2 + over, b.depth_m / 2 + over
    ridge_half = max(x - y, 0.3)
    eave = low - over * rise / y
    corners = np.array([[-x, -y, eave], [x, -y, eave], [x, y, eave], [-x, y, eave]])
    left, right = np.array([[-ridge_half, 0, low + rise]]), np.array([[ridge_half, 0, low + rise]])
    a, c, d, e = (corner[None] for corner in corners)
    faces = [
        quads(a, c, right, left),
        quads(d, e, left, right),
        np.stack([c, d, right], 1),
        np.stack([e, a, left], 1),
    ]
    return [mesh for face in faces for mesh in _roof_face(face, b.roof_color)]


def _flat_top(b: Building) -> list[Mesh]:
    """Flat roof with a parapet and a machine room."""
    dark = shaded(b.color, 0.72)
    h = b.height_m
    return [
        box((b.front_m + 0.4, b.depth_m + 0.4, 0.6), (0, 0, h + 0.1), dark, labels.BUILDINGS),
        box((b.front_m * 0.3, b.depth_m * 0.35, 2.2), (b.front_m * 0.12, 0, h + 1.3), dark, labels.BUILDINGS),
    ]


def _mansard(b: Building) -> list[Mesh]:
    """A steep storey of roof over a cornice, with dormers to the street."""
    h, rise = b.height_m, 2.8
    meshes = [
        box((b.front_m + 0.5, b.depth_m + 0.5, 0.35), (0, 0, h), shaded(b.color, 0.8), labels.BUILDINGS),
        box(
            (b.front_m + 0.1, b.depth_m + 0.1, rise), (0, 0, h + 0.17 + rise / 2), b.roof_color, labels.BUILDINGS, materials.ROOF,
            top=(1.0 - 2.4 / b.front_m, 1.0 - 2.4 / b.depth_m),
        ),
    ]  # fmt: skip
    count = max(2, int(b.front_m / 4.5))
    for k in range(count):
        place = (b.front_m * ((k + 0.5) / count - 0.5), 0.8 - b.depth_m / 2, h + 1.3)
        meshes.append(box((1.3, 1.5, 1.7), place, b.color, labels.BUILDINGS))
        glass = (place[0], place[1] - 0.76, place[2] + 0.05)
        meshes.append(box((0.9, 0.04, 1.15), glass, GLASS_COLOR, labels.BUILDINGS, sides=(LEFT,)))
    return meshes


def _balconies(b: Building, low: float) -> list[Mesh]:
    """Slabs with railings before some windows of the upper storeys, to the street."""
    bays = max(1, round(b.front_m / BAY_M))
    bay = b.front_m / bays
    meshes = []
    for column in range(b.look % 2 + 1, bays - 1, 3):
        x = -b.front_m / 2 + (column + 0.5) * bay
        for storey in range(1, round((b.height_m - low) / STOREY_M)):
            y, z = -b.depth_m / 2 - 0.5, low + storey * STOREY_M + 0.35
            meshes.append(box((bay * 0.8, 1.0, 0.16), (x, y, z), shaded(b.color, 0.85), labels.BUILDINGS))
            meshes.append(
                box(
                    (bay * 0.8, 0.98, 0.8),
                    (x, y, z + 0.48),
                    RAILING_COLOR,
                    labels.BUILDINGS,
                    sides=(BACK, FRONT, LEFT),
                )
            )
    return meshes


def _awnings(b: Building) -> list[Mesh]:
    """Canvas over some shop windows."""
    count = max(1, int(b.front_m / 5.4))
    meshes = []
    for k in range(count):
        if (b.look >> k) % 3 == 0:
            x, half, wall = b.front_m * ((k + 0.5) / count - 0.5), 0.38 * b.front_m / count, -b.depth_m / 2
            top, low = BASE_M + 2.85, BASE_M + 2.3
            a, c = np.array([[x - half, wall, top]]), np.array([[x + half, wall, top]])
            d, e = np.array([[x + half, wall - 1.3, low]]), np.array([[x - half, wall - 1.3, low]])
            color = AWNING_COLORS[(b.look >> k) // 3 % len(AWNING_COLORS)]
            for up in (1, -1):
                beyond = np.array([x, wall, top - up * 50.0])
                meshes.append(mesh_of(quads(a, c, d, e), color, labels.BUILDINGS, outward_from=beyond))
    return meshes


def building_mesh(b: Building) -> Mesh:
    """All triangles of a building in world coordinates."""
    plinth = shaded(b.color, 0.62)
    parts = [
        box(
            (b.front_m + 0.08, b.depth_m + 0.08, 2.0 + BASE_M), (0, 0, BASE_M / 2 - 1.0), plinth, labels.BUILDINGS,
            sides=(BACK, FRONT, LEFT, RIGHT, TOP),
        )
    ]  # fmt: skip
    if b.kind == "house":
        parts += _walls(b, BASE_M, b.height_m, materials.WINDOWS, STOREY_M - 0.3)
        rise = 0.42 * min(b.depth_m, b.front_m if b.look % 3 == 0 else b.depth_m)
        parts += _hipped(b, b.height_m, rise) if b.look % 5 == 1 else _gable(b, b.height_m, rise)
        parts.append(
            box((0.8, 0.8, 2.0), (b.front_m * 0.25, b.depth_m * 0.15, b.height_m + 0.42 * b.depth_m - 0.2), b.roof_color,
                labels.BUILDINGS)
        )  # fmt: skip
    else:
        ground = BASE_M
        if b.kind == "shops":
            ground = BASE_M + 3.9
            parts += _walls(b, BASE_M, ground, materials.SHOPFRONT, 3.9) + _awnings(b)
        parts += _walls(b, ground, b.height_m, materials.WINDOWS, STOREY_M, int(b.kind == "shops"))
        parts += _mansard(b) if b.look % 7 in (2, 4) and b.height_m < 20.0 else _flat_top(b)
        if b.look % 4 == 1:
            parts += _balconies(b, ground)
    mesh = join(parts)
    turned = mesh.placed(b.x, b.y, b.z, b.yaw_rad)
    # Window bays are measured along the wall in world coordinates: shift their start by the building's place.
    along = turned.normals[:, 0] * b.y - turned.normals[:, 1] * b.x
    params = turned.params.copy()
    walls = np.isin(turned.materials, (materials.WINDOWS, materials.SHOPFRONT))
    params[walls, 0] += along[walls]
    params[walls, 1] += b.z
    return replace(turned, params=params)


def _draw(
    rng: np.random.Generator,
    x: float,
    y: float,
    z: float,
    yaw: float,
    front: float,
    depth: float,
    dense: float,
):
    """A building of random kind; `dense` 0..1 is how close to the middle of the town it stands."""
    color = shaded(WALL_COLORS[rng.integers(len(WALL_COLORS))], rng.uniform(0.88, 1.08))
    roof = ROOF_COLORS[rng.integers(len(ROOF_COLORS))]
    if rng.random() > 0.25 + dense:
        storeys, kind = int(rng.integers(1, 3)), "house"
        height = BASE_M + storeys * (STOREY_M - 0.3)
    else:
        storeys = int(rng.integers(2, 4 + int(5 * dense)))
        kind = "shops" if rng.random() < 0.35 + 0.4 * dense else "block"
        height = BASE_M + storeys * STOREY_M + (3.9 if kind == "shops" else 0.0)
    return Building(x, y, z, yaw, front, depth, height, kind, color, roof, int(rng.integers(1 << 12)))


def along_streets(
    ribbons: list[Ribbon], plots: Plots, rng: np.random.Generator, center: np.ndarray, reach: float
) -> list[Building]:
    """Fill the fronts of all streets with pavements; takes the footprints from `plots`."""
    found = []
    for ribbon in ribbons:
        if ribbon.in_junction or not ribbon.outermost or ribbon.kind not in RAISED:
            continue
        front = ribbon.edge(1.0)
        along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(front, axis=0), axis=1))]
        at = 1.0
        while at < along[-1] - 6.0:
            dense = max(0.0, 1.0 - float(np.linalg.norm(front[0, :2] - center)) / reach)
            width, depth = rng.uniform(9.0, 19.0), rng.uniform(9.0, 14.0)
            setback = rng.uniform(0.6, 1.5) + (1.0 - dense) * rng.uniform(0.0, 5.0)
            k = min(int(np.searchsorted(along, at + width / 2)), len(front) - 1)
            out = ribbon.right[k]
            x, y = front[k, :2] + out[:2] * (setback + depth / 2)
            yaw = float(np.arctan2(out[1], out[0]) - np.pi / 2)
            if plots.take_if_free(x, y, yaw, width + 0.6, depth + 0.6):
                found.append(_draw(rng, x, y, float(front[k, 2]), yaw, width, depth, dense))
                at += width + rng.uniform(0.8, 4.5 + 5.0 * (1.0 - dense))
            else:
                at += 3.0
    return found
