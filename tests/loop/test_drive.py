"""Whole drives through the genuine client: the run folder, resume, determinism, and wrong calls."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from drive_agent.__main__ import VERBS
from drive_agent.log.store import Episode
from tests.loop.conftest import drive_agent

FAST = ("video=false", "traffic.vehicles=8", "traffic.walkers=4")


def trajectory(run: Path) -> np.ndarray:
    """Everything of the ego at each tick."""
    with Episode.open(next(run.glob("routes/*/log.mcap"))) as episode:
        return np.array([truth.ego for truth in episode.truths()])


def pictures(run: Path) -> list[bytes]:
    """All pictures of all cameras."""
    with Episode.open(next(run.glob("routes/*/log.mcap"))) as episode:
        return [jpeg for camera in episode.cameras for _, jpeg in episode.images(camera)]


def records_of(results: Path) -> list[dict]:
    """Of the routes that are finished; none before the file is there."""
    return json.loads(results.read_text())["_checkpoint"]["records"] if results.exists() else []


def test_a_drive_leaves_a_whole_run_folder(tmp_path, short_route):
    run = tmp_path / "run"
    done = drive_agent("drive", f"routes={short_route}", "model=expert", f"out={run}", *FAST)
    assert done.returncode == 0, done.stderr
    assert "report:" in done.stdout.replace("\n", "")
    results = json.loads((run / "results.json").read_text())
    assert results["entry_status"] == "Finished"
    assert results["_checkpoint"]["records"][0]["scores"]["score_route"] == 100
    summary = json.loads((run / "summary.json").read_text())
    assert summary["real_time_factor"] > 0
    assert (run / "config.yaml").exists() and (run / "report.html").exists()
    scored = drive_agent("score", str(run), "format=json")
    assert scored.returncode == 0 and json.loads(scored.stdout)["route_completion"] == 100


@pytest.mark.timeout(600)  # two drives
def test_the_same_seed_drives_the_same_and_sees_the_same(tmp_path, short_route):
    runs = [tmp_path / "a", tmp_path / "b"]
    for run in runs:
        done = drive_agent("drive", f"routes={short_route}", f"out={run}", "seed=3", *FAST)
        assert done.returncode == 0, done.stderr
    first, second = (trajectory(run) for run in runs)
    np.testing.assert_array_equal(first, second)
    seen = pictures(runs[0])
    assert seen and seen == pictures(runs[1])


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path):
    run = tmp_path / "run"
    words = ["drive", "routes=default", "model=expert", f"out={run}", *FAST]
    child = subprocess.Popen([sys.executable, "-m", "drive_agent", *words], start_new_session=True)
    results = run / "results.json"
    deadline = time.monotonic() + 240
    while not records_of(results) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    before = records_of(results)
    assert 1 <= len(before) < 3
    done = drive_agent(*words, "resume=true")
    assert done.returncode == 0, done.stderr
    after = json.loads(results.read_text())
    kept = {record["route_id"]: record for record in after["_checkpoint"]["records"]}
    assert [kept[record["route_id"]] for record in before] == before
    assert after["_checkpoint"]["progress"] == [3, 3]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["drvie"], 2, "did you mean 'drive'"),
        (["drive", "sede=1"], 2, "did you mean 'seed'"),
        (["drive", "routes=defualt"], 1, "default"),
        (["drive", "model=embeded"], 2, "embedded"),
        (["drive", "out=/proc/nowhere"], 1, "out=/proc/nowhere"),
        (["drive", "resume=true", "out=/tmp/no_such_run"], 2, "holds no run"),
        (["drive", "model.weights=/no/such/folder"], 1, "/no/such/folder"),
        (["drive", "carla=remote", "carla.port=1", "carla.timeout_s=1"], 1, "no CARLA server answers"),
        (
            ["drive", "carla=remote", "carla.port=1", "carla.timeout_s=1", "routes=random:1", "town=Town01"],
            1,
            "no CARLA server answers",
        ),
        (["sim", "town=Brokfield"], 2, "Brookfield"),
        (["sim", "prot=3"], 2, "did you mean 'port'"),
        (["score", "/no/such/run"], 1, "/no/such/run"),
        (["score", "x", "version=3"], 2, "2.1"),
        (["score"], 2, "run folder"),
    ],
)
def test_wrong_calls_are_one_clear_line(words, code, says):
    done = drive_agent(*words)
    assert done.returncode == code, done.stdout + done.stderr
    text = done.stderr
    assert says in text, text
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text


def test_broken_route_files_are_one_clear_line(tmp_path):
    cut, nowhere = tmp_path / "cut.xml", tmp_path / "nowhere.xml"
    cut.write_text('<routes><route id="0" town="Brookfield"><waypoints><position x="1"')
    nowhere.write_text(
        '<routes><route id="0" town="Atlantis"><waypoints><position x="1" y="2" z="0"/><position x="3" y="4" z="0"/>'
        "</waypoints></route></routes>"
    )
    for path, says in ((cut, "cut.xml"), (nowhere, "Atlantis")):
        done = drive_agent("drive", f"routes={path}", "model=expert")
        assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_route_that_its_town_cannot_have_fails_once_with_one_line(tmp_path):
    route = (
        '<route id="{id}" town="Brookfield"><waypoints><position x="58.3" y="12.8" z="0"/>'
        '<position x="{x}" y="10.9" z="0"/></waypoints><scenarios><scenario name="S_1" type="HardBreakRoute">'
        '<trigger_point x="70.2" y="40.0" z="0" yaw="5.0"/></scenario></scenarios></route>'
    )
    broken, run = tmp_path / "broken.xml", tmp_path / "run"
    broken.write_text("<routes>" + route.format(id=3, x=108.0) + route.format(id=4, x=9000.0) + "</routes>")
    done = drive_agent("drive", f"routes={broken}", "model=expert", f"out={run}", *FAST)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "try 1" not in done.stdout
    said = sorted(line.strip() for line in done.stdout.splitlines() if line.strip().startswith(str(broken)))
    assert len(said) == 2, done.stdout
    assert "route '3': <scenario> 'S_1': <trigger_point> at (70.2, 40.0)" in said[0]
    assert "route '4': <waypoints> keypoint 1 at (9000.0, 10.9)" in said[1]


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = drive_agent("sim", f"port={port}")
    assert done.returncode == 2 and str(port) in done.stderr and "in use" in done.stderr


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_has_examples(verb):
    done = drive_agent(*([verb] if verb else []), "--help")
    assert done.returncode == 0 and "drive-agent" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 120
