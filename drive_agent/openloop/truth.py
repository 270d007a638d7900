"""Where open loop gets its truth: nuScenes, a run of ours, or the arrays of either, kept from the last time.

What planners are scored against is written once per scene into a cache folder; after that neither the devkit nor the
annotations are needed. The cache is named by the data and dies with it: other tables get another folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from drive_agent.config import ConfigError
from drive_agent.data.clips import Clip
from drive_agent.data.expansion import DrivableArea
from drive_agent.data.nuscenes import NuScenesFolder, only_version
from drive_agent.data.runs import RunFolder, is_run
from drive_agent.roadmap import RoadMap
from drive_agent.score.openloop.labels import AREA, GROUND, PER_AGENT, truth_arrays
from drive_agent.score.openloop.pdms import Drivable
from drive_agent.score.planned import is_drivable

AREA_REACH_M = 200.0  # of the recorded way; a plan that is further off is off the road
LABELS_VERSION = 5  # of the arrays; a change of what they mean makes caches worthless


@dataclass(frozen=True)
class SceneTruth:
    """One scene: what planners and tables read is held, the agents are read from `file` when plans are scored."""

    name: str
    file: Path
    arrays: dict[
        str, np.ndarray
    ]  # of `truth_arrays`, those without agents, and where the ground is described

    @classmethod
    def load(cls, name: str, file: Path) -> SceneTruth:
        """Read the small arrays."""
        with np.load(file, allow_pickle=False) as arrays:
            return cls(
                name, file, {key: arrays[key] for key in arrays.files if key not in (*PER_AGENT, *AREA)}
            )

    def with_agents(self) -> dict[str, np.ndarray]:
        """All arrays of `truth_arrays`."""
        with np.load(self.file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}

    def is_drivable(self) -> Drivable | None:
        """Which world points (n, 2) one may drive on; None where nothing tells, for the reason `no_map`."""
        if name := str(self.arrays["map_file"]):
            road_map = RoadMap.from_dict(json.loads((self.file.parent / name).read_text()))
            return partial(is_drivable, road_map)
        if self.no_map:
            return None
        with np.load(self.file, allow_pickle=False) as arrays:
            return DrivableArea(*(arrays[name] for name in AREA)).holds

    @property
    def no_map(self) -> str:
        """Why nothing tells where one may drive; "" where something does."""
        return str(self.arrays["no_map"])

    @property
    def tokens(self) -> list[str]:
        return self.arrays["tokens"].tolist()


class Source:
    """One data set, opened only as far as it is asked."""

    def __init__(self, data: str, version: str | None, split: str | None, cache: str | None) -> None:
        self.path = Path(data)
        self.split = split
        self._run = is_run(self.path)
        if not self._run and not self.path.is_dir():
            raise ConfigError(f"data={data} is no folder; give a nuScenes root, a run folder or a log.mcap")
        self.version = "run" if self._run else version or only_version(self.path)
        self._opened: NuScenesFolder | RunFolder | None = None
        self.folder = (Path(cache) if cache else _cache_home()) / self._fingerprint()

    @property
    def is_run(self) -> bool:
        return self._run

    def scene_names(self) -> list[str]:
        """Names of the scenes, in order."""
        if not self._index.exists():
            self.keep_names(self._data().scene_names(self.split))
        return json.loads(self._index.read_text())

    def keep_names(self, names: list[str]) -> None:
        """Write the scenes of the split into the cache."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_whole(self._index, json.dumps(names).encode())

    @property
    def _index(self) -> Path:
        return self.folder / f"scenes-{self.split or 'all'}.json"

    def truths(self) -> Iterator[SceneTruth]:
        """Scene by scene, from the cache where it is there."""
        for name in self.scene_names():
            file = self.folder / f"{name}.npz"
            if not file.exists():
                arrays = truth_arrays(self.clip(name))
                _save(file, arrays | self._ground(name, arrays["global_pose"][:, :2]))
            yield SceneTruth.load(name, file)

    def clip(self, name: str) -> Clip:
        """A scene with its pictures; this opens the data set."""
        return self._data().clip(name)

    def road_map(self, name: str) -> RoadMap | None:
        """What lay under the wheels, None where the data set does not say it in a way that we read."""
        return self._data().road_map(name)

    def _ground(self, scene: str, way: np.ndarray) -> dict[str, np.ndarray]:
        """What lay under the wheels: a road map's file, or a drivable area around the way (n, 2), or why there is none."""
        edges, polygons, bounds, file, reason = np.zeros((0, 4)), np.zeros(0, int), np.zeros((2, 2)), "", ""
        data = self._data()
        if road_map := data.road_map(scene):
            file = self._keep_map(road_map)
        elif isinstance(data, NuScenesFolder):
            try:
                area = data.drivable_area(scene).near(way, AREA_REACH_M)
                edges, polygons, bounds = area.edges, area.polygons, area.bounds
            except FileNotFoundError as error:
                reason = str(error)
        ground = (np.array(file), edges, polygons, bounds, np.array(reason))
        return dict(zip(GROUND, ground, strict=True))

    def _keep_map(self, road_map: RoadMap) -> str:
        """The name of the file that holds a road map, one for all scenes of a town."""
        data = json.dumps(road_map.to_dict()).encode()
        name = f"map-{hashlib.sha256(data).hexdigest()[:12]}.json"
        if not (self.folder / name).exists():
            _write_whole(self.folder / name, data)
        return name

    def _data(self) -> NuScenesFolder | RunFolder:
        if self._opened is None:
            self._opened = RunFolder(self.path) if self._run else NuScenesFolder(self.path, self.version)
        return self._opened

    def _fingerprint(self) -> str:
        files = [self.path] if self.path.is_file() else sorted(self.path.glob("routes/*/log.mcap"))
        if not self._run:
            folders = (self.path / self.version, self.path / "maps" / "expansion")
            files = sorted(file for folder in folders for file in folder.glob("*.json"))
        stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        digest = hashlib.sha256(json.dumps([LABELS_VERSION, stats]).encode()).hexdigest()[:12]
        return f"{self.path.resolve().name}-{self.version}-{digest}"


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drive_agent" / "openloop"


def _save(file: Path, arrays: dict[str, np.ndarray]) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    with partial.open("wb") as stream:
        np.savez(stream, **arrays)  # pyright: ignore[reportArgumentType]
    partial.replace(file)


def _write_whole(file: Path, data: bytes) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(file)
