"""The optimiser's loop: stages within a budget of steps or minutes, checkpoints, a log, and weights ready to drive.

A run is a folder: `log.jsonl` (one line every few steps, one for every evaluation), `checkpoint/`, `weights/`.
With a budget in steps a run is a function of seed, data and number of workers; with one in minutes the learning rate
follows the clock, and runs differ.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from drive_agent.data.shards import DriveDataset
from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.models.embedded.tokenizer import DriveTokenizer, build_tokenizer
from drive_agent.train import checkpoint
from drive_agent.train.batch import Batches, Disturbance
from drive_agent.train.evaluate import Evaluation, evaluate
from drive_agent.train.stages import STAGES, Learner, Stage, total
from drive_agent.train.workers import Team, run

_WARM_UP_STEPS = 60
_FLOOR = 0.03  # of the peak learning rate, at the end of a stage


@dataclass(frozen=True)
class TrainConfig:
    """One training run. Exactly one of `steps` and `minutes` is the budget."""

    data: tuple[str, ...]
    out: str
    held_out: tuple[str, ...] = ()
    minutes: float | None = None
    steps: int | None = None
    workers: int = 1
    batch: int = 8  # frames a worker a step
    seed: int = 0
    save_minutes: float = 4.0
    evaluate_minutes: float = 8.0
    evaluate_frames: int = 600
    log_steps: int = 25
    model: EmbeddedConfig = field(default_factory=EmbeddedConfig)
    stages: tuple[Stage, ...] = STAGES
    disturbance: Disturbance = field(default_factory=Disturbance)
    compiled: bool = False  # needs a C++ compiler; a quarter faster after half a minute
    blind: bool = False  # all pictures black: what the numbers in the prompt alone give

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError(
                f"minutes={self.minutes} steps={self.steps}, expected exactly one of the two as budget"
            )


def train(config: TrainConfig, *, resume: bool = False) -> None:
    """Run a training in `config.workers` processes. Raises FileNotFoundError when there is nothing to resume."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    run(_work, config.workers, out / "rendezvous", config, resume)


def _work(team: Team, config: TrainConfig, resume: bool) -> None:  # noqa: FBT001 - called by position in a new process
    Trainer(team, config).go(resume=resume)


