"""nuScenes' map expansion, version 1.3: where one may drive in its four cities. Knows nothing of plans or scores.

Read is `maps/expansion/<location>.json` as it is published: `drivable_area` names polygons, a polygon names the nodes of its
outer ring and of its holes, a node has x and y. The devkit is not asked: its NuScenesMap loads every layer, and answers a
point at a time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

VERSION = "1.3"


@dataclass(frozen=True)
class DrivableArea:
    """Polygons, which may overlap, as the edges of all their rings; nothing is known beyond `bounds`. World frame."""

    edges: np.ndarray  # (m, 4) x, y of an edge's start and end
    polygons: np.ndarray  # (m,) number of the polygon whose edge it is, in ascending order
    bounds: np.ndarray  # (2, 2) lowest and highest x, y

    def near(self, points: np.ndarray, reach_m: float) -> DrivableArea:
        """The area as far as points (n, 2) and `reach_m` around them go: the edges that a ray to the east can cross."""
        low, high = points.min(axis=0) - reach_m, points.max(axis=0) + reach_m
        x, y = self.edges[:, 0::2], self.edges[:, 1::2]
        kept = (y.max(axis=1) >= low[1]) & (y.min(axis=1) <= high[1]) & (x.max(axis=1) >= low[0])
        return DrivableArea(self.edges[kept], self.polygons[kept], np.stack([low, high]))

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Bool (n,): is a point in a polygon, that is: does a ray to the east cross its edges an odd number of times."""
        levels = self.edges[:, 1::2]
        crossed = (levels.max(axis=1) >= points[:, 1].min()) & (levels.min(axis=1) <= points[:, 1].max())
        if not crossed.any():
            return np.zeros(len(points), bool)
        x1, y1, x2, y2 = self.edges[crossed].T
        x, y = points[:, :1], points[:, 1:]
        spans = (y1 > y) != (y2 > y)  # never a level edge
        meets_m = x1 + (y - y1) * np.divide(x2 - x1, y2 - y1, out=np.zeros_like(x1), where=y1 != y2)
        _, first = np.unique(self.polygons[crossed], return_index=True)
        crossings = np.add.reduceat((spans & (meets_m > x)).astype(np.int64), first, axis=1)
        known = ((points >= self.bounds[0]) & (points <= self.bounds[1])).all(axis=1)
        return (crossings % 2 == 1).any(axis=1) & known


def read_drivable_area(root: Path, location: str) -> DrivableArea:
    """The drivable area of a city below a nuScenes root.

    Raises FileNotFoundError where the city has no expansion, ValueError for one that is damaged or of another version; each is
    one line.
    """
    file = root / "maps" / "expansion" / f"{location}.json"
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is not there; unpack nuScenes' map expansion v{VERSION} into {root / 'maps'}"
        )
    again = f"unpack nuScenes' map expansion v{VERSION} again"
    try:
        layers = json.loads(file.read_bytes())
        version = layers.get("version", "1.0")
        if version != VERSION:
            raise ValueError(f"it is of version {version}, expected {VERSION}")
        rings, polygons = _rings(layers)
        corners = [np.array(ring, float).reshape(-1, 2) for ring in rings]
        if not all(np.isfinite(ring).all() for ring in corners):
            raise ValueError("it has a node that is nowhere")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{file} does not read as a map expansion: {what}; {again}") from error
    edges = [np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in corners]
    owners = np.repeat(np.array(polygons, int), [len(ring) for ring in corners])
    endless = np.array([[-np.inf] * 2, [np.inf] * 2])
    return DrivableArea(np.concatenate([np.zeros((0, 4)), *edges]), owners, endless)


def _rings(layers: dict) -> tuple[list[list[tuple[float, float]]], list[int]]:
    """The rings of all drivable polygons, outer ones and holes, and the number of each one's polygon."""
    nodes = {node["token"]: (node["x"], node["y"]) for node in layers["node"]}
    polygons = {polygon["token"]: polygon for polygon in layers["polygon"]}
    tokens = [token for area in layers["drivable_area"] for token in area["polygon_tokens"]]
    rings, owners = [], []
    for number, token in enumerate(tokens):
        polygon = polygons[token]
        for ring in (polygon["exterior_node_tokens"], *(hole["node_tokens"] for hole in polygon["holes"])):
            rings.append([nodes[node] for node in ring])
            owners.append(number)
    return rings, owners
