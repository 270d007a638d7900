"""A small shard of simple pictures whose labels can be seen in them: the brighter, the nearer the lead."""

from pathlib import Path

import numpy as np

from drive_agent.data.drivable import COLUMNS, ROWS, pack
from drive_agent.data.shards import AGENTS, CLASSES, NONE_M, STEPS, ShardWriter, encode_depth, pack_objects
from drive_agent.rig import cell_grid, front_rig
from drive_agent.types import PATH_STATIONS_M, Cause, Maneuver, ObjectKind


def write_shard(folder: Path, frames: int = 64, seed: int = 0) -> Path:
    """A shard of `frames` frames; every fourth begins a new drive."""
    rng = np.random.default_rng(seed)
    writer = ShardWriter(folder)
    for k in range(frames):
        writer.add(**frame(rng, previous=k - 1 if k % 4 else -1))
    writer.close(town="Test", seed=seed)
    return folder


def frame(rng: np.random.Generator, previous: int = -1) -> dict:
    """One random frame that fits together."""
    gap = float(rng.choice([5.0, 15.0, 30.0, NONE_M]))
    bend, light = float(rng.normal(0, 0.01)), int(rng.integers(0, 4))
    row: dict = {}
    for camera in front_rig().cameras:
        cells = cell_grid(camera)
        level = 220 - 4 * min(gap, 45)
        row[f"{camera.name}_rgb"] = rng.normal(level, 10, (camera.height, camera.width, 3)).clip(0, 255)
        row[f"{camera.name}_depth"] = np.full(cells, encode_depth(np.float64(min(gap, 50))))
        row[f"{camera.name}_class"] = np.eye(len(CLASSES))[np.zeros(cells, int)] * 255
        row[f"{camera.name}_bulb"] = np.full(cells, light)
    cars = [] if gap == NONE_M else [(0, gap + 6, 0, 0.1, 4, 2.3, 0.9, 4, 0.4, 8, 0.8, 12, 1.2)]
    agents = np.zeros((STEPS + 1, AGENTS, 5))
    if cars:
        agents[:, 0] = [(gap + 6 + 2.0 * k, 0, 1.8, 4.6, 0) for k in range(STEPS + 1)]
    return row | {
        "prev_index": previous,
        "objects": pack_objects(cars),
        "path": np.stack([PATH_STATIONS_M, bend * PATH_STATIONS_M**2], -1),
        "route_path": np.stack([PATH_STATIONS_M, bend * PATH_STATIONS_M**2], -1),
        "target_speed_mps": min(gap / 3, 10),
        "light": light,
        "light_m": 20.0 if light else NONE_M,
        "gap_m": gap,
        "lead_speed_mps": 4.0,
        "stop_m": NONE_M,
        "speed_mps": rng.uniform(0, 10),
        "since_stop_m": rng.uniform(0, 50),
        "maneuver": Maneuver.LANE_FOLLOW,
        "maneuver_m": 60.0,
        "targets_ego": np.array([[20.0, bend * 400], [40.0, bend * 1600]]),
        "cause": Cause.RED_LIGHT if light == 1 else Cause.VEHICLE if gap < 40 else Cause.FREE,
        "lead_kind": -1 if gap == NONE_M else ObjectKind.VEHICLE,
        "yield_m": NONE_M,
        "driven": np.stack([np.arange(STEPS + 1) * 2.0, np.zeros(STEPS + 1), np.zeros(STEPS + 1)], -1),
        "agents": agents,
        "is_thing": np.zeros(AGENTS),
        "drivable": pack(np.ones((ROWS, COLUMNS), bool)),
    }
