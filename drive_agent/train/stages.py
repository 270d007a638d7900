"""A stage of training, as weights of what it asks for; and the losses of a step under them.

1 "see" teaches the vision tower dense geometry and answers about the scene; 2 "drive" everything that a plan needs; 3
"explain" rationales; 4 "improve" rewards what is sampled. Dense terms stay on to the end: a tower that is only warmed up
forgets what it saw. Knows nothing of optimisers or workers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from drive_agent.models.embedded.config import SPEEDS_MPS, EmbeddedConfig
from drive_agent.models.embedded.network import DrivingNetwork, Seen
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.train import improve
from drive_agent.train.batch import Batch
from drive_agent.train.heads import TrainingHeads
from drive_agent.train.lessons import draw, teach
from drive_agent.train.losses import Terms, cell_terms, object_terms, task_terms

NAMES = ("see", "drive", "explain", "improve")


@dataclass(frozen=True)
class Stage:
    """One configuration. A weight of 0 switches its part off."""

    steps: int
    learning_rate: float  # at its peak
    dense: float = 1.0  # geometry of visual tokens and patches, road users
    shortcut: float = 0.25  # the task straight from the visual tokens, without language
    plan: float = 1.0  # imitation of the expert
    words: float = 0.0  # right words
    quiz_share: float = 1.0  # of the texts: questions about the scene; the others are rationales
    words_every: int = 1  # steps from one lesson in words to the next
    group: int = 0  # samples of a frame that are rewarded; 0: no reinforcement
    reward: float = 1.0  # weight of rewarded plans
    word_reward: float = 0.0  # weight of rewarded words
    word_frames: int = 2  # frames of a step whose words are sampled

    def __post_init__(self) -> None:
        for name in ("steps", "words_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")
        if self.group == 1 or self.group < 0:
            raise ValueError(
                f"group={self.group}: expected 0, or 2 and more: a sample is judged against others"
            )

    @property
    def thinks(self) -> bool:
        """Whether the language model takes part in every step."""
        return self.plan > 0 or self.group > 0


@dataclass(frozen=True)
class StepResult:
    """Weighted loss terms, and figures that are only noted."""

    terms: Terms
    notes: dict[str, float]


class Learner(nn.Module):
    """The network together with the heads that only training needs."""

    def __init__(self, config: EmbeddedConfig, tokenizer: DriveTokenizer) -> None:
        super().__init__()
        self.network = DrivingNetwork(config, tokenizer)
        self.heads = TrainingHeads(config)
        self._tokenizer = tokenizer
        self._tower, self._think = self.network.tower, self.network.think

    def compile_steps(self) -> None:
        """Fuse the small operations of the tower and the language pass: a quarter faster after half a minute.

        Needs a C++ compiler, as `torch.compile` does.
        """
        self._tower = torch.compile(self.network.tower, dynamic=False)
        self._think = torch.compile(self.network.think, dynamic=False)

    def step(self, batch: Batch, stage: Stage, number: int) -> StepResult:
        """What a batch asks for in a stage; `number` counts the stage's steps."""
        seen = Seen(*self._tower(batch.patches))
        terms: Terms = {}
        notes: dict[str, float] = {}
        if stage.dense and self.network.config.sees:
            terms |= _weighted("", stage.dense, self._dense_terms(seen, batch))
        if stage.shortcut and self.network.config.sees:
            numbers = self.network.vlm.get_input_embeddings()(batch.number_ids).mean(1)
            shortcut = task_terms(self.network, self.heads.drive(seen.tokens, numbers), batch.labels)
            terms |= _weighted("tower.", stage.shortcut, shortcut)
        in_words = number % stage.words_every == 0
        states = None
        if stage.words and in_words:
            states, loss = self._taught(seen, batch, stage)
            terms["words.taught"] = stage.words * loss
        if stage.thinks:
            states = self._think(seen.tokens, batch.number_ids) if states is None else states
            raw = self.network.decide(states)
            if stage.plan:
                terms |= _weighted("plan.", stage.plan, task_terms(self.network, raw, batch.labels))
            if stage.group:
                better, rewards = improve.plan_terms(self.network, raw, batch, stage.group)
                terms |= _weighted("better.", stage.reward, better)
                notes |= {f"reward.{name}": value for name, value in rewards.items()}
                if stage.word_reward and in_words:
                    said, rewards = self._rewarded_words(seen, batch, raw, stage)
                    terms |= _weighted("better.", stage.word_reward, said)
                    notes |= {f"reward.{name}": value for name, value in rewards.items()}
        if not terms:
            raise ValueError("the stage asks for nothing: every weight that could count is 0")
        return StepResult(terms, notes)

    def _taught(self, seen: Seen, batch: Batch, stage: Stage) -> tuple[torch.Tensor, torch.Tensor]:
        """Query states, and the cross entropy of the right words behind them."""
        asked = draw(batch, np.random.default_rng(batch.seed), stage.quiz_share)
        lesson = teach(batch, asked, self._tokenizer)
        states, logits = self.network.speak(seen.tokens, batch.number_ids, lesson.ids)
        return states, functional.cross_entropy(logits[:, :-1][lesson.told], lesson.ids[:, 1:][lesson.told])

    def _rewarded_words(
        self, seen: Seen, batch: Batch, raw: dict[str, torch.Tensor], stage: Stage
    ) -> tuple[Terms, dict[str, float]]:
        asked = draw(batch, np.random.default_rng(batch.seed + 1), stage.quiz_share)[: stage.word_frames]
        targets = functional.softmax(raw["speed"].detach(), 1).numpy() @ SPEEDS_MPS
        return improve.word_terms(
            self.network, self._tokenizer, seen.tokens, batch, asked, targets, stage.group
        )

    def _dense_terms(self, seen: Seen, batch: Batch) -> Terms:
        """What the visual tokens and patches have to know, whatever the language model makes of it."""
        cameras = self.network.config.cameras
        terms = cell_terms(self.heads.cell_maps(seen.tokens), cameras, batch.labels)
        return terms | object_terms(self.network.locate(seen.patches, batch.speed_mps), cameras, batch.labels)


def _weighted(prefix: str, weight: float, terms: Terms) -> Terms:
    return {f"{prefix}{name}": weight * value for name, value in terms.items()}


def total(terms: Terms) -> torch.Tensor:
    """The loss: the sum of its terms."""
    return torch.stack(list(terms.values())).sum()
