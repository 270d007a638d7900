"""One expert-driven car of a collection world: its cameras, its routes, and its frames as rows of the training data.

A frame waits three seconds for the future that its labels tell, then its pictures are fetched and it becomes a row.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import carla
import cv2
import numpy as np

from drive_agent.agent.control import ControlConfig, Controller
from drive_agent.agent.frame import EARTH_RADIUS_M, JPEG_QUALITY, FrameBuilder
from drive_agent.agent.prompt import prompt_state
from drive_agent.data.shards import NONE_M, ShardWriter, pack_objects
from drive_agent.drive.carla_axes import camera_transform
from drive_agent.drive.carla_sensors import GNSS_NOISE_DEG, GYRO_NOISE_RADPS, Mailbox
from drive_agent.drive.cell_labels import bulb_cells, class_cells, decode_depth, depth_cells
from drive_agent.drive.disturb import Disturbance, DisturbConfig
from drive_agent.drive.visible import rear_axle, visible_objects
from drive_agent.expert.expert import Expert
from drive_agent.expert.situation import Situation
from drive_agent.rig import CameraMount
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, sparse
from drive_agent.types import Briefing, Command, EgoState, LightState, Plan, PromptState, SensorPacket, Truth

PERIOD_S = 0.5
PLAN_TICKS = 2  # the expert plans at 10 Hz, the controller tracks at 20 Hz
FUTURE = 6  # frames of PERIOD_S that the labels look ahead
SECONDS = (2, 4, 6)  # frames after 1, 2, 3 s
STILL_KEPT = 0.15  # share of the frames in which nothing happens that is kept
STILL_MPS = 0.2
LIGHT_REACH_M, REACH_M = 50.0, 45.0
SEEN_OR_FELT_M = 8.0  # the centre of what is nearer may lie outside the pictures
KINDS = {
    "rgb": "sensor.camera.rgb",
    "depth": "sensor.camera.depth",
    "tags": "sensor.camera.semantic_segmentation",
}


@dataclass
class Sample:
    """One frame before it is a row."""

    frame: int
    truth: Truth
    path_ego: np.ndarray
    situation: Situation
    state: PromptState
    keep: bool
    row: int = -1


class LabelCameras:
    """Colour, depth and semantic cameras at the places of a rig, on one vehicle, delivering at the same ticks."""

    def __init__(
        self, world: carla.World, vehicle: carla.Vehicle, mounts: tuple[CameraMount, ...], timeout_s: float
    ) -> None:
        self.mounts = mounts
        self._boxes: dict[tuple[str, str], Mailbox] = {}
        self._actors: list[carla.Sensor] = []
        library = world.get_blueprint_library()
        for mount in mounts:
            for kind, type_id in KINDS.items():
                blueprint = library.find(type_id)
                size = {"image_size_x": mount.width, "image_size_y": mount.height}
                for name, value in (
                    size | {"fov": np.degrees(mount.fov_rad), "sensor_tick": PERIOD_S}
                ).items():
                    blueprint.set_attribute(name, str(value))
                sensor = world.spawn_actor(blueprint, camera_transform(mount), attach_to=vehicle)
                box = Mailbox(f"{mount.name} {kind} of car {vehicle.id}", timeout_s)
                sensor.listen(box.put)
                self._boxes[mount.name, kind] = box
                self._actors.append(sensor)

    def take(self, frame: int) -> dict[str, dict[str, np.ndarray]]:
        """Camera -> kind -> raw picture (h, w, 4) of a frame; earlier ones are dropped."""
        out: dict[str, dict[str, np.ndarray]] = {mount.name: {} for mount in self.mounts}
        for (name, kind), box in self._boxes.items():
            image = box.take(frame)
            raw = np.frombuffer(image.raw_data, dtype=np.uint8)
            out[name][kind] = raw.reshape(image.height, image.width, 4)
        return out

    def destroy(self) -> None:
        for actor in self._actors:
            actor.stop()
        for actor in self._actors:
            actor.destroy()


class Demonstrator:
    """Drives routes and turns its frames into rows. `begin` with a route, then `step` every tick."""

    def __init__(
        self,
        vehicle: carla.Vehicle,
        cameras: LabelCameras,
        road_map: RoadMap,
        writer: ShardWriter,
        rng: np.random.Generator,
        tick_s: float,
    ) -> None:
        self.vehicle = vehicle
        self._cameras = cameras
        self._road_map = road_map
        self._writer = writer
        self._rng = rng
        self._tick_s = tick_s
        self._waiting: deque[Sample] = deque()
        self._previous: Sample | None = None
        self._first_frame: int | None = None
        self.standing_us = 0

    def begin(self, route: Route) -> None:
        """Take a new route; frames that still wait for their future are dropped."""
        picks = sparse(route)
        briefing = Briefing(
            geographic(route.points[picks, :2]),
            tuple(route.maneuvers[k] for k in picks),
        )
        self._frames = FrameBuilder(briefing)
        self._expert = Expert(self._road_map, route)
        self._control = Controller(ControlConfig())
        self._disturbance = Disturbance(DisturbConfig(), self._rng, self._tick_s)
        self._waiting.clear()
        self._previous = None
        self._plan: Plan | None = None
        self._situation: Situation | None = None
        self.standing_us = 0

    @property
    def left_m(self) -> float:
        """Way to the end of the route."""
        return self._expert.left_m

    @property
    def at_red(self) -> bool:
        """Whether a light holds the car, or the queue that it stands in."""
        return self._situation is not None and self._situation.light in (LightState.RED, LightState.YELLOW)

    def step(self, truth: Truth) -> Command:
        """Decide one tick; every `PERIOD_S` remember the frame and write the one of three seconds ago."""
        if self._first_frame is None:
            self._first_frame = truth.frame_id
        age = truth.frame_id - self._first_frame
        now = true_state(truth)
        if self._plan is None or age % PLAN_TICKS == 0:
            period = round(PERIOD_S / self._tick_s)
            # the very first pictures may have been missed while the streams were being connected
            self._plan = self._look(truth, is_due=age >= 2 * period and age % period == 0)
            self._planned_at = now
        self._disturbance.step(self._expert.offset_m, STEER_PER_CURVATURE_M)
        paced = replace(self._plan, speeds_mps=self._plan.speeds_mps * self._disturbance.pace)
        command, _, _ = self._control.step(paced, self._planned_at, now)
        self.standing_us = self.standing_us + round(self._tick_s * 1e6) if now.speed_mps < STILL_MPS else 0
        return self._disturbance.on(command)

    def _look(self, truth: Truth, *, is_due: bool) -> Plan:
        """Plan anew, and remember the frame when its pictures are due."""
        plan, situation = self._expert.step(truth)
        self._situation = situation
        packet = self._packet(truth)
        self._frames.ego(packet)
        if is_due:
            state = prompt_state(self._frames.frame(packet))
            self._remember(Sample(truth.frame_id, truth, plan.path_ego, situation, state, keep=True))
        return plan

    def _packet(self, truth: Truth) -> SensorPacket:
        """What the sensors would say: position with the Leaderboard's noise, no pictures."""
        x, y, yaw = rear_axle(truth)
        latitude, longitude = geographic(np.array([x, y]))
        ego, noise = truth.ego, self._rng.normal(size=3)
        return SensorPacket(
            time_us=truth.time_us,
            latitude_deg=latitude + GNSS_NOISE_DEG * noise[0],
            longitude_deg=longitude + GNSS_NOISE_DEG * noise[1],
            yaw_rad=yaw,
            yaw_rate_radps=float(ego[7]) + GYRO_NOISE_RADPS * noise[2],
            accel_mps2=float(ego[8] * np.cos(yaw) + ego[9] * np.sin(yaw)),
            speed_mps=float(ego[5] * np.cos(yaw) + ego[6] * np.sin(yaw)),
            images={},
        )

    def _remember(self, sample: Sample) -> None:
        before = self._waiting[-1] if self._waiting else None
        sample.keep = self._rng.random() < STILL_KEPT or before is None or something_happens(before, sample)
        self._waiting.append(sample)
        if len(self._waiting) > FUTURE:
            self._write()

    def _write(self) -> None:
        """Make a row of the oldest frame if it is kept itself or as the earlier picture of the next one."""
        sample = self._waiting.popleft()
        if sample.keep or self._waiting[0].keep:
            futures = [self._waiting[k - 1].truth for k in SECONDS]
            earlier = -1 if self._previous is None else self._previous.row
            values = row_of(sample, futures, self._cameras.mounts, self._cameras.take(sample.frame))
            sample.row = self._writer.add(prev_index=earlier, **values)
        self._previous = sample


