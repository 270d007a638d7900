"""A model of ours in open loop: asked at every key frame of a clip, and all of it logged, as a drive is.

The log is what is kept of an interrupted call, what is scored, and what `replay` shows and asks again. There is no route in
a recorded drive. The model is told to follow the lane with route points straight ahead, or, with `command=future`, what the
published commands tell others: left, right or straight, read off the true path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from drive_agent.config import DriveConfig, build, compose
from drive_agent.data.clips import Clip
from drive_agent.data.motion import ego_states
from drive_agent.drive.roster import make_dialogue, make_model
from drive_agent.geometry import to_frame, wrap_angle
from drive_agent.log.store import Episode
from drive_agent.openloop.scene_log import IDLE, Eyes, write_clip
from drive_agent.rig import RIGS, nuscenes_rig
from drive_agent.roadmap import RoadMap
from drive_agent.score.openloop.cases import STEPS
from drive_agent.score.openloop.labels import command, truth_arrays
from drive_agent.score.planned import plan_poses
from drive_agent.types import CameraImage, Command, Decision, EgoState, Frame, Maneuver, Plan

ROUTE_AHEAD_M = (25.0, 50.0)
ROUTE_ASIDE_M = {Maneuver.LEFT: (8.0, 30.0), Maneuver.RIGHT: (-8.0, -30.0)}  # a turn within the next 25 m
COMMANDED = (Maneuver.RIGHT, Maneuver.LEFT, Maneuver.LANE_FOLLOW)  # in the order of labels.COMMANDS


class Asker:
    """One model, and the logs of its answers: one a scene."""

    def __init__(self, words: list[str], told: str, out: Path, *, seed: int, resume: bool) -> None:
        self._config = build(DriveConfig, compose("drive", words))
        self._model = make_model(self._config)
        self._dialogue = make_dialogue(self._config.model)
        self._told, self._out, self._seed, self._resume = told, out, seed, resume

    def ask(self, name: str, clip_of: Callable[[], Clip], road_map_of: Callable[[], RoadMap | None]) -> None:
        """Ask about every key frame of a scene, unless that was done and `resume` is set."""
        log = self.log_of(name)
        if self._resume and log.exists():
            return
        clip = clip_of()
        config = self._config_for(clip)
        mounts = RIGS[config.model.rig]().cameras
        decisions = map(self._decision, frames_of(clip, Eyes(mounts), self._told))
        write_clip(log, clip, decisions, asdict(config), road_map_of(), self._seed)

    def log_of(self, name: str) -> Path:
        """Where a scene's answers lie."""
        return self._out / "routes" / name / "log.mcap"

    def answers(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Poses (N, 6, 3), their samples (N,), and which of them are failures that count as standing still (N,)."""
        with Episode.open(self.log_of(name)) as episode:
            plans = [None if record.plan_error else record.plan for _, record in episode.ticks()]
        poses = np.array([np.zeros((STEPS, 3)) if plan is None else plan_poses(plan) for plan in plans])
        return poses, np.arange(len(plans)), np.array([plan is None for plan in plans])

    def _config_for(self, clip: Clip) -> DriveConfig:
        """The embedded model's two cameras, and nuScenes' six beside them in the log where the drive has them."""
        there = {shot.name for shot in clip.frames[0].cameras}
        if self._config.model.rig == "front" and {mount.name for mount in nuscenes_rig().cameras} <= there:
            return replace(self._config, model=replace(self._config.model, rig="surround"))
        return self._config

    def _decision(self, frame: Frame) -> Decision:
        prompt = self._dialogue.ask(frame, tuple(camera.name for camera in self._model.cameras))
        asked = time.perf_counter()
        reply = self._model.answer(prompt)
        timings_ms = {"model": (time.perf_counter() - asked) * 1e3, **reply.timings_ms}
        said = self._dialogue.understand(reply, frame)
        plan, error = (said.plan, None) if isinstance(said.plan, Plan) else (None, said.plan)
        return Decision(
            Command(0.0, 0.0, 0.0), IDLE, IDLE, "", plan, error, frame, prompt, reply, said.scene, said.forecast,
            timings_ms, frame.ego,
        )  # fmt: skip


def frames_of(clip: Clip, eyes: Eyes, told: str) -> Iterator[Frame]:
    """What a model may see at each key frame of a clip."""
    truth = truth_arrays(clip)
    commands = command(truth["gt_lidar"], truth["mask"])
    states = ego_states(clip)
    previous: dict[str, CameraImage] = {}
    for k, key in enumerate(clip.frames):
        maneuver = COMMANDED[commands[k]] if told == "future" else Maneuver.LANE_FOLLOW
        pictures = eyes.pictures(key)
        if not pictures:
            raise ValueError(
                f"sample {key.token} has no picture; a model needs a drive that was recorded with cameras"
            )
        route = np.column_stack([ROUTE_AHEAD_M, ROUTE_ASIDE_M.get(maneuver, (0.0, 0.0))])
        history = _history(states[: k + 1])
        yield Frame(key.time_us, pictures, previous, states[k], history, route, (maneuver,) * 2, maneuver)
        previous = pictures


def _history(states: list[EgoState]) -> np.ndarray:
    now = states[-1]
    xy = to_frame(np.array([(s.x_m, s.y_m) for s in states]), now.x_m, now.y_m, now.yaw_rad)
    turns = wrap_angle(np.array([s.yaw_rad for s in states]) - now.yaw_rad)
    times = (np.array([s.time_us for s in states]) - now.time_us) / 1e6
    return np.column_stack([times, xy, turns])
