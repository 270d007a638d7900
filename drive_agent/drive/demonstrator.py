"""One car of a collection world, driven by the expert or by a model that the expert corrects: its cameras, its routes, and its frames as rows of the training data.

A frame waits three seconds for the future that its labels tell, then its pictures are fetched and it becomes a row.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import carla
import numpy as np

from drive_agent.agent.control import ControlConfig, Controller
from drive_agent.agent.frame import EARTH_RADIUS_M, FrameBuilder
from drive_agent.agent.prompt import prompt_state
from drive_agent.data.shards import STEP_S, STEPS, ShardWriter
from drive_agent.drive.carla_sensors import GNSS_NOISE_DEG, GYRO_NOISE_RADPS
from drive_agent.drive.chauffeur import Chauffeur
from drive_agent.drive.disturb import Disturbance, DisturbConfig
from drive_agent.drive.drivable import DrivableDrawer
from drive_agent.drive.label_cameras import LabelCameras
from drive_agent.drive.samples import STILL_MPS, Sample, row_of, something_happens
from drive_agent.drive.visible import rear_axle
from drive_agent.expert.expert import Expert
from drive_agent.expert.situation import Situation
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, sparse
from drive_agent.types import Briefing, Command, EgoState, LightState, Plan, SensorPacket, Truth

PERIOD_S = STEP_S
PLAN_TICKS = 2  # the expert plans at 10 Hz, the controller tracks at 20 Hz
EXPERTS_SHARE = 0.33  # of the routes that the expert drives although there is a chauffeur
LOST_M = 2.5
STILL_KEPT = 0.15  # share of the frames in which nothing happens that is kept
STEER_PER_CURVATURE_M = 2.86 / np.radians(70.0 * 0.55)  # wheelbase over the front wheels' greatest angle


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
        drawer: DrivableDrawer,
        chauffeur: Chauffeur | None = None,
    ) -> None:
        """With a `chauffeur` the expert only labels, except on every third route."""
        self.vehicle = vehicle
        self._cameras = cameras
        self._road_map = road_map
        self._writer = writer
        self._rng = rng
        self._tick_s = tick_s
        self._drawer = drawer
        self._chauffeur = chauffeur
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
        self._is_driven = self._chauffeur is not None and self._rng.random() > EXPERTS_SHARE
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
    def is_lost(self) -> bool:
        """Whether the car has left the way that the expert would come back to."""
        return abs(self._expert.offset_m) > LOST_M and self._is_driven

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
            plan = self._look(truth, is_due=age >= 2 * period and age % period == 0)
            if plan is not None:
                self._plan, self._planned_at = plan, now
        assert self._plan is not None  # the first look gives the expert's
        pace = 1.0
        if not self._is_driven:
            self._disturbance.step(self._expert.offset_m, STEER_PER_CURVATURE_M)
            pace = self._disturbance.pace
        paced = replace(self._plan, speeds_mps=self._plan.speeds_mps * pace)
        command, _, _ = self._control.step(paced, self._planned_at, now)
        self.standing_us = self.standing_us + round(self._tick_s * 1e6) if now.speed_mps < STILL_MPS else 0
        return command if self._is_driven else self._disturbance.on(command)

    def _look(self, truth: Truth, *, is_due: bool) -> Plan | None:
        """Plan anew, and remember the frame when its pictures are due. None: the plan before is driven on."""
        plan, situation = self._expert.step(truth)
        self._situation = situation
        packet = self._packet(truth)
        self._frames.ego(packet)
        driven = None
        if is_due:
            raw = None
            if self._is_driven:
                raw = self._cameras.take(truth.frame_id)
                shown = {name: kinds["rgb"][..., 2::-1] for name, kinds in raw.items()}
                packet = replace(packet, images=shown)
            frame = self._frames.frame(packet)
            self._remember(
                Sample(
                    truth.frame_id, truth, plan.path_ego, situation, prompt_state(frame), keep=True, raw=raw
                )
            )
            if self._is_driven and self._chauffeur is not None:
                driven = self._chauffeur.plan(frame)
        return driven if self._is_driven and self._plan is not None else plan

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
        if len(self._waiting) > STEPS:
            self._write()

    def _write(self) -> None:
        """Make a row of the oldest frame if it is kept itself or as the earlier picture of the next one."""
        sample = self._waiting.popleft()
        if sample.keep or self._waiting[0].keep:
            futures = [later.truth for later in self._waiting]
            earlier = -1 if self._previous is None else self._previous.row
            raw = self._cameras.take(sample.frame) if sample.raw is None else sample.raw
            values = row_of(sample, futures, self._cameras.mounts, raw, self._drawer)
            sample.row = self._writer.add(prev_index=earlier, **values)
        self._previous = sample


def true_state(truth: Truth) -> EgoState:
    """The ego's exact pose and speed, in world axes."""
    x, y, yaw = rear_axle(truth)
    ego = truth.ego
    speed_mps = float(ego[5] * np.cos(yaw) + ego[6] * np.sin(yaw))
    return EgoState(truth.time_us, x, y, yaw, speed_mps, 0.0, float(ego[7]), 0.0)


def geographic(points: np.ndarray) -> np.ndarray:
    """Latitude and longitude in degrees of world points (..., 2), for a world at the equator: undone by `to_local`."""
    return np.degrees(np.asarray(points)[..., ::-1] / EARTH_RADIUS_M)
