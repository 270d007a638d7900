"""Open loop: what planners would have driven at every key frame of recorded drives, scored by every protocol.

Three passes over the scenes, each of which holds few of them at a time: ask the model, plan and score, write what is
looked at later. Truth comes from `truth`, and neither torch nor the devkit is needed for plans from files.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from drive_agent.config import ConfigError, build, compose, did_you_mean, expect
from drive_agent.log.store import Episode
from drive_agent.offspring import process_pool
from drive_agent.openloop import baselines
from drive_agent.openloop.outputs import Sample, write_results
from drive_agent.openloop.perception import boxes_of
from drive_agent.openloop.plan_files import read_plans
from drive_agent.openloop.planned import Planned, from_file, from_poses, judge
from drive_agent.openloop.sub_scores import sub_scores
from drive_agent.openloop.truth import SceneTruth, Source
from drive_agent.score.drive_record import DriveRecord
from drive_agent.score.openloop.detection import BoxSet, detection_scores
from drive_agent.score.seen import Seen


@dataclass(frozen=True)
class OpenLoopConfig:
    """All of `drive-agent openloop`; the keys are explained in conf/openloop.yaml."""

    data: str | None
    version: str | None
    split: str | None
    model: str | None
    command: str
    plans: str | None
    plans_frame: str
    plans_ego_status: bool | None
    plans_command: bool | None
    baselines: tuple[str, ...]
    out: str | None
    cache: str | None
    logs: bool
    worst: int
    seed: int
    workers: int
    resume: bool
    model_words: tuple[str, ...] = ()  # overrides of the model's own settings

    def __post_init__(self) -> None:
        expect("data", self.data, self.data, "a nuScenes root, a run folder or a log.mcap")
        expect("plans_frame", self.plans_frame, self.plans_frame in ("lidar", "ego"), "lidar or ego")
        expect("command", self.command, self.command in ("none", "future"), "none or future")
        expect("workers", self.workers, 1 <= self.workers <= 64, "1 to 64")
        expect("worst", self.worst, 0 <= self.worst <= 500, "0 to 500")
        for name in self.baselines:
            if name not in baselines.NAMES:
                known = ", ".join(baselines.NAMES)
                raise ConfigError(
                    f"baselines={name}: expected some of {known}{did_you_mean(name, list(baselines.NAMES))}"
                )


def read_config(words: list[str]) -> OpenLoopConfig:
    """The configuration of `key=value` words; those of the model are kept for whoever builds it."""
    about_model = [word for word in words if word.partition("=")[0].split(".")[0] == "model"]
    values = compose("openloop", [word for word in words if word not in about_model])
    named = [word.partition("=")[2] for word in about_model if word.startswith("model=")]
    if about_model and not named:
        raise ConfigError(f"{about_model[0]!r} needs a model; give model=NAME too")
    if named and named[-1] not in ("null", "none"):
        values |= {"model": named[-1], "model_words": about_model}
    return build(OpenLoopConfig, values)


def run_openloop(config: OpenLoopConfig, console: Console) -> Path:
    """Score everything that the configuration names; returns the folder of the results."""
    out = _free_folder(config)
    source = Source(config.data or "", config.version, config.split, config.cache)
    plans = read_plans(Path(config.plans)) if config.plans else {}
    names = source.scene_names()
    scenes = _progress("ground truth", source.truths, len(names), console)
    from_plans = list(_from_plans(config, plans, scenes))  # what can be wrong comes before what takes long
    planners = [*_from_model(config, source, out, console), *from_plans, *_baselines(config, scenes, console)]
    jobs = ((scene, [plan_of(scene) for plan_of in planners]) for scene in scenes)
    with _workers(config.workers) as mapped:
        judged = track(mapped(_judge_scene, jobs), "scoring", len(scenes), console=console)
        samples = (sample for of_scene in judged for sample in of_scene)
        seen = _seen(config, scenes, out)
        write_results(out, samples, inputs_of(config), settings_of(config, source), seen)
    if config.logs:
        _write_logs(out, source, scenes, planners, config.seed, console)
    return out


def inputs_of(config: OpenLoopConfig) -> dict[str, tuple[bool | None, bool | None]]:
    """Planner -> does it read the ego's status, does it read a command from the future; None where nobody said."""
    told = dict(baselines.INPUTS)
    if config.plans:
        told[Path(config.plans).stem] = (config.plans_ego_status, config.plans_command)
    if config.model:
        told[config.model] = (True, config.command == "future")
    return told


def settings_of(config: OpenLoopConfig, source: Source) -> dict[str, object]:
    """What a reader of the results must know of the call."""
    return {
        "data": str(source.path.resolve()),
        "version": source.version,
        "split": config.split or "all",
        "plans": config.plans,
        "plans_frame": config.plans_frame,
        "model": config.model,
        "command": config.command,
        "seed": config.seed,
        "failure_policy": "a planner that fails counts as standing still; a sample without a plan is left out",
    }


