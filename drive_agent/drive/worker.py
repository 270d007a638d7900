"""The process that drives: one driver, loaded once, one simulator, and routes as they come through a pipe.

It is a process of its own because the carla client may take its process down when its server dies. What goes wrong is
told apart here: the driver's fault is a result, the simulator's a try to be repeated, a full disk the end of the run.
Knows nothing of retries, other workers or the ledger.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from drive_agent.config import DriveConfig
from drive_agent.drive.carla import CarlaEnv
from drive_agent.drive.env import Ground, Listener
from drive_agent.drive.foreign_agent import ForeignDriver
from drive_agent.drive.jobs import Job
from drive_agent.drive.loop import AGENT_CRASHED, SIMULATION_CRASHED, AgentError, reason_of, run_episode
from drive_agent.drive.progress import Glimpse, glimpse_of
from drive_agent.drive.provenance import run_header
from drive_agent.drive.pulse import Pulse, Stage
from drive_agent.drive.punctual import PunctualDriver
from drive_agent.drive.roster import make_driver
from drive_agent.drive.world import open_env
from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.offspring import end_with_parent
from drive_agent.score.judged import LOG_NAME
from drive_agent.score.ledger import judged_record
from drive_agent.score.results import RouteRecord
from drive_agent.types import Briefing, Decision, Truth
from scenarios.checks import RouteError
from scenarios.own import load_own_types
from scenarios.scene import ScenarioError

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_GLIMPSE_S = 0.2


@dataclass(frozen=True)
class Task:
    """A job, and where its simulator answers."""

    job: Job
    host: str
    port: int


@dataclass(frozen=True)
class Attempt:
    """How one try ended. Without a record the simulator failed; `reason` says how."""

    record: RouteRecord | None
    reason: str
    last: bool = False  # the process ends after this one


class DiskFullError(OSError):
    """Nothing more can be written: the run has to stop, what is finished stays."""


def work(pipe: Connection, pulse: Pulse, config: DriveConfig, run: Path, worker: int) -> None:
    """Life of the process: load the driver, answer every `Task` with an `Attempt`, until None comes.

    An error that concerns the whole run is sent instead, as the exception that it is.
    """
    os.setsid()
    if config.agent is not None:  # it may print what it likes, but not over the panel
        sys.stdout = (run / f"agent_{worker}.log").open("a", buffering=1)
    end_with_parent()
    try:
        if config.scenarios is not None:
            load_own_types(config.scenarios)
        inner = make_driver(config)
        driver = PunctualDriver(inner, config.runner.answer_s, pulse)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        pipe.send(error)
        return
    pipe.send(None)
    env: CarlaEnv | None = None
    while (task := pipe.recv()) is not None:
        try:
            if env is None:
                env = open_env(config, task.host, task.port, worker)
                if isinstance(inner, ForeignDriver):
                    inner.connect(task.host, task.port, config.carla.timeout_s)
            attempt = _drive(env, driver, task.job, config, run, [_Window(pipe, pulse)], pulse)
            if isinstance(inner, ForeignDriver):
                inner.release()
        except DiskFullError as error:
            pipe.send(error)
            break
        except (OSError, RuntimeError) as error:  # RuntimeError: whatever the carla client has to say
            attempt = Attempt(None, reason_of(error))
        pipe.send(attempt)
        if attempt.last:
            break
    else:
        if env is not None:
            env.close()
    pipe.close()
    os._exit(0)  # a stuck driver, or a thread of the client, must not hold the process back


def _drive(
    env: CarlaEnv,
    driver: PunctualDriver,
    job: Job,
    config: DriveConfig,
    run: Path,
    listeners: Sequence[Listener],
    pulse: Pulse,
) -> Attempt:
    """Drive one job and judge its log."""
    folder = job.folder(run)
    types = tuple(scenario.type for scenario in job.spec.scenarios)

    def open_log(briefing: Briefing, ground: Ground) -> EpisodeWriter:
        del briefing
        header = run_header(
            job.spec.id, job.repetition, job.spec.town, job.seed, ground, config, types, job.spec
        )
        return EpisodeWriter(folder / LOG_NAME, header, ground.road_map)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG_NAME).unlink(missing_ok=True)  # of an earlier try
        # after "CUDA error: device-side assert" every further call fails: the next route gets a fresh process
        outcome, poisoned = _outcome_of(env, driver, job, open_log, listeners, pulse)
        with pulse.during(Stage.JUDGE):
            record = judged_record(folder / LOG_NAME, job.name, outcome)
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            raise DiskFullError(error.errno, f"{folder} cannot be written ({error.strerror})") from error
        raise
    return Attempt(record, outcome.reason, last=driver.stuck or poisoned)


def _outcome_of(
    env: CarlaEnv,
    driver: PunctualDriver,
    job: Job,
    open_log: Callable[[Briefing, Ground], EpisodeWriter],
    listeners: Sequence[Listener],
    pulse: Pulse,
) -> tuple[Outcome, bool]:
    """How the drive ended, and whether it was the driver that failed."""
    try:
        with pulse.during(Stage.SIMULATOR):
            return run_episode(env, driver, job.spec, job.seed, open_log, listeners), False
    except AgentError as error:
        return Outcome(AGENT_CRASHED, reason_of(error), 0.0, 0.0), True
    except RouteError as error:  # the file's fault, not the server's: another try would end alike
        return Outcome(SIMULATION_CRASHED, reason_of(error), 0.0, 0.0), False
    except ScenarioError as error:  # so is this
        return Outcome(SIMULATION_CRASHED, f"{job.spec.where}: {reason_of(error)}", 0.0, 0.0), False


class _Window:
    """The loop's listener: keeps the pulse, and sends a glimpse a few times a second."""

    def __init__(self, pipe: Connection, pulse: Pulse) -> None:
        self._pipe = pipe
        self._pulse = pulse
        self._sent = 0.0
        self._first_us: int | None = None

    def tick(self, truth: Truth, decision: Decision, completion_percent: float) -> None:
        self._pulse.beat(truth.time_us)
        self._first_us = truth.time_us if self._first_us is None else self._first_us
        now = time.monotonic()
        if now - self._sent >= _GLIMPSE_S:
            self._sent = now
            simulated_s = (truth.time_us - self._first_us) / 1e6
            self._pipe.send(glimpse_of(truth, decision, completion_percent, simulated_s))


Message = Glimpse | Attempt | Exception | None
