"""The first two of the four stages, as the losses that are minimised in each.

Stage 1 ("see") trains the vision tower on dense geometry alone; stage 2 ("drive") trains everything and keeps the dense
terms to the end: a tower that is only warmed up forgets what it saw. Knows nothing of optimisers or workers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.models.embedded.network import DrivingNetwork, Seen
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.train.batch import Batch
from drive_agent.train.heads import TrainingHeads
from drive_agent.train.losses import Terms, cell_terms, object_terms, task_terms


@dataclass(frozen=True)
class Stage:
    """One stage: its share of the whole budget and its peak learning rate."""

    name: str
    share: float
    learning_rate: float
    language: bool  # whether the language model and the queries take part


STAGES = (
    Stage("see", share=0.15, learning_rate=1.5e-3, language=False),
    Stage("drive", share=0.85, learning_rate=1.0e-3, language=True),
)


class Learner(nn.Module):
    """The network together with the heads that only training needs."""

    def __init__(self, config: EmbeddedConfig, tokenizer: DriveTokenizer) -> None:
        super().__init__()
        self.network = DrivingNetwork(config, tokenizer)
        self.heads = TrainingHeads(config)
        self._tower, self._think = self.network.tower, self.network.think

    def compile_steps(self) -> None:
        """Fuse the small operations of the tower and the language pass: a quarter faster after half a minute.

        Needs a C++ compiler, as `torch.compile` does.
        """
        self._tower = torch.compile(self.network.tower, dynamic=False)
        self._think = torch.compile(self.network.think, dynamic=False)

    def terms(self, batch: Batch, stage: Stage) -> Terms:
        """Weighted loss terms of a batch; their sum is the loss."""
        seen = Seen(*self._tower(batch.patches))
        terms = self._dense_terms(seen, batch)
        if stage.language:
            raw = self.network.decide(self._think(seen.tokens, batch.number_ids))
            terms |= {
                f"plan.{name}": value for name, value in task_terms(self.network, raw, batch.labels).items()
            }
        return terms

    def _dense_terms(self, seen: Seen, batch: Batch) -> Terms:
        """What the visual tokens and patches have to know, whatever the language model makes of it."""
        cameras = self.network.config.cameras
        numbers = self.network.vlm.get_input_embeddings()(batch.number_ids).mean(1)
        shortcut = task_terms(self.network, self.heads.drive(seen.tokens, numbers), batch.labels)
        terms = {f"tower.{name}": 0.25 * value for name, value in shortcut.items()}
        terms |= cell_terms(self.heads.cell_maps(seen.tokens), cameras, batch.labels)
        return terms | object_terms(self.network.locate(seen.patches, batch.speed_mps), cameras, batch.labels)


def total(terms: Terms) -> torch.Tensor:
    """The loss: the sum of its terms."""
    return torch.stack(list(terms.values())).sum()
