"""nuScenes' detection metrics: mAP, the five true positive errors and NDS, as its devkit computes them for its benchmark.

Source: `nuscenes/eval/detection` of nuscenes-devkit (algo.py, data_classes.py, configs/detection_cvpr_2019.json). Average
precision by centre distance in the plane at four thresholds; errors over the matches within 2 m, as means over recall.
Knows nothing of models or files; boxes are in the ego frame of their sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RANGE_M = {
    "car": 50.0, "truck": 50.0, "bus": 50.0, "trailer": 50.0, "construction_vehicle": 50.0, "pedestrian": 40.0,
    "motorcycle": 40.0, "bicycle": 40.0, "traffic_cone": 30.0, "barrier": 30.0,
}  # fmt: skip
MATCH_M = (0.5, 1.0, 2.0, 4.0)
ERRORS_AT_M = 2.0
ERRORS = ("ATE", "ASE", "AOE", "AVE", "AAE")
NOT_ASKED = {"traffic_cone": ("AOE", "AVE", "AAE"), "barrier": ("AVE", "AAE")}
RACK = "static_object.bicycle_rack"
_LEAST = 0.1  # recall and precision below it do not count
_RECALLS = np.linspace(0.0, 1.0, 101)
_FIRST = round(100 * _LEAST) + 1
_AP_WEIGHT = 5.0


@dataclass(frozen=True)
class BoxSet:
    """Boxes of one sample, told or true; `scores` of true ones mean nothing."""

    classes: np.ndarray  # (n,) text: detection classes
    centers: np.ndarray  # (n, 2)
    sizes: np.ndarray  # (n, 3) width, length, height
    yaws: np.ndarray  # (n,)
    velocities_mps: np.ndarray  # (n, 2); nan where nobody knows
    attributes: np.ndarray  # (n,) text, "" where a box has none
    scores: np.ndarray  # (n,)

    def within_range(self) -> BoxSet:
        """The boxes that are near enough for their class to count."""
        return self.of(np.hypot(*self.centers.T) < [RANGE_M[name] for name in self.classes])

    def of(self, rows: np.ndarray) -> BoxSet:
        """Some of them."""
        return BoxSet(
            self.classes[rows], self.centers[rows], self.sizes[rows], self.yaws[rows], self.velocities_mps[rows],
            self.attributes[rows], self.scores[rows],
        )  # fmt: skip


def detection_scores(told: Sequence[BoxSet], true: Sequence[BoxSet]) -> dict:
    """`mAP`, `mATE` ... `mAAE`, `NDS` over nuScenes' ten classes, and `classes`: name -> `AP`, errors, and how many were there.

    A class that nobody was of, or that was never found, has AP 0 and errors of 1, as in the benchmark. Raises ValueError when
    there are not as many samples told as true.
    """
    if len(told) != len(true):
        raise ValueError(f"boxes of {len(told)} samples were told, expected those of {len(true)}")
    told, true = [one.within_range() for one in told], [one.within_range() for one in true]
    classes = {name: _class_scores(name, told, true) for name in RANGE_M}
    means = {"mAP": float(np.mean([row["AP"] for row in classes.values()]))}
    for error in ERRORS:
        asked = [row[error] for row in classes.values() if row[error] is not None]
        means[f"m{error}"] = float(np.mean(asked))
    good = sum(max(0.0, 1.0 - means[f"m{error}"]) for error in ERRORS)
    means["NDS"] = (_AP_WEIGHT * means["mAP"] + good) / (_AP_WEIGHT + len(ERRORS))
    return {**means, "classes": classes}


def _class_scores(name: str, told: Sequence[BoxSet], true: Sequence[BoxSet]) -> dict:
    told, true = [one.of(one.classes == name) for one in told], [one.of(one.classes == name) for one in true]
    found = {at_m: _Matched.by(told, true, at_m, turns_half=name == "barrier") for at_m in MATCH_M}
    row: dict = {"boxes": sum(len(one.scores) for one in true)}
    row["AP"] = float(np.mean([one.average_precision() for one in found.values()]))
    for error in ERRORS:
        asked = error not in NOT_ASKED.get(name, ())
        row[error] = found[ERRORS_AT_M].mean_error(error) if asked else None
    return row


@dataclass(frozen=True)
class _Matched:
    """What one class and threshold come to at 101 recalls."""

    precision: np.ndarray  # (101,)
    confidence: np.ndarray  # (101,)
    errors: dict[str, np.ndarray]  # (101,) each

    @classmethod
    def by(
        cls, told: Sequence[BoxSet], true: Sequence[BoxSet], within_m: float, *, turns_half: bool
    ) -> _Matched:
        is_match, scores, pairs = _match(told, true, within_m)
        if not pairs:
            return cls(np.zeros(101), np.zeros(101), dict.fromkeys(ERRORS, np.ones(101)))
        hits = np.cumsum(is_match).astype(float)
        recall = hits / sum(len(one.scores) for one in true)
        precision = np.interp(_RECALLS, recall, hits / np.arange(1, len(hits) + 1), right=0)
        confidence = np.interp(_RECALLS, recall, scores, right=0)
        matched = scores[is_match]
        errors = {}
        for name, values in _errors(told, true, pairs, turns_half=turns_half).items():
            means = _running_mean(values)
            errors[name] = np.interp(confidence[::-1], matched[::-1], means[::-1])[::-1]
        return cls(precision, confidence, errors)

    def average_precision(self) -> float:
        above = np.maximum(self.precision[_FIRST:] - _LEAST, 0.0)
        return float(np.mean(above)) / (1.0 - _LEAST)

    def mean_error(self, name: str) -> float:
        """1 where recall stays below a tenth."""
        reached = np.flatnonzero(self.confidence)
        last = int(reached[-1]) if len(reached) else 0
        return float(np.mean(self.errors[name][_FIRST : last + 1])) if last >= _FIRST else 1.0


_Pair = tuple[int, int, int]  # sample, row told, row true


def _match(
    told: Sequence[BoxSet], true: Sequence[BoxSet], within_m: float
) -> tuple[np.ndarray, np.ndarray, list[_Pair]]:
    """Best scored first, of equal ones the last: each takes the nearest free box of its sample, if that is near enough."""
    rows = [(score, k, row) for k, one in enumerate(told) for row, score in enumerate(one.scores)]
    order = sorted(range(len(rows)), key=lambda k: (rows[k][0], k), reverse=True)
    free = [np.ones(len(one.scores), bool) for one in true]
    is_match, pairs = np.zeros(len(rows), bool), []
    for place, number in enumerate(order):
        _, sample, row = rows[number]
        gaps = np.linalg.norm(true[sample].centers - told[sample].centers[row], axis=1)
        gaps[~free[sample]] = np.inf
        if len(gaps) and gaps.min() < within_m:
            nearest = int(gaps.argmin())
            free[sample][nearest] = False
            is_match[place] = True
            pairs.append((sample, row, nearest))
    return is_match, np.array([rows[k][0] for k in order]), pairs


def _errors(
    told: Sequence[BoxSet], true: Sequence[BoxSet], pairs: Sequence[_Pair], *, turns_half: bool
) -> dict[str, np.ndarray]:
    """The errors (matches,) in the order of matching; nan where truth does not say."""
    own = _joined([told[sample].of(np.array([row])) for sample, row, _ in pairs])
    real = _joined([true[sample].of(np.array([row])) for sample, _, row in pairs])
    period = np.pi if turns_half else 2 * np.pi
    turn = (real.yaws - own.yaws + period / 2) % period - period / 2
    shared = np.minimum(own.sizes, real.sizes).prod(axis=1)
    union = own.sizes.prod(axis=1) + real.sizes.prod(axis=1) - shared
    return {
        "ATE": np.linalg.norm(own.centers - real.centers, axis=1),
        "ASE": 1.0 - shared / union,
        "AOE": np.abs(turn),
        "AVE": np.linalg.norm(own.velocities_mps - real.velocities_mps, axis=1),
        "AAE": np.where(real.attributes == "", np.nan, own.attributes != real.attributes),
    }


def _joined(parts: Sequence[BoxSet]) -> BoxSet:
    names = ("classes", "centers", "sizes", "yaws", "velocities_mps", "attributes", "scores")
    return BoxSet(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Mean (n,) of all up to each, of those that are numbers; ones where none is."""
    known = ~np.isnan(values)
    if not known.any():
        return np.ones(len(values))
    count = np.cumsum(known)
    return np.divide(np.nancumsum(values), count, out=np.zeros(len(values)), where=count != 0)
