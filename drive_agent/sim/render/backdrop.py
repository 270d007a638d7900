"""What one sees beyond the land that a town stands on: fields that rise to wooded hills. Nobody can drive there."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.mesh import Mesh, join, mesh_of, quads
from drive_agent.sim.render.streets import GRASS_COLOR
from drive_agent.sim.render.terrain import Terrain

DIRECTIONS = 96
# metres beyond the town's land, and how far a ring may rise above its edge: lowest and highest
RINGS = ((-14.0, -1.2, -1.2), (70.0, -1.0, 3.0), (190.0, 0.0, 12.0), (340.0, 4.0, 34.0), (520.0, 10.0, 62.0))
TREES, TREE_M, TREE_REACH_M = 420, (7.0, 15.0), (10.0, 180.0)
NEEDLES = (0.17, 0.29, 0.15)


def backdrop(terrain: Terrain, rng: np.random.Generator) -> Mesh:
    """Rings of land around the terrain, and woods on the nearer ones."""
    angle = np.linspace(0.0, 2 * np.pi, DIRECTIONS, endpoint=False)
    rings = [_ring(terrain, angle, beyond_m, (low, high), rng) for beyond_m, low, high in RINGS]
    following = np.roll(np.arange(DIRECTIONS), -1)
    faces = [quads(a, b, b[following], a[following]) for a, b in zip(rings[:-1], rings[1:], strict=True)]
    land = mesh_of(np.concatenate(faces), GRASS_COLOR, labels.TERRAIN, materials.FAR_LAND)
    return join([land, _woods(terrain, angle, rings, rng)])


def _edge(terrain: Terrain, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) of the terrain's border in these directions from its middle, and the directions (n, 2)."""
    points = terrain.points
    low, high = points[0, 0, :2], points[-1, -1, :2]
    half = (high - low) / 2
    out = np.column_stack([np.cos(angle), np.sin(angle)])
    return low + half + out / np.abs(out / half).max(1, keepdims=True), out


def _ring(
    terrain: Terrain, angle: np.ndarray, beyond_m: float, rise_m: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """(n, 3): the border moved outwards, with hills about a twelfth of the horizon wide."""
    edge, out = _edge(terrain, angle)
    heights = np.array([terrain.at(x, y) for x, y in edge.tolist()])
    if beyond_m > 0.0:
        heights = heights * 0.3 + heights.mean() * 0.7
    rough = sum(
        np.cos(waves * angle + rng.uniform(0, 2 * np.pi)) / weight
        for waves, weight in ((3, 2.0), (7, 2.2), (13, 3.0), (29, 6.0))
    )
    share = np.clip(0.5 + 0.36 * rough, 0.0, 1.0)
    return np.column_stack([edge + out * beyond_m, heights + rise_m[0] + (rise_m[1] - rise_m[0]) * share])


def _woods(terrain: Terrain, angle: np.ndarray, rings: list[np.ndarray], rng: np.random.Generator) -> Mesh:
    """Cones of four sides in groups: at that distance they are trees."""
    middles = rng.uniform(0.0, 2 * np.pi, 12)
    where = middles[rng.integers(len(middles), size=TREES)] + rng.normal(0.0, 0.09, TREES)
    beyond = rng.uniform(*TREE_REACH_M, TREES)
    edge, out = _edge(terrain, where)
    period = np.r_[angle, 2 * np.pi]
    around = [np.interp(where % (2 * np.pi), period, np.r_[ring[:, 2], ring[0, 2]]) for ring in rings[:3]]
    reach = [beyond_m for beyond_m, _, _ in RINGS[:3]]
    ground = np.array([np.interp(b, reach, [ring[k] for ring in around]) for k, b in enumerate(beyond)])
    tall = rng.uniform(*TREE_M, TREES)
    foot = np.column_stack([edge + out * beyond[:, None], ground - 1.0])
    turn = rng.uniform(0.0, np.pi / 2, TREES)
    corners = [
        foot + np.column_stack([np.cos(turn + k * np.pi / 2), np.sin(turn + k * np.pi / 2), 0 * turn]) * (0.24 * tall)[:, None]
        for k in range(4)
    ]  # fmt: skip
    top = foot + [0, 0, 1] * tall[:, None]
    faces = np.concatenate([np.stack([corners[k], corners[(k + 1) % 4], top], 1) for k in range(4)])
    colors = np.tile(np.asarray(NEEDLES) * rng.uniform(0.8, 1.25, (TREES, 1)), (4, 1))
    return mesh_of(faces, colors, labels.VEGETATION, materials.FOLIAGE)