def _free_folder(config: OpenLoopConfig) -> Path:
    out = Path(config.out or f"runs/{time.strftime('%Y%m%d-%H%M%S')}_openloop")
    if (out / "openloop.json").exists() and not config.resume:
        raise ConfigError(
            f"out={out} already holds results; give resume=true to go on with them, or another out="
        )
    return out


PlanOf = Callable[[SceneTruth], Planned]


def _from_plans(
    config: OpenLoopConfig, plans: dict[str, np.ndarray], scenes: list[SceneTruth]
) -> Iterator[PlanOf]:
    if config.plans is None:
        return
    path = Path(config.plans)
    known = {token for scene in scenes for token in scene.tokens}
    if not known & plans.keys():
        raise ConfigError(
            f"plans={path} has {len(plans)} plans, none for a sample of data={config.data} ({len(scenes)} scenes, "
            f"{len(known)} samples); give the data they were made for"
        )
    yield lambda scene: from_file(path.stem, scene.arrays, plans, config.plans_frame)


def _from_model(config: OpenLoopConfig, source: Source, out: Path, console: Console) -> Iterator[PlanOf]:
    if config.model is None:
        return
    from drive_agent.openloop.asker import Asker

    asker = Asker(list(config.model_words), config.command, out, seed=config.seed, resume=config.resume)
    for name in track(source.scene_names(), f"asking {config.model}", console=console):
        asker.ask(name, lambda scene=name: source.clip(scene), lambda scene=name: source.road_map(scene))
    yield lambda scene: from_poses(config.model or "", scene.arrays, *asker.answers(scene.name))


def _seen(config: OpenLoopConfig, scenes: list[SceneTruth], out: Path) -> dict[str, dict]:
    """What the model saw and foretold, against what was there: from its logs, with the figures of closed loop and, where
    it ever told boxes, nuScenes' own."""
    if config.model is None:
        return {}
    seen = Seen()
    told: list[BoxSet] = []
    true: list[BoxSet] = []
    for scene in scenes:
        with Episode.open(out / "routes" / scene.name / "log.mcap") as episode:
            drive = DriveRecord(episode)
        seen.add(drive)
        for total, boxes in zip(
            (told, true), boxes_of([tick.scene for tick in drive.ticks], scene.with_agents()), strict=True
        ):
            total += boxes
    figures = seen.figures()
    del figures["light"]  # key frames do not tell the state of lights
    if figures["calls_with_a_scene"]:
        figures["nuscenes_detection"] = detection_scores(told, true)
    return {config.model: figures}


def _baselines(config: OpenLoopConfig, scenes: list[SceneTruth], console: Console) -> Iterator[PlanOf]:
    for name in config.baselines:
        if name != "ego_mlp":
            plan = getattr(baselines, name)
            yield lambda scene, name=name, plan=plan: from_poses(name, scene.arrays, plan(scene.arrays))
            continue
        try:
            plans = baselines.ego_mlp([scene.arrays for scene in scenes], config.seed)
        except ValueError as error:
            console.print(f"left out: {error}", style="yellow", markup=False)
            continue
        learned = dict(zip([scene.name for scene in scenes], plans, strict=True))
        yield lambda scene, learned=learned: from_poses("ego_mlp", scene.arrays, learned[scene.name])


def _write_logs(out: Path, source: Source, scenes: list[SceneTruth], planners: list[PlanOf], seed: int,
                console: Console) -> None:  # fmt: skip
    """A log a scene, with the plans of the first planner; a model's, and those of an interrupted call, are there already."""
    from drive_agent.openloop.scene_log import write_log

    for scene in track(scenes, "logs", console=console):
        log = out / "routes" / scene.name / "log.mcap"
        if planners and not log.exists():
            write_log(log, source.clip(scene.name), planners[0](scene), source.road_map(scene.name), seed)


def _judge_scene(job: tuple[SceneTruth, list[Planned]]) -> list[Sample]:
    scene, planned = job
    arrays, is_drivable = scene.with_agents(), scene.is_drivable()
    scores = [sub_scores(arrays, plan, is_drivable) for plan in planned]
    return [
        Sample(scene, plan, verdicts, subs)
        for plan, verdicts, subs in zip(planned, judge(arrays, planned), scores, strict=True)
    ]


@contextmanager
def _workers(count: int) -> Iterator[Callable[[Callable, Iterable], Iterator]]:
    """`map` over processes, or here when one is enough. Few jobs are under way at a time, so that memory stays flat."""
    if count == 1:
        yield map
        return
    with process_pool(count) as pool:

        def mapped(function: Callable, jobs: Iterable) -> Iterator:
            under_way: deque[Future] = deque()
            for job in jobs:
                under_way.append(pool.submit(function, job))
                if len(under_way) > 2 * count:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

        yield mapped


def _progress(
    title: str, values: Callable[[], Iterable[SceneTruth]], total: int, console: Console
) -> list[SceneTruth]:
    return list(track(values(), title, total, console=console))
