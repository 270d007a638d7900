"""What a run has to drive: routes x repetitions, each with its name, its folder and its seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from drive_agent.config import ConfigError, DriveConfig
from drive_agent.drive.drawn_routes import count_of, draw_routes
from drive_agent.drive.offline_maps import town_text
from drive_agent.roadmap import RoadMap
from drive_agent.score.judged import folder_name, record_name
from scenarios.checks import check_scenarios
from scenarios.own import load_own_types
from scenarios.routes import RouteSpec, route_set


@dataclass(frozen=True)
class Job:
    """One route, one repetition."""

    spec: RouteSpec
    repetition: int
    seed: int

    @property
    def name(self) -> str:
        """As in the results file."""
        return record_name(self.spec.id, self.repetition)

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.spec.id} rep {self.repetition}"

    def folder(self, run: Path) -> Path:
        return run / "routes" / folder_name(self.name)


def jobs_of(config: DriveConfig, survey: Callable[[str], RoadMap]) -> list[Job]:
    """All jobs in order; each repetition has a seed of its own. `survey` gives a town's map where routes are drawn."""
    specs = _specs(config, survey)
    return [Job(spec, rep, config.seed + rep) for spec in specs for rep in range(config.repetitions)]


def _specs(config: DriveConfig, survey: Callable[[str], RoadMap]) -> tuple[RouteSpec, ...]:
    if config.scenarios is not None:
        load_own_types(config.scenarios)
    count = count_of(config.routes)
    if count is None:
        specs = route_set(config.routes, _named_maps(config))
        specs = tuple(replace(spec, town=config.town or spec.town) for spec in specs)
        _check(specs, config)
        return specs
    if config.town is None:
        raise ConfigError(f"routes={config.routes} needs a town: give town=NAME or town=PATH.xodr")
    return draw_routes(survey(config.town), config.town, count, config.seed)


def _check(specs: tuple[RouteSpec, ...], config: DriveConfig) -> None:
    """Raises ValueError, before anything drives, for a scenario that cannot be played and a town that is not there."""
    check_scenarios(specs)
    if config.carla.kind == "embedded":
        for town, spec in {spec.town: spec for spec in reversed(specs)}.items():
            try:
                town_text(town, config.carla.maps)
            except ValueError as error:
                remedy = "" if config.carla.maps else "; give carla.maps=DIR, a folder with its .xodr"
                raise ValueError(f"{spec.where}: <route> town: {error}{remedy}") from error


def _named_maps(config: DriveConfig) -> list[str]:
    """Names that routes may use besides the shipped towns and CARLA's."""
    files = list(Path(config.carla.maps).glob("*.xodr")) if config.carla.maps else []
    return [path.stem for path in (*files, Path(config.town or ""))]
