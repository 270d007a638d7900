"""From stored frames to the tensors of one training step: which frames, how their pictures and numbers are disturbed.

Every choice is drawn from a generator made of (seed, worker, step), so a step is the same whenever it is repeated and
nothing random has to be saved. Knows nothing of networks' insides or losses.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from drive_agent.data.shards import NONE_M, DriveDataset
from drive_agent.models.embedded.config import SPEEDS_MPS
from drive_agent.models.embedded.patches import patchify
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.rig import CameraMount
from drive_agent.types import Cause, LightState, Maneuver

_DRIVEN = 3.0  # frames that the model drove itself into count so many times
_RARE_CAUSE = 4.0  # at most so many times as often as the most frequent one
_PRESSING = {Cause.OBSTACLE: 2.0, Cause.PERSON: 2.0}  # a moment decides, and a miss costs most
_NUMBERS = ("speed_mps", "since_stop_m", "maneuver", "maneuver_m", "targets_ego")


@dataclass(frozen=True)
class Batch:
    """One step's inputs, and the labels as stored (numpy, see dataset.columns)."""

    patches: tuple[torch.Tensor, ...]  # rows of `patchify`, one tensor a camera
    number_ids: torch.Tensor  # (n, NUMBERS)
    speed_mps: torch.Tensor  # (n,) the true own speed, for the object head
    labels: dict[str, np.ndarray]
    seed: int = 0  # of whatever a step draws itself
    cameras: tuple[CameraMount, ...] = ()

    def row(self, k: int) -> dict[str, np.ndarray]:
        """Labels of one frame."""
        return {name: values[k] for name, values in self.labels.items()}


@dataclass(frozen=True)
class Disturbance:
    """How often inputs are disturbed in training; all zero for evaluation."""

    picture: float = 0.8  # brightness, contrast and colour
    noise: float = 0.3
    jpeg: float = 0.5
    no_previous: float = 0.1  # the previous picture is missing
    speed: float = 0.3  # the own speed is told at random: in logs it gives the expert's speed away
    targets_m: float = 0.5  # standard deviation of the noise on route points


