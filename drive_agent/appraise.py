"""`drive-agent eval`: what weights are worth on frames that they have never seen, before any drive is spent on them.

`task=precision` compares the same weights in fewer bits. Where routes are named, everything that is compared drives them too.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from drive_agent.config import build, compose, conf_dir, did_you_mean, expect
from drive_agent.eta import Eta
from drive_agent.homes import home
from drive_agent.models.settings import EMBEDDED_PRECISIONS

HELP = """usage: drive-agent eval [task=driving|words|precision|all] [key=value ...]

Asks weights about frames of towns that they have never seen, before any drive is spent on them.

  drive-agent eval task=driving                      objects, lights, forecasts, plans; also with black pictures
  drive-agent eval task=words weights=[RUN/3_explain/weights]
  drive-agent eval weights=[A,B] data=DIR frames=500  side by side
  drive-agent eval task=precision routes=test repetitions=3   float32, bfloat16, int8, nf4: size, time, errors, drives

keys and their values:
"""
TASKS = ("driving", "words", "all", "precision")
PRECISION_FIGURES = (
    "path_ade_m", "speed_mae_mps", "light_balanced", "lead_f1", "lead_vehicle_f1", "lead_mae_m", "lead_relative",
    "object_f1", "motion_ade_m", "plan_l2_m", "pdms_style",
)  # fmt: skip
_CALLS = 60

Rows = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Drives:
    """Closed loop for a table: which routes, how often, and where its runs lie. A run that is there is gone on with."""

    routes: str
    repetitions: int
    workers: int
    out: Path


@dataclass(frozen=True)
class EvalCommand:
    """All of `drive-agent eval`."""

    task: str
    weights: tuple[str, ...]
    data: str | None
    frames: int
    words_frames: int
    blackout: bool
    routes: str | None
    repetitions: int
    workers: int
    out: str | None

    @property
    def drives(self) -> Drives | None:
        if self.routes is None:
            return None
        return Drives(self.routes, self.repetitions, self.workers, home() / "drives")

    def __post_init__(self) -> None:
        hint = did_you_mean(self.task, list(TASKS))
        expect("task", self.task, self.task in TASKS, f"one of {', '.join(TASKS)}{hint}")
        expect("frames", self.frames, self.frames >= 1, "1 or more")
        expect("words_frames", self.words_frames, self.words_frames >= 1, "1 or more")


def help_text() -> str:
    """Usage, examples, and the keys with their values."""
    return HELP + (conf_dir() / "eval.yaml").read_text()


def run(words: list[str], console: Console) -> int:
    """The verb. Raises ConfigError for a wrong call."""
    from drive_agent.models.embedded.weights import FOLDER
    from drive_agent.train.evaluate import table

    command: EvalCommand = build(EvalCommand, compose("eval", words))
    weights = {folder: Path(folder) for folder in command.weights or (str(FOLDER),)}
    data = Path(command.data) if command.data else home() / "data" / "held_out"
    if command.task == "precision":
        rows = compare_precisions(command, next(iter(weights.values())), data, console)
    else:
        rows = score(
            weights, data, command.frames, command.task, command.words_frames, blackout=command.blackout, console=console,
            drives=command.drives,
        )  # fmt: skip
    console.print(table(rows), markup=False, soft_wrap=True)
    if command.out:
        Path(command.out).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def score(
    weights: dict[str, Path],
    data: Path,
    frames: int,
    task: str,
    words_frames: int,
    *,
    blackout: bool = False,
    console: Console | None = None,
    drives: Drives | None = None,
) -> Rows:
    """Name -> figures of several weights on the same held-out frames, beside the best constant answer.

    With `drives` each of them drives too.
    """
    import torch

    from drive_agent.data.shards import DriveDataset
    from drive_agent.models.embedded import weights as weights_folder
    from drive_agent.train.evaluate import Evaluation, constant_scores, evaluate
    from drive_agent.train.evaluate_words import evaluate_words

    torch.set_num_threads(1)
    rows: Rows = {}
    dataset = DriveDataset([data])
    index = _spread(len(dataset), frames)
    spoken = index[:: max(len(index) // words_frames, 1)]
    if task != "words":
        rows["constant"] = constant_scores(dataset, dataset, index)
    console = console or Console(quiet=True)
    with Eta(console, "weights", len(weights)) as eta:
        for done, (name, folder) in enumerate(weights.items()):
            network, tokenizer = weights_folder.load(folder)
            seen = Evaluation(network.config.motion, blind=not network.config.sees)
            rows[name] = {}
            if task != "words":
                rows[name] |= evaluate(network, tokenizer, dataset, index, seen)
            if task != "driving":
                rows[name] |= evaluate_words(network, tokenizer, dataset, spoken, seen)
            if drives is not None:
                kind = "embedded" if network.config.sees else "ego_status"
                rows[name] |= drive(drives, folder, kind, "float32", console)
            if blackout and network.config.sees and task != "words":
                black = Evaluation(network.config.motion, blind=True)
                rows[f"{name} (black pictures)"] = evaluate(network, tokenizer, dataset, index, black)
            eta.show(done + 1, name)
    return rows


def compare_precisions(command: EvalCommand, folder: Path, data: Path, console: Console) -> Rows:
    """Precision -> size, processor time of a plan, held-out figures and, where routes are named, the driving score."""
    import torch

    from drive_agent.data.shards import DriveDataset
    from drive_agent.models.embedded import weights as weights_folder
    from drive_agent.models.embedded.precision import reduce
    from drive_agent.train.evaluate import Evaluation, evaluate

    torch.set_num_threads(1)
    dataset = DriveDataset([data])
    index = _spread(len(dataset), command.frames)
    rows: Rows = {}
    with Eta(console, "precisions", len(EMBEDDED_PRECISIONS)) as eta:
        for done, precision in enumerate(EMBEDDED_PRECISIONS):
            network, tokenizer = weights_folder.load(folder)
            size = reduce(network, precision)
            seen = Evaluation(network.config.motion, blind=not network.config.sees)
            scores = evaluate(network, tokenizer, dataset, index, seen)
            rows[precision] = {
                "megabytes": size / 1e6,
                "plan_cpu_ms": _plan_cpu_ms(network, tokenizer, dataset),
                **{name: scores[name] for name in PRECISION_FIGURES},
            }
            if (drives := command.drives) is not None:
                kind = "embedded" if network.config.sees else "ego_status"
                rows[precision] |= drive(drives, folder, kind, precision, console)
            eta.show(done + 1, precision)
    return rows


def drive(drives: Drives, folder: Path, kind: str, precision: str, console: Console) -> dict[str, float]:
    """Driving score of weights over the routes, with half the width of its 95 % interval."""
    from drive_agent.config import DriveConfig
    from drive_agent.drive.batch import run_routes
    from drive_agent.score.run import score_run

    out = drives.out / f"{folder.parent.name}_{Path(drives.routes).stem}_{precision}"
    words = [
        f"routes={drives.routes}", f"repetitions={drives.repetitions}", f"workers={drives.workers}", "video=false",
        f"model={kind}", f"model.weights={folder.resolve()}", f"model.embedded.precision={precision}",
        f"out={out}", f"resume={str((out / 'config.yaml').exists()).lower()}",
    ]  # fmt: skip
    values = score_run(
        run_routes(build(DriveConfig, compose("drive", words)), console, lambda _: None), "2.1"
    )
    interval = values["spread"]["routes"]["ci95"]
    return {
        "driving_score": values["driving_score"],
        "driving_score_ci95": float("nan") if interval is None else interval,
        "route_completion": values["route_completion"],
        "success_rate": values["success_rate"],
    }


def _plan_cpu_ms(network, tokenizer, dataset) -> float:
    """Median processor time of one plan, pictures to numbers."""
    import torch

    from drive_agent.train.batch import make_batch

    batch = make_batch(dataset, np.array([0]), tokenizer, np.random.default_rng(0))
    spent = []
    with torch.inference_mode():
        for _ in range(_CALLS):
            since = time.process_time()
            seen = network.see(batch.patches)
            network.decide(network.think(seen.tokens, batch.number_ids))
            network.locate(seen.patches, batch.speed_mps)
            spent.append((time.process_time() - since) * 1e3)
    return statistics.median(spent)


def _spread(count: int, wanted: int) -> np.ndarray:
    """So many indices, evenly over all."""
    return np.linspace(0, count - 1, min(wanted, count)).astype(int)
