"""What lines fields and country roads: hedges, fences, rows of trees, tall grass and white posts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.fields import Fields
from drive_agent.sim.render.mesh import BACK, FRONT, LEFT, RIGHT, TOP, Mesh, Rgb, box, join
from drive_agent.sim.render.plants import hedge
from drive_agent.sim.render.plots import Distances
from drive_agent.sim.render.signals import RoadClearance
from drive_agent.sim.render.streets import CARRIAGEWAY, Ribbon
from drive_agent.sim.render.terrain import CELL_M, Terrain

HEDGE, FENCE, TREES, NOTHING = "hedge", "fence", "trees", "nothing"
KINDS = (HEDGE, FENCE, TREES, NOTHING)
BORDER_SHARES, ROADSIDE_SHARES = (0.34, 0.22, 0.22, 0.22), (0.22, 0.20, 0.20, 0.38)
PIECE_M = 8.0
BORDER_CLEARANCE_M, SEEN_WITHIN_M = 11.0, 90.0  # of a road or a house
ROADSIDE_M = (6.0, 8.5)  # from a country road's edge
STRETCH_M = (48.0, 130.0)  # of one kind beside a road
SIGHT_M = 32.0  # around junctions, kept open
HEDGE_M, HEDGE_HALF_WIDTH_M, FENCE_M = (1.1, 2.0), (0.5, 0.8), 1.15
TREE_EVERY_M = (9.0, 15.0)
POST_EVERY_M, POST_ASIDE_M = 42.0, 0.9
LEAST_CLEARANCE_M = 0.7  # of posts and tufts to any carriageway: a road may begin beside another
TUFT_EVERY_M, TUFT_ASIDE_M = (3.0, 14.0), (0.9, 5.0)
TIMBER: tuple[Rgb, ...] = ((0.46, 0.39, 0.30), (0.38, 0.34, 0.29), (0.85, 0.84, 0.80))
AMBER, BLACK, WHITE = (0.95, 0.55, 0.10), (0.07, 0.07, 0.07), (0.93, 0.93, 0.91)


@dataclass(frozen=True)
class Piece:
    """A straight piece of a hedge or fence with its box, or the place of a tree. CARLA world, metres."""

    kind: str
    x: float
    y: float
    z: float
    yaw_rad: float = 0.0
    half_extents: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mesh: Mesh | None = None  # in place; None for a tree


def along_borders(
    fields: Fields, terrain: Terrain, distances: Distances, rng: np.random.Generator
) -> Iterator[Piece]:
    """What stands between fields, where it is seen from a road and leaves it free."""
    for field in fields.fields:
        for border in field.borders:
            kind = str(rng.choice(KINDS, p=BORDER_SHARES))
            line = _spaced(border * CELL_M + terrain.low, PIECE_M / 2)
            yield from _stand(kind, line, terrain, distances, rng, BORDER_CLEARANCE_M)


def along_roads(
    ribbons: list[Ribbon], terrain: Terrain, distances: Distances, rng: np.random.Generator
) -> Iterator[Piece]:
    """What accompanies roads without pavements, in stretches, away from junctions."""
    sight = Sight(ribbons)
    for ribbon in country_roads(ribbons):
        for side in ribbon.open_sides:
            aside_m = rng.uniform(*ROADSIDE_M)
            line = ribbon.edge(side) + ribbon.right * (side * aside_m)
            line = _spaced(line[:, :2], PIECE_M / 2)
            at = 0
            while at < len(line) - 2:
                count = int(rng.uniform(*STRETCH_M) / (PIECE_M / 2))
                stretch = line[at : at + count]
                kind = str(rng.choice(KINDS, p=ROADSIDE_SHARES))
                yield from _stand(
                    kind, stretch[sight.is_open(stretch)], terrain, distances, rng, aside_m - 1.2
                )
                at += count


def country_roads(ribbons: list[Ribbon]) -> Iterator[Ribbon]:
    """Outer lanes of roads without pavements, outside junctions."""
    for ribbon in ribbons:
        if ribbon.in_junction or not ribbon.open_sides:
            continue
        if ribbon.kind in CARRIAGEWAY or ribbon.kind == "shoulder":
            yield ribbon


class Sight:
    """Where nothing may hide the traffic of a junction."""

    def __init__(self, ribbons: list[Ribbon]):
        points = [ribbon.center[::3, :2] for ribbon in ribbons if ribbon.in_junction]
        self._points = np.concatenate(points) if points else np.full((1, 2), 1e9)

    def is_open(self, places: np.ndarray) -> np.ndarray:
        """bool (n,): places (n, 2) that are far enough from all junctions."""
        far = np.ones(len(places), bool)
        for k, place in enumerate(places):
            far[k] = ((self._points - place) ** 2).sum(1).min() > SIGHT_M**2
        return far


def _spaced(line: np.ndarray, step_m: float) -> np.ndarray:
    """(n, 2) points about `step_m` apart on a polyline (m, 2)."""
    along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    stations = np.linspace(0.0, along[-1], max(round(along[-1] / step_m), 1) + 1)
    return np.stack([np.interp(stations, along, line[:, k]) for k in range(2)], 1)


def _stand(
    kind: str, line: np.ndarray, terrain: Terrain, distances: Distances, rng: np.random.Generator, clearance_m: float
) -> Iterator[Piece]:  # fmt: skip
    """One kind of thing along points (n, 2) half a piece apart, where it is neither in the way nor out of sight."""
    if kind == NOTHING or len(line) < 3:
        return
    room = distances.of(line)
    free = (room > clearance_m) & (room < SEEN_WITHIN_M)
    if kind == TREES:
        yield from _trees(line[free], terrain, rng)
        return
    height = rng.uniform(*HEDGE_M) if kind == HEDGE else FENCE_M
    half_width = rng.uniform(*HEDGE_HALF_WIDTH_M) if kind == HEDGE else 0.06
    color = TIMBER[int(rng.integers(len(TIMBER)))]
    for k in range(0, len(line) - 2, 2):
        points = line[k : k + 3]
        step = np.linalg.norm(np.diff(points, axis=0), axis=1).max()
        if not free[k : k + 3].all() or step > 0.8 * PIECE_M:
            continue  # a gap: something was left out between them
        ground = np.column_stack([points, [terrain.at(x, y) for x, y in points.tolist()]])
        (x0, y0, z0), (x1, y1, z1) = ground[0].tolist(), ground[-1].tolist()
        yaw, length = math.atan2(y1 - y0, x1 - x0), math.hypot(x1 - x0, y1 - y0)
        mesh = hedge(ground, height, half_width, rng) if kind == HEDGE else _fence(ground, color)
        half = (length / 2, half_width, height / 2)
        yield Piece(kind, (x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2, yaw, half, mesh)


def _trees(line: np.ndarray, terrain: Terrain, rng: np.random.Generator) -> Iterator[Piece]:
    rest = 0.0
    for before, (x, y) in zip(line[:-1], line[1:].tolist(), strict=True):
        rest -= math.hypot(x - before[0], y - before[1])
        if rest <= 0.0:
            yield Piece(TREES, x, y, terrain.at(x, y))
            rest = rng.uniform(*TREE_EVERY_M)


def _fence(ground: np.ndarray, color: Rgb) -> Mesh:
    """Panels between three points (3, 3) on the ground."""
    panels = []
    for (x0, y0, z0), (x1, y1, z1) in zip(ground[:-1].tolist(), ground[1:].tolist(), strict=True):
        panel = _panel(round(math.hypot(x1 - x0, y1 - y0), 2), color)
        middle = ((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2)
        panels.append(panel.placed(*middle, math.atan2(y1 - y0, x1 - x0)))
    return join(panels)


@lru_cache(maxsize=64)
def _panel(length_m: float, color: Rgb) -> Mesh:
    """Two posts and two rails along x, around the origin."""
    rails = [
        box((length_m, 0.05, 0.12), (0, 0, z), color, labels.FENCES, sides=(LEFT, RIGHT, TOP))
        for z in (0.55, 1.0)
    ]
    size = (0.11, 0.11, FENCE_M + 0.3)
    posts = [
        box(size, (x, 0, FENCE_M / 2 - 0.15), color, labels.FENCES, sides=(BACK, FRONT, LEFT, RIGHT))
        for x in (-length_m / 2, 0.0)
    ]
    return join(rails + posts)


def marker_post() -> Mesh:
    """A white post 1 m high with a black band and a reflector, at the origin; traffic comes along x."""
    return join(
        [
            box((0.10, 0.13, 1.2), (0, 0, 0.4), WHITE, labels.POLES, top=(0.8, 0.8)),
            box((0.11, 0.135, 0.2), (0, 0, 0.78), BLACK, labels.POLES),
            box((0.12, 0.05, 0.14), (0, 0, 0.78), AMBER, labels.POLES, materials.SIGN),
        ]
    )


def marker_places(
    ribbons: list[Ribbon], clearance: RoadClearance
) -> Iterator[tuple[float, float, float, float]]:
    """x, y, height of the ground and yaw of white posts along country roads that have no guard rail."""
    for ribbon in country_roads(ribbons):
        if ribbon.on_motorway:
            continue
        for side in ribbon.open_sides:
            line = ribbon.edge(side) + ribbon.right * (side * POST_ASIDE_M)
            along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
            for station in np.arange(POST_EVERY_M / 2, along[-1] - 2.0, POST_EVERY_M):
                k = int(np.searchsorted(along, station))
                x, y, z = line[k].tolist()
                if clearance.of(line[k : k + 1, :2])[0] > LEAST_CLEARANCE_M:
                    yield x, y, z - 0.15, math.atan2(-ribbon.right[k, 0], ribbon.right[k, 1])


def tuft_places(
    ribbons: list[Ribbon], terrain: Terrain, clearance: RoadClearance, rng: np.random.Generator
) -> Iterator[tuple[float, float, float]]:
    """x, y and height of the ground of tufts of grass beside country roads."""
    for ribbon in country_roads(ribbons):
        for side in ribbon.open_sides:
            edge = ribbon.edge(side)
            along = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))]
            at = rng.uniform(*TUFT_EVERY_M)
            while at < along[-1]:
                k = int(np.searchsorted(along, at))
                aside_m = rng.uniform(*TUFT_ASIDE_M)
                x, y, z = (edge[k] + ribbon.right[k] * (side * aside_m)).tolist()
                if clearance.of(np.array([[x, y]]))[0] > LEAST_CLEARANCE_M:
                    yield x, y, max(z - 0.15 * min(aside_m, 2.0) - 0.02, terrain.at(x, y))
                at += rng.uniform(*TUFT_EVERY_M)
