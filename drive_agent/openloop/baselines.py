"""What needs no camera: the planners that every open-loop table must be read against.

All know the ego's own past poses at key frames and nothing else (`human` knows the answer). At a scene's first key
frame nothing is known yet: there they stand still. Plans are poses (N, 6, 3) x, y, yaw in the ego frame of now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drive_agent.data.clips import KEY_FRAME_S
from drive_agent.score.openloop.cases import STEP_S, STEPS

NAMES = ("go_straight", "constant_velocity", "constant_turn_rate", "ego_mlp", "human")
INPUTS: dict[str, tuple[bool | None, bool | None]] = {  # ego status, command from the future
    "go_straight": (True, False),
    "constant_velocity": (True, False),
    "constant_turn_rate": (True, False),
    "ego_mlp": (True, False),
    "human": (True, True),
}
_TIMES_S = np.arange(1, STEPS + 1) * STEP_S
_HIDDEN = 64
_ROUNDS = 400
_RATE = 3e-3

Truth = Mapping[str, np.ndarray]  # `labels.truth_arrays` of one scene


def go_straight(truth: Truth) -> np.ndarray:
    """Keep the speed, straight ahead."""
    plan = np.zeros((len(truth["mask"]), STEPS, 3))
    plan[..., 0] = _speed_mps(truth)[:, None] * _TIMES_S
    return plan


def constant_velocity(truth: Truth) -> np.ndarray:
    """Keep the direction of the last half second's motion, which in a bend points out of it."""
    plan = np.zeros((len(truth["mask"]), STEPS, 3))
    plan[..., :2] = -_last_pose(truth)[:, None, :2] / KEY_FRAME_S * _TIMES_S[:, None]
    return plan


def constant_turn_rate(truth: Truth) -> np.ndarray:
    """Keep speed and turn rate: an arc."""
    turn = -_last_pose(truth)[:, None, 2] / KEY_FRAME_S * _TIMES_S
    chord = _speed_mps(truth)[:, None] * _TIMES_S * np.sinc(turn / 2 / np.pi)
    return np.stack([chord * np.cos(turn / 2), chord * np.sin(turn / 2), turn], axis=-1)


def human(truth: Truth) -> np.ndarray:
    """What was driven; where the scene has ended, standing at its last pose counts nowhere."""
    return truth["ego_pose"][:, 1:] * truth["mask"][..., None]


def ego_mlp(scenes: Sequence[Truth], seed: int) -> list[np.ndarray]:
    """Two networks trained on the spot, each on every other scene, each asked about the scenes that it never saw.

    Raises ValueError when there are fewer than two scenes with a whole future.
    """
    halves = [[k for k in range(len(scenes)) if k % 2 == half] for half in (0, 1)]
    plans: list[np.ndarray] = [np.zeros((0, STEPS, 3))] * len(scenes)
    for learn, ask in (halves, halves[::-1]):
        whole = [scenes[k]["mask"].all(axis=1) for k in learn]
        inputs = [_status(scenes[k])[rows] for k, rows in zip(learn, whole, strict=True)]
        targets = [scenes[k]["ego_pose"][rows, 1:] for k, rows in zip(learn, whole, strict=True)]
        if not sum(map(len, inputs)):
            raise ValueError(
                "ego_mlp needs two scenes with 3 s of future; leave it out: baselines=[go_straight,...]"
            )
        network = _Network(np.concatenate(inputs), np.concatenate(targets).reshape(-1, STEPS * 3), seed)
        for k in ask:
            plans[k] = network(_status(scenes[k])).reshape(-1, STEPS, 3)
    return plans


def _last_pose(truth: Truth) -> np.ndarray:
    """Pose (N, 3) of the key frame before; zeros at a scene's start."""
    return truth["past_pose"][:, -1] * truth["past_ok"][:, -1:]


def _speed_mps(truth: Truth) -> np.ndarray:
    return np.linalg.norm(_last_pose(truth)[:, :2], axis=1) / KEY_FRAME_S


def _status(truth: Truth) -> np.ndarray:
    """Past poses and which of them are known, flat (N, 16)."""
    known = truth["past_ok"][..., None]
    return np.concatenate([truth["past_pose"] * known, known], axis=-1).reshape(len(known), -1)


class _Network:
    """Two hidden layers, fitted to normalised targets by Adam on all rows at once; the same seed gives the same plans."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self._scales = [_scale(inputs), _scale(targets)]
        sizes = (inputs.shape[1], _HIDDEN, _HIDDEN, targets.shape[1])
        self._layers = [
            [draw.normal(0, np.sqrt(2 / rows), (rows, columns)), np.zeros(columns)]
            for rows, columns in zip(sizes[:-1], sizes[1:], strict=True)
        ]
        self._fit(_normal(inputs, self._scales[0]), _normal(targets, self._scales[1]))

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        mean, spread = self._scales[1]
        return self._forward(_normal(inputs, self._scales[0]))[-1] * spread + mean

    def _forward(self, values: np.ndarray) -> list[np.ndarray]:
        outputs = [values]
        for weights, bias in self._layers[:-1]:
            outputs.append(np.maximum(outputs[-1] @ weights + bias, 0))
        weights, bias = self._layers[-1]
        return [*outputs, outputs[-1] @ weights + bias]

    def _fit(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        state = [[np.zeros_like(part) for part in layer] for layer in self._layers]
        squares = [[np.zeros_like(part) for part in layer] for layer in self._layers]
        for count in range(1, _ROUNDS + 1):
            outputs = self._forward(inputs)
            slope = 2 * (outputs[-1] - targets) / targets.size
            for k in reversed(range(len(self._layers))):
                slopes = [outputs[k].T @ slope, slope.sum(axis=0)]
                slope = slope @ self._layers[k][0].T * (outputs[k] > 0)
                for i, gradient in enumerate(slopes):
                    state[k][i] = 0.9 * state[k][i] + 0.1 * gradient
                    squares[k][i] = 0.999 * squares[k][i] + 0.001 * gradient**2
                    step = state[k][i] / (1 - 0.9**count)
                    self._layers[k][i] -= _RATE * step / (np.sqrt(squares[k][i] / (1 - 0.999**count)) + 1e-8)


def _scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values.mean(axis=0), values.std(axis=0) + 1e-6


def _normal(values: np.ndarray, scale: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return (values - scale[0]) / scale[1]
