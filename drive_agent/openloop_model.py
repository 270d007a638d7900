"""A model of ours in open loop: asked at every key frame of a clip, its answers kept so that a stopped run goes on.

There is no route in a recorded drive. The model is told to follow the lane with route points straight ahead, or, with
`command=future`, what the published commands tell others: left, right or straight, read off the true path.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from drive_agent.agent.dialogue import Arrays
from drive_agent.config import DriveConfig, build, compose
from drive_agent.data.clips import Clip
from drive_agent.data.motion import ego_states
from drive_agent.data.resight import Resighter, encoded
from drive_agent.drive.roster import make_model
from drive_agent.geometry import to_frame, wrap_angle
from drive_agent.openloop_plan import waypoints
from drive_agent.rig import CameraMount
from drive_agent.score.openloop.cases import STEPS
from drive_agent.score.openloop.labels import command, truth_arrays
from drive_agent.types import CameraImage, EgoState, Frame, Maneuver, PlanError

ROUTE_AHEAD_M = (25.0, 50.0)
ROUTE_ASIDE_M = {Maneuver.LEFT: (8.0, 30.0), Maneuver.RIGHT: (-8.0, -30.0)}  # a turn within the next 25 m
COMMANDED = (Maneuver.RIGHT, Maneuver.LEFT, Maneuver.LANE_FOLLOW)  # in the order of labels.COMMANDS


class Asker:
    """One model, and its answers in a folder: one file a scene."""

    def __init__(self, words: list[str], told: str, folder: Path, *, resume: bool) -> None:
        config = build(DriveConfig, compose("drive", words))
        self._model = make_model(config)
        self._told = told
        self._folder = folder
        self._resume = resume
        folder.mkdir(parents=True, exist_ok=True)

    def ask(self, name: str, clip_of: Callable[[], Clip]) -> None:
        """Ask about every key frame of a scene, unless that was done and `resume` is set."""
        file = self._folder / f"{name}.npz"
        if self._resume and file.exists():
            return
        clip = clip_of()
        replies = [self._pose_plan(frame) for frame in frames_of(clip, self._model.cameras, self._told)]
        poses = np.array(
            [np.zeros((STEPS, 3)) if isinstance(reply, PlanError) else reply for reply in replies]
        )
        reasons = np.array([reply.reason if isinstance(reply, PlanError) else "" for reply in replies])
        partial = file.with_name(f".{file.name}")
        with partial.open("wb") as stream:
            np.savez(stream, poses=poses, reasons=reasons)
        partial.replace(file)

    def answers(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Poses (N, 6, 3), their samples (N,), and which of them are failures that count as standing still (N,)."""
        with np.load(self._folder / f"{name}.npz", allow_pickle=False) as kept:
            return kept["poses"], np.arange(len(kept["poses"])), kept["reasons"] != ""

    def _pose_plan(self, frame: Frame) -> np.ndarray | PlanError:
        dialogue = Arrays()
        reply = self._model.answer(dialogue.ask(frame, tuple(camera.name for camera in self._model.cameras)))
        plan = dialogue.understand(reply, frame).plan
        return plan if isinstance(plan, PlanError) else waypoints(plan)


def frames_of(clip: Clip, cameras: tuple[CameraMount, ...], told: str) -> list[Frame]:
    """What a model may see at each key frame of a clip, through the cameras that it wants."""
    truth = truth_arrays(clip)
    commands = command(truth["gt_lidar"], truth["mask"])
    states = ego_states(clip)
    resighter = Resighter(cameras)
    frames: list[Frame] = []
    previous: dict[str, CameraImage] = {}
    for k, key in enumerate(clip.frames):
        maneuver = COMMANDED[commands[k]] if told == "future" else Maneuver.LANE_FOLLOW
        pictures = {
            name: encoded(name, key.time_us, rgb)
            for name, rgb in resighter.pictures(key.cameras, key.token).items()
        }
        aside = ROUTE_ASIDE_M.get(maneuver, (0.0, 0.0))
        route = np.column_stack([ROUTE_AHEAD_M, aside])
        frames.append(
            Frame(
                key.time_us,
                pictures,
                previous,
                states[k],
                _history(states[: k + 1]),
                route,
                (maneuver,) * 2,
                maneuver,
            )
        )
        previous = pictures
    return frames


def _history(states: list[EgoState]) -> np.ndarray:
    now = states[-1]
    xy = to_frame(np.array([(s.x_m, s.y_m) for s in states]), now.x_m, now.y_m, now.yaw_rad)
    turns = wrap_angle(np.array([s.yaw_rad for s in states]) - now.yaw_rad)
    times = (np.array([s.time_us for s in states]) - now.time_us) / 1e6
    return np.column_stack([times, xy, turns])
