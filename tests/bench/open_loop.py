"""Open loop at the size of nuScenes' validation split: truth of made-up scenes in the cache, plans from a file, every protocol.

The plans are those of a published planner where they are beside the checkout, else made up. What is measured is the command
itself, by the system's account of its process and of those that it started.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drive_agent.data.expansion import read_drivable_area
from drive_agent.openloop.plan_files import read_plans
from drive_agent.openloop.truth import AREA_REACH_M, Source
from drive_agent.score.openloop import score_plans
from drive_agent.score.openloop.labels import GROUND, PAST
from tests.unit.data.expansion import LOCATION, box, write_expansion
from tests.unit.score.openloop.synthetic import make_cases

SAMPLES, SCENES, AGENTS = 6019, 150, 50  # of the validation split; annotated within 3 s of a sample
PUBLISHED = Path(__file__).parents[3] / "shared/data/nuscenes/agent_driver/pred_trajs_dict.pkl"
_KINDS = 8  # of scenes; making cases up takes longer than scoring them
_BLOCKS = 20  # of houses, each way, 100 m apart
# By a small process of its own: a child's greatest size counts from that of its parent, and a bench grows.
_ACCOUNT = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Spent:
    wall_s: float
    cpu_s: float
    peak_mb: float  # of the greatest process


def score_made_up(folder: Path, share: float = 1.0) -> Spent:
    """Score this share of the split by two workers, with all baselines and sub-scores."""
    tokens = _tokens()[: round(SAMPLES * share)]
    cache = folder / "cache"
    _write_truth(folder / "data", cache, tokens, round(SCENES * share))
    words = [f"data={folder / 'data'}", f"cache={cache}", f"out={folder / 'out'}", f"plans={_plans(folder)}"]
    return _measured([sys.executable, "-m", "drive_agent", "openloop", *words, "logs=false", "workers=2"])


def score_plans_cpu_s(count: int) -> float:
    """Processor time of `score_plans` for one planner's plans of so many samples."""
    cases = make_cases(count, AGENTS, 0)
    started = time.process_time()
    score_plans(cases)
    return time.process_time() - started


def _measured(command: list[str]) -> Spent:
    started = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", _ACCOUNT, *command], stdout=subprocess.PIPE, text=True, check=True
    )
    cpu_s, peak_kb = map(float, told.stdout.split())
    return Spent(time.perf_counter() - started, cpu_s, peak_kb / 1024)


def _tokens() -> list[str]:
    return sorted(read_plans(PUBLISHED)) if PUBLISHED.exists() else [f"{k:032x}" for k in range(SAMPLES)]


def _plans(folder: Path) -> Path:
    if PUBLISHED.exists():
        return PUBLISHED
    file = folder / "made_up.npz"
    np.savez(file, tokens=np.array(_tokens()), paths=make_cases(SAMPLES, 1, 1)["pred_lidar"])
    return file


def _write_truth(data: Path, cache: Path, tokens: list[str], scenes: int) -> None:
    """What the first call keeps of a data set, so that no data set is needed."""
    version = data / "v1.0-trainval"
    version.mkdir(parents=True)
    (version / "scene.json").write_text("[]")
    write_expansion(data, [[_city()]])
    source = Source(str(data), version.name, None, str(cache))
    area = read_drivable_area(data, LOCATION)
    source.folder.mkdir(parents=True)
    names = [f"scene-{k:04}" for k in range(scenes)]
    source.keep_names(names)
    for k, (name, own) in enumerate(zip(names, np.array_split(np.array(tokens), scenes), strict=True)):
        arrays = _truth(own, seed=k)
        near = area.near(arrays["global_pose"][:, :2], AREA_REACH_M)
        ground = ("", near.edges, near.polygons, near.bounds, "")
        np.savez(source.folder / f"{name}.npz", **arrays, **dict(zip(GROUND, ground, strict=True)))


def _city() -> list[np.ndarray]:
    """Streets 20 m wide around blocks of houses whose sides have ten corners each."""
    size_m = 100.0 * _BLOCKS
    side = np.linspace(0.0, 80.0, 10, endpoint=False)
    ring = np.concatenate([
        np.stack([side, 0 * side], 1), np.stack([0 * side + 80, side], 1),
        np.stack([80 - side, 0 * side + 80], 1), np.stack([0 * side, 80 - side], 1),
    ])  # fmt: skip
    corners = [(100.0 * i + 10, 100.0 * j + 10) for i in range(_BLOCKS) for j in range(_BLOCKS)]
    return [box(0.0, 0.0, size_m, size_m), *(ring + corner for corner in corners)]


_cases = functools.cache(lambda count, seed: make_cases(count, AGENTS, seed))


def _truth(tokens: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """The arrays of one scene: a drive in a patch of the city."""
    count = len(tokens)
    cases = {name: array for name, array in _cases(count, seed % _KINDS).items() if name != "pred_lidar"}
    draw = np.random.default_rng(seed)
    place = draw.uniform(300, 1700, 2) + draw.uniform(0, 100, (count, 2))
    before = -cases["ego_pose"][:, PAST:0:-1]
    return cases | {
        "class_names": np.array(cases["class_names"]),
        "lidar2ego_t": np.tile(cases["lidar2ego_t"], (count, 1)),
        "lidar2ego_q": np.tile(cases["lidar2ego_q"], (count, 1)),
        "global_pose": np.column_stack([place, draw.uniform(-3, 3, count)]),
        "box_height": np.ones((count, AGENTS)),
        "box_velocity": np.zeros((count, AGENTS, 2)),
        "box_attribute": np.full((count, AGENTS), ""),
        "box_z": np.zeros((count, AGENTS, 7)),
        "box_points": np.ones((count, AGENTS, 7), np.int32),
        "seen_before": np.ones((count, AGENTS), bool),
        "loaded_by_vad": np.ones((count, AGENTS), bool),
        "has_history": np.arange(count) >= 2,
        "tokens": tokens,
        "times_us": np.arange(count) * 500_000,
        "past_pose": before,
        "past_ok": np.arange(count)[:, None] + np.arange(-PAST, 0) >= 0,
    }
