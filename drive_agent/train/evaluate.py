"""How well a network sees and plans on held-out frames, beside the constant answers. Knows nothing of training.

All figures are open loop: they say whether it is worth driving, not how well it drives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from drive_agent.data.shards import DriveDataset
from drive_agent.models.embedded.config import GAPS_M, HORIZONS_S, LIGHTS, SPEEDS_MPS
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.objects import FIELDS, encode, lift
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.rig import CameraMount
from drive_agent.train.batch import make_batch
from drive_agent.train.rewards import driven_poses
from drive_agent.train.rewards import plan_scores as plan_scores_of
from drive_agent.types import LightState, Maneuver, ObjectKind

LEAD_WITHIN_M = 40.0
LIGHT_WITHIN_M = 30.0
OBJECTS_WITHIN_M = 40.0
SLOW_MPS = 3.0
_BATCH = 16
_MOTION = FIELDS.index("dx1_m")


@dataclass(frozen=True)
class Evaluation:
    """What the network is shown: with the previous picture or not, with pictures or black ones."""

    motion: bool = True
    blind: bool = False


@dataclass(frozen=True)
class Predictions:
    """A network's answers for n frames."""

    path: np.ndarray  # (n, stations, 2)
    speed_mps: np.ndarray  # (n,) expectation over the bins
    light: np.ndarray  # (n,) the likeliest state
    lead_prob: np.ndarray  # (n,) that something is ahead within LEAD_WITHIN_M
    gap_m: np.ndarray  # (n,) expectation, given that something is ahead
    objects: list[np.ndarray]  # per frame (k, len(FIELDS))


@torch.inference_mode()
def predict(
    network: DrivingNetwork,
    tokenizer: DriveTokenizer,
    dataset: DriveDataset,
    index: np.ndarray,
    settings: Evaluation = Evaluation(),
) -> Predictions:
    """Answers for the frames `index` (n,)."""
    parts = []
    for start in range(0, len(index), _BATCH):
        batch = make_batch(
            dataset,
            index[start : start + _BATCH],
            tokenizer,
            np.random.default_rng(0),
            motion=settings.motion,
            blind=settings.blind,
        )
        seen = network.see(batch.patches)
        raw = network.decide(network.think(seen.tokens, batch.number_ids))
        maps = [part.numpy() for part in network.locate(seen.patches, batch.speed_mps)]
        objects = [lift([part[k] for part in maps], network.config.cameras) for k in range(len(maps[0]))]
        parts.append((*_plan_numbers(network, raw), objects))
    path, speed, light, lead, gap, objects = zip(*parts, strict=True)
    arrays = map(np.concatenate, (path, speed, light, lead, gap))
    return Predictions(*arrays, objects=[frame for part in objects for frame in part])


def _plan_numbers(network: DrivingNetwork, raw: dict[str, torch.Tensor]) -> tuple[np.ndarray, ...]:
    gap = functional.softmax(raw["gap"][:, : len(GAPS_M) + 1], 1).numpy()
    near = gap[:, :-1] * (GAPS_M < LEAD_WITHIN_M)
    speed = functional.softmax(raw["speed"], 1).numpy() @ SPEEDS_MPS
    light = raw["light"][:, :LIGHTS].argmax(1).numpy()
    expected_gap = gap[:, :-1] @ GAPS_M / np.maximum(gap[:, :-1].sum(1), 1e-9)
    return network.path(raw["path"])[0].numpy(), speed, light, near.sum(1), expected_gap


def evaluate(
    network: DrivingNetwork,
    tokenizer: DriveTokenizer,
    dataset: DriveDataset,
    index: np.ndarray,
    settings: Evaluation = Evaluation(),
) -> dict[str, float]:
    """Name -> figure; see the functions below. A figure that no frame can tell is NaN."""
    predictions = predict(network, tokenizer, dataset, index, settings)
    labels = _labels(dataset, index)
    scores = plan_scores(predictions, labels)
    scores |= driven_scores(predictions.path, predictions.speed_mps, dataset, index)
    scores |= object_scores(predictions.objects, labels["objects"], dataset.cameras)
    return {name: round(float(value), 4) for name, value in scores.items()} | {"frames": len(index)}


_LABELS = (
    "path",
    "target_speed_mps",
    "light",
    "light_m",
    "gap_m",
    "lead_kind",
    "maneuver",
    "maneuver_m",
    "objects",
)


def _labels(dataset: DriveDataset, index: np.ndarray) -> dict[str, np.ndarray]:
    labels = {name: dataset.column(name)[index] for name in _LABELS}
    return labels | {"light_in_view": light_in_view(dataset, index)}


def light_in_view(dataset: DriveDataset, index: np.ndarray) -> np.ndarray:
    """Whether a lit bulb of the governing light's colour is in a picture of the frames `index`, (n,)."""
    light = dataset.column("light")[index]
    seen = np.zeros(len(index), dtype=bool)
    for camera in dataset.cameras:
        bulbs = dataset.column(f"{camera.name}_bulb")[index].reshape(len(index), -1)
        seen |= (bulbs == light[:, None]).any(1)
    return seen & (light != LightState.NONE)


