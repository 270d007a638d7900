"""A place where an official evaluator drives: one process of it for each route, its result file read afterwards.

The evaluator's own way of going on after a crash is not used: each try begins with an empty result file, and which routes
are finished stands in our ledger. Watched are its process, its output (it writes a line a tick), its server and the clock.
"""

from __future__ import annotations

import shlex
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from drive_agent.config import DriveConfig
from drive_agent.drive.jobs import Job
from drive_agent.drive.kept import KeptProcess
from drive_agent.drive.servers import Server, ended_text, free_port, start_server
from drive_agent.drive.station import StationLostError
from drive_agent.drive.worker import Attempt
from drive_agent.score.results import SIMULATION_CRASHED, read_records
from drive_agent.sim.process import ServerError
from scenarios.routes import SETS_FOLDER

CHECKPOINT, OUTPUT = "official.json", "official.log"  # in a route's folder
_LOOK_S = 0.5
_MANAGER_PORT, _MANAGER_STEP = 8000, 50
_OWN_SERVER_PORT, _OWN_SERVER_STEP = 20000, 50


class EvaluatorStation:
    """Worker `number` of a run that an official evaluator drives."""

    def __init__(self, config: DriveConfig, run: Path, number: int) -> None:
        self.number = number
        self._config, self._run = config, run
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"evaluator {number}")
        self._server: Server | None = None
        self._process: KeptProcess | None = None

    def submit(self, job: Job) -> Future[Attempt]:
        return self._thread.submit(self.drive, job)

    def close(self) -> None:
        """End evaluator and server, in the middle of a route if need be."""
        self._drop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def drive(self, job: Job) -> Attempt:
        """Drive one job. Raises StationLostError when no server comes up."""
        folder = job.folder(self._run)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CHECKPOINT).unlink(missing_ok=True)
        if self._server is None and not self._config.evaluator.starts_server:
            self._server = self._start_server(job)
        process = self._process = KeptProcess(self._command(job), folder / OUTPUT)
        try:
            gone = self._supervise(process)
            attempt = attempt_of(folder / CHECKPOINT, job, gone or process.last_line())
        finally:
            process.stop()
        if attempt.record is None:
            self._drop()
        return attempt

    def _start_server(self, job: Job) -> Server:
        try:
            return start_server(
                self._config.carla, self._config.runner, self.number, job.spec.town, self._config.seed
            )
        except ServerError as error:
            raise StationLostError(" ".join(str(error).split())) from error

    def _command(self, job: Job) -> list[str]:
        assert self._config.evaluator.command is not None
        server, routes = self._server, self._config.routes
        route_file = Path(routes) if routes.endswith(".xml") else SETS_FOLDER / f"{routes}.xml"
        values = {
            "routes": str(route_file.resolve()),
            "route": job.spec.id,
            "checkpoint": str((job.folder(self._run) / CHECKPOINT).resolve()),
            "config": str((self._run / "config.yaml").resolve()),
            "host": server.host if server else self._config.carla.host,
            "port": server.port if server else free_port(_OWN_SERVER_PORT + _OWN_SERVER_STEP * self.number),
            "traffic_manager_port": free_port(_MANAGER_PORT + _MANAGER_STEP * self.number),
            "seed": job.seed,
            "worker": self.number,
        }
        return [word.format(**values) for word in shlex.split(self._config.evaluator.command)]

    def _supervise(self, process: KeptProcess) -> str | None:
        """Wait until the evaluator has ended, or must be; None when it did so in peace."""
        started, silence_s = time.monotonic(), self._config.runner.silence_s
        while process.status is None:
            time.sleep(_LOOK_S)
            gone = self._server.ended() if self._server else None
            if gone:
                return gone
            if process.silent_s() > silence_s:
                return f"the evaluator wrote nothing for {silence_s:.0f} s (runner.silence_s)"
            if time.monotonic() - started > self._config.evaluator.route_s:
                return (
                    f"the route took longer than {self._config.evaluator.route_s:.0f} s (evaluator.route_s)"
                )
        return (
            None if process.status == 0 else ended_text("the evaluator", process.status, process.last_line())
        )

    def _drop(self) -> None:
        process, server = self._process, self._server
        self._process = self._server = None
        if process is not None:
            process.stop()
        if server is not None:
            server.stop()


def attempt_of(checkpoint: Path, job: Job, why: str) -> Attempt:
    """What a result file says of a job; a simulator that crashed, and a file without the route, are to be tried again."""
    if not checkpoint.exists():
        return Attempt(None, f"the evaluator left no result file: {why}")
    try:
        records = read_records(checkpoint)
    except ValueError as error:
        return Attempt(None, str(error))
    if not records:
        return Attempt(None, f"the evaluator left no record: {why}")
    record = replace(records[-1], route_id=job.name)
    if SIMULATION_CRASHED in record.status:
        return Attempt(None, f"{record.status}: {why}")
    return Attempt(record, "")