class Trainer:
    """One worker of a run."""

    def __init__(self, team: Team, config: TrainConfig) -> None:
        self._team = team
        self._config = config
        self._out = Path(config.out)
        torch.manual_seed(config.seed)
        self._tokenizer = DriveTokenizer(build_tokenizer())
        self.learner = Learner(config.model, self._tokenizer)
        if config.compiled:
            self.learner.compile_steps()
        dataset = DriveDataset(config.data, config.model.cameras)
        _set_path_scale(self.learner, dataset.column("path"))
        self._batches = Batches(
            dataset,
            self._tokenizer,
            config.batch,
            config.disturbance,
            motion=config.model.motion,
            blind=config.blind,
        )
        self._optimizer = torch.optim.AdamW(
            self.learner.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.02, fused=True
        )
        self._progress = {
            "step": 0,
            "seconds": 0.0,
            "stage": 0,
            "stage_step": 0,
            "frames": len(dataset),
            "means": {},
        }

    def go(self, *, resume: bool = False) -> None:
        """Train to the end of the budget."""
        if resume:
            self._progress = checkpoint.load(self._out / "checkpoint", self.learner, self._optimizer)
        begun = time.monotonic() - self._progress["seconds"]
        saved = evaluated = self._progress["seconds"]
        while (done := self._share_done()) < 1.0:
            self._enter_stage(done)
            self._step(done)
            self._progress["seconds"] = seconds = self._team.agree(time.monotonic() - begun)
            if self._team.leads and seconds - saved > self._config.save_minutes * 60:
                self._save()
                saved = seconds
            if self._config.held_out and seconds - evaluated > self._config.evaluate_minutes * 60:
                self._evaluate()
                evaluated = seconds
        if self._team.leads:
            self._save()
        if self._config.held_out:
            self._evaluate()

    def _share_done(self) -> float:
        if self._config.minutes is not None:
            return self._progress["seconds"] / (self._config.minutes * 60)
        assert self._config.steps is not None  # TrainConfig has one of the two
        return self._progress["step"] / self._config.steps

    def _enter_stage(self, done: float) -> None:
        """Move on to the stage that the share of the budget calls for."""
        ends = np.cumsum([stage.share for stage in self._config.stages])
        stage = min(int(np.searchsorted(ends / ends[-1], done, side="right")), len(ends) - 1)
        if stage != self._progress["stage"]:
            self._progress |= {"stage": stage, "stage_step": 0}

    def _learning_rate(self, done: float) -> float:
        """Linear warm-up, then half a cosine over the stage's part of the budget."""
        shares = [stage.share for stage in self._config.stages]
        at = self._progress["stage"]
        begin, width = sum(shares[:at]) / sum(shares), shares[at] / sum(shares)
        fall = 0.5 + 0.5 * math.cos(math.pi * min(max((done - begin) / width, 0.0), 1.0))
        warm = min(1.0, (self._progress["stage_step"] + 1) / _WARM_UP_STEPS)
        return self._config.stages[at].learning_rate * warm * (_FLOOR + (1 - _FLOOR) * fall)

    def _step(self, done: float) -> None:
        stage = self._config.stages[self._progress["stage"]]
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate(done)
        batch = self._batches.draw(self._config.seed, self._team.rank, self._progress["step"])
        terms = self.learner.terms(batch, stage)
        self._optimizer.zero_grad()
        total(terms).backward()
        self._team.average_gradients(self.learner)
        norm = torch.nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(
                f"gradient norm is {norm} at step {self._progress['step']}, expected a finite one; "
                "resume from the checkpoint with a lower learning rate"
            )
        self._optimizer.step()
        self._progress["step"] += 1
        self._progress["stage_step"] += 1
        self._note(stage, {name: float(value.detach()) for name, value in terms.items()})

    def _note(self, stage: Stage, terms: dict[str, float]) -> None:
        """Keep running means of the terms and write them every few steps."""
        terms["loss"] = sum(terms.values())
        means = self._progress["means"]
        for name, value in terms.items():
            means[name] = means.get(name, value) * 0.95 + value * 0.05
        if self._team.leads and self._progress["step"] % self._config.log_steps == 0:
            rounded = {name: round(means[name], 4) for name in terms}
            self._log({"stage": stage.name, "last": terms["loss"], **rounded})

    def _log(self, line: dict) -> None:
        samples = self._progress["step"] * self._config.batch * self._team.size
        head = {
            "step": self._progress["step"],
            "seconds": round(self._progress["seconds"], 1),
            "samples": samples,
        }
        with (self._out / "log.jsonl").open("a") as file:
            file.write(json.dumps(head | line) + "\n")

    def _save(self) -> None:
        checkpoint.save(self._out / "checkpoint", self.learner, self._optimizer, self._progress)
        settings = json.loads(json.dumps(asdict(self._config), default=str))
        notes = {"progress": self._progress, "seed": settings["seed"], "batch": settings["batch"]}
        weights.save(self._out / "weights", self.learner.network, self._tokenizer, notes)

    def _evaluate(self) -> None:
        """The leader scores the network on held-out frames while the others wait."""
        if self._team.leads:
            held_out = DriveDataset(self._config.held_out, self._config.model.cameras)
            index = np.linspace(
                0, len(held_out) - 1, min(self._config.evaluate_frames, len(held_out))
            ).astype(int)
            settings = Evaluation(self._config.model.motion, self._config.blind)
            scores = evaluate(self.learner.network, self._tokenizer, held_out, index, settings)
            told = {name: None if math.isnan(value) else value for name, value in scores.items()}
            self._log({"held_out": told})
        self._team.agree(0.0)


def _set_path_scale(learner: Learner, path: np.ndarray) -> None:
    """Mean and spread of the path labels (n, stations, 2), by which path errors are standardised."""
    learner.network.path_mean.copy_(torch.from_numpy(path.mean(0)))
    learner.network.path_std.copy_(torch.from_numpy(np.maximum(path.std(0), 0.3)))