def plan_scores(predictions: Predictions, labels: dict[str, np.ndarray]) -> dict[str, float]:
    """Path, speed, light and lead. `lead_relative`: mean error over mean distance, of the leads that are found.

    `lead_vehicle_f1` leaves out the frames whose lead is a person, a cyclist or a thing.
    """
    miss = np.linalg.norm(predictions.path - labels["path"], axis=-1).mean(1)
    turns = np.isin(labels["maneuver"], (Maneuver.LEFT, Maneuver.RIGHT)) & (labels["maneuver_m"] < 25)
    speed_error = np.abs(predictions.speed_mps - labels["target_speed_mps"])
    wants_slow, says_slow = labels["target_speed_mps"] < SLOW_MPS, predictions.speed_mps < SLOW_MPS
    ahead, says_ahead = labels["gap_m"] < LEAD_WITHIN_M, predictions.lead_prob > 0.5
    found = ahead & says_ahead
    of_vehicle = ~ahead | (labels["lead_kind"] == ObjectKind.VEHICLE)
    lead_error_m = np.abs(predictions.gap_m - labels["gap_m"])
    return {
        "path_ade_m": miss.mean(),
        "path_ade_turns_m": _mean(miss[turns]),
        "speed_mae_mps": speed_error.mean(),
        "slow_recall": _mean(says_slow[wants_slow]),
        "slow_false": _mean(says_slow[~wants_slow]),
        **_light_scores(predictions.light, labels),
        "lead_accuracy": (ahead == says_ahead).mean(),
        "lead_f1": _f1(ahead, says_ahead),
        "lead_vehicle_f1": _f1(ahead[of_vehicle], says_ahead[of_vehicle]),
        "lead_mae_m": _mean(lead_error_m[ahead]),
        "lead_relative": _mean(lead_error_m[found]) / max(_mean(labels["gap_m"][found]), 1.0),
    }


def driven_scores(
    path: np.ndarray, target_mps: np.ndarray, dataset: DriveDataset, index: np.ndarray
) -> dict[str, float]:
    """Plans as driven over 3 s: distance to the recorded drive, and sub-scores in PDM style of the frames `index`.

    `pdms_style` counts nothing for a plan that runs a red light.
    """
    columns = {name: dataset.column(name)[index] for name in _DRIVEN}
    miss, parts = [], []
    for k in range(len(index)):
        row = {name: values[k] for name, values in columns.items()}
        poses = driven_poses(path[k].astype(float), float(row["speed_mps"]), float(target_mps[k]))
        miss.append(np.linalg.norm(poses[:, :2] - row["driven"][1:, :2], axis=1))
        scores, lawful = plan_scores_of(poses, row)
        parts.append((*(getattr(scores, name) for name in _SUB_SCORES), lawful, scores.pdms_style * lawful))
    names = (*_SUB_SCORES, "respects_red", "pdms_style")
    return {
        "plan_l2_m": float(np.mean(miss)),
        "plan_l2_3s_m": float(np.mean([one[-1] for one in miss])),
        **dict(zip(names, np.mean(parts, 0), strict=True)),
    }


_SUB_SCORES = ("no_collision", "drivable_area", "progress", "time_to_collision", "comfort")
_DRIVEN = ("speed_mps", "driven", "agents", "is_thing", "drivable", "light", "light_m")


def _light_scores(told: np.ndarray, labels: dict[str, np.ndarray]) -> dict[str, float]:
    """`light_balanced` is the mean recall of the states (lit ones within LIGHT_WITHIN_M), so that none counts once.

    `light_seen_balanced` leaves out the lit ones that no picture shows.
    """
    light = labels["light"]
    near = (light == LightState.NONE) | (labels["light_m"] < LIGHT_WITHIN_M)
    in_view = (light == LightState.NONE) | labels["light_in_view"]
    recalls, seen = (
        {state: _mean((told == state)[among & (light == state)]) for state in LightState}
        for among in (near, near & in_view)
    )
    red = near & (light == LightState.RED)
    return {
        "light_accuracy": (told == light).mean(),
        "light_lit": _mean((told == light)[light > 0]),
        "light_balanced": _mean([value for value in recalls.values() if not np.isnan(value)]),
        "light_seen_balanced": _mean([value for value in seen.values() if not np.isnan(value)]),
        **{f"light_{state.name.lower()}": value for state, value in recalls.items()},
        "red_as_green": _mean((told == LightState.GREEN)[red]),
    }


