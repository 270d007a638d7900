"""A run of ours as a nuScenes v1.0 folder: tables, pictures, a map picture. Knows nothing of scores.

The genuine devkit loads it and draws it. Since its map pictures begin at (0, 0), the world is moved by whole hundreds of
metres, which `map.json` tells as `world_offset_m` and our own reader takes back. LIDAR_TOP holds outlines of boxes and
lane centres, not a scan: nobody scanned these streets.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from drive_agent.data.clips import Boxes, CameraShot, Clip, KeyFrame
from drive_agent.data.export_tables import Tables, link, pose_values
from drive_agent.data.runs import RunFolder, token_of
from drive_agent.roadmap import RoadMap

VERSION = "v1.0-drive-agent"
MAP_M_PER_PX = 0.1  # the devkit's
MARGIN_M = 60.0
DRIVABLE = ("driving", "parking", "biking", "shoulder", "bidirectional")
CLOUD_STEP_M = 0.25
CLOUD_RANGE_M = 60.0


def export_run(run: Path, out: Path) -> Path:
    """Write all routes of a run folder, or one log, below `out`; returns the version folder.

    Raises ValueError when `out` already holds a version, or the run has no log.
    """
    if (out / VERSION).exists():
        raise ValueError(f"{out / VERSION} is already there; give another out=, or delete it")
    source = RunFolder(run)
    tables = Tables()
    maps: dict[str, tuple[RoadMap, np.ndarray, list[str]]] = {}
    for name in source.scene_names():
        clip, road_map = source.clip(name), source.road_map(name)
        if clip.location not in maps:
            maps[clip.location] = (road_map, _offset(road_map), [])
        offset = maps[clip.location][1]
        log = tables.add(
            "log", token_of(name, "log"), logfile=name, vehicle="drive_agent", date_captured="1970-01-01",
            location=clip.location,
        )  # fmt: skip
        maps[clip.location][2].append(log)
        _Scene(tables, out, clip, offset, road_map).add(log)
    for town, (road_map, offset, logs) in maps.items():
        _add_map(tables, out, town, road_map, offset, logs)
    tables.write(out / VERSION)
    return out / VERSION


class _Scene:
    """Adds one clip's rows and files."""

    def __init__(self, tables: Tables, out: Path, clip: Clip, offset: np.ndarray, road_map: RoadMap) -> None:
        self._tables = tables
        self._out = out
        self._clip = clip
        self._offset = offset
        self._lanes = _lane_points(road_map)
        self._sensors: dict[str, str] = {}
        self._calibrations: dict[tuple[str, bytes], str] = {}
        self._streams: dict[str, list[dict]] = {}
        self._tracks: dict[str, list[dict]] = {}

    def add(self, log: str) -> None:
        """All rows of the scene."""
        frames, scene = self._clip.frames, token_of(self._clip.name, "scene")
        samples = []
        for frame in frames:
            self._tables.add(
                "sample", frame.token, timestamp=frame.time_us, prev="", next="", scene_token=scene
            )
            samples.append(self._tables.rows["sample"][-1])
            self._add_sensors(frame)
        link(samples)
        for rows in self._streams.values():
            link(rows)
        self._add_annotations()
        self._tables.add(
            "scene", scene, log_token=log, nbr_samples=len(frames), first_sample_token=frames[0].token,
            last_sample_token=frames[-1].token, name=self._clip.name,
            description=f"closed-loop drive through {self._clip.location}",
        )  # fmt: skip

    def _add_sensors(self, frame: KeyFrame) -> None:
        cloud = self._file(frame, "LIDAR_TOP", ".pcd.bin")
        _cloud(frame, self._lanes).tofile(cloud)
        self._add_data(frame, "LIDAR_TOP", cloud, frame.lidar_to_ego, None)
        for shot in frame.cameras:
            picture = self._file(frame, shot.name, ".jpg")
            picture.write_bytes(shot.read())
            self._add_data(frame, shot.name, picture, shot.camera_to_ego, shot)

    def _file(self, frame: KeyFrame, channel: str, ending: str) -> Path:
        file = self._out / "samples" / channel / f"{self._clip.name}__{channel}__{frame.time_us}{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _add_data(
        self, frame: KeyFrame, channel: str, file: Path, to_ego: np.ndarray, shot: CameraShot | None
    ) -> None:
        world = frame.ego_to_world.copy()
        world[:3, 3] += self._offset
        token = token_of(frame.token, channel)
        pose = self._tables.add("ego_pose", token, timestamp=frame.time_us, **pose_values(world))
        self._tables.add(
            "sample_data", token, sample_token=frame.token, ego_pose_token=pose,
            calibrated_sensor_token=self._calibration(channel, to_ego, shot), timestamp=frame.time_us,
            fileformat="jpg" if shot else "pcd", is_key_frame=True, height=shot.height if shot else 0,
            width=shot.width if shot else 0, filename=str(file.relative_to(self._out)), prev="", next="",
        )  # fmt: skip
        self._streams.setdefault(channel, []).append(self._tables.rows["sample_data"][-1])

    def _calibration(self, channel: str, to_ego: np.ndarray, shot: CameraShot | None) -> str:
        sensor = token_of("sensor", channel)
        if sensor not in {row["token"] for row in self._tables.rows["sensor"]}:
            self._tables.add("sensor", sensor, channel=channel, modality="camera" if shot else "lidar")
        key = (channel, to_ego.tobytes())
        if key not in self._calibrations:
            self._calibrations[key] = self._tables.add(
                "calibrated_sensor", token_of(self._clip.name, channel, len(self._calibrations)),
                sensor_token=sensor, **pose_values(to_ego),
                camera_intrinsic=shot.intrinsic.tolist() if shot else [],
            )  # fmt: skip
        return self._calibrations[key]

    def _add_annotations(self) -> None:
        for frame in self._clip.frames:
            for k, instance in enumerate(frame.boxes.instances):
                self._tables.add(
                    "sample_annotation",
                    token_of(frame.token, instance),
                    **self._annotation(frame, k),
                )
                self._tracks.setdefault(instance, []).append(self._tables.rows["sample_annotation"][-1])
        categories = {
            name: category
            for f in self._clip.frames
            for name, category in zip(f.boxes.instances, f.boxes.categories, strict=True)
        }
        for instance, rows in self._tracks.items():
            link(rows)
            self._tables.add(
                "instance", instance, category_token=categories[instance], nbr_annotations=len(rows),
                first_annotation_token=rows[0]["token"], last_annotation_token=rows[-1]["token"],
            )  # fmt: skip

    def _annotation(self, frame: KeyFrame, k: int) -> dict:
        boxes = frame.boxes
        return {
            "sample_token": frame.token,
            "instance_token": boxes.instances[k],
            "visibility_token": str(boxes.visibility[k]),
            "attribute_tokens": [boxes.attributes[k]] if boxes.attributes[k] else [],
            "translation": (boxes.centers[k] + self._offset).tolist(),
            "size": boxes.sizes[k].tolist(),
            "rotation": _level_rotation(boxes.axes[k]),
            "prev": "",
            "next": "",
            "num_lidar_pts": int(boxes.points[k]),
            "num_radar_pts": 0,
        }


