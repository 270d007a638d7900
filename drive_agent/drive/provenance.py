"""How a run came to be, as it is written down: its config.yaml, and the head of each of its logs.

Plain YAML: a config.yaml is also read where hydra cannot be imported (the Leaderboard's evaluator pins another antlr).
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import yaml

from drive_agent.config import ConfigError, DriveConfig, build
from drive_agent.drive.env import Ground
from drive_agent.log.encode import to_plain
from drive_agent.log.schema import RunHeader
from drive_agent.routing import sparse
from scenarios.routes import RouteSpec

VERSIONS_OF = ("drive-agent", "carla", "numpy", "numba", "torch", "transformers", "mcap")


def write_config(path: Path, config: DriveConfig) -> None:
    """Write a resolved configuration, with the versions of what will run it; whole or not at all."""
    settings = {"config": asdict(config), "versions": versions(), "git": git_hash(), "seed": config.seed}
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(yaml.safe_dump(settings, sort_keys=False))
    os.replace(part, path)


def read_config(path: Path) -> DriveConfig:
    """The configuration out of a config.yaml. Raises ConfigError, one line with the remedy, for anything else."""
    remedy = f"write one: drive-agent config {path.name or 'config.yaml'}"
    if not path.is_file():
        raise ConfigError(f"no configuration at {str(path)!r}: expected a resolved config.yaml; {remedy}")
    try:
        settings = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML ({' '.join(str(error).split())}); {remedy}") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("config"), dict):
        raise ConfigError(f"{path} has no group 'config', expected a resolved config.yaml; {remedy}")
    return build(DriveConfig, settings["config"])


def run_header(
    route_id: str,
    repetition: int,
    town: str,
    seed: int,
    ground: Ground,
    config: DriveConfig,
    scenario_types: tuple[str, ...] = (),
    spec: RouteSpec | None = None,
) -> RunHeader:
    """What a log says about how it came to be; `spec` where the route came from a file or was drawn here."""
    picks = sparse(ground.route)
    return RunHeader(
        route_id=route_id,
        repetition=repetition,
        town=town,
        seed=seed,
        route=ground.route,
        sparse_points=ground.route.points[picks],
        sparse_maneuvers=tuple(ground.route.maneuvers[k] for k in picks),
        config=asdict(config),
        package_versions=versions(),
        git_hash=git_hash(),
        scenario_types=scenario_types,
        route_spec=to_plain(spec) if spec else {},
    )


def versions() -> dict[str, str]:
    """Versions of the packages that decide what a run does."""
    return {name: importlib.metadata.version(name) for name in VERSIONS_OF}


def git_hash() -> str:
    """Commit of the checkout this package runs from, "" outside of one."""
    here = Path(__file__).parent
    done = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
