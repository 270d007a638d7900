"""The optimiser's loop of one stage: steps, checkpoints, a log, and weights ready to drive.

A run is a folder: `log.jsonl` (one line every few steps, one for every evaluation), `checkpoint/`, `weights/`. It is a
function of seed, data, start and number of workers: cut off anywhere, it goes on as if it had not been.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from drive_agent.data.shards import DriveDataset
from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.train import checkpoint
from drive_agent.train.arithmetic import FLOAT32, products
from drive_agent.train.batch import Batches, Disturbance
from drive_agent.train.evaluate import Evaluation, evaluate
from drive_agent.train.lessons import words_tokenizer
from drive_agent.train.stages import Learner, Stage, total
from drive_agent.train.workers import Team, run

_WARM_UP_STEPS = 60
_FLOOR = 0.03  # of the peak learning rate, at the end


@dataclass(frozen=True)
class TrainConfig:
    """One run of one stage."""

    data: tuple[str, ...]
    out: str
    stage: Stage
    held_out: tuple[str, ...] = ()
    start: str | None = None  # the run that this one goes on from; None: from nothing
    workers: int = 1
    batch: int = 8  # frames a worker a step
    seed: int = 0
    save_minutes: float = 4.0
    evaluate_minutes: float = 8.0
    evaluate_frames: int = 600
    log_steps: int = 25
    model: EmbeddedConfig = field(default_factory=EmbeddedConfig)
    disturbance: Disturbance = field(default_factory=Disturbance)
    compiled: bool = False  # needs a C++ compiler; a quarter faster after half a minute
    decay: float = 0.02  # of weights
    arithmetic: str = FLOAT32  # of matrix products, see `train.arithmetic`


Show = Callable[[int, str], None]


def train(config: TrainConfig, *, resume: bool = False, show: Show | None = None) -> None:
    """Run a stage in `config.workers` processes. Raises FileNotFoundError when there is nothing to resume or to start from.

    `show` is told steps and loss now and then, where one process does all.
    """
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    run(_work, config.workers, out / "rendezvous", config, resume, show if config.workers == 1 else None)


def _work(team: Team, config: TrainConfig, resume: bool, show: Show | None) -> None:  # noqa: FBT001 - called by position in a new process
    Trainer(team, config, show).go(resume=resume)


class Trainer:
    """One worker of a run."""

    def __init__(self, team: Team, config: TrainConfig, show: Show | None = None) -> None:
        self._team = team
        self._config = config
        self._show = show
        self._out = Path(config.out)
        torch.manual_seed(config.seed)
        self._tokenizer = words_tokenizer()
        self.learner = Learner(config.model, self._tokenizer)
        dataset = DriveDataset(config.data, config.model.cameras)
        if config.start is None:
            _set_path_scale(self.learner, dataset.column("path"))
        else:
            checkpoint.load_weights(Path(config.start) / "checkpoint", self.learner)
        if config.compiled:
            self.learner.compile_steps()
        self._batches = Batches(
            dataset, self._tokenizer, config.batch, config.disturbance,
            motion=config.model.motion, blind=not config.model.sees,
        )  # fmt: skip
        self._optimizer = torch.optim.AdamW(
            self.learner.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=config.decay, fused=True
        )
        self._progress = {"step": 0, "seconds": 0.0, "cpu_s": 0.0, "frames": len(dataset), "means": {}}

    def go(self, *, resume: bool = False) -> None:
        """Train to the end of the stage."""
        if resume:
            self._progress = checkpoint.load(self._out / "checkpoint", self.learner, self._optimizer)
            self._cut_log()
        begun = time.monotonic() - self._progress["seconds"]
        cpu = time.process_time() - self._progress["cpu_s"]
        saved = evaluated = self._progress["seconds"]
        while self._progress["step"] < self._config.stage.steps:
            self._step()
            self._progress["seconds"] = seconds = self._team.agree(time.monotonic() - begun)
            self._progress["cpu_s"] = time.process_time() - cpu
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

    def _cut_log(self) -> None:
        """Forget what was logged after the checkpoint was made: it comes again."""
        path = self._out / "log.jsonl"
        if self._team.leads and path.exists():
            kept = [
                line
                for line in path.read_text().splitlines()
                if json.loads(line)["step"] <= self._progress["step"]
            ]
            path.write_text("".join(line + "\n" for line in kept))

    def _learning_rate(self) -> float:
        """Linear warm-up, then half a cosine."""
        step, stage = self._progress["step"], self._config.stage
        fall = 0.5 + 0.5 * math.cos(math.pi * step / stage.steps)
        warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return stage.learning_rate * warm * (_FLOOR + (1 - _FLOOR) * fall)

    def _step(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        step = self._progress["step"]
        batch = self._batches.draw(self._config.seed, self._team.rank, step)
        with products(self._config.arithmetic):
            result = self.learner.step(batch, self._config.stage, step)
        self._optimizer.zero_grad()
        total(result.terms).backward()
        self._team.average_gradients(self.learner)
        norm = torch.nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(
                f"gradient norm is {norm} at step {step}, expected a finite one; "
                "resume from the checkpoint with a lower learning rate"
            )
        self._optimizer.step()
        self._progress["step"] += 1
        terms = {name: float(value.detach()) for name, value in result.terms.items()}
        self._note({"loss": sum(terms.values()), **terms, **result.notes})

    def _note(self, values: dict[str, float]) -> None:
        """Keep running means and write them every few steps, and after the last."""
        means = self._progress["means"]
        for name, value in values.items():
            means[name] = means.get(name, value) * 0.95 + value * 0.05
        step = self._progress["step"]
        if self._team.leads and (step % self._config.log_steps == 0 or step == self._config.stage.steps):
            self._log({"last": values["loss"], **{name: round(value, 4) for name, value in means.items()}})
            if self._show is not None:
                self._show(step, f"loss {means['loss']:.3f}")

    def _log(self, line: dict) -> None:
        samples = self._progress["step"] * self._config.batch * self._team.size
        head = {
            "step": self._progress["step"], "seconds": round(self._progress["seconds"], 1),
            "cpu_s": round(self._progress["cpu_s"], 1), "samples": samples,
        }  # fmt: skip
        with (self._out / "log.jsonl").open("a") as file:
            file.write(json.dumps(head | line) + "\n")

    def _save(self) -> None:
        checkpoint.save(self._out / "checkpoint", self.learner, self._optimizer, self._progress)
        stage = asdict(self._config.stage)
        notes = {
            "progress": self._progress,
            "seed": self._config.seed,
            "batch": self._config.batch,
            "stage": stage,
        }
        weights.save(self._out / "weights", self.learner.network, self._tokenizer, notes)

    def _evaluate(self) -> None:
        """The leader scores the network on held-out frames while the others wait."""
        if self._team.leads:
            held_out = DriveDataset(self._config.held_out, self._config.model.cameras)
            index = np.linspace(
                0, len(held_out) - 1, min(self._config.evaluate_frames, len(held_out))
            ).astype(int)
            settings = Evaluation(self._config.model.motion, blind=not self._config.model.sees)
            scores = evaluate(self.learner.network, self._tokenizer, held_out, index, settings)
            told = {name: None if math.isnan(value) else value for name, value in scores.items()}
            self._log({"held_out": told})
        self._team.agree(0.0)


def _set_path_scale(learner: Learner, path: np.ndarray) -> None:
    """Mean and spread of the path labels (n, stations, 2), by which path errors are standardised."""
    learner.network.path_mean.copy_(torch.from_numpy(path.mean(0)))
    learner.network.path_std.copy_(torch.from_numpy(np.maximum(path.std(0), 0.3)))
