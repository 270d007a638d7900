"""What the network is asked to get right, as differentiable numbers. Knows labels and raw outputs, no optimiser.

Each function returns named, weighted terms whose sum is minimised; the names appear in the training log.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from drive_agent.models.embedded.config import GAPS_M, LIGHTS, SPEEDS_MPS, STOPS_M
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.objects import DEPTH, KINDS
from drive_agent.rig import CameraMount
from drive_agent.train.batch import lit
from drive_agent.train.targets import (
    corridor_mask,
    lead_mask,
    object_targets,
    path_lines,
    soft_bins,
    soft_bins_or_none,
)
from drive_agent.types import PATH_STATIONS_M

Terms = dict[str, torch.Tensor]
_RARE_CLASS = 6  # vehicles, walkers, signs and lights come after this one in dataset.CLASSES


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def task_terms(network: DrivingNetwork, raw: dict[str, torch.Tensor], labels: dict[str, np.ndarray]) -> Terms:
    """The plan: path, speed, light, gap and stop line, from raw query outputs."""
    gap, light = _tensor(labels["gap_m"]), _tensor(labels["light"]).long()
    terms = {
        "gap": functional.cross_entropy(raw["gap"][:, :-1], soft_bins_or_none(gap, GAPS_M, 1.2)),
        "light": 2 * functional.cross_entropy(raw["light"][:, :LIGHTS], light),
        "speed": functional.cross_entropy(
            raw["speed"], soft_bins(_tensor(labels["target_speed_mps"]), SPEEDS_MPS, 1.0)
        ),
        "stop": 0.5
        * functional.cross_entropy(raw["stop"], soft_bins_or_none(_tensor(labels["stop_m"]), STOPS_M, 1.0)),
    }
    terms |= _path_terms(network, raw["path"], _tensor(labels["path"]))
    ahead, governed = gap < GAPS_M[-1], _tensor(lit(labels))
    lead_error = raw["gap"][:, -1] - _tensor(labels["lead_speed_mps"]) / 10
    light_error = raw["light"][:, LIGHTS] - _tensor(labels["light_m"]) / 50
    terms["lead_speed"] = _masked_mean(_huber(lead_error, 0.1), ahead)
    terms["light_m"] = _masked_mean(_huber(light_error, 0.1), governed)
    return terms


def _path_terms(network: DrivingNetwork, raw: torch.Tensor, path: torch.Tensor) -> Terms:
    """Standardised path error, and the spread as the scale of a Laplace law around the path as it is.

    The spread's term does not move the path: a path that may buy a lower loss with a wide spread learns slowly.
    """
    points = raw[:, : len(PATH_STATIONS_M) * 2].view(path.shape)
    wanted = (path - network.path_mean) / network.path_std
    with torch.no_grad():
        miss_m = ((points - wanted) * network.path_std).norm(dim=-1)
    log_spread = raw[:, len(PATH_STATIONS_M) * 2 :].clamp(-5, 4)
    return {
        "path": 4 * functional.smooth_l1_loss(points, wanted, beta=0.1),
        "spread": 0.1 * (miss_m / log_spread.exp() + log_spread).mean(),
    }


def cell_terms(
    maps: list[dict[str, torch.Tensor]], cameras: tuple[CameraMount, ...], labels: dict[str, np.ndarray]
) -> Terms:
    """Depth, classes, lit bulbs, own way and lead object of every cell, averaged over the cameras."""
    lines = path_lines(labels["path"])
    total: Terms = {}
    for parts, camera in zip(maps, cameras, strict=True):
        terms = _label_terms(parts, camera.name, labels)
        shape = parts["lead"].shape[:3]
        corridor = _tensor(corridor_mask(lines, camera)).float().view(shape)
        lead = _tensor(lead_mask(lines, labels["gap_m"], camera)).float().view(shape)
        terms["corridor"] = 2 * functional.binary_cross_entropy_with_logits(
            parts["corridor"][..., 0], corridor, pos_weight=torch.tensor(2.0)
        )
        terms["lead"] = 3 * functional.binary_cross_entropy_with_logits(
            parts["lead"][..., 0], lead, pos_weight=torch.tensor(10.0)
        )
        for name, value in terms.items():
            total[name] = total.get(name, torch.zeros(())) + value / len(cameras)
    return total


def _label_terms(parts: dict[str, torch.Tensor], camera: str, labels: dict[str, np.ndarray]) -> Terms:
    """Depth, class and bulb of one camera's cells against the stored labels."""
    depth = _tensor(labels[f"{camera}_depth"]).float() / 255
    classes = _tensor(labels[f"{camera}_class"]).float() / 255
    bulb = _tensor(labels[f"{camera}_bulb"]).long().flatten()
    rare = 1 + 4 * (classes[..., _RARE_CLASS:].sum(-1) > 0).float()
    entropy = -(classes * functional.log_softmax(parts["class"], -1)).sum(-1)
    lit_weight = 1 + 30 * (bulb > 0).float()
    bulb_entropy = functional.cross_entropy(parts["bulb"].flatten(0, 2), bulb, reduction="none")
    return {
        "depth": 4 * (parts["depth"][..., 0] * 0.5 + 0.5 - depth).abs().mean(),
        "class": (entropy * rare).sum() / rare.sum(),
        "bulb": (bulb_entropy * lit_weight).sum() / lit_weight.sum(),
    }


def object_terms(
    maps: list[torch.Tensor], cameras: tuple[CameraMount, ...], labels: dict[str, np.ndarray]
) -> Terms:
    """Centres (focal loss of Law and Deng, "CornerNet", 2018) and states of the labelled objects, over the cameras."""
    heat_loss, state_loss = torch.zeros(()), torch.zeros(())
    for cells, camera in zip(maps, cameras, strict=True):
        heat, values, index, counts = object_targets(labels["objects"], camera)
        logits = cells[..., :KINDS]
        probability = logits.sigmoid()
        hit = heat == 1
        positive = -functional.logsigmoid(logits) * (1 - probability) ** 2 * hit
        negative = -functional.logsigmoid(-logits) * probability**2 * (1 - heat) ** 4 * ~hit
        heat_loss = heat_loss + (positive + negative).sum() / hit.sum().clamp_min(1)
        flat = cells.flatten(1, 2)
        told = flat.gather(1, index[..., None].expand(-1, -1, flat.shape[-1]))[..., DEPTH:]
        state_loss = state_loss + _masked_mean(_huber(told - values, 0.1).mean(-1), counts)
    return {"objects": heat_loss / len(cameras), "states": 4 * state_loss / len(cameras)}


def _huber(error: torch.Tensor, beta: float) -> torch.Tensor:
    return functional.smooth_l1_loss(error, torch.zeros_like(error), beta=beta, reduction="none")


def _masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the values where the mask holds; 0 when it holds nowhere."""
    return (values * mask).sum() / mask.sum().clamp_min(1)
