"""Replies as a model would give them, with numbers that tests know."""

from __future__ import annotations

import numpy as np

from drive_agent.agent.plan_arrays import OBJECT_FIELDS
from drive_agent.types import LightState, ObjectKind, Reply

SPEEDS_MPS = np.array([0.0, 5.0, 10.0])
WALKER = (ObjectKind.WALKER, 0.9, 12.0, -3.0, 1.57, 1.4, 0.2, 0.3, 0.0, 1.4, 0.0, 2.8, 0.0, 4.2)


def one_hot(size: int, place: int) -> np.ndarray:
    return np.eye(size)[place]


def arrays(**changes: object) -> dict[str, np.ndarray]:
    """Straight on at 5 m/s, light green, no stop sign, a lead in 20 m, a walker from the right."""
    whole = {
        "path_ego": np.column_stack([np.arange(2.0, 42.0, 4.0), np.zeros(10)]),
        "speed_probs": one_hot(3, 1),
        "speed_values_mps": SPEEDS_MPS,
        "light_probs": one_hot(len(LightState), LightState.GREEN),
        "light_m": np.array(25.0),
        "stop_probs": one_hot(3, 2),
        "stop_values_m": np.array([2.0, 10.0]),
        "gap_probs": one_hot(4, 2),
        "gap_values_m": np.array([0.0, 10.0, 20.0]),
        "lead_speed_mps": np.array(5.0),
        "objects": np.array([WALKER], dtype=np.float32).reshape(-1, len(OBJECT_FIELDS)),
    }
    return whole | {name: np.asarray(value) for name, value in changes.items()}


def reply(**changes: object) -> Reply:
    return Reply(arrays=arrays(**changes), timings_ms={"vision": 1.0})
