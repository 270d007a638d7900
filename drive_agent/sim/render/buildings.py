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


def _walls(b: Building, low: float, high: float, material: int, storey: float) -> list[Mesh]:
    """Four walls in the building's frame; window bays fill each wall evenly."""
    mesh = box(
        (b.front_m, b.depth_m, high - low), (0, 0, (low + high) / 2), b.color, labels.BUILDINGS, material,
        sides=(BACK, FRONT, LEFT, RIGHT),
    )  # fmt: skip
    spans = np.where(np.abs(mesh.normals[:, 0]) > 0.5, b.depth_m, b.front_m)
    bay = spans / np.maximum(1, np.round(spans / BAY_M))
    params = np.stack([-spans / 2, np.full(len(mesh), low), bay, np.full(len(mesh), storey)], 1)
    return [replace(mesh, params=params.astype(np.float32))]


def _gable(b: Building, low: float, rise: float) -> list[Mesh]:
    """A pitched roof whose ridge runs along the front, with eaves, and the two wall triangles under it."""
    x, y, over = b.front_m / 2, b.depth_m / 2, 0.45
    ridge = np.array([[-x - over, 0, low + rise], [x + over, 0, low + rise]])
    eave = low - over * rise / y
    meshes = []
    for side in (-1, 1):
        foot = np.array([[-x - over, side * (y + over), eave], [x + over, side * (y + over), eave]])
        faces = quads(ridge[:1], ridge[1:], foot[1:], foot[:1])
        meshes.append(mesh_of(faces, b.roof_color, labels.BUILDINGS, materials.ROOF))
        meshes.append(
            mesh_of(faces, b.roof_color, labels.BUILDINGS, outward_from=np.array([0, 0, low + 50.0]))
        )
        end = np.array([[[side * x, -y, low], [side * x, y, low], [side * x, 0, low + rise]]])
        meshes.append(mesh_of(end, b.color, labels.BUILDINGS, outward_from=np.array([0, 0, low])))
    return meshes


def _block_top(b: Building) -> list[Mesh]:
    """Flat roof with a parapet and a machine room."""
    dark = shaded(b.color, 0.72)
    h = b.height_m
    return [
        box((b.front_m + 0.4, b.depth_m + 0.4, 0.6), (0, 0, h + 0.1), dark, labels.BUILDINGS),
        box((b.front_m * 0.3, b.depth_m * 0.35, 2.2), (b.front_m * 0.12, 0, h + 1.3), dark, labels.BUILDINGS),
    ]


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
        parts += _gable(b, b.height_m, 0.42 * b.depth_m)
        parts.append(
            box((0.8, 0.8, 2.0), (b.front_m * 0.25, b.depth_m * 0.15, b.height_m + 0.42 * b.depth_m - 0.2), b.roof_color,
                labels.BUILDINGS)
        )  # fmt: skip
    else:
        ground = BASE_M
        if b.kind == "shops":
            ground = BASE_M + 3.9
            parts += _walls(b, BASE_M, ground, materials.SHOPFRONT, 3.9)
        parts += _walls(b, ground, b.height_m, materials.WINDOWS, STOREY_M)
        parts += _block_top(b)
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
    return Building(x, y, z, yaw, front, depth, height, kind, color, roof)


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