STEER_PER_CURVATURE_M = 2.86 / np.radians(70.0 * 0.55)  # wheelbase over the front wheels' greatest angle


def true_state(truth: Truth) -> EgoState:
    """The ego's exact pose and speed, in world axes."""
    x, y, yaw = rear_axle(truth)
    ego = truth.ego
    speed_mps = float(ego[5] * np.cos(yaw) + ego[6] * np.sin(yaw))
    return EgoState(truth.time_us, x, y, yaw, speed_mps, 0.0, float(ego[7]), 0.0)


def geographic(points: np.ndarray) -> np.ndarray:
    """Latitude and longitude in degrees of world points (..., 2), for a world at the equator: undone by `to_local`."""
    return np.degrees(np.asarray(points)[..., ::-1] / EARTH_RADIUS_M)


def something_happens(before: Sample, now: Sample) -> bool:
    """Whether a frame tells something that the one before did not: anything but standing in an unchanged scene."""
    a, b = before.situation, now.situation
    if now.state.speed_mps > STILL_MPS or b.target_speed_mps > 0.5 or a.light != b.light:
        return True
    return (a.lead_id, a.yield_to) != (b.lead_id, b.yield_to)


def row_of(
    sample: Sample,
    futures: list[Truth],
    mounts: tuple[CameraMount, ...],
    raw: dict[str, dict[str, np.ndarray]],
) -> dict[str, object]:
    """All columns of `train.dataset.columns` but `prev_index`."""
    out: dict[str, object] = {}
    views = {}
    for mount in mounts:
        pictures = raw[mount.name]
        rgb, tags = pictures["rgb"][..., 2::-1], pictures["tags"][..., 2]
        depth_m = decode_depth(pictures["depth"])
        out[f"{mount.name}_rgb"] = as_logged(rgb)
        out[f"{mount.name}_depth"] = depth_cells(depth_m)
        out[f"{mount.name}_class"] = class_cells(tags)
        out[f"{mount.name}_bulb"] = bulb_cells(rgb, tags)
        views[mount.name] = (mount, depth_m, tags)
    situation, state = sample.situation, sample.state
    objects = visible_objects(sample.truth, views, futures)
    gap_m = situation.gap_m
    if gap_m is not None and gap_m > SEEN_OR_FELT_M and situation.lead_id not in objects:
        gap_m = None  # round a corner or hidden: nothing in the pictures tells of it
    has_light = situation.light_m is not None and situation.light_m <= LIGHT_REACH_M
    return out | {
        "objects": pack_objects(objects.values()),
        "path": sample.path_ego,
        "target_speed_mps": situation.target_speed_mps,
        "light": situation.light if has_light else LightState.NONE,
        "light_m": situation.light_m if has_light else NONE_M,
        "gap_m": _or_none(gap_m),
        "lead_speed_mps": 0.0 if gap_m is None else situation.lead_speed_mps,
        "stop_m": _or_none(situation.stop_m),
        "speed_mps": state.speed_mps,
        "since_stop_m": state.since_stop_m,
        "maneuver": state.maneuver,
        "maneuver_m": state.maneuver_m,
        "targets_ego": state.targets_ego,
    }


def _or_none(distance_m: float | None) -> float:
    return NONE_M if distance_m is None or distance_m > REACH_M else distance_m


def as_logged(rgb: np.ndarray) -> np.ndarray:
    """A picture as the agent sees it: after the JPEG of the log."""
    _, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]
