"""The thirteen tables of a nuScenes v1.0 folder, row by row, and what does not change in them.

Schema: docs/schema_nuscenes.md of nuscenes-devkit. Knows nothing of where rows come from or where pictures lie.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from drive_agent.data.rigid import quaternion_of

TABLES = (
    "category", "attribute", "visibility", "instance", "sensor", "calibrated_sensor", "ego_pose", "log", "scene",
    "sample", "sample_data", "sample_annotation", "map",
)  # fmt: skip
CATEGORIES = (
    "human.pedestrian.adult", "human.pedestrian.child", "human.pedestrian.wheelchair", "human.pedestrian.stroller",
    "human.pedestrian.personal_mobility", "human.pedestrian.police_officer", "human.pedestrian.construction_worker",
    "animal", "vehicle.car", "vehicle.motorcycle", "vehicle.bicycle", "vehicle.bus.bendy", "vehicle.bus.rigid",
    "vehicle.truck", "vehicle.construction", "vehicle.emergency.ambulance", "vehicle.emergency.police",
    "vehicle.trailer", "movable_object.barrier", "movable_object.trafficcone", "movable_object.pushable_pullable",
    "movable_object.debris", "static_object.bicycle_rack",
)  # fmt: skip
ATTRIBUTES = (
    "vehicle.moving", "vehicle.stopped", "vehicle.parked", "cycle.with_rider", "cycle.without_rider",
    "pedestrian.sitting_lying_down", "pedestrian.standing", "pedestrian.moving",
)  # fmt: skip
VISIBILITY = ("v0-40", "v40-60", "v60-80", "v80-100")
MOVING_MPS = 0.2

Row = dict[str, Any]


class Tables:
    """Rows collected so far. Every `add` returns the row's token."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        for name in CATEGORIES:
            self.add("category", name, name=name, description="")
        for name in ATTRIBUTES:
            self.add("attribute", name, name=name, description="")
        for number, level in enumerate(VISIBILITY, start=1):
            self.rows["visibility"].append({"token": str(number), "level": level, "description": ""})

    def add(self, table: str, token: str, **values: Any) -> str:
        """Append a row."""
        self.rows[table].append({"token": token, **values})
        return token

    def write(self, folder: Path) -> None:
        """All tables, one JSON file each."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            (folder / f"{name}.json").write_text(json.dumps(self.rows[name], indent=0))


def pose_values(pose: np.ndarray) -> Row:
    """Translation and rotation (w first) of a transform (4, 4)."""
    return {"translation": pose[:3, 3].tolist(), "rotation": quaternion_of(pose[:3, :3]).tolist()}


def attribute_of(category: str, speed_mps: float) -> str:
    """What an agent does, by how fast it is; "" for what has no attribute."""
    moves = speed_mps > MOVING_MPS
    if category in ("vehicle.bicycle", "vehicle.motorcycle"):
        return "cycle.with_rider"
    if category.startswith("vehicle."):
        return "vehicle.moving" if moves else "vehicle.stopped"
    if category.startswith("human."):
        return "pedestrian.moving" if moves else "pedestrian.standing"
    return ""


def link(rows: list[Row]) -> None:
    """Chain rows in order by `prev` and `next`."""
    for before, after in zip(rows[:-1], rows[1:], strict=True):
        before["next"], after["prev"] = after["token"], before["token"]
