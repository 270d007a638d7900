"""nuScenes folders as clips, through the genuine nuscenes-devkit. Knows nothing of models, plans or scores.

The devkit is an extra (`pip install drive-agent[nuscenes]`) and is imported only here and where a drive is exported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from drive_agent.config import ConfigError
from drive_agent.data.clips import Boxes, CameraShot, Clip, KeyFrame
from drive_agent.data.expansion import DrivableArea, read_drivable_area
from drive_agent.data.rigid import rigid, rotation_matrix
from drive_agent.roadmap import RoadMap

_TABLES = (
    "attribute",
    "calibrated_sensor",
    "category",
    "ego_pose",
    "instance",
    "log",
    "map",
    "sample",
    "sample_annotation",
    "sample_data",
    "scene",
    "sensor",
    "visibility",
)


class NuScenesFolder:
    """One version below a nuScenes root; a version may be left out where the root holds only one.

    Raises ValueError, one line, when the devkit, the root, the version or one of its tables is not there.
    """

    def __init__(self, root: Path, version: str | None = None) -> None:
        self.root = root
        self.version = version or only_version(root)
        if not (root / self.version).is_dir():
            there = ", ".join(sorted(path.parent.name for path in root.glob("*/scene.json"))) or "none"
            raise ConfigError(f"version={version} is not below {root}; choose one that is there: {there}")
        self._areas: dict[str, DrivableArea] = {}  # of the location read last
        missing = [name for name in _TABLES if not (root / self.version / f"{name}.json").exists()]
        if missing:
            raise ValueError(
                f"{root / self.version} lacks {missing[0]}.json: expected a nuScenes version folder; unpack its metadata"
            )
        try:
            from nuscenes.nuscenes import NuScenes
        except ImportError as error:
            raise ValueError(
                "nuScenes needs the package nuscenes-devkit: pip install 'drive-agent[nuscenes]'"
            ) from error
        try:
            self._tables = NuScenes(self.version, str(root), verbose=False)
        except (AssertionError, KeyError) as error:
            raise ValueError(
                f"{root / self.version} does not load: {error}; download its metadata again"
            ) from error

    def scene_names(self, split: str | None = None) -> list[str]:
        """Names of all scenes, or of an official split ("val", "mini_val", "train", ...) that are there, in order."""
        names = [scene["name"] for scene in self._tables.scene]
        if split is None:
            return names
        from nuscenes.utils.splits import create_splits_scenes

        splits = create_splits_scenes()
        if split not in splits:
            raise ConfigError(f"split={split} is unknown, expected one of {', '.join(splits)}")
        chosen = [name for name in names if name in set(splits[split])]
        if not chosen:
            raise ConfigError(
                f"{self.root / self.version} holds no scene of split {split}; leave split= out or change it"
            )
        return chosen

    def clip(self, name: str) -> Clip:
        """One scene. Raises KeyError when there is none of that name."""
        [scene] = [scene for scene in self._tables.scene if scene["name"] == name] or [None]
        if scene is None:
            raise KeyError(f"{self.root / self.version} has no scene {name!r}")
        location = self._tables.get("log", scene["log_token"])["location"]
        frames, token = [], scene["first_sample_token"]
        while token:
            sample = self._tables.get("sample", token)
            frames.append(self._key_frame(sample))
            token = sample["next"]
        return Clip(name, location, tuple(frames))

    def road_map(self, name: str) -> RoadMap | None:
        """The vector map of an exported drive; None for nuScenes' own cities, which have a `drivable_area`."""
        [scene] = [scene for scene in self._tables.scene if scene["name"] == name]
        file = self._map_of(scene).get("road_map")
        return RoadMap.from_dict(json.loads((self.root / file).read_text())) if file else None

    def drivable_area(self, name: str) -> DrivableArea:
        """Where one may drive in the city of a scene, out of the map expansion.

        Raises FileNotFoundError, one line, when the city's expansion is not there, ValueError when it does not read.
        """
        [scene] = [scene for scene in self._tables.scene if scene["name"] == name]
        location = self._tables.get("log", scene["log_token"])["location"]
        if location not in self._areas:
            self._areas = {location: read_drivable_area(self.root, location)}
        return self._areas[location]

    def _map_of(self, scene: dict[str, Any]) -> dict[str, Any]:
        return self._tables.get("map", self._tables.get("log", scene["log_token"])["map_token"])

    def _key_frame(self, sample: dict[str, Any]) -> KeyFrame:
        lidar = self._data(sample, "LIDAR_TOP")
        records = [self._tables.get("sample_data", token) for token in sample["data"].values()]
        shots = tuple(self._shot(record) for record in records if record["sensor_modality"] == "camera")
        return KeyFrame(
            sample["token"],
            sample["timestamp"],
            self._world_pose(sample, lidar),
            _pose(self._tables.get("calibrated_sensor", lidar["calibrated_sensor_token"])),
            self._boxes(sample),
            shots,
        )

    def _data(self, sample: dict[str, Any], channel: str) -> dict[str, Any]:
        if channel not in sample["data"]:
            raise ValueError(
                f"sample {sample['token']} has no {channel}; expected a whole key frame, download the blobs again"
            )
        return self._tables.get("sample_data", sample["data"][channel])

    def _shot(self, record: dict[str, Any]) -> CameraShot:
        calibration = self._tables.get("calibrated_sensor", record["calibrated_sensor_token"])
        path = self.root / record["filename"]
        return CameraShot(
            record["channel"],
            record["timestamp"],
            record["width"],
            record["height"],
            np.array(calibration["camera_intrinsic"]),
            _pose(calibration),
            lambda: read_blob(path),
        )

    def _world_pose(self, sample: dict[str, Any], lidar: dict[str, Any]) -> np.ndarray:
        pose = _pose(self._tables.get("ego_pose", lidar["ego_pose_token"]))
        pose[:3, 3] -= self._offset(sample)
        return pose

    def _offset(self, sample: dict[str, Any]) -> np.ndarray:
        """What an exported drive was moved by (3,), since the devkit's map pictures begin at (0, 0); else zeros."""
        record = self._map_of(self._tables.get("scene", sample["scene_token"]))
        return np.array(record.get("world_offset_m", [0.0, 0.0, 0.0]))

    def _boxes(self, sample: dict[str, Any]) -> Boxes:
        rows = [self._tables.get("sample_annotation", token) for token in sample["anns"]]
        return Boxes(
            tuple(row["instance_token"] for row in rows),
            tuple(row["category_name"] for row in rows),
            np.array([row["translation"] for row in rows], float).reshape(-1, 3) - self._offset(sample),
            np.array([row["size"] for row in rows], float).reshape(-1, 3),
            np.array([rotation_matrix(row["rotation"])[:, 0] for row in rows], float).reshape(-1, 3),
            np.array([int(row["visibility_token"] or 0) for row in rows], int),
            np.array([row["num_lidar_pts"] + row["num_radar_pts"] for row in rows], int),
            tuple(self._attribute(row) for row in rows),
        )

    def _attribute(self, annotation: dict[str, Any]) -> str:
        tokens = annotation["attribute_tokens"]
        return self._tables.get("attribute", tokens[0])["name"] if tokens else ""


def only_version(root: Path) -> str:
    """The one version folder below a nuScenes root. Raises ValueError when there is none or a choice."""
    if not root.is_dir():
        raise ConfigError(
            f"{root} is no folder, expected a nuScenes root with a v1.0-... folder; see docs/openloop.md"
        )
    versions = sorted(path.name for path in root.iterdir() if (path / "scene.json").exists())
    if len(versions) != 1:
        there = (
            f"versions {', '.join(versions)}; choose one with version="
            if versions
            else "no v1.0-... folder, expected one with scene.json in it; give the nuScenes root or a run folder"
        )
        raise ConfigError(f"{root} holds {there}")
    return versions[0]


def read_blob(path: Path) -> bytes:
    """A picture's bytes. Raises ValueError when the file is not there."""
    if not path.exists():
        raise ValueError(
            f"{path} is missing: the tables name it; unpack the blobs that hold it beside the tables"
        )
    return path.read_bytes()


def _pose(record: dict[str, Any]) -> np.ndarray:
    return rigid(rotation_matrix(record["rotation"]), np.array(record["translation"], float))
