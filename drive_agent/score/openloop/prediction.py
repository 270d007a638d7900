"""How well others' futures were predicted: nuScenes' prediction metrics, and the convention of end-to-end papers.

nuScenes (`nuscenes/eval/prediction/metrics.py`): up to k modes of an agent, the most probable first; errors in metres.
End to end (UniAD, VAD, SparseDrive): predictions hang on detections, which are matched to true agents first; EPA is
(hits - 0.5 false positives) / true agents (ViP3D, arXiv 2208.01582).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

MISS_M = 2.0
MATCH_M = 2.0
FALSE_POSITIVE_WEIGHT = 0.5


@dataclass(frozen=True)
class Predicted:
    """Modes of one agent's future and what happened, in any one frame."""

    modes: np.ndarray  # (m, t, 2)
    probabilities: np.ndarray  # (m,)
    truth: np.ndarray  # (t, 2)


def min_ade(agent: Predicted, k: int) -> float:
    """Mean distance over the steps, of the best among the k most probable modes."""
    return float(_errors(agent, k).mean(axis=1).min())


def min_fde(agent: Predicted, k: int) -> float:
    """Distance at the last step, of the best among the k most probable modes."""
    return float(_errors(agent, k)[:, -1].min())


def is_missed(agent: Predicted, k: int, tolerance_m: float = MISS_M) -> bool:
    """Does each of the k most probable modes stray by `tolerance_m` or more somewhere?"""
    return bool((_errors(agent, k).max(axis=1) >= tolerance_m).all())


def off_road_rate(agent: Predicted, is_drivable: Callable[[np.ndarray], np.ndarray]) -> float:
    """Share of all modes that leave the drivable area; `is_drivable` takes points (n, 2) of the agent's frame."""
    on_road = is_drivable(agent.modes.reshape(-1, 2)).reshape(agent.modes.shape[:2])
    return float((~on_road.all(axis=1)).mean())


def nuscenes_scores(agents: Sequence[Predicted], ks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Means over agents: minADE_k, minFDE_k, MissRate_2_k. Raises ValueError without an agent."""
    if not agents:
        raise ValueError("nuscenes_scores needs at least one predicted agent, got none")
    scores: dict[str, float] = {}
    for k in ks:
        scores[f"minADE_{k}"] = float(np.mean([min_ade(agent, k) for agent in agents]))
        scores[f"minFDE_{k}"] = float(np.mean([min_fde(agent, k) for agent in agents]))
        scores[f"MissRate_2_{k}"] = float(np.mean([is_missed(agent, k) for agent in agents]))
    return scores


@dataclass(frozen=True)
class Detections:
    """One sample: what was detected with its predicted modes, and the agents that were there with their futures."""

    centers: np.ndarray  # (d, 2)
    scores: np.ndarray  # (d,)
    modes: np.ndarray  # (d, m, t, 2)
    true_centers: np.ndarray  # (g, 2)
    true_futures: np.ndarray  # (g, t, 2)
    valid: np.ndarray  # (g, t) bool: was the agent annotated at that step


def end_to_end_scores(samples: Sequence[Detections], min_score: float = 0.0) -> dict[str, float]:
    """minADE, minFDE, MR over matched agents, EPA over all; nan where nothing was matched or nobody was there.

    Detections of at least `min_score` take, best first, the nearest free agent within 2 m. A hit is a matched agent whose
    minFDE is at most 2 m.
    """
    ades: list[float] = []
    fdes: list[float] = []
    false_positives = agents = 0
    for sample in samples:
        agents += len(sample.true_centers)
        pairs, unmatched = match(sample, min_score)
        false_positives += unmatched
        for detection, agent in pairs:
            known = sample.valid[agent]
            if known.any():
                gaps = np.linalg.norm(
                    sample.modes[detection][:, known] - sample.true_futures[agent][known], axis=-1
                )
                ades.append(float(gaps.mean(axis=1).min()))
                fdes.append(float(gaps[:, -1].min()))
    hits = sum(error <= MISS_M for error in fdes)
    return {
        "minADE": float(np.mean(ades)) if ades else float("nan"),
        "minFDE": float(np.mean(fdes)) if fdes else float("nan"),
        "MR": float(np.mean(np.array(fdes) > MISS_M)) if fdes else float("nan"),
        "EPA": (hits - FALSE_POSITIVE_WEIGHT * false_positives) / agents if agents else float("nan"),
    }


def match(sample: Detections, min_score: float) -> tuple[list[tuple[int, int]], int]:
    """Pairs (detection, agent), and how many detections found none."""
    free = np.ones(len(sample.true_centers), bool)
    pairs, unmatched = [], 0
    for detection in np.argsort(-sample.scores, kind="stable"):
        if sample.scores[detection] < min_score:
            continue
        gaps = np.linalg.norm(sample.true_centers - sample.centers[detection], axis=-1)
        gaps = np.where(free, gaps, np.inf)
        if gaps.size and gaps.min() <= MATCH_M:
            agent = int(gaps.argmin())
            free[agent] = False
            pairs.append((int(detection), agent))
        else:
            unmatched += 1
    return pairs, unmatched


def _errors(agent: Predicted, k: int) -> np.ndarray:
    """Distances (at most k, t) of the k most probable modes."""
    if agent.modes.ndim != 3 or agent.modes.shape[1:] != agent.truth.shape or not len(agent.modes):
        raise ValueError(
            f"modes {agent.modes.shape} do not fit a truth of {agent.truth.shape}; expected (m, t, 2)"
        )
    best = np.argsort(-agent.probabilities, kind="stable")[:k]
    return np.linalg.norm(agent.modes[best] - agent.truth, axis=-1)
