"""Other people's servers, evaluators, agents and machines under our runner. Each test really has the thing, or skips."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drive_agent.score.events import KINDS
from drive_agent.score.run import score_run
from drive_agent.sim.process import ServerProcess
from tests.loop.runs import Run, children, command_of, finishes, kill, reasons, scores, until, write_routes
from tests.official.run import environment, missing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SIM = f"{sys.executable} -m drive_agent.sim --town Brookfield --synchronous --no-rendering --port {{port}}"
needs_official = pytest.mark.skipif(missing() is not None, reason=str(missing()))
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray (an extra) is not installed"
)

# An evaluator that starts its server in a session of its own, writes a result file as the official one does, and dies of a
# crash of its simulator the first time.
EVALUATOR = """
import json, pathlib, subprocess, sys, time
route, checkpoint, note, port, routes = sys.argv[1:]
notes = pathlib.Path(note)
server = subprocess.Popen(["sleep", "600"], start_new_session=True)
tries = notes.read_text().splitlines() if notes.exists() else []
notes.write_text("\\n".join([*tries, f"{route} {server.pid}"]))
if route == "8" and not any(line.startswith("8 ") for line in tries):
    print("signal 11 caught", flush=True)
    sys.exit(255)
kinds = json.loads(%r)
record = {"index": 0, "route_id": f"RouteScenario_{route}_rep0", "status": "Perfect", "num_infractions": 0,
          "infractions": {kind: [] for kind in kinds}, "scores": {"score_route": 100, "score_penalty": 1.0,
          "score_composed": 100.0}, "meta": {"route_length": 20.0, "duration_game": 5.0, "duration_system": 9.0}}
time.sleep(1.0)
pathlib.Path(checkpoint).write_text(json.dumps({"_checkpoint": {"progress": [1, 1], "records": [record]}}))
"""


def is_alive(pid: int) -> bool:
    return bool(command_of(pid))


def test_launched_servers_are_replaced_and_ended(tmp_path):
    routes = write_routes(tmp_path)
    words = (
        f"routes={routes}",
        "model=expert",
        "carla=launched",
        "carla.port=24000",
        f"carla.command='{SIM}'",
    )
    run = Run(tmp_path / "run", *words, "workers=2")
    run.await_drive()
    keepers = [pid for pid in children(run.process.pid) if "drive_agent.drive.keeper" in command_of(pid)]
    servers = [pid for keeper in keepers for pid in children(keeper)]
    assert servers
    kill(servers[0])
    assert run.wait() == 0, run.said
    [reason] = reasons(run.folder)
    assert "the command of carla.command ended with status 137" in reason
    assert [record["status"] for record in scores(run.folder)] == ["Perfect", "Perfect"]
    until(lambda: not any(map(is_alive, servers)))


def test_a_list_of_servers_of_which_one_is_gone(tmp_path):
    with socket.socket() as nobody, ServerProcess("Brookfield", rendering=False) as server:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        words = ("carla=remote", f"carla.servers=[127.0.0.1:{server.port},127.0.0.1:{port}]", "workers=2")
        run = Run(
            tmp_path / "run", f"routes={write_routes(tmp_path)}", "model=expert", *words, "carla.timeout_s=30"
        )
        assert run.wait() == 0, run.said
    assert "worker 1 is lost: no CARLA server answers at 127.0.0.1" in run.said
    assert [record["status"] for record in scores(run.folder)] == ["Perfect", "Perfect"]


def test_an_evaluator_is_run_again_for_a_route_whose_simulator_crashed(tmp_path):
    script, note = tmp_path / "evaluator.py", tmp_path / "tries.txt"
    script.write_text(EVALUATOR % json.dumps(KINDS))
    command = f"{sys.executable} {script} {{route}} {{checkpoint}} {note} {{port}} {{routes}}"
    words = (f"routes={write_routes(tmp_path)}", "evaluator.starts_server=true")
    run = Run(tmp_path / "run", *words, f"evaluator.command='{command}'")
    assert run.wait() == 0, run.said
    assert [line.split()[0] for line in note.read_text().splitlines()] == ["7", "8", "8"]
    [reason] = reasons(run.folder)
    assert (
        reason == "the evaluator left no result file: the evaluator ended with status 255: signal 11 caught"
    )
    assert [record["status"] for record in scores(run.folder)] == ["Perfect", "Perfect"]
    servers = [int(line.split()[1]) for line in note.read_text().splitlines()]
    assert not any(map(is_alive, servers))


@needs_official
def test_the_official_evaluator_drives_under_the_runner(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    evaluator = Path(os.environ["LEADERBOARD_ROOT"]) / "leaderboard/leaderboard_evaluator.py"
    agent = Path(__file__).parents[2] / "drive_agent/drive/leaderboard_agent.py"
    command = (
        f"{os.environ.get('LEADERBOARD_PYTHON', sys.executable)} {evaluator} --host {{host}} --port {{port}}"
        f" --traffic-manager-port {{traffic_manager_port}} --routes {{routes}} --routes-subset {{route}} --checkpoint"
        f" {{checkpoint}} --track SENSORS --agent {agent} --agent-config {{config}} --timeout 120"
    )
    run = Run(
        tmp_path / "run", f"routes={write_routes(tmp_path)}", "model=expert", f"evaluator.command='{command}'"
    )
    assert run.wait() == 0, run.said
    for record, ours in zip(scores(run.folder), judged(run.folder), strict=True):
        assert record["scores"]["score_composed"] in ours


def judged(run: Path) -> list[list[float]]:
    """Our scores of each route from its log, under both formulas that a checkout of the Leaderboard may have."""
    rows = [score_run(run, version)["routes"] for version in ("2.0", "2.1")]
    return [[row["driving_score"] for row in pair] for pair in zip(*rows, strict=True)]


@needs_official
def test_somebody_elses_agent_drives_on_our_loop(tmp_path, monkeypatch):
    if importlib.util.find_spec("py_trees") is None:
        pytest.skip("py_trees, which the official packages import, is not installed here")
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    agent = Path(os.environ["LEADERBOARD_ROOT"]) / "leaderboard/autoagents/npc_agent.py"
    run = Run(tmp_path / "run", f"routes={write_routes(tmp_path)}", f"agent={agent}")
    assert run.wait() == 0, run.said
    assert [record["scores"]["score_route"] for record in scores(run.folder)] == [100, 100]
    assert "=== [Agent]" in (run.folder / "agent_0.log").read_text() and "=== [Agent]" not in run.said


@needs_ray
def test_a_lost_node_costs_one_try(tmp_path):
    port, client = 26479, 30101
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--num-cpus", "2", "--port", str(port),
         "--ray-client-server-port", str(client), "--include-dashboard", "false", "--block"],
        start_new_session=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: is_open(client))
        run = Run(
            tmp_path / "run",
            f"routes={write_routes(tmp_path)}",
            "model=expert",
            f"workers=ray://127.0.0.1:{client}",
        )
        kill(until(remote_station))
        assert run.wait() == 0, run.said
        assert any("the node was lost" in reason for reason in reasons(run.folder))
        assert len(finishes(run.folder)) == 2
    finally:
        os.killpg(head.pid, 15)
        head.wait()


def is_open(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def remote_station() -> int:
    """The process of a station that drives, 0 while there is none."""
    for path in Path("/proc").glob("[0-9]*"):
        if command_of(int(path.name)).startswith("ray::RemoteStation.drive"):
            time.sleep(5.0)
            return int(path.name)
    return 0
