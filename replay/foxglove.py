"""A log as an MCAP in Foxglove's common schemas: pictures, camera calibrations, transforms, and the scene in 3D.

The log itself already holds its pictures as `foxglove.CompressedImage`; poses and boxes lie in it once, as JSON, and are
written out here on demand instead of twice into every log. Frames: `world`, `ego` (rear axle on the ground), one optical
frame a camera. Schemas: https://github.com/foxglove/foxglove-sdk. Times are simulated.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from foxglove_schemas_protobuf.CameraCalibration_pb2 import CameraCalibration
from foxglove_schemas_protobuf.Color_pb2 import Color
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.FrameTransforms_pb2 import FrameTransforms
from foxglove_schemas_protobuf.LinePrimitive_pb2 import LinePrimitive
from foxglove_schemas_protobuf.Log_pb2 import Log
from foxglove_schemas_protobuf.Quaternion_pb2 import Quaternion
from foxglove_schemas_protobuf.SceneEntity_pb2 import SceneEntity
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from mcap_protobuf.writer import Writer

from drive_agent.log.store import Episode
from drive_agent.rig import CameraMount
from drive_agent.roadmap import RoadMap
from drive_agent.types import ObjectKind
from replay import palette
from replay.captions import title
from replay.episode import Moment, Timeline
from replay.sizes import nominal_size

LIFETIME_NS = 300_000_000  # an entity that is not told anew vanishes
GROUND_Z_M = 0.05


def write_foxglove(log: Path, out: Path) -> Path:
    """Write the file; whole or not at all. Raises ValueError for a log without ticks."""
    timeline = Timeline(log)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file, Episode.open(log) as episode:
            writer = Writer(file)
            sheet = _Sheet(writer)
            sheet.roads(timeline.road_map, timeline.header.route.points, timeline.start_us)
            for moment in timeline.moments:
                sheet.moment(moment, [film.mount for film in timeline.films.values()])
            for camera in episode.cameras:
                for time_us, jpeg in episode.images(camera):
                    sheet.picture(camera, time_us, jpeg)
            for event in timeline.events:
                sheet.event(event.time_us, f"{title(event.kind)}: {event.message}")
            writer.finish()
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return out


class _Sheet:
    """Writes each kind of message on its topic."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._calibrated: set[str] = set()

    def roads(self, road_map: RoadMap, route: np.ndarray, time_us: int) -> None:
        """The lanes' borders and the route, once; they stay."""
        entity = _entity("roads", "world", time_us, lifetime_ns=0)
        for lane in road_map.lanes:
            if lane.kind == "driving":
                normal = np.column_stack(
                    [-np.sin(lane.heading), np.cos(lane.heading), np.zeros(len(lane.heading))]
                )
                for side in (0.5, -0.5):
                    _line(
                        entity, lane.center + side * lane.width[:, None] * normal, palette.WHITE_PAINT, 0.12
                    )
        _line(entity, np.asarray(route) + (0.0, 0.0, GROUND_Z_M), palette.ROUTE, 0.8)
        self._send("/roads", time_us, SceneUpdate(entities=[entity]))

    def moment(self, moment: Moment, mounts: list[CameraMount]) -> None:
        """Where everything is, what is seen, forecast and planned."""
        time_us = moment.time_us
        transforms = FrameTransforms()
        _transform(
            transforms,
            time_us,
            "world",
            "ego",
            (moment.pose.x_m, moment.pose.y_m, moment.truth.ego[2]),
            _yaw(moment.pose.yaw_rad),
        )
        for mount in mounts:
            _transform(
                transforms,
                time_us,
                "ego",
                mount.name,
                (mount.x_m, mount.y_m, mount.z_m),
                _quaternion(mount.ego_to_camera.T),
            )
            if mount.name not in self._calibrated:
                self._calibrated.add(mount.name)
                self._send(f"/camera/{mount.name}/calibration", time_us, _calibration(mount, time_us))
        self._send("/tf", time_us, transforms)
        self._send("/truth", time_us, SceneUpdate(entities=[_truth(moment)]))
        said = [entity for entity in (_seen(moment), _planned(moment)) if entity is not None]
        if said:
            self._send("/model", time_us, SceneUpdate(entities=said))

    def picture(self, camera: str, time_us: int, jpeg: bytes) -> None:
        message = CompressedImage(frame_id=camera, data=jpeg, format="jpeg")
        message.timestamp.FromMicroseconds(time_us)
        self._send(f"/camera/{camera}/image", time_us, message)

    def event(self, time_us: int, words: str) -> None:
        message = Log(level=Log.ERROR, message=words, name="infraction")
        message.timestamp.FromMicroseconds(time_us)
        self._send("/infractions", time_us, message)

    def _send(self, topic: str, time_us: int, message: object) -> None:
        self._writer.write_message(topic, message, time_us * 1000, time_us * 1000)


def _truth(moment: Moment) -> SceneEntity:
    entity = _entity("truth", "world", moment.time_us)
    for row, actor in zip(moment.truth.actors, moment.truth.ids, strict=True):
        info = moment.truth.infos[actor]
        color = palette.EGO if actor == moment.truth.ids[0] else palette.KIND_COLORS[info.kind]
        forward = info.center_forward_m * np.array([np.cos(row[3]), np.sin(row[3])])
        base = (
            0.0 if info.kind is ObjectKind.WALKER else info.half_height_m
        )  # a walker's origin is its middle
        size = (info.half_length_m, info.half_width_m, info.half_height_m)
        _cube(entity, (row[0] + forward[0], row[1] + forward[1], row[2] + base), row[3], size, color, 0.9)
    return entity


