"""Routes x repetitions in one process: a run folder, one log per route, scores after each. A failure becomes a row.

Knows nothing of pages and videos: whoever calls is told of each finished route.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from drive_agent.config import ConfigError, DriveConfig
from drive_agent.drive.carla import CarlaEnv, CarlaSettings
from drive_agent.drive.carla_sensors import SensorSettings
from drive_agent.drive.drawn_routes import count_of, draw_routes
from drive_agent.drive.env import Driver, Ground
from drive_agent.drive.loop import AGENT_CRASHED, SIMULATION_CRASHED, AgentError, reason_of, run_episode
from drive_agent.drive.offline_maps import town_text
from drive_agent.drive.progress import DriveProgress
from drive_agent.drive.provenance import run_header, write_config
from drive_agent.drive.roster import make_driver
from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.rig import RIGS
from drive_agent.score.results import Results
from drive_agent.sim.process import ServerError, ServerProcess
from drive_agent.types import Briefing
from scenarios.checks import check_scenarios
from scenarios.own import load_own_types
from scenarios.routes import RouteSpec, route_set
from scenarios.scene import ScenarioError

SERVER_TRIES = 2  # a route whose server died is driven again on a new one, once


@dataclass(frozen=True)
class Job:
    """One route, one repetition."""

    spec: RouteSpec
    repetition: int
    seed: int

    @property
    def name(self) -> str:
        return f"RouteScenario_{self.spec.id}_rep{self.repetition}"

    def folder(self, run: Path) -> Path:
        return run / "routes" / f"{self.spec.id}_rep{self.repetition}"


def jobs_of(config: DriveConfig, world: World) -> list[Job]:
    """All jobs in order; each repetition has a seed of its own. `world` is asked where routes have to be drawn."""
    specs = _specs(config, world)
    return [Job(spec, rep, config.seed + rep) for spec in specs for rep in range(config.repetitions)]


def _specs(config: DriveConfig, world: World) -> tuple[RouteSpec, ...]:
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
    return draw_routes(world.env(config.town).survey(config.town), config.town, count, config.seed)


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


def open_run(config: DriveConfig) -> Path:
    """Make the run folder and write config.yaml; a folder that holds a run is only entered with resume=true."""
    name = (
        config.out or f"runs/{time.strftime('%Y%m%d-%H%M%S')}_{Path(config.routes).stem}_{config.model.kind}"
    )
    run = Path(name)
    written = run / "config.yaml"
    if written.exists() and not config.resume:
        raise ConfigError(
            f"out={name} already holds a run; give resume=true to go on with it, or another out="
        )
    if config.resume and not written.exists():
        raise ConfigError(
            f"resume=true, but out={name} holds no run (no config.yaml); start it without resume"
        )
    try:
        (run / "routes").mkdir(parents=True, exist_ok=True)
        if not config.resume:
            write_config(written, config)
    except OSError as error:
        raise OSError(
            f"out={name} cannot be written ({error.strerror}); give out= a folder you may write to"
        ) from error
    return run


def run_routes(config: DriveConfig, console: Console, on_route: Callable[[Path], None]) -> Path:
    """Drive all jobs that are not finished yet; returns the run folder.

    `on_route` is called with the folder of each route just driven.
    """
    with ExitStack() as stack:
        world = stack.enter_context(World(config))
        jobs = jobs_of(config, world)
        run = open_run(config)
        results = Results.open(run / "results.json", [job.name for job in jobs])
        left = [job for job in jobs if not results.finished(job.name)]
        if len(left) < len(jobs):
            console.print(f"resuming {run}: {len(jobs) - len(left)} of {len(jobs)} routes are finished")
        driver = make_driver(config)
        progress = stack.enter_context(DriveProgress(console, len(left)))
        for job in left:
            progress.start_route(job.spec.id)
            outcome = _drive_job(world, driver, job, config, run, progress)
            record = results.add(job.name, job.folder(run) / "log.mcap", outcome)
            progress.end_route()
            progress.say(
                f"  route {job.spec.id} rep {job.repetition}: score {record.score_composed:5.1f}"
                f"  completion {record.score_route:5.1f} %  {record.status}"
            )
            on_route(job.folder(run))
    return run


class World:
    """The server and the environment on it; both are made anew when the server died."""

    def __init__(self, config: DriveConfig) -> None:
        self._config = config
        self._server: ServerProcess | None = None
        self._env: CarlaEnv | None = None

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._env is not None:
            self._env.close()
        self.drop()

    def env(self, town: str) -> CarlaEnv:
        """The environment, starting a server first where there is none."""
        if self._env is None:
            self._env = self._start(town)
        return self._env

    def drop(self) -> None:
        """Let go of an environment that may be broken, without a word to its server; an own server is ended."""
        self._env = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _start(self, town: str) -> CarlaEnv:
        carla, host, port = self._config.carla, self._config.carla.host, self._config.carla.port
        if carla.kind == "embedded":
            self._server = ServerProcess(
                town, port=port, seed=self._config.seed, threads=carla.threads, maps=carla.maps
            )
            host, port = self._server.host, self._server.port
        return CarlaEnv(
            CarlaSettings(
                host, port, self._config.tick_s, carla.timeout_s, self._config.traffic.vehicles,
                self._config.traffic.walkers, carla.traffic_manager_port,
            ),
            SensorSettings(
                RIGS[self._config.model.rig](), self._config.model.period_s, self._config.tick_s, carla.timeout_s,
                cameras_on=self._config.model.kind not in ("expert", "scripted"),
            ),
        )  # fmt: skip


def _drive_job(
    world: World, driver: Driver, job: Job, config: DriveConfig, run: Path, progress: DriveProgress
) -> Outcome:
    """Drive one job; what goes wrong becomes its outcome. A dead server is replaced and the route driven again."""
    folder = job.folder(run)
    folder.mkdir(parents=True, exist_ok=True)

    def open_log(briefing: Briefing, ground: Ground) -> EpisodeWriter:
        del briefing
        header = run_header(
            job.spec.id,
            job.repetition,
            job.spec.town,
            job.seed,
            ground,
            config,
            tuple(scenario.type for scenario in job.spec.scenarios),
            job.spec,
        )
        return EpisodeWriter(folder / "log.mcap", header, ground.road_map)

    attempt = 0
    while True:
        attempt += 1
        try:
            return run_episode(world.env(job.spec.town), driver, job.spec, job.seed, open_log, [progress])
        except AgentError as error:
            return Outcome(AGENT_CRASHED, reason_of(error), 0.0, 0.0)
        except ScenarioError as error:  # the file's fault, not the server's: another try would end alike
            return Outcome(SIMULATION_CRASHED, f"{job.spec.where}: {reason_of(error)}", 0.0, 0.0)
        except ConnectionError:  # there is no server to drive on: the other routes would fail alike
            raise
        except (
            OSError,
            RuntimeError,
            ServerError,
        ) as error:  # RuntimeError: whatever the carla client has to say
            outcome = Outcome(SIMULATION_CRASHED, reason_of(error), 0.0, 0.0)
        progress.say(f"  route {job.spec.id}: {outcome.reason}; try {attempt} of {SERVER_TRIES}")
        world.drop()
        if attempt == SERVER_TRIES:
            return outcome
