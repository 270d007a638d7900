"""`drive-agent train`: the recipe from nothing to a table, or a stage of it alone.

What is finished is not done again: data sets by shard, stages by checkpoint. Knows nothing of losses or of carla.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from drive_agent.config import ConfigError, build, compose, conf_dir, did_you_mean, expect
from drive_agent.eta import Eta
from drive_agent.homes import home
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.train.arithmetic import KNOWN, resolve
from drive_agent.train.stages import NAMES, Stage

TRAIN_HELP = """usage: drive-agent train [stage=1..4|all] [key=value ...]

Trains the embedded model in four stages: see, drive, explain, improve. `stage=all`, where nothing is said, is
the whole recipe: data where there is none yet, the stages with a round in which the model drives and the
expert labels, and a table of what every stage brought. Call it again after an interruption: it goes on from
the last checkpoint.

  drive-agent train                                  everything, from nothing
  drive-agent train stage=2 data=DIR out=RUN         one stage on the data of DIR; stage 1 must lie in RUN
  drive-agent train network=ego_status               the baseline that sees no pictures, by the same pipeline
  drive-agent train stage=4 stage4=plans_only        an ablation; stage1 to stage4 and network have more of them
  drive-agent train stage=1 base=../mimo stage1=adapter     the 7B: adapters by the same stages, 1 to 3
  drive-agent train stage=3 stage3.steps=2000 stage3.learning_rate=2e-4

A run's folder holds 1_see, 2_drive, 3_explain and 4_improve, each with log.jsonl, checkpoint/ and weights/;
driven_2 and driven_3, what the models of those stages drove;
curves.svg and evaluation.md. Drive with `drive-agent drive model.weights=RUN/4_improve/weights`.

