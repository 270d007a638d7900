"""The embedded model: a prompt in, a plan's numbers and the seen objects out, on one core. Knows nothing of training."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from drive_agent.homes import home
from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import GAPS_M, LIGHTS, SPEEDS_MPS, STOPS_M
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.objects import lift
from drive_agent.models.embedded.patches import patchify
from drive_agent.models.embedded.precision import FLOAT32, reduce
from drive_agent.models.embedded.speech import Speech
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.rig import CameraMount
from drive_agent.types import CameraImage, Prompt, PromptState, Reply


class EmbeddedModel:
    """A small Qwen2.5-VL with driving queries; see `network.py` for its parts."""

    def __init__(self, network: DrivingNetwork, tokenizer: DriveTokenizer) -> None:
        self._network = network.eval()
        self._tokenizer = tokenizer
        self.name = "embedded" if network.config.sees else "ego_status"

    @classmethod
    def load(cls, folder: Path | str = weights.FOLDER, precision: str = FLOAT32) -> EmbeddedModel:
        """From a weights folder. Raises `weights.WeightsError` when it is missing, truncated or altered.

        Sets torch to one thread for the whole process: the network is too small to gain from more, and the simulator
        needs the other cores.
        """
        torch.set_num_threads(1)
        network, tokenizer = weights.load(Path(folder))
        reduce(network, precision)
        return cls(network, tokenizer)

    @classmethod
    def load_sightless(cls, folder: Path | str | None = None, precision: str = FLOAT32) -> EmbeddedModel:
        """The baseline without pictures. Raises `weights.WeightsError` like `load`, and for weights that see."""
        folder = home() / "training" / "ego_status" / "4_improve" / "weights" if folder is None else folder
        if not Path(folder).is_dir():
            raise weights.WeightsError(
                f"no weights in {folder}; none ship: train them by `drive-agent train network=ego_status`, "
                "or give model.weights="
            )
        model = cls.load(folder, precision)
        if model._network.config.sees:
            raise weights.WeightsError(
                f"{folder} holds weights that see pictures; use model=embedded for them"
            )
        return model

    @property
    def cameras(self) -> tuple[CameraMount, ...]:
        """The cameras whose pictures a prompt must hold."""
        return self._network.config.cameras

    @torch.inference_mode()
    def answer(self, prompt: Prompt) -> Reply:
        """Reply with arrays (float32, ego frame of the pictures' time):

        path_ego (10, 2), path_spread_m (10,), speed_values_mps and speed_probs (41,), light_probs (4,), light_m (),
        gap_values_m (50,) and gap_probs (51,) with "nothing ahead" last, lead_speed_mps (), stop_values_m (25,) and
        stop_probs (26,) with "none" last, objects (n, 14) in the columns of `objects.FIELDS`.

        A prompt with `slots` is answered in words too, in those slots: why, or what `follow_up` asks.

        Raises ValueError when a picture is missing or has the wrong size.
        """
        clock = _Clock()
        rows = [
            patchify(*(_tensor(image) for image in self._pair(prompt, camera))) for camera in self.cameras
        ]
        clock.stop("patchify")
        seen = self._network.see(rows)
        clock.stop("vision")
        thinker = self._speech if prompt.slots else self._network
        states = thinker.think(seen.tokens, self._number_ids(prompt.state))
        clock.stop("language")
        arrays = plan_arrays(self._network, self._network.decide(states))
        speed = torch.tensor([prompt.state.speed_mps], dtype=torch.float32)
        maps = [part[0].numpy() for part in self._network.locate(seen.patches, speed)]
        arrays["objects"] = lift(maps, self.cameras)
        clock.stop("heads")
        text, tokens = None, len(self._network.queries)
        if prompt.slots:
            said = self._speech.say(prompt.slots, prompt.follow_up)
            text, tokens = self._speech.text(said), tokens + len(said.ids)
            clock.stop("words")
        return Reply(text=text, arrays=arrays, timings_ms=clock.spent_ms, tokens=tokens)

    @cached_property
    def _speech(self) -> Speech:
        return Speech(self._network, self._tokenizer)

    def _pair(self, prompt: Prompt, camera: CameraMount) -> tuple[CameraImage, CameraImage]:
        """Previous and current picture of a camera; without a previous one, the current one twice."""
        for image, previous in zip(prompt.images, prompt.previous_images, strict=True):
            if image.name == camera.name:
                pair = (previous if previous is not None and self._network.config.motion else image, image)
                for picture in pair:
                    _check_size(picture, camera)
                return pair
        raise ValueError(
            f"prompt has pictures {[image.name for image in prompt.images]}, expected {camera.name!r} too; "
            f"mount the cameras {[mount.name for mount in self.cameras]}"
        )

    def _number_ids(self, state: PromptState) -> torch.Tensor:
        numbers = [state.speed_mps, state.since_stop_m, state.maneuver, state.maneuver_m, state.targets_ego]
        return torch.from_numpy(self._tokenizer.number_ids(*(np.asarray(value)[None] for value in numbers)))


def plan_arrays(network: DrivingNetwork, raw: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The plan's numbers of the first frame of a batch from the raw outputs of the queries."""
    path, spread = network.path(raw["path"])
    bins = {"speed": len(SPEEDS_MPS), "light": LIGHTS, "gap": len(GAPS_M) + 1, "stop": len(STOPS_M) + 1}
    probs = {f"{name}_probs": functional.softmax(raw[name][:, :size], 1)[0] for name, size in bins.items()}
    arrays = {
        "path_ego": path[0],
        "path_spread_m": spread[0],
        "light_m": raw["light"][0, LIGHTS].clamp_min(0) * 50,
        "lead_speed_mps": raw["gap"][0, len(GAPS_M) + 1].clamp_min(0) * 10,
        **probs,
    }
    values = {"speed_values_mps": SPEEDS_MPS, "gap_values_m": GAPS_M, "stop_values_m": STOPS_M}
    return {name: value.numpy() for name, value in arrays.items()} | values


class _Clock:
    """Milliseconds of the stages between two calls of `stop`."""

    def __init__(self) -> None:
        self.spent_ms: dict[str, float] = {}
        self._since = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.spent_ms[stage] = (now - self._since) * 1e3
        self._since = now


def _check_size(image: CameraImage, camera: CameraMount) -> None:
    if image.rgb.shape != (camera.height, camera.width, 3):
        raise ValueError(
            f"picture {image.name!r} has shape {image.rgb.shape}, expected {(camera.height, camera.width, 3)}; "
            "mount the cameras that the model names"
        )


def _tensor(image: CameraImage) -> torch.Tensor:
    return torch.from_numpy(np.array(image.rgb, copy=True))[None]
