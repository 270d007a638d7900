"""A map expansion in the schema that nuScenes publishes (version 1.3, every layer there), around made-up drivable polygons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

EMPTY_LAYERS = (
    "line", "road_segment", "road_block", "lane", "lane_connector", "ped_crossing", "walkway", "stop_line",
    "carpark_area", "road_divider", "lane_divider", "traffic_light",
)  # fmt: skip
LOCATION = "boston-seaport"  # the devkit opens four names only


def write_expansion(root: Path, areas: list[list[list[np.ndarray]]], location: str = LOCATION) -> Path:
    """`areas`: drivable areas, each some polygons, each an outer ring (k, 2) and its holes."""
    nodes, polygons = [], []

    def ring(points: np.ndarray) -> list[str]:
        tokens = [f"node{len(nodes) + k}" for k in range(len(points))]
        nodes.extend(
            {"token": token, "x": float(x), "y": float(y)}
            for token, (x, y) in zip(tokens, points, strict=True)
        )
        return tokens

    def polygon(outer: np.ndarray, *holes: np.ndarray) -> str:
        token = f"polygon{len(polygons)}"
        rings = [{"node_tokens": ring(hole)} for hole in holes]
        polygons.append({"token": token, "exterior_node_tokens": ring(outer), "holes": rings})
        return token

    drivable = [
        {"token": f"area{k}", "polygon_tokens": [polygon(*parts) for parts in area]}
        for k, area in enumerate(areas)
    ]
    layers = {name: [] for name in EMPTY_LAYERS} | {"arcline_path_3": {}, "connectivity": {}}
    layers |= {"version": "1.3", "canvas_edge": [2979.5, 2118.1]}
    layers |= {"node": nodes, "polygon": polygons, "drivable_area": drivable}
    file = root / "maps" / "expansion" / f"{location}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(layers))
    return file


def box(x_m: float, y_m: float, wide_m: float, high_m: float) -> np.ndarray:
    return np.array([x_m, y_m]) + np.array([[0, 0], [wide_m, 0], [wide_m, high_m], [0, high_m]], dtype=float)
