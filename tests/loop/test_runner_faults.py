"""What really goes wrong, done on purpose: processes are killed and stopped, the disk fills, files are cut, models fail.

Infrastructure faults must leave the same scores as an undisturbed run, no route lost and none driven twice; model
faults a stated status, a standing car, and a run that goes on.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from drive_agent.log.store import Episode
from tests.loop.runs import (
    SERVER,
    WORKER,
    Run,
    finishes,
    kill,
    reasons,
    scores,
    small_disk,
    until,
    write_routes,
)

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def routes(tmp_path_factory) -> Path:
    return write_routes(tmp_path_factory.mktemp("routes"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, routes) -> list[dict]:
    """Scores of the run that nothing happened to."""
    run = Run(tmp_path_factory.mktemp("undisturbed") / "run", f"routes={routes}", "model=expert")
    assert run.wait() == 0, run.said
    assert [record["status"] for record in scores(run.folder)] == ["Perfect", "Perfect"]
    return scores(run.folder)


def test_a_killed_server_costs_one_try(tmp_path, routes, undisturbed):
    run = Run(tmp_path / "run", f"routes={routes}", "model=expert")
    run.await_drive()
    kill(run.await_(SERVER))
    assert run.wait() == 0, run.said
    assert reasons(run.folder) == ["the server was ended by signal 9 (SIGKILL)"]
    assert scores(run.folder) == undisturbed and len(finishes(run.folder)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_kills_at_random_moments_change_nothing(tmp_path, routes, undisturbed, seed):
    draw = random.Random(seed)
    victim = ("server", "worker", "run")[seed % 3]
    words = (f"routes={routes}", "model=expert", f"workers={draw.choice((1, 2))}")
    run = Run(tmp_path / "run", *words)
    until((run.folder / "config.yaml").exists)
    time.sleep(draw.uniform(0.0, 20.0))
    if victim == "run":
        kill(run.process.pid)
        run.wait()
        run = Run(run.folder, *words, "resume=true")
    else:
        pid = run.find(SERVER if victim == "server" else WORKER)
        if pid is not None:
            kill(pid)
    assert run.wait() == 0, run.said
    assert scores(run.folder) == undisturbed
    assert sorted(finishes(run.folder)) == sorted(record["route_id"] for record in undisturbed)


@pytest.mark.slow
def test_a_hanging_server_is_noticed(tmp_path, routes, undisturbed):
    words = (f"routes={routes}", "model=expert", "runner.silence_s=60", "carla.timeout_s=300")
    run = Run(tmp_path / "run", *words)
    run.await_drive()
    kill(run.await_(SERVER), signal.SIGSTOP)
    assert run.wait() == 0, run.said
    [reason] = reasons(run.folder)
    assert "the simulation stood still for" in reason and "runner.silence_s" in reason
    assert scores(run.folder) == undisturbed


@pytest.mark.slow
def test_a_route_that_fails_again_and_again_is_put_aside_and_counts(tmp_path, routes):
    words = (f"routes={routes}", "model=expert", "runner.retries=1")
    run = Run(tmp_path / "run", *words)
    for tries in range(2):  # route 7, then its second try at the end of the queue
        server = run.await_(SERVER)
        until(lambda: (run.folder / "routes/7_rep0/log.mcap").exists())
        (run.folder / "routes/7_rep0/log.mcap").unlink()
        kill(server)
        until(lambda before=tries: (run.folder / "ledger.jsonl").read_text().count("SIGKILL") > before)
    assert run.wait() == 1, run.said
    seven, eight = scores(run.folder)
    assert seven["status"] == "Failed - Simulation crashed" and eight["status"] == "Perfect"
    assert "route 7 rep 0: the server was ended by signal 9 (SIGKILL); try 2 of 2" in run.said
    assert Run(run.folder, *words, "resume=true").wait() == 0, "going on gives it new tries"
    assert [record["status"] for record in scores(run.folder)] == ["Perfect", "Perfect"]


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path, routes, undisturbed):
    try:
        with small_disk(tmp_path / "disk", megabytes=6) as disk:
            words = (f"routes={routes}", "model=expert")
            filler = disk / "filler"
            run = Run(disk / "run", *words)
            until(lambda: len(finishes(run.folder)) == 1 if (run.folder / "ledger.jsonl").exists() else 0)
            with filler.open("wb") as file:
                try:
                    while True:
                        os.write(file.fileno(), b"0" * 4096)
                except OSError:
                    pass
            assert run.wait() == 1, run.said
            assert "No space left on device" in run.said and "Traceback" not in run.said
            filler.unlink()
            assert Run(run.folder, *words, "resume=true").wait() == 0
            assert scores(run.folder) == undisturbed and len(finishes(run.folder)) == 2
    except PermissionError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_files_that_may_not_grow_stop_the_run(tmp_path, routes, undisturbed):
    """As a quota does."""
    words = (f"routes={routes}", "model=expert")
    limit = (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    run = Run(tmp_path / "run", *words, prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert run.wait() == 1, run.said
    assert "routes/7_rep0 cannot be written (File too large)" in run.said and "Traceback" not in run.said
    again = Run(run.folder, *words, "resume=true")
    assert again.wait() == 0, again.said
    assert scores(run.folder) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["results.json", "ledger.jsonl"])
@pytest.mark.parametrize("size", [0, 300])
def test_cut_files_are_made_good(tmp_path, routes, undisturbed, cut, size):
    words = (f"routes={routes}", "model=expert")
    run = Run(tmp_path / "run", *words)
    until(lambda: len(finishes(run.folder)) == 1 if (run.folder / "ledger.jsonl").exists() else 0)
    kill(run.process.pid)
    run.wait()
    os.truncate(run.folder / cut, size)
    again = Run(run.folder, *words, "resume=true")
    assert again.wait() == 0, again.said
    assert "1 of 2 routes are finished" in again.said
    assert scores(run.folder) == undisturbed and len(finishes(run.folder)) == 2


@pytest.mark.slow
def test_going_on_with_other_settings_is_refused(tmp_path, routes, undisturbed):
    run = Run(tmp_path / "run", f"routes={routes}", "model=expert")
    assert run.wait() == 0
    other = Run(run.folder, f"routes={routes}", "model=expert", "seed=1", "resume=true")
    assert other.wait() == 2 and "resume=true with seed=1" in other.said
    assert scores(run.folder) == undisturbed


MODELS = {
    "Raising": ("Failed - Agent crashed", "RuntimeError: CUDA error: device-side assert triggered"),
    "Slow": ("Failed - Agent crashed", "the driver took longer than 5 s for one decision"),
    "Garbage": ("Failed - Agent got blocked", ""),
    "NotANumber": ("Failed - Agent got blocked", ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_model_that_fails_ends_its_route_and_the_run_goes_on(tmp_path, model):
    status, reason = MODELS[model]
    routes = write_routes(tmp_path, count=2 if reason else 1)  # it takes 180 s to be blocked
    run = Run(
        tmp_path / "run", f"routes={routes}", f"model.kind=tests.loop.bad_models:{model}", "runner.answer_s=5"
    )
    assert run.wait() == 0, run.said
    assert [record["status"] for record in scores(run.folder)] == [status] * (2 if reason else 1)
    assert reasons(run.folder) == []  # its own fault: no second try
    for log in sorted(run.folder.glob("routes/*/log.mcap")):
        with Episode.open(log) as episode:
            last = list(episode.truths())[-1]
            assert episode.outcome is not None and reason in episode.outcome.reason
            speeds = [float(np.hypot(*truth.ego[5:7])) for truth in episode.truths()]
        assert (
            max(speeds) > 1.0 and float(np.hypot(*last.ego[5:7])) < 0.1
        )  # it drove, and was brought to a stand
