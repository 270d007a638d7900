"""One place where routes are driven: a simulator and a driving process, both watched, both replaced when one fails.

Whose fault a failure is shows here: a process that ends, a server that dies, a simulation that stands still, a driver
that never answers. Knows nothing of which routes there are, of retries or of the ledger.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from drive_agent.config import DriveConfig
from drive_agent.drive.jobs import Job
from drive_agent.drive.loop import AGENT_CRASHED
from drive_agent.drive.progress import Glimpse
from drive_agent.drive.pulse import Pulse, Stage, Watch
from drive_agent.drive.servers import Server, answers, ended_text, start_server
from drive_agent.drive.worker import Attempt, Task, work
from drive_agent.log.schema import Outcome
from drive_agent.score.judged import LOG_NAME
from drive_agent.score.ledger import judged_record
from drive_agent.sim.process import ServerError

START_TRIES = 3  # so often a station starts its simulator before it gives up for good
_LOOK_S = 0.5
_GRACE_S = 30.0  # beyond the driver's own deadline, which its process keeps as long as it can
_CLOSE_S = 10.0
_PING_S = 10.0


class StationLostError(RuntimeError):
    """A station cannot work any more: its simulator does not come up. The text says why."""


class Place(Protocol):
    """Where a job can be sent: on this machine or on another one."""

    number: int

    def submit(self, job: Job) -> Future[Attempt]:
        """Drive a job. The future raises StationLostError, or what concerns the whole run."""
        ...

    def close(self) -> None:
        """End everything that was started."""
        ...


class Station:
    """Worker `number` of a run, on this machine."""

    def __init__(
        self, config: DriveConfig, run: Path, number: int, show: Callable[[int, Glimpse], None]
    ) -> None:
        self.number = number
        self._config, self._run, self._show = config, run, show
        self._context = multiprocessing.get_context("spawn")
        self._pulse = Pulse(self._context)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"station {number}")
        self._server: Server | None = None
        self._process: multiprocessing.process.BaseProcess | None = None
        self._closed = False

    def submit(self, job: Job) -> Future[Attempt]:
        return self._thread.submit(self.drive, job)

    def close(self) -> None:
        """End worker and server, in the middle of a route if need be."""
        self._closed = True
        self._drop(orderly=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def drive(self, job: Job) -> Attempt:
        """Drive one job. Raises StationLostError, or what concerns the whole run."""
        self._start(job)
        attempt = self._supervise(job)
        if attempt.record is None or attempt.last:
            self._drop()
        return attempt

    def _start(self, job: Job) -> None:
        """Have a simulator that answers and a process that has loaded its driver."""
        if self._server is not None and not self._is_well(self._server):
            self._drop()
        if self._process is None:
            self._start_process()
        if self._server is None:
            self._server = self._start_server(job.spec.town)
        self._await_driver()

    def _start_server(self, town: str) -> Server:
        carla, tries = self._config.carla, 0
        while True:
            tries += 1
            try:
                server = start_server(carla, self._config.runner, self.number, town, self._config.seed)
            except ServerError as error:
                if tries == START_TRIES or carla.kind == "remote":
                    self._drop()
                    raise StationLostError(" ".join(str(error).split())) from error
                continue
            if self._closed:  # meanwhile
                server.stop()
                raise StationLostError("the run was stopped")
            return server

    def _is_well(self, server: Server) -> bool:
        return server.ended() is None and answers(server.host, server.port, _PING_S)

    def _start_process(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        process = self._context.Process(
            target=work, args=(theirs, self._pulse, self._config, self._run, self.number), daemon=True
        )
        process.start()
        self._process = process
        theirs.close()
        self._greeted = False

    def _await_driver(self) -> None:
        """Wait until the driver is loaded; what it raised on the way is raised here."""
        if self._greeted:
            return
        try:
            greeting = self._pipe.recv()
        except EOFError:
            raise StationLostError(f"while it loaded the driver, {self._how_it_ended()}") from None
        if isinstance(greeting, Exception):
            self._drop()
            raise greeting
        self._greeted = True

    def _supervise(self, job: Job) -> Attempt:
        """Send the job and wait for its attempt, or for a reason why there will be none."""
        server = self._server
        assert server is not None
        started, watch = time.monotonic(), Watch(self._pulse)
        with suppress(BrokenPipeError):
            self._pipe.send(Task(job, server.host, server.port))
        while True:
            try:
                message = self._pipe.recv() if self._pipe.poll(_LOOK_S) else None
            except (EOFError, OSError):
                return Attempt(None, server.ended() or self._how_it_ended())
            if isinstance(message, Attempt):
                gone = server.ended() if message.record is None else None
                return Attempt(None, gone) if gone else message
            if isinstance(message, Glimpse):
                self._show(self.number, message)
            elif isinstance(message, Exception):
                raise message
            gone = server.ended()
            if gone:
                return Attempt(None, gone)
            stuck = self._stuck(watch, job, time.monotonic() - started)
            if stuck is not None:
                return stuck

    def _stuck(self, watch: Watch, job: Job, wall_s: float) -> Attempt | None:
        """The attempt of a drive that has stood still for too long, by whoever's turn it was."""
        still_s, runner = watch.still_s(), self._config.runner
        if self._pulse.stage is not Stage.DRIVER:
            if still_s < runner.silence_s:
                return None
            return Attempt(None, f"the simulation stood still for {still_s:.0f} s (runner.silence_s)")
        if still_s < runner.answer_s + _GRACE_S:
            return None
        self._drop()
        outcome = Outcome(AGENT_CRASHED, f"the driver gave no answer for {still_s:.0f} s", wall_s, 0.0)
        record = judged_record(job.folder(self._run) / LOG_NAME, job.name, outcome)
        return Attempt(record, outcome.reason, last=True)

    def _how_it_ended(self) -> str:
        process = self._process
        if process is None:
            return "the run was stopped"
        process.join(_CLOSE_S)
        return ended_text("the driving process", process.exitcode)

    def _drop(self, *, orderly: bool = False) -> None:
        """End process and server; the next job gets new ones. Orderly: a process that idles may take its leave."""
        process, server = self._process, self._server
        self._process = self._server = None
        if process is not None:
            if orderly and self._pulse.stage is Stage.IDLE:
                with suppress(OSError):
                    self._pipe.send(None)
                process.join(_CLOSE_S)
            _end(process)
            self._pipe.close()
        if server is not None:
            server.stop()


def _end(process: multiprocessing.process.BaseProcess) -> None:
    """End a driving process with all that it started; it leads a process group once it runs."""
    if process.pid is not None and process.is_alive():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
