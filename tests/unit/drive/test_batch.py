"""Jobs are handed out, repeated, put aside; what becomes of each is in the ledger. No process is started here."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from drive_agent.config import ConfigError, DriveConfig, build, compose
from drive_agent.drive.batch import Dispatch, open_run
from drive_agent.drive.jobs import Job, jobs_of
from drive_agent.drive.progress import DriveProgress
from drive_agent.drive.station import StationLostError
from drive_agent.drive.worker import Attempt
from drive_agent.log.schema import Outcome
from drive_agent.score.judged import unlogged
from drive_agent.score.ledger import Ledger, read_ledger
from drive_agent.score.results import RouteRecord, route_record
from scenarios.routes import RouteSpec

JOBS = [Job(RouteSpec(name, "Street", np.zeros((2, 3)), (), ()), 0, 0) for name in "abcd"]
Answer = Callable[[Job], Attempt]


def record(job: Job, status: str = "Perfect") -> RouteRecord:
    return route_record(-1, unlogged(job.name, Outcome(status, "", 1.0, 1.0)), "2.1")


def well(job: Job) -> Attempt:
    return Attempt(record(job), "")


class Scripted:
    """A place that answers as it is told: each answer once, the last one for ever."""

    def __init__(self, number: int, *answers: Answer | Exception) -> None:
        self.number = number
        self._answers = list(answers)
        self.taken: list[str] = []

    def submit(self, job: Job) -> Future[Attempt]:
        self.taken.append(job.spec.id)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        future: Future[Attempt] = Future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer(job))
        return future

    def close(self) -> None:
        pass


def run(folder: Path, places: list[Scripted], retries: int = 1) -> tuple[Ledger, list[Path], str]:
    """Drive all jobs; the ledger, which folders were told, and what was said."""
    folder.mkdir(exist_ok=True)
    screen = io.StringIO()
    ledger = Ledger.open(folder, [job.name for job in JOBS])
    told: list[Path] = []
    with DriveProgress(Console(file=screen, width=200), len(JOBS)) as progress:
        Dispatch(JOBS, places, ledger, retries, folder, progress, told.append).run()
    return ledger, told, screen.getvalue()


def spoiled(job: Job) -> Attempt:
    return Attempt(None, f"the server was ended in {job.spec.id}")


def test_every_job_is_driven_once(tmp_path):
    places = [Scripted(0, well), Scripted(1, well)]
    ledger, told, _ = run(tmp_path, places)
    assert sorted(places[0].taken + places[1].taken) == list("abcd") and places[1].taken
    assert [r.route_id for r in ledger.records] == [job.name for job in JOBS]
    assert sorted(told) == [tmp_path / "routes" / f"{name}_rep0" for name in "abcd"]


def test_a_spoiled_try_comes_again_at_the_end(tmp_path):
    place = Scripted(0, spoiled, well)
    ledger, _, said = run(tmp_path, [place])
    assert place.taken == list("abcda")
    assert {r.status for r in ledger.records} == {"Perfect"}
    assert "route a rep 0: the server was ended in a; try 1 of 2" in said


def test_a_route_that_always_fails_is_put_aside_with_its_reason(tmp_path):
    place = Scripted(0, lambda job: spoiled(job) if job.spec.id == "b" else well(job))
    ledger, told, _ = run(tmp_path, [place], retries=2)
    assert place.taken == list("abcdbb")
    assert [r.status for r in ledger.records] == [
        "Perfect",
        "Failed - Simulation crashed",
        "Perfect",
        "Perfect",
    ]
    assert len(told) == 4 and not ledger.finished(JOBS[1].name)
    last = [entry for entry in read_ledger(tmp_path).entries if entry.route_id == JOBS[1].name][-1]
    assert last.reason == "the server was ended in b" and last.record is not None


def test_a_lost_station_leaves_its_job_to_the_others(tmp_path):
    lost = Scripted(0, StationLostError("no CARLA server answers at host:2000"))
    ledger, _, said = run(tmp_path, [lost, Scripted(1, well)])
    assert len(ledger.records) == 4 and lost.taken == ["a"]
    assert "worker 0 is lost: no CARLA server answers at host:2000; the others go on" in said


def test_with_the_last_station_the_run_ends_and_keeps_what_it_has(tmp_path):
    with pytest.raises(StationLostError, match="gone"):
        run(tmp_path, [Scripted(0, well, StationLostError("gone"))])
    assert [entry.route_id for entry in read_ledger(tmp_path).entries] == [JOBS[0].name]


def test_what_concerns_the_whole_run_ends_it(tmp_path):
    with pytest.raises(OSError, match="disk"):
        run(tmp_path, [Scripted(0, well, OSError("disk"))])
    assert len(read_ledger(tmp_path).entries) == 1


def test_the_drivers_own_failures_are_results(tmp_path):
    place = Scripted(0, lambda job: Attempt(record(job, "Failed - Agent crashed"), "ValueError"))
    ledger, _, _ = run(tmp_path, [place])
    assert place.taken == list("abcd") and all(ledger.finished(job.name) for job in JOBS)


def config(folder: Path, *words: str) -> DriveConfig:
    return build(DriveConfig, compose("drive", [f"out={folder}", "model=expert", *words]))


def test_a_run_goes_on_only_with_the_settings_it_was_begun_with(tmp_path):
    run_folder = tmp_path / "run"
    begun = config(run_folder)
    open_run(begun)
    with pytest.raises(ConfigError, match="already holds a run"):
        open_run(begun)
    assert open_run(config(run_folder, "resume=true", "workers=4", "video=false")) == run_folder
    for words, part in (
        ("seed=1", "seed=1"),
        ("routes=second", "routes=second"),
        ("traffic.vehicles=0", "traffic="),
    ):
        with pytest.raises(ConfigError, match=f"resume=true with {part}"):
            open_run(config(run_folder, "resume=true", words))
    with pytest.raises(ConfigError, match="holds no run"):
        open_run(replace(begun, out=str(tmp_path / "other"), resume=True))


def test_repetitions_have_seeds_of_their_own(tmp_path):
    jobs = jobs_of(config(tmp_path, "repetitions=3", "seed=5"), lambda town: pytest.fail("nothing to survey"))
    assert [job.seed for job in jobs[:3]] == [5, 6, 7] and len({job.name for job in jobs}) == len(jobs)