def _seen(moment: Moment) -> SceneEntity | None:
    """Boxes of what the model sees, and lines to where it says they will be; told in the world, from where it saw them."""
    if moment.scene is None or moment.scene_pose is None:
        return None
    pose, z = moment.scene_pose, float(moment.truth.ego[2])
    entity = _entity("seen", "world", moment.time_us)
    for k, seen in enumerate(moment.scene.objects):
        place, half = pose.to_world(np.array([seen.x_m, seen.y_m])), nominal_size(seen.kind)
        _cube(
            entity,
            (place[0], place[1], z + half[2]),
            seen.heading_rad + pose.yaw_rad,
            half,
            palette.SEEN,
            0.35,
        )
        if moment.forecast is not None:
            way = np.vstack([place, pose.to_world(moment.forecast.positions_ego[k])])
            _line(entity, _raised(way, z), palette.SEEN, 0.1)
    return entity


def _planned(moment: Moment) -> SceneEntity | None:
    if moment.plan is None or moment.plan_pose is None:
        return None
    entity = _entity("plan", "world", moment.time_us)
    _line(
        entity,
        _raised(moment.plan_pose.to_world(moment.plan.path_ego), float(moment.truth.ego[2])),
        palette.GO,
        0.4,
    )
    return entity


def _raised(points: np.ndarray, z_m: float) -> np.ndarray:
    return np.column_stack([points, np.full(len(points), z_m + GROUND_Z_M)])


def _entity(name: str, frame: str, time_us: int, lifetime_ns: int = LIFETIME_NS) -> SceneEntity:
    entity = SceneEntity(frame_id=frame, id=name)
    entity.timestamp.FromMicroseconds(time_us)
    entity.lifetime.FromNanoseconds(lifetime_ns)
    return entity


def _cube(
    entity: SceneEntity, place: tuple[float, float, float], yaw: float, half: tuple[float, float, float], color: palette.Color, alpha: float
) -> None:  # fmt: skip
    cube = entity.cubes.add(color=_color(color, alpha))
    cube.pose.position.x, cube.pose.position.y, cube.pose.position.z = place
    cube.pose.orientation.CopyFrom(_yaw(yaw))
    cube.size.x, cube.size.y, cube.size.z = (2 * value for value in half)


def _line(entity: SceneEntity, points: np.ndarray, color: palette.Color, thickness_m: float) -> None:
    line = entity.lines.add(type=LinePrimitive.LINE_STRIP, thickness=thickness_m, color=_color(color, 1.0))
    for x, y, z in points:
        line.points.add(x=x, y=y, z=z)


def _transform(
    all_of_them: FrameTransforms, time_us: int, parent: str, child: str, place: tuple[float, float, float], turn: Quaternion
) -> None:  # fmt: skip
    made = all_of_them.transforms.add(parent_frame_id=parent, child_frame_id=child)
    made.timestamp.FromMicroseconds(time_us)
    made.translation.x, made.translation.y, made.translation.z = place
    made.rotation.CopyFrom(turn)


def _calibration(mount: CameraMount, time_us: int) -> CameraCalibration:
    f, cx, cy = mount.focal_px, mount.width / 2, mount.height / 2
    made = CameraCalibration(
        frame_id=mount.name, width=mount.width, height=mount.height, K=[f, 0, cx, 0, f, cy, 0, 0, 1],
        R=[1, 0, 0, 0, 1, 0, 0, 0, 1], P=[f, 0, cx, 0, 0, f, cy, 0, 0, 0, 1, 0],
    )  # fmt: skip
    made.timestamp.FromMicroseconds(time_us)
    return made


def _color(color: palette.Color, alpha: float) -> Color:
    return Color(r=color[0] / 255, g=color[1] / 255, b=color[2] / 255, a=alpha)


def _yaw(yaw_rad: float) -> Quaternion:
    return Quaternion(z=float(np.sin(yaw_rad / 2)), w=float(np.cos(yaw_rad / 2)))


def _quaternion(rotation: np.ndarray) -> Quaternion:
    """Of a rotation matrix (3, 3), by its largest component (Shepperd's method), so that no turn divides by zero."""
    m = rotation
    squares = [
        m[0, 0] - m[1, 1] - m[2, 2],
        m[1, 1] - m[0, 0] - m[2, 2],
        m[2, 2] - m[0, 0] - m[1, 1],
        np.trace(m),
    ]
    largest = int(np.argmax(squares))
    first = float(np.sqrt(1 + squares[largest]))
    rest = 0.5 / first
    if largest == 3:
        x, y, z = (m[2, 1] - m[1, 2]) * rest, (m[0, 2] - m[2, 0]) * rest, (m[1, 0] - m[0, 1]) * rest
        return Quaternion(x=x, y=y, z=z, w=first / 2)
    i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
    parts = [0.0, 0.0, 0.0]
    parts[i], parts[j], parts[k] = first / 2, (m[j, i] + m[i, j]) * rest, (m[k, i] + m[i, k]) * rest
    return Quaternion(x=parts[0], y=parts[1], z=parts[2], w=(m[k, j] - m[j, k]) * rest)
