"""The training data on disk: shards of plain .npy arrays, one row a frame. Knows nothing of networks or losses.

A shard is a folder with one array for every column of `columns()` and a `meta.json` (town, seed, cameras, frames).
Pictures are those a model would see while driving. Dense labels are per 7x7-pixel cell; `<cam>_depth` is
`encode_depth` averaged over the cell, `<cam>_class` a histogram of CLASSES scaled to 255, `<cam>_bulb` the colour of a
lit traffic light bulb in the cell (0 none, 1 red, 2 yellow, 3 green). All lengths are metres in the ego frame.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from drive_agent.data import drivable
from drive_agent.rig import CameraMount, cell_grid, front_rig
from drive_agent.types import PATH_STATIONS_M

CLASSES = ("road", "marking", "pavement", "other", "terrain", "sky", "vehicle", "walker", "sign_or_light")
OBJECTS = 16  # rows of `objects` in a frame; further ones are cut
OBJECT_COLUMNS = (
    "kind",  # types.ObjectKind, -1 for an unused row
    "x_m",
    "y_m",
    "heading_rad",
    "speed_mps",
    "half_length_m",
    "half_width_m",
    "dx1_m",  # displacement over the next 1, 2, 3 seconds
    "dy1_m",
    "dx2_m",
    "dy2_m",
    "dx3_m",
    "dy3_m",
)
AGENTS = 12  # the nearest road users and things around, seen or not
STEP_S, STEPS = 0.5, 6  # of what is recorded of the next seconds
NONE_M = 99.0  # a distance to something that is not there
NEAR_M, FAR_M = 2.0, 100.0  # range of the depth labels


def encode_depth(depth_m: np.ndarray) -> np.ndarray:
    """Depth in metres as log depth in [0, 255] (not rounded, so that it can be averaged over a cell)."""
    return np.log(np.clip(depth_m, NEAR_M, FAR_M) / NEAR_M) / np.log(FAR_M / NEAR_M) * 255


def columns(cameras: Sequence[CameraMount]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of one row of every column."""
    pictures: dict[str, tuple[str, tuple[int, ...]]] = {}
    for camera in cameras:
        cells = cell_grid(camera)
        pictures[f"{camera.name}_rgb"] = ("uint8", (camera.height, camera.width, 3))
        pictures[f"{camera.name}_depth"] = ("uint8", cells)
        pictures[f"{camera.name}_class"] = ("uint8", (*cells, len(CLASSES)))
        pictures[f"{camera.name}_bulb"] = ("uint8", cells)
    return pictures | {
        "prev_index": ("int32", ()),  # row of the frame about 0.5 s earlier of the same drive, -1 for none
        "objects": ("float32", (OBJECTS, len(OBJECT_COLUMNS))),  # visible in a camera, within 60 m
        "path": ("float32", (len(PATH_STATIONS_M), 2)),  # the expert's path at PATH_STATIONS_M of arc length
        "route_path": ("float32", (len(PATH_STATIONS_M), 2)),  # the same if nothing led aside of the route
        "target_speed_mps": ("float32", ()),
        "light": ("uint8", ()),  # types.LightState of the light that governs the way ahead
        "light_m": ("float32", ()),  # distance to its stop line
        "gap_m": ("float32", ()),  # free distance to the first object in the own way
        "lead_speed_mps": ("float32", ()),
        "stop_m": ("float32", ()),  # distance to a stop sign's line that still has to be obeyed
        "speed_mps": ("float32", ()),
        "since_stop_m": ("float32", ()),  # driven since the last standstill, at most 50
        "maneuver": ("uint8", ()),  # types.Maneuver
        "maneuver_m": ("float32", ()),
        "targets_ego": ("float32", (2, 2)),  # next two sparse route points
        "cause": ("uint8", ()),  # types.Cause of the target speed
        "lead_kind": ("int8", ()),  # types.ObjectKind of the first object in the own way, -1 for none
        "yield_m": ("float32", ()),  # to where others have to be waited for
        "driven": (
            "float32",
            (STEPS + 1, 3),
        ),  # own x, y, yaw now and every STEP_S after, in the ego frame of now
        "agents": (
            "float32",
            (STEPS + 1, AGENTS, 5),
        ),  # x, y, width, length, yaw likewise; width 0: not there
        "is_thing": ("uint8", (AGENTS,)),  # whether one of `agents` is a thing, no road user
        "drivable": ("uint8", (drivable.BYTES,)),  # see `data.drivable`
    }


class DatasetError(ValueError):
    """A shard that is not as the format says; the message names the file, the value and the expectation."""


