"""Heads that exist in training only: they make the visual tokens carry geometry, and are thrown away afterwards."""

from __future__ import annotations

import torch
from torch import nn

from drive_agent.data.shards import CLASSES
from drive_agent.models.embedded.config import LIGHTS, MERGE, PATCH_PX, EmbeddedConfig, visual_tokens
from drive_agent.models.embedded.network import OUTPUTS, QUERIES
from drive_agent.rig import CELL_PX, CameraMount

_CELLS = PATCH_PX * MERGE // CELL_PX  # cells along the side of a visual token
PARTS = {"depth": 1, "class": len(CLASSES), "bulb": LIGHTS, "corridor": 1, "lead": 1}  # outputs of a cell
_TASK_WIDTH = 256


class TrainingHeads(nn.Module):
    """Cell labels from every visual token, and the driving task straight from all of them (without language)."""

    def __init__(self, config: EmbeddedConfig) -> None:
        super().__init__()
        self._cameras = config.cameras
        self._counts = [visual_tokens(camera) for camera in config.cameras]
        self.cells = nn.Linear(config.text_width, _CELLS * _CELLS * sum(PARTS.values()))
        self.token = nn.Sequential(nn.Linear(config.text_width, _TASK_WIDTH), nn.GELU())
        self.task = nn.ModuleDict({name: nn.Linear(_TASK_WIDTH, OUTPUTS[name]) for name in QUERIES})
        self.hint = nn.Linear(config.text_width, _TASK_WIDTH)

    def cell_maps(self, tokens: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        """For every camera: part -> (n, rows, columns, outputs), from visual tokens (n, tokens, width)."""
        parts = self.cells(tokens).split(self._counts, 1)
        maps = [_map(part, camera) for part, camera in zip(parts, self._cameras, strict=True)]
        return [dict(zip(PARTS, whole.split(list(PARTS.values()), -1), strict=True)) for whole in maps]

    def drive(self, tokens: torch.Tensor, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        """Raw task outputs as `DrivingNetwork.decide` gives them.

        `numbers` (n, width) is the mean embedding of the prompt's number tokens: without the route, the way ahead is
        a guess.
        """
        pooled = self.token(tokens).mean(1) + self.hint(numbers)
        return {name: head(pooled) for name, head in self.task.items()}


def _map(x: torch.Tensor, camera: CameraMount) -> torch.Tensor:
    """Cell outputs in token order (n, tokens, cells * cells * k) as a map (n, rows, columns, k)."""
    side = PATCH_PX * MERGE
    rows, columns = camera.height // side, camera.width // side
    blocks = x.view(len(x), rows, columns, _CELLS, _CELLS, -1)
    return blocks.permute(0, 1, 3, 2, 4, 5).reshape(len(x), rows * _CELLS, columns * _CELLS, -1)
