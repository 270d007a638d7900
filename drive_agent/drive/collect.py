"""`drive-agent collect`: demonstrations of the expert as a data set, on streets and through scenarios.

A data set is a folder of shards (`data.shards`) with an index and a card; see docs/training.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from drive_agent.config import ConfigError, build, compose, conf_dir, expect
from drive_agent.data.card import write_card
from drive_agent.drive.collect_jobs import Job, run_jobs
from drive_agent.drive.collect_world import FreeConfig
from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.homes import home
from scenarios import towns
from scenarios.abilities import TYPES
from scenarios.drafts import route_element, write_routes
from scenarios.places import Atlas
from scenarios.recipes import single_scenarios
from scenarios.routes import RouteSpec, route_set
from scenarios.weathers import deal_weathers

HELP = """usage: drive-agent collect [key=value ...]

Lets the expert drive, disturbed and correcting itself, and keeps what a model has to learn of it: pictures, labels,
plans, what was recorded of everyone around. A shard that exists is not driven again: a collection goes on where it was
cut off, and the same keys and seed give the same data.

  drive-agent collect                                     the data of the shipped recipe
  drive-agent collect out=DIR towns=[random:7] rows=500 scenarios=0
  drive-agent collect out=DIR towns=[Harbor,random:1-20] rows=2000 scenarios=5 workers=2
  drive-agent collect held_out=true towns=[test] rows=800 scenarios=1    frames of test towns, for eval
  drive-agent collect out=DIR chauffeur=WEIGHTS seed=1    the model drives, the expert says what it should have done

keys and their values:
"""
ROUTES_A_SHARD = 20
_RANGE = re.compile(r"random:(\d+)-(\d+)")


@dataclass(frozen=True)
class CollectConfig:
    """All of `drive-agent collect`."""

    out: str | None
    towns: tuple[str, ...]  # names, train, test, random:SEED or random:FIRST-LAST
    rows: int  # of every town, without scenarios
    scenarios: int  # routes of every scenario type
    routes: str | None  # a route file of one's own instead
    seed: int
    workers: int
    held_out: bool  # for evaluation alone: test towns are allowed
    chauffeur: str | None
    free: FreeConfig = field(default_factory=FreeConfig)

    def __post_init__(self) -> None:
        expect("rows", self.rows, 0 <= self.rows <= 1_000_000, "0 to 1000000")
        expect("scenarios", self.scenarios, 0 <= self.scenarios <= 1000, "0 to 1000")
        expect("workers", self.workers, 1 <= self.workers <= 64, "1 to 64")

    @property
    def folder(self) -> Path:
        return Path(self.out) if self.out else home() / "data" / ("held_out" if self.held_out else "train")

    @property
    def split(self) -> str:
        return "test" if self.held_out else "train"


def run(words: list[str], console: Console) -> int:
    """The verb. Raises ConfigError for a wrong call."""
    config: CollectConfig = build(CollectConfig, compose("collect", words))
    return collect_set(config, console)


def help_text() -> str:
    """Usage, examples, and the keys with their values."""
    return HELP + (conf_dir() / "collect.yaml").read_text()


def collect_set(config: CollectConfig, console: Console) -> int:
    """Collect what is missing, write index and card; 1 when a shard could not be made."""
    config.folder.mkdir(parents=True, exist_ok=True)
    failed = run_jobs(plan_jobs(config), config.workers, console)
    if not failed and any(config.folder.glob("*/meta.json")):
        facts = write_card(config.folder)
        console.print(f"{facts['frames']} frames in {config.folder}: card.md, card.jpg", soft_wrap=True)
    for line in failed:
        console.print(f"failed: {line}", markup=False, soft_wrap=True)
    return 1 if failed else 0


def plan_jobs(config: CollectConfig) -> list[Job]:
    """One job a shard, in an order in which an early stop leaves a useful set: streets and scenarios in turn."""
    tag = f"seed{config.seed}" + ("_driven" if config.chauffeur else "")
    names = expand(config.towns)
    for name in names:
        is_test = name in towns.names("test")
        expect("towns", name, config.held_out or not is_test, "no test town: those are held_out=true only")
    free = [
        Job(
            config.folder / f"free_{_plain(town)}_{tag}", town, config.seed, config.free, rows=config.rows,
            chauffeur=config.chauffeur,
        )
        for town in names
        if config.rows
    ]  # fmt: skip
    routes = []
    for town, specs in by_town(_specs(config)).items():
        for k in range(0, len(specs), ROUTES_A_SHARD):
            folder = config.folder / f"scenarios_{_plain(town)}_{k // ROUTES_A_SHARD}_{tag}"
            chunk = tuple(specs[k : k + ROUTES_A_SHARD])
            routes.append(
                Job(folder, town, config.seed, config.free, routes=chunk, chauffeur=config.chauffeur)
            )
    longer, shorter = sorted((free, routes), key=len, reverse=True)
    return [job for k, first in enumerate(longer) for job in (first, *shorter[k : k + 1])]


def expand(names: tuple[str, ...]) -> list[str]:
    """Towns by name; `train`, `test` and `random:FIRST-LAST` stand for several."""
    out: list[str] = []
    for name in names:
        many = _RANGE.fullmatch(name)
        if name in ("train", "test"):
            out += towns.names(name)
        elif many is not None:
            out += [f"{towns.RANDOM_PREFIX}{k}" for k in range(int(many[1]), int(many[2]) + 1)]
        else:
            out.append(name)
    return list(dict.fromkeys(out))


def _specs(config: CollectConfig) -> tuple[RouteSpec, ...]:
    """Routes of a file, or so many of every scenario type, made anew from the seed."""
    if config.routes is not None:
        try:
            return route_set(config.routes)
        except ValueError as error:
            raise ConfigError(str(error)) from error
    if not config.scenarios:
        return ()
    path = config.folder / f"routes_{config.scenarios}_seed{config.seed}.xml"
    if not path.exists():
        atlas = Atlas(offline_road_map, config.seed)
        made = single_scenarios(atlas, sorted(TYPES), towns.names(config.split), config.scenarios)
        pairs = zip(made.drafts, deal_weathers(config.seed), strict=False)
        write_routes(path, [route_element(str(k), *pair) for k, pair in enumerate(pairs)])
    return route_set(str(path))


def by_town(specs: tuple[RouteSpec, ...]) -> dict[str, list[RouteSpec]]:
    """Routes of each town, in order."""
    out: dict[str, list[RouteSpec]] = defaultdict(list)
    for spec in specs:
        out[spec.town].append(spec)
    return dict(out)


def _plain(town: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "", town)