keys and their values:
"""
DRIVEN_AFTER = (2, 3)  # stages whose model drives, for the expert to label what the later ones learn from
_FOLLOW_S = 5.0


@dataclass(frozen=True)
class Recipe:
    """Data that is collected where there is none."""

    towns: tuple[str, ...]
    rows: int
    scenarios: int
    held_out_towns: tuple[str, ...]
    held_out_rows: int
    driven_towns: tuple[str, ...]
    driven_rows: int
    driven_scenarios: int


@dataclass(frozen=True)
class TrainCommand:
    """All of `drive-agent train`."""

    stage: str
    out: str | None
    data: str | None
    held_out: str | None
    name: str | None
    seed: int
    workers: int
    batch: int
    compiled: bool
    arithmetic: str
    base: str | None  # a bigger checkpoint whose adapter is trained instead
    precision: str  # of that one
    save_minutes: float
    evaluate_minutes: float
    frames: int
    routes: str | None
    repetitions: int
    network: EmbeddedConfig
    stage1: Stage
    stage2: Stage
    stage3: Stage
    stage4: Stage
    recipe: Recipe

    def __post_init__(self) -> None:
        known = ("all", *map(str, range(1, len(NAMES) + 1)))
        expect(
            "stage",
            self.stage,
            self.stage in known,
            f"one of {', '.join(known)}{did_you_mean(self.stage, list(known))}",
        )
        expect(
            "arithmetic",
            self.arithmetic,
            self.arithmetic in KNOWN,
            f"one of {', '.join(KNOWN)}{did_you_mean(self.arithmetic, list(KNOWN))}",
        )
        expect("workers", self.workers, 1 <= self.workers <= 64, "1 to 64")
        expect("batch", self.batch, 1 <= self.batch <= 4096, "1 to 4096")
        expect("frames", self.frames, self.frames >= 1, "1 or more")

    @property
    def folder(self) -> Path:
        name = self.name or ("embedded" if self.network.sees else "ego_status")
        return Path(self.out) if self.out else home() / "training" / name

    @property
    def data_folder(self) -> Path:
        return Path(self.data) if self.data else home() / "data" / "train"

    @property
    def held_out_folder(self) -> Path:
        return Path(self.held_out) if self.held_out else home() / "data" / "held_out"

    def driven_folder(self, after: int) -> Path:
        """What the model of a stage drove; it belongs to the training, since it depends on it."""
        return self.folder / f"driven_{after}"

    @property
    def first(self) -> int:
        """The first stage: without pictures there is nothing to learn to see."""
        return 1 if self.network.sees else 2

    def run_folder(self, number: int) -> Path:
        return self.folder / f"{number}_{NAMES[number - 1]}"


def train_help() -> str:
    """Usage, examples, and the keys with their values."""
    return TRAIN_HELP + "".join(
        (conf_dir() / name).read_text()
        for name in ("train.yaml", "stage4/default.yaml", "recipe/default.yaml")
    )


def train(words: list[str], console: Console) -> int:
    """The verb. Raises ConfigError for a wrong call."""
    command: TrainCommand = build(TrainCommand, compose("train", words))
    if command.stage != "all":
        run_stage(command, int(command.stage), console)
        return 0
    failed = _collect(command, console)
    for number in range(command.first, len(NAMES) + 1):
        run_stage(command, number, console)
        if number in DRIVEN_AFTER and command.recipe.driven_rows:
            failed |= _collect_driven(command, number, console)
    report(command, console)
    return failed


def run_stage(command: TrainCommand, number: int, console: Console) -> None:
    """Train one stage, or go on with it; nothing when it is done. Raises ConfigError when what it needs is not there."""
    from drive_agent.train.loop import TrainConfig
    from drive_agent.train.loop import train as train_stage

    stage: Stage = getattr(command, f"stage{number}")
    folder = command.run_folder(number)
    done = _steps_done(folder)
    if done >= stage.steps or (folder / "adapter").is_dir():
        console.print(f"stage {number} ({NAMES[number - 1]}): done", soft_wrap=True)
        return
    start = command.run_folder(number - 1) if number > command.first else None
    if start is not None and _steps_done(start) < 0 and not (start / "adapter").is_dir():
        raise ConfigError(
            f"stage={number}: stage {number - 1} is not in {start}; train it first: stage={number - 1}"
        )
    if command.base is not None:
        _train_adapter(command, number, stage, console)
        return
    driven = [command.driven_folder(after) for after in DRIVEN_AFTER if after < number]
    data = [str(command.data_folder), *(str(one) for one in driven if any(one.glob("*/meta.json")))]
    held_out = (str(command.held_out_folder),) if any(command.held_out_folder.glob("*/meta.json")) else ()
    arithmetic = resolve(command.arithmetic)
    config = TrainConfig(
        tuple(data), str(folder), stage, held_out, None if start is None else str(start), command.workers, command.batch,
        command.seed, command.save_minutes, command.evaluate_minutes, model=command.network, compiled=command.compiled,
        arithmetic=arithmetic,
    )  # fmt: skip
    _keep_settings(folder, {"stage": asdict(stage), "network": command.network.to_dict(), "data": data,
                            "seed": command.seed, "batch": command.batch, "workers": command.workers, "arithmetic": arithmetic})  # fmt: skip
    title = f"stage {number} ({NAMES[number - 1]})"
    with Eta(console, title, stage.steps, max(done, 0)) as eta, _Follower(folder / "log.jsonl", eta):
        train_stage(config, resume=done >= 0)


def _train_adapter(command: TrainCommand, number: int, stage: Stage, console: Console) -> None:
    """The same stage for a bigger model: adapters that learn the scene in words, then plans, then rationales before them."""
    from drive_agent.train.lora import LoraSettings
    from drive_agent.train.lora import train as train_adapter

    if stage.group:
        raise ConfigError(
            f"stage={number}: rewards are given to the embedded model's heads; with base= there are stages 1 to 3"
        )
    assert command.base is not None
    console.print(f"stage {number} ({NAMES[number - 1]}): adapters of {command.base}", soft_wrap=True)
    start = None if number == 1 else str(command.run_folder(number - 1) / "adapter")
    train_adapter(
        LoraSettings(
            command.base, (str(command.data_folder),), str(command.run_folder(number)), stage.steps, command.precision,
            scene=number == 1, rationale=number == 3, start=start, learning_rate=stage.learning_rate,
            batch=command.batch, seed=command.seed,
        )
    )  # fmt: skip


def _steps_done(folder: Path) -> int:
    """Steps of the last checkpoint, -1 where there is none."""
    path = folder / "checkpoint" / "progress.json"
    return int(json.loads(path.read_text())["step"]) if path.is_file() else -1


def _keep_settings(folder: Path, settings: dict) -> None:
    """Write the settings of a run, or hold them against those that it was begun with."""
    path = folder / "settings.json"
    settings = json.loads(json.dumps(settings))
    if path.is_file():
        before = json.loads(path.read_text())
        changed = [name for name in settings if settings[name] != before.get(name)]
        if changed:
            raise ConfigError(
                f"{folder} was begun with other {', '.join(changed)}; give the same again, another out=, or remove the folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1) + "\n")


class _Follower:
    """Shows what a log tells while it grows."""

    def __init__(self, log: Path, eta: Eta) -> None:
        self._log, self._eta = log, eta
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> _Follower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(_FOLLOW_S):
            if not self._log.exists():
                continue
            lines = [line for line in self._log.read_text().splitlines() if '"loss"' in line]
            if lines:
                last = json.loads(lines[-1])
                self._eta.show(last["step"], f"loss {last['loss']:.3f}")


def _collect(command: TrainCommand, console: Console) -> int:
    """Training and held-out data of the recipe. A folder with an index is a finished data set, whoever made it."""
    from drive_agent.drive.collect import CollectConfig, collect_set

    recipe, failed = command.recipe, 0
    sets = (
        (command.data_folder, recipe.towns, recipe.rows, recipe.scenarios, False),
        (command.held_out_folder, recipe.held_out_towns, recipe.held_out_rows, 0, True),
    )
    for folder, towns, rows, scenarios, held_out in sets:
        if (folder / "index.json").is_file():
            continue
        config = CollectConfig(
            str(folder), towns, rows, scenarios, None, command.seed, command.workers, held_out, None
        )
        failed |= collect_set(config, console)
    return failed


def _collect_driven(command: TrainCommand, after: int, console: Console) -> int:
    """The round in which the model of a stage drives and the expert says what it should have done."""
    from drive_agent.drive.collect import CollectConfig, collect_set

    recipe = command.recipe
    config = CollectConfig(
        str(command.driven_folder(after)), recipe.driven_towns, recipe.driven_rows, recipe.driven_scenarios, None,
        command.seed + after - 1, command.workers, False, str(command.run_folder(after) / "weights"),
    )  # fmt: skip
    return collect_set(config, console)


def report(command: TrainCommand, console: Console) -> None:
    """Curves, and a table of what every stage brought on held-out frames."""
    from drive_agent.appraise import Drives, score
    from drive_agent.train.curves import draw_curves
    from drive_agent.train.evaluate import table

    numbers = range(command.first, len(NAMES) + 1)
    runs = {f"{k} {NAMES[k - 1]}": command.run_folder(k) for k in numbers}
    draw_curves({name: run / "log.jsonl" for name, run in runs.items()}, command.folder / "curves.svg")
    weights = {name: run / "weights" for name, run in runs.items()}
    drives = None
    if command.routes is not None:
        drives = Drives(command.routes, command.repetitions, command.workers, command.folder / "drives")
    rows = score(
        weights, command.held_out_folder, command.frames, "all", max(command.frames // 5, 1), console=console, drives=drives
    )  # fmt: skip
    text = table(rows)
    (command.folder / "evaluation.md").write_text(text + "\n")
    console.print(text, markup=False, soft_wrap=True)
