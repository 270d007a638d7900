"""A run: a folder, a ledger, and jobs that are handed to stations until each has a result. A failure becomes a row.

A try that the simulator spoiled is repeated, at the end of the queue; after `runner.retries` of them the route is put
aside with the reason, and counts. Knows nothing of pages and videos: whoever calls is told of each finished route.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path

from rich.console import Console

from drive_agent.config import ConfigError, DriveConfig
from drive_agent.drive.agenda import Agenda
from drive_agent.drive.evaluator import EvaluatorStation
from drive_agent.drive.jobs import Job, jobs_of
from drive_agent.drive.loop import SIMULATION_CRASHED
from drive_agent.drive.progress import DriveProgress
from drive_agent.drive.provenance import read_config, write_config
from drive_agent.drive.station import Place, Station, StationLostError
from drive_agent.drive.worker import Attempt
from drive_agent.drive.world import survey
from drive_agent.log.schema import Outcome
from drive_agent.score.judged import LOG_NAME
from drive_agent.score.ledger import Ledger, judged_record
from drive_agent.score.results import RouteRecord

RAY = "ray://"
# How a run is carried out may change when it goes on; what is driven may not.
CARRIED_OUT = ("out", "workers", "resume", "video", "carla", "runner")


def run_routes(config: DriveConfig, console: Console, on_route: Callable[[Path], None]) -> Path:
    """Drive all jobs that are not finished yet; returns the run folder.

    `on_route` is called with the folder of each finished route, those of an earlier call too. Raises StationLostError
    when no simulator comes up any more, DiskFullError, and what the driver raises while it loads; nothing that is
    finished is lost by it, and `resume=true` goes on.
    """
    jobs = jobs_of(config, partial(survey, config))
    run = open_run(config)
    ledger = Ledger.open(run, [job.name for job in jobs])
    if ledger.broken_lines:
        made_good = f"{run}: {ledger.broken_lines} broken lines of the ledger are made good from the logs"
        console.print(made_good, soft_wrap=True)
    finished = [job for job in jobs if ledger.finished(job.name)]
    left = [job for job in jobs if not ledger.finished(job.name)]
    if config.resume:
        console.print(f"resuming {run}: {len(finished)} of {len(jobs)} routes are finished", soft_wrap=True)
    for job in finished:
        on_route(job.folder(run))
    with ExitStack() as stack:
        progress = stack.enter_context(DriveProgress(console, len(left)))
        places = stack.enter_context(_open_places(config, run, progress, len(left)))
        Dispatch(left, places, ledger, config.runner.retries, run, progress, on_route).run()
    return run


def run_folder(config: DriveConfig) -> Path:
    """Where a run goes: `out`, or a name made of the present time, routes and model."""
    made = f"runs/{time.strftime('%Y%m%d-%H%M%S')}_{Path(config.routes).stem}_{config.model.kind}"
    return Path(config.out or made)


def open_run(config: DriveConfig) -> Path:
    """Make the run folder and write config.yaml; a folder that holds a run is only entered with resume=true."""
    name = run = run_folder(config)
    written = run / "config.yaml"
    if written.exists() and not config.resume:
        raise ConfigError(
            f"out={name} already holds a run; give resume=true to go on with it, or another out="
        )
    if config.resume:
        if not written.exists():
            raise ConfigError(
                f"resume=true, but out={name} holds no run (no config.yaml); start it without resume"
            )
        _check_same(read_config(written), config, run)
    try:
        (run / "routes").mkdir(parents=True, exist_ok=True)
        if not config.resume:
            write_config(written, config)
    except OSError as error:
        raise OSError(
            f"out={name} cannot be written ({error.strerror}); give out= a folder you may write to"
        ) from error
    return run


def _check_same(begun: DriveConfig, config: DriveConfig, run: Path) -> None:
    """Raises ConfigError where a run would go on with other settings than it was begun with."""
    for part in fields(DriveConfig):
        was, now = getattr(begun, part.name), getattr(config, part.name)
        if part.name not in CARRIED_OUT and was != now:
            raise ConfigError(
                f"resume=true with {part.name}={now}, but {run} was begun with {was}: give the same, or another out="
            )


@contextmanager
def _open_places(
    config: DriveConfig, run: Path, progress: DriveProgress, jobs: int
) -> Iterator[Sequence[Place]]:
    """The stations of a run; all that they started ends with the block."""
    places = _places(config, run, progress, jobs)
    try:
        yield places
    finally:
        for place in places:
            place.close()


def _places(config: DriveConfig, run: Path, progress: DriveProgress, jobs: int) -> Sequence[Place]:
    if config.workers.startswith(RAY):
        try:
            from drive_agent.drive.ray_places import ray_places
        except ImportError as error:
            raise ConfigError(
                f"workers={config.workers}: {error}; install the extra: pip install 'drive-agent[ray]'"
            ) from error
        return ray_places(config, run, jobs)
    numbers = range(min(int(config.workers), jobs))
    if config.evaluator.command is not None:
        return [EvaluatorStation(config, run, number) for number in numbers]
    return [Station(config, run, number, progress.show) for number in numbers]


class Dispatch:
    """Hands jobs to idle stations and enters what comes back, until every job has a result."""

    def __init__(
        self,
        jobs: Sequence[Job],
        places: Sequence[Place],
        ledger: Ledger,
        retries: int,
        run: Path,
        progress: DriveProgress,
        on_route: Callable[[Path], None],
    ) -> None:
        self._waiting = Agenda(jobs)
        self._idle = list(places)
        self._busy: dict[Future[Attempt], tuple[Place, Job]] = {}
        self._failures: Counter[str] = Counter()
        self._ledger, self._retries, self._run = ledger, retries, run
        self._progress, self._on_route = progress, on_route

    def run(self) -> None:
        """Raises StationLostError when the last station is lost, and what concerns the whole run."""
        while self._waiting or self._busy:
            while self._waiting and self._idle:
                place = self._idle.pop(0)
                self._send(place, self._waiting.take(place.number))
            done, _ = wait(self._busy, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda future: self._busy[future][0].number):
                self._receive(future)

    def _send(self, place: Place, job: Job) -> None:
        self._progress.begin(place.number, job.label)
        self._busy[place.submit(job)] = place, job

    def _receive(self, future: Future[Attempt]) -> None:
        place, job = self._busy.pop(future)
        try:
            attempt = future.result()
        except StationLostError as error:
            self._progress.end(place.number, finished=False)
            self._waiting.put_back(job)
            if not self._idle and not self._busy:
                raise
            self._progress.say(f"  worker {place.number} is lost: {error}; the others go on")
            return
        self._idle.append(place)
        record = attempt.record or self._failed(job, attempt.reason)
        self._progress.end(place.number, finished=record is not None)
        if record is None:
            self._waiting.again(job)
            return
        self._ledger.finish(job.name, record, attempt.reason)
        self._progress.say(
            f"  route {job.label}: score {record.score_composed:5.1f}  completion {record.score_route:5.1f} %"
            f"  {record.status}"
        )
        if attempt.reason and attempt.record is not None:
            self._progress.say(f"    {attempt.reason}")
        self._on_route(job.folder(self._run))

    def _failed(self, job: Job, reason: str) -> RouteRecord | None:
        """Enter a spoiled try; the record of a route that has used up its tries."""
        self._failures[job.name] += 1
        tries, allowed = self._failures[job.name], self._retries + 1
        self._progress.say(f"  route {job.label}: {reason}; try {tries} of {allowed}")
        if tries < allowed:
            self._ledger.failed(job.name, reason)
            return None
        return judged_record(
            job.folder(self._run) / LOG_NAME, job.name, Outcome(SIMULATION_CRASHED, reason, 0.0, 0.0)
        )