def object_scores(
    told: list[np.ndarray], objects: np.ndarray, cameras: tuple[CameraMount, ...]
) -> dict[str, float]:
    """Recall and precision of objects, and errors of the matched ones beside constant velocity.

    Labels (n, OBJECTS, 13) count when their centre lies in a picture. A told object matches the nearest free label of
    any kind within 2 m or 10 % of its distance.
    """
    in_picture = np.any([encode(objects, camera)[2] for camera in cameras], axis=0)
    matches, wanted, offered = [], 0, 0
    for seen, labelled, visible in zip(told, objects, in_picture, strict=True):
        labelled = labelled[visible & (np.hypot(labelled[:, 1], labelled[:, 2]) < OBJECTS_WITHIN_M)]
        seen = seen[np.hypot(seen[:, 2], seen[:, 3]) < OBJECTS_WITHIN_M]
        matches += _match(seen, labelled)
        wanted, offered = wanted + len(labelled), offered + len(seen)
    scores = {
        "object_recall": len(matches) / wanted if wanted else float("nan"),
        "object_precision": len(matches) / offered if offered else float("nan"),
        "object_f1": 2 * len(matches) / (wanted + offered) if wanted + offered else float("nan"),
    }
    return scores | _state_scores(matches)


def _match(seen: np.ndarray, labelled: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of told and labelled objects, the surest told one choosing first."""
    free = np.ones(len(labelled), dtype=bool)
    pairs = []
    for row in seen:
        gap = np.hypot(labelled[:, 1] - row[2], labelled[:, 2] - row[3])
        gap[~free] = np.inf
        if len(gap) and gap.min() < max(2.0, 0.1 * float(np.hypot(row[2], row[3]))):
            best = int(gap.argmin())
            free[best] = False
            pairs.append((row, labelled[best]))
    return pairs


def _state_scores(matches: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Errors of kind, place, speed, heading and displacement of matched objects.

    `motion_ade_m` and `motion_fde_m` are the mean and the last error of the forecast (it has one mode, so they are its
    minADE and minFDE), beside constant velocity from the told state and from the true one.
    """
    told = np.array([row for row, _ in matches]).reshape(-1, len(FIELDS))
    label = np.array([row for _, row in matches]).reshape(-1, 13)
    turn = np.abs((told[:, 4] - label[:, 3] + np.pi) % (2 * np.pi) - np.pi)
    scores = {
        "object_kind": _mean(told[:, 0] == label[:, 0]),
        "object_place_m": _mean(np.hypot(told[:, 2] - label[:, 1], told[:, 3] - label[:, 2])),
        "object_speed_mae_mps": _mean(np.abs(told[:, 5] - label[:, 4])),
        "object_heading_median_rad": float(np.median(turn)) if len(turn) else float("nan"),
    }
    course = _velocity(told[:, 4], told[:, 5])
    true_course = _velocity(label[:, 3], label[:, 4])
    misses = {name: [] for name in ("", "_constant_velocity", "_true_constant_velocity", "_standing")}
    for k, seconds in enumerate(HORIZONS_S):
        wanted = label[:, 7 + 2 * k : 9 + 2 * k]
        learned = told[:, _MOTION + 2 * k : _MOTION + 2 * k + 2]
        for name, moved in zip(
            misses, (learned, course * seconds, true_course * seconds, 0 * wanted), strict=True
        ):
            misses[name].append(np.linalg.norm(moved - wanted, axis=1))
            scores[f"motion_{seconds:.0f}s{name}_m"] = _mean(misses[name][-1])
    for name, miss in misses.items():
        scores[f"motion{name}_ade_m"] = _mean(np.mean(miss, 0))
        scores[f"motion{name}_fde_m"] = _mean(miss[-1])
    return scores


def _velocity(heading_rad: np.ndarray, speed_mps: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(heading_rad), np.sin(heading_rad)], -1) * speed_mps[:, None]


def constant_scores(train: DriveDataset, held_out: DriveDataset, index: np.ndarray) -> dict[str, float]:
    """Plan figures of the best constant answers (means, medians, majorities of the training frames)."""
    labels = _labels(held_out, index)
    n, gap = len(index), train.column("gap_m")
    ahead = gap < LEAD_WITHIN_M
    states = np.bincount(train.column("light"), minlength=LIGHTS)
    constant = Predictions(
        np.repeat(train.column("path").mean(0)[None], n, 0),
        np.full(n, np.median(train.column("target_speed_mps"))),
        np.full(n, states.argmax()),
        np.full(n, ahead.mean()),
        np.full(n, np.median(gap[ahead]) if ahead.any() else LEAD_WITHIN_M),
        [],
    )
    scores = plan_scores(constant, labels) | driven_scores(constant.path, constant.speed_mps, held_out, index)
    return {name: round(float(value), 4) for name, value in scores.items()} | {"frames": n}


def table(rows: dict[str, dict[str, float]]) -> str:
    """Named score rows as a Markdown table, one figure a line and one run a column."""
    names = list(dict.fromkeys(name for scores in rows.values() for name in scores))
    lines = ["| | " + " | ".join(rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for name in names:
        cells = [f"{scores[name]:.3g}" if name in scores else "-" for scores in rows.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _f1(true: np.ndarray, said: np.ndarray) -> float:
    return 2 * (true & said).sum() / max(true.sum() + said.sum(), 1)


def _mean(values: np.ndarray | list[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