class ShardWriter:
    """Collects frames in memory and writes them as one shard, at once, on `close`."""

    def __init__(self, folder: Path, cameras: Sequence[CameraMount] = front_rig().cameras) -> None:
        self._folder = Path(folder)
        self._cameras = tuple(cameras)
        self._columns = columns(cameras)
        self._rows: list[dict[str, np.ndarray]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, **row: object) -> int:
        """Add one frame, a value for every column; returns its row. Raises DatasetError on a wrong name or shape."""
        if set(row) != set(self._columns):
            wrong = sorted(set(row) ^ set(self._columns))
            raise DatasetError(
                f"frame has missing or unknown columns {wrong}, expected {sorted(self._columns)}"
            )
        checked = {}
        for name, (kind, shape) in self._columns.items():
            checked[name] = np.asarray(row[name], dtype=kind)
            if checked[name].shape != shape:
                raise DatasetError(f"column {name} has shape {checked[name].shape}, expected {shape}")
        self._rows.append(checked)
        return len(self._rows) - 1

    def close(self, **meta: object) -> None:
        """Write the shard; it appears under its name only when it is whole."""
        partial = self._folder.with_name(self._folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was ended while it wrote
        partial.mkdir(parents=True)
        for name in self._columns:
            np.save(partial / f"{name}.npy", np.stack([row[name] for row in self._rows]))
        meta = {**meta, "cameras": [camera.name for camera in self._cameras], "frames": len(self._rows)}
        (partial / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
        partial.rename(self._folder)


def pack_objects(rows: Iterable[Sequence[float]]) -> np.ndarray:
    """Object rows in the order of OBJECT_COLUMNS, nearest first, as the fixed array (OBJECTS, columns) of a frame."""
    packed = np.zeros((OBJECTS, len(OBJECT_COLUMNS)), dtype=np.float32)
    packed[:, 0] = -1
    nearest = sorted(rows, key=lambda row: (row[1] ** 2 + row[2] ** 2, row[0]))[:OBJECTS]
    for k, row in enumerate(nearest):
        packed[k] = row
    return packed


class Shard:
    """One shard, opened without reading it: every column is a memory map."""

    def __init__(self, folder: Path, cameras: Sequence[CameraMount]) -> None:
        self.folder = Path(folder)
        self.meta = json.loads((self.folder / "meta.json").read_text())
        self.columns = {name: self._open(name, *spec) for name, spec in columns(cameras).items()}
        counts = {name: len(values) for name, values in self.columns.items()}
        if len(set(counts.values())) != 1:
            raise DatasetError(
                f"{self.folder} has columns of different lengths {counts}; collect the shard anew"
            )
        previous = self.columns["prev_index"]
        if len(self) and (previous.min() < -1 or previous.max() >= len(self)):
            raise DatasetError(
                f"{self.folder}/prev_index.npy points to row {previous.max()}, expected -1..{len(self) - 1}"
            )

    @property
    def is_driven(self) -> bool:
        """Whether a model was at the wheel, and the expert only labelled."""
        return self.meta.get("driver", "expert") != "expert"

    def _open(self, name: str, kind: str, shape: tuple[int, ...]) -> np.ndarray:
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            raise DatasetError(f"{path} is missing, expected {kind} (n, *{shape}); collect the shard anew")
        values = np.load(path, mmap_mode="r")
        if values.dtype != kind or values.shape[1:] != shape:
            raise DatasetError(f"{path} holds {values.dtype} {values.shape}, expected {kind} (n, *{shape})")
        return values

    def __len__(self) -> int:
        return len(self.columns["prev_index"])


def find_shards(folders: Iterable[Path | str]) -> list[Path]:
    """The shards among the folders and directly below them, sorted. Raises DatasetError when there is none."""
    folders = [Path(folder) for folder in folders]
    metas = [
        meta
        for folder in folders
        for pattern in ("meta.json", "*/meta.json")
        for meta in folder.glob(pattern)
    ]
    shards = sorted({meta.parent for meta in metas if not meta.parent.name.endswith(".partial")})
    if not shards:
        raise DatasetError(
            f"no shard in {[str(folder) for folder in folders]}, expected folders with meta.json"
        )
    return shards


class DriveDataset:
    """Several shards as one table of frames."""

    def __init__(
        self, folders: Iterable[Path | str], cameras: Sequence[CameraMount] = front_rig().cameras
    ) -> None:
        self.cameras = tuple(cameras)
        self.shards = [Shard(folder, cameras) for folder in find_shards(folders)]
        self._ends = np.cumsum([len(shard) for shard in self.shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def column(self, name: str) -> np.ndarray:
        """A whole column of all shards; meant for the small ones."""
        return np.concatenate([shard.columns[name] for shard in self.shards])

    def is_driven(self) -> np.ndarray:
        """`Shard.is_driven` of every frame, (frames,)."""
        return np.repeat([shard.is_driven for shard in self.shards], [len(shard) for shard in self.shards])

    def rows(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """Columns of the frames `index` (n,), with `<cam>_previous` pictures (the frame's own where there is none)."""
        parts = [self._row(int(k)) for k in index]
        return {name: np.stack([part[name] for part in parts]) for name in parts[0]}

    def _row(self, k: int) -> dict[str, np.ndarray]:
        at = int(np.searchsorted(self._ends, k, side="right"))
        shard = self.shards[at]
        row = k - (int(self._ends[at]) - len(shard))
        values = {name: column[row] for name, column in shard.columns.items()}
        previous = int(values["prev_index"])
        earlier = row if previous < 0 else previous
        for camera in self.cameras:
            values[f"{camera.name}_previous"] = shard.columns[f"{camera.name}_rgb"][earlier]
        return values
