"""The event camera (`sensor.camera.dvs`): pixels that report when their brightness has changed by a threshold.

CARLA's model: brightness runs on a straight line between two pictures, and each crossing of another threshold is an event
at the time of the crossing. Pure: pictures in, events out; it keeps what it saw last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

EVENT = np.dtype([("x", "<u2"), ("y", "<u2"), ("t_ns", "<i8"), ("positive", "u1")])
MOST_EVENTS = 4_000_000  # of a picture; 52 MB
SMALLEST_THRESHOLD = 0.01  # CARLA's own, for thresholds with noise
_TOLERANCE = 1e-6
_GREY = np.array([0.114, 0.587, 0.2989], np.float32)  # of B, G, R


@dataclass(frozen=True)
class EventSettings:
    """Thresholds are changes of grey (0 to 255), or of its logarithm; the `sigma`s make them vary."""

    positive: float
    negative: float
    sigma_positive: float
    sigma_negative: float
    refractory_ns: int
    use_log: bool
    log_eps: float

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> EventSettings:
        """From the attributes of a sensor, which were checked at its spawn."""
        names = (
            "positive_threshold",
            "negative_threshold",
            "sigma_positive_threshold",
            "sigma_negative_threshold",
        )
        positive, negative, sigma_positive, sigma_negative = (float(attributes[name]) for name in names)
        return cls(
            positive, negative, sigma_positive, sigma_negative, int(attributes["refractory_period_ns"]),
            attributes["use_log"].lower() in ("true", "1"), float(attributes["log_eps"]),
        )  # fmt: skip


class EventCamera:
    """One sensor's memory."""

    def __init__(self, settings: EventSettings) -> None:
        self._settings = settings
        self._level: np.ndarray | None = None  # float64 (h, w), brightness in the picture before
        self._reference = np.zeros((0, 0))  # at the last crossing
        self._last_ns = np.zeros((0, 0), np.int64)  # of the last event, 0 for none
        self._time_ns = 0

    def see(self, bgra: np.ndarray, time_ns: int, noise: Generator) -> np.ndarray:
        """EVENT (n,) since the picture before, in order of time; none after the first picture or another size."""
        level, before, began_ns = self._brightness(bgra), self._level, self._time_ns
        self._level, self._time_ns = level, time_ns
        if before is None:
            self._reference, self._last_ns = level.copy(), np.zeros(level.shape, np.int64)
            return np.zeros(0, EVENT)
        rises = level >= before
        changes = np.abs(level - before) > _TOLERANCE
        step = np.where(rises, 1.0, -1.0) * self._thresholds(rises, noise)
        rows, columns = np.nonzero(changes)
        step, start, change = step[changes], before[changes], (level - before)[changes]
        crossing = self._reference[changes]
        found, count = [], 0
        while len(rows) and count < MOST_EVENTS:
            crossing = crossing + step
            share = (crossing - start) / change
            crosses = (share > 0.0) & (share <= 1.0)
            rows, columns, step, start, change, crossing, share = (
                values[crosses] for values in (rows, columns, step, start, change, crossing, share)
            )
            events = self._events(
                rows, columns, step > 0.0, began_ns + (share * (time_ns - began_ns)).astype(np.int64)
            )
            self._reference[rows, columns] = crossing
            found.append(events)
            count += len(events)
        events = np.concatenate(found) if found else np.zeros(0, EVENT)
        return events[np.argsort(events["t_ns"], kind="stable")][:MOST_EVENTS]

    def _events(
        self, rows: np.ndarray, columns: np.ndarray, positive: np.ndarray, t_ns: np.ndarray
    ) -> np.ndarray:
        """The crossings of pixels that are not tired."""
        last = self._last_ns[rows, columns]
        awake = (last == 0) | (t_ns - last >= self._settings.refractory_ns)
        self._last_ns[rows[awake], columns[awake]] = t_ns[awake]
        events = np.zeros(int(awake.sum()), EVENT)
        events["x"], events["y"] = columns[awake], rows[awake]
        events["t_ns"], events["positive"] = t_ns[awake], positive[awake]
        return events

    def _brightness(self, bgra: np.ndarray) -> np.ndarray:
        grey = bgra[..., :3].astype(np.float32) @ _GREY
        if self._settings.use_log:
            return np.log(self._settings.log_eps + grey / 255.0).astype(float)
        return grey.astype(float)

    def _thresholds(self, rises: np.ndarray, noise: Generator) -> np.ndarray:
        chosen, sigmas = self._settings, (self._settings.sigma_positive, self._settings.sigma_negative)
        thresholds = np.where(rises, chosen.positive, chosen.negative)
        if max(sigmas) <= 0.0:
            return thresholds
        sigma = np.where(rises, *sigmas)
        noisy = np.maximum(SMALLEST_THRESHOLD, thresholds + sigma * noise.standard_normal(rises.shape))
        return np.where(sigma > 0.0, noisy, thresholds)
