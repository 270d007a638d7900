"""A data set as jobs, one a shard, done in processes of their own with a server each.

A shard that exists is done, so a collection that was cut off goes on. A process that fails or hangs is ended and its
job tried again: what is in a shard follows from the job alone, not from who does it or when.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path

from rich.console import Console

from drive_agent.data.shards import ShardWriter
from drive_agent.drive.collect_world import FreeConfig
from drive_agent.drive.demonstrator import PERIOD_S
from drive_agent.eta import Eta
from drive_agent.offspring import end_with_parent
from drive_agent.sim.process import ServerProcess
from scenarios.routes import RouteSpec

TRIES = 3
SILENCE_S = 300.0
ROWS, TICKS = 0, 1  # places of what a job counts
_LOOK_S = 0.5
ROWS_A_ROUTE = 90  # what a route with a scenario is likely to give


@dataclass(frozen=True)
class Job:
    """One shard: `rows` of driving about in a town, or some routes through it."""

    folder: Path
    town: str
    seed: int
    free: FreeConfig
    rows: int = 0
    routes: tuple[RouteSpec, ...] = ()
    chauffeur: str | None = None  # weights of the model at the wheel

    @property
    def likely_rows(self) -> int:
        return self.rows or ROWS_A_ROUTE * len(self.routes)


def collect(job: Job, done: SynchronizedArray) -> None:
    """Do one job in this process; `done` counts its rows and its ticks."""
    from drive_agent.drive.collect_routes import collect_routes  # carla: only in the processes that collect
    from drive_agent.drive.collect_world import CollectWorld

    writer = ShardWriter(job.folder)
    chauffeur = _chauffeur(job.chauffeur)
    started, cpu = time.perf_counter(), time.process_time()

    def progress(rows: int) -> None:
        done[ROWS] = rows
        done[TICKS] += 1

    with ServerProcess(job.town, port=0, seed=job.seed, threads=job.free.threads) as server:
        if job.routes:
            counts = dict(
                collect_routes(server.host, server.port, job.routes, writer, job.seed, chauffeur, progress)
            )
        else:
            world = CollectWorld(server.host, server.port, job.free, writer, job.seed, chauffeur)
            world.run(job.rows, progress)
            counts = world.counts
            world.close()
    wall_s = time.perf_counter() - started
    writer.close(
        town=job.town, seed=job.seed, period_s=PERIOD_S, kind="scenarios" if job.routes else "free",
        driver=job.chauffeur or "expert", ends=counts, wall_s=round(wall_s, 1),
        client_cpu_s=round(time.process_time() - cpu, 1), rows_per_s=round(len(writer) / wall_s, 2),
        scenarios=[scenario.type for spec in job.routes for scenario in spec.scenarios],
    )  # fmt: skip


def _chauffeur(weights: str | None):
    if weights is None:
        return None
    from drive_agent.drive.chauffeur import Chauffeur
    from drive_agent.models.embedded.model import EmbeddedModel

    return Chauffeur(EmbeddedModel.load(weights))


def _work(job: Job, done: SynchronizedArray) -> None:
    end_with_parent()
    try:
        collect(job, done)
    except Exception:  # noqa: BLE001 - whatever it is, the process that waits tells it
        failure = job.folder.with_name(job.folder.name + ".failed")
        failure.write_text(traceback.format_exc())
        sys.exit(1)


class _Running:
    """A job under way in its process."""

    def __init__(self, job: Job, tries: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.job, self.tries = job, tries
        self.done: SynchronizedArray = context.Array("q", 2)
        self._process = context.Process(target=_work, args=(job, self.done))
        self._process.start()
        self._last, self._since = 0, time.monotonic()

    def ended(self) -> bool:
        """Whether it has ended; one that hangs is ended here."""
        if self.done[TICKS] != self._last:
            self._last, self._since = self.done[TICKS], time.monotonic()
        if self._process.is_alive() and time.monotonic() - self._since > SILENCE_S:
            self._process.kill()
        if self._process.is_alive():
            return False
        self._process.join()
        return True

    @property
    def rows(self) -> int:
        return self.done[ROWS]

    def why(self) -> str:
        """Why it failed, on one line."""
        failure = self.job.folder.with_name(self.job.folder.name + ".failed")
        if not failure.exists():
            return f"its process ended with status {self._process.exitcode}"
        text = failure.read_text().strip().splitlines()[-1]
        failure.unlink()
        return text

    def stop(self) -> None:
        self._process.kill()
        self._process.join()


def run_jobs(jobs: Sequence[Job], workers: int, console: Console) -> list[str]:
    """Do what is not done yet, `workers` at a time; returns a line for each job that failed for good."""
    waiting = [(job, 1) for job in jobs if not job.folder.exists()]
    total, failed = sum(job.likely_rows for job, _ in waiting), []
    running: list[_Running] = []
    finished = rows = 0
    with Eta(console, f"{len(waiting)} of {len(jobs)} shards", total) as eta:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running.append(_Running(*waiting.pop(0)))
                time.sleep(_LOOK_S)
                for one in [one for one in running if one.ended()]:
                    running.remove(one)
                    if one.job.folder.exists():
                        finished += one.job.likely_rows
                        rows += one.rows
                        continue
                    line = f"{one.job.folder.name}: {one.why()}"
                    eta.say(f"{line} (try {one.tries} of {TRIES})")
                    if one.tries < TRIES:
                        waiting.append((one.job, one.tries + 1))
                    else:
                        failed.append(line)
                under_way = sum(min(one.rows, one.job.likely_rows) for one in running)
                eta.show(finished + under_way, f"{rows + sum(one.rows for one in running)} rows")
        finally:
            for one in running:
                one.stop()
    return failed