CLEAN = Disturbance(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def sampling_weights(dataset: DriveDataset) -> np.ndarray:
    """How often each frame is drawn, (frames,), summing to 1.

    Lit lights make 40 % of the draws (red, yellow and green 4:2:4 among them, as far as they occur); frames with turns,
    stop signs, objects near ahead, hard slowing or setting off count more, waiting at standstill counts less, and a
    rare cause of the speed counts up to 4 times, people and obstacles to drive round twice that. Where the model was at the wheel its own mistakes are corrected: these
    frames count three times.
    """
    weights = np.ones(len(dataset))
    speed, target = dataset.column("speed_mps"), dataset.column("target_speed_mps")
    weights[(dataset.column("stop_m") < 30) & (speed > 0.3)] *= 3
    turning = np.isin(dataset.column("maneuver"), (Maneuver.LEFT, Maneuver.RIGHT)) & (
        dataset.column("maneuver_m") < 25
    )
    weights[turning | (np.abs(dataset.column("path")[:, 6, 1]) > 2.5)] *= 2
    weights[dataset.column("gap_m") < 40] *= 1.3
    weights[target < speed - 2] *= 2
    weights[(speed < 0.3) & (target < 0.3)] *= 0.5
    weights[(speed < 1) & (target > 2)] *= 2
    cause = dataset.column("cause")
    counts = np.bincount(cause, minlength=len(Cause))
    weights *= np.sqrt(counts.max() / np.maximum(counts, 1)).clip(1.0, _RARE_CAUSE)[cause]
    for pressing, factor in _PRESSING.items():
        weights[cause == pressing] *= factor
    weights[dataset.is_driven()] *= _DRIVEN
    light = dataset.column("light")
    shares = {LightState.RED: 0.16, LightState.YELLOW: 0.08, LightState.GREEN: 0.16}
    present = {state: share for state, share in shares.items() if (light == state).any()}
    for state, share in present.items():
        # A rare state is not repeated more than 30 times as often as an ordinary frame.
        chosen = light == state
        weights[chosen] *= min(
            share / weights[chosen].sum(), 30 * 0.6 / weights[light == LightState.NONE].sum()
        )
    dark = light == LightState.NONE
    weights[dark] *= (1 - sum(weights[light == state].sum() for state in present)) / max(
        weights[dark].sum(), 1e-9
    )
    return weights / weights.sum()


class Batches:
    """Draws and prepares the batches of one worker."""

    def __init__(
        self,
        dataset: DriveDataset,
        tokenizer: DriveTokenizer,
        size: int,
        disturbance: Disturbance,
        *,
        motion: bool = True,
        blind: bool = False,
    ) -> None:
        self._dataset = dataset
        self._tokenizer = tokenizer
        self._size = size
        self._disturbance = disturbance
        self._shown = {"motion": motion, "blind": blind}
        self._cumulative = np.cumsum(sampling_weights(dataset))

    def draw(self, seed: int, worker: int, step: int) -> Batch:
        """The batch of one step."""
        rng = np.random.default_rng([seed, worker, step])
        index = np.searchsorted(self._cumulative, rng.random(self._size) * self._cumulative[-1])
        index = np.minimum(index, len(self._dataset) - 1)
        return make_batch(self._dataset, index, self._tokenizer, rng, self._disturbance, **self._shown)


def make_batch(
    dataset: DriveDataset,
    index: np.ndarray,
    tokenizer: DriveTokenizer,
    rng: np.random.Generator,
    disturbance: Disturbance = CLEAN,
    *,
    motion: bool = True,
    blind: bool = False,
) -> Batch:
    """The frames `index` (n,) as a batch.

    Without `motion` the current picture stands for the previous one too; `blind` blacks out all pictures.
    """
    labels = dataset.rows(index)
    no_previous = (rng.random(len(index)) < disturbance.no_previous) | (not motion)
    patches = []
    for camera in dataset.cameras:
        current = labels.pop(f"{camera.name}_rgb")
        previous = labels.pop(f"{camera.name}_previous")
        previous[no_previous] = current[no_previous]
        pair = np.stack([previous, current], 1)
        if blind:
            pair[:] = 0
        for k in range(len(index)):
            pair[k] = disturb_pictures(pair[k], rng, disturbance)
        patches.append(patchify(torch.from_numpy(pair[:, 0]), torch.from_numpy(pair[:, 1])))
    numbers = disturb_numbers({name: labels[name] for name in _NUMBERS}, rng, disturbance)
    speed = torch.from_numpy(np.ascontiguousarray(labels["speed_mps"]))
    ids = torch.from_numpy(tokenizer.number_ids(**numbers))
    return Batch(tuple(patches), ids, speed, labels, int(rng.integers(2**31)), dataset.cameras)


def disturb_pictures(pair: np.ndarray, rng: np.random.Generator, disturbance: Disturbance) -> np.ndarray:
    """Previous and current picture uint8 (2, height, width, 3) under one camera's disturbance."""
    wants = rng.random(3) < (disturbance.picture, disturbance.noise, disturbance.jpeg)
    if wants[0]:
        gain = rng.normal(1.0, 0.15) * rng.normal(1.0, 0.04, 3)
        bias = rng.normal(0.0, 10.0)
        table = np.clip(np.arange(256)[:, None] * gain + bias, 0, 255).astype(np.uint8)
        pair = cv2.LUT(pair.reshape(-1, pair.shape[-2], 3), table[None]).reshape(pair.shape)
    if wants[1]:
        noise = rng.integers(-12, 13, pair.shape, dtype=np.int16)
        pair = np.clip(pair + noise, 0, 255).astype(np.uint8)
    if wants[2]:
        quality = int(rng.integers(50, 96))
        pair = np.stack([_through_jpeg(picture, quality) for picture in pair])
    return pair


def _through_jpeg(rgb: np.ndarray, quality: int) -> np.ndarray:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def disturb_numbers(
    numbers: dict[str, np.ndarray], rng: np.random.Generator, disturbance: Disturbance
) -> dict[str, np.ndarray]:
    """The prompt's numbers of a batch, some own speeds replaced and route points shaken."""
    speed = numbers["speed_mps"].copy()
    replaced = rng.random(len(speed)) < disturbance.speed
    speed[replaced] = rng.uniform(0, SPEEDS_MPS[-1] * 0.7, int(replaced.sum()))
    targets = numbers["targets_ego"] + rng.normal(0, 1, numbers["targets_ego"].shape) * disturbance.targets_m
    return {**numbers, "speed_mps": speed, "targets_ego": targets}


def lit(labels: dict[str, np.ndarray]) -> np.ndarray:
    """Whether a light with a known stop line governs a frame, (n,)."""
    return (labels["light"] > 0) & (labels["light_m"] < NONE_M)
