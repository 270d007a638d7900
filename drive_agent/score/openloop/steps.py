"""What a protocol finds at every step, and the three ways in which papers average it.

L2 and collision rate are told "at" a step (UniAD), as the mean over the steps up to it (ST-P3, VAD), or as any collision
up to it (BEV-Planner). Tables hold the values at 1, 2 and 3 s and the mean of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

HORIZONS = {"1s": 2, "2s": 4, "3s": 6}  # steps of 0.5 s

Row = dict[str, float]  # "1s", "2s", "3s", "avg"
Average = Callable[[np.ndarray, np.ndarray], Row]  # values (n, 6), valid (n, 6) of the samples in use


@dataclass(frozen=True)
class StepVectors:
    """Per sample and step; rows that a protocol drops are never averaged."""

    used: np.ndarray  # (N,) bool: does the protocol score this sample
    valid: np.ndarray  # (N, 6) bool: the steps it divides by
    l2_m: np.ndarray  # (N, 6)
    collided: np.ndarray  # (N, 6) bool: the plan collides where the truth does not
    truth_collided: np.ndarray  # (N, 6) bool: the recorded path collides by this protocol's own test
    curb: np.ndarray | None = None  # (N, 6) bool: the plan touches a curb where the truth does not

    @classmethod
    def joined(cls, parts: Sequence[StepVectors]) -> StepVectors:
        """The samples of several parts, in order."""
        return cls(
            **{
                f.name: np.concatenate([getattr(part, f.name) for part in parts])
                for f in fields(cls)
                if all(getattr(part, f.name) is not None for part in parts)
            }
        )

    def of(self, rows: np.ndarray) -> StepVectors:
        """Those of some samples."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return StepVectors(**{name: v[rows] for name, v in values.items() if v is not None})

    def row(self, average: Average, values: np.ndarray) -> Row:
        """One line of a table: `values` (N, 6) of the samples in use, averaged."""
        return average(values[self.used], self.valid[self.used])


def single_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distances (...) of points (..., 2), computed in single precision throughout."""
    gap = first.astype(np.float32) - second.astype(np.float32)
    return np.sqrt((gap**2).sum(axis=-1))


def at_step(values: np.ndarray, valid: np.ndarray) -> Row:
    """Mean at the steps of 1, 2 and 3 s over the samples (n, 6) whose step is valid."""
    return _row({name: values[valid[:, step - 1], step - 1] for name, step in HORIZONS.items()})


def up_to_step(values: np.ndarray, valid: np.ndarray) -> Row:
    """Mean over the samples whose step of 1, 2 or 3 s is valid of the mean over the steps up to it."""
    return _row({name: values[valid[:, step - 1], :step].mean(axis=1) for name, step in HORIZONS.items()})


def any_up_to_step(values: np.ndarray, valid: np.ndarray) -> Row:
    """Share, of the samples whose step of 1, 2 or 3 s is valid, with anything true up to it."""
    return _row({name: values[valid[:, step - 1], :step].any(axis=1) for name, step in HORIZONS.items()})


def single_at_step(values: np.ndarray, valid: np.ndarray) -> Row:
    """`at_step` summed sample by sample in single precision, as the states of UniAD's and ST-P3's metrics are."""
    del valid
    means = _single_means(values)
    return _row({name: means[step - 1 : step] for name, step in HORIZONS.items()})


def single_up_to_step(values: np.ndarray, valid: np.ndarray) -> Row:
    """`up_to_step` summed like `single_at_step`."""
    del valid
    means = _single_means(values)
    return _row({name: means[:step] for name, step in HORIZONS.items()})


def _single_means(values: np.ndarray) -> np.ndarray:
    """Means (6,) over samples; over thousands of them the rounding of the published sums reaches 1e-5 m."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    return np.add.accumulate(values, axis=0, dtype=np.float32)[-1] / np.float32(len(values))


def _row(columns: dict[str, np.ndarray]) -> Row:
    row = {name: float(column.mean()) if len(column) else float("nan") for name, column in columns.items()}
    return {**row, "avg": sum(row.values()) / len(row)}