def _level_rotation(axis: np.ndarray) -> list[float]:
    half = np.arctan2(axis[1], axis[0]) / 2
    return [float(np.cos(half)), 0.0, 0.0, float(np.sin(half))]


def _offset(road_map: RoadMap) -> np.ndarray:
    """Whole hundreds of metres (3,) that make every coordinate of the map positive."""
    low = np.min([lane.center.min(axis=0) for lane in road_map.lanes], axis=0)[:2] - MARGIN_M
    return np.append(np.where(low < 0, np.ceil(-low / 100) * 100, 0.0), 0.0)


def _add_map(
    tables: Tables, out: Path, town: str, road_map: RoadMap, offset: np.ndarray, logs: list[str]
) -> None:
    file = out / "maps" / f"{token_of('map', town)}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), _map_picture(road_map, offset))
    vector = file.with_suffix(".json")
    vector.write_text(json.dumps(road_map.to_dict()))
    tables.add(
        "map", token_of("map", town), log_tokens=logs, category="semantic_prior",
        filename=str(file.relative_to(out)), world_offset_m=offset.tolist(), road_map=str(vector.relative_to(out)),
    )  # fmt: skip


def _map_picture(road_map: RoadMap, offset: np.ndarray) -> np.ndarray:
    """Drivable surface in white, 0.1 m a pixel, y up."""
    lanes = [lane for lane in road_map.lanes if lane.kind in DRIVABLE]
    high = np.max([lane.center.max(axis=0) for lane in lanes], axis=0)[:2] + offset[:2] + MARGIN_M
    width, height = (np.ceil(high / MAP_M_PER_PX)).astype(int)
    picture = np.zeros((height, width), np.uint8)
    for lane in lanes:
        side = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], axis=-1) * (
            lane.width[:, None] / 2 + 0.1
        )
        left, right = lane.center[:, :2] + side, lane.center[:, :2] - side
        quads = np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1) + offset[:2]
        pixels = np.stack([quads[..., 0] / MAP_M_PER_PX, height - quads[..., 1] / MAP_M_PER_PX], axis=-1)
        for quad in np.round(pixels).astype(np.int32):
            cv2.fillConvexPoly(picture, quad, (255,))
    return picture


def _lane_points(road_map: RoadMap) -> np.ndarray:
    return np.concatenate([lane.center for lane in road_map.lanes if lane.kind in DRIVABLE])


def _cloud(frame: KeyFrame, lane_points: np.ndarray) -> np.ndarray:
    """float32 (n, 5): x, y, z in lidar, intensity, ring."""
    here = frame.ego_to_world[:2, 3]
    near = lane_points[np.linalg.norm(lane_points[:, :2] - here, axis=1) < CLOUD_RANGE_M]
    points = np.concatenate([near, _outlines(frame.boxes)])
    to_lidar = np.linalg.inv(frame.ego_to_world @ frame.lidar_to_ego)
    in_lidar = points @ to_lidar[:3, :3].T + to_lidar[:3, 3]
    return np.concatenate([in_lidar, np.zeros((len(points), 2))], axis=1).astype(np.float32)


def _outlines(boxes: Boxes) -> np.ndarray:
    """Points (n, 3) along the four upright sides of every box."""
    found = [np.zeros((0, 3))]
    for center, (width, length, height), axis in zip(boxes.centers, boxes.sizes, boxes.axes, strict=True):
        side = np.array([-axis[1], axis[0], 0.0])
        ends = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1], [1, 1]]) / 2
        corners = center + ends[:, :1] * length * axis + ends[:, 1:] * width * side
        steps = np.linspace(0, 1, max(round(length / CLOUD_STEP_M), 4))[:, None]
        ring = np.concatenate([a + steps * (b - a) for a, b in zip(corners[:-1], corners[1:], strict=True)])
        found += [ring + [0, 0, share * height] for share in (-0.4, 0.0, 0.4)]
    return np.concatenate(found)
