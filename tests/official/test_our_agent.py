"""Our agent in the official evaluator: it drives, and our judge agrees with the evaluator's, from the log of that drive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drive_agent.drive import provenance
from drive_agent.score.formula import score
from drive_agent.score.judged import judge_log
from drive_agent.sim.process import ServerProcess
from tests.loop.conftest import drive_agent
from tests.official.run import environment, missing

AGENT = Path(provenance.__file__).with_name("leaderboard_agent.py")
# 70 m down a street, where the cars ahead brake hard.
ROUTE = """<routes><route id="7" town="Brookfield"><weathers>
<weather route_percentage="0" cloudiness="5" sun_altitude_angle="45"/>
<weather route_percentage="100" cloudiness="5" sun_altitude_angle="45"/></weathers><waypoints>
<position x="58.3" y="12.8" z="0.0"/><position x="128.0" y="10.2" z="0.0"/>
</waypoints><scenarios><scenario name="HardBreakRoute_1" type="HardBreakRoute">
<trigger_point x="75.2" y="15.0" z="0.0" yaw="2.3"/></scenario></scenarios></route></routes>"""
# What names CARLA's actor ids, which a log does not hold, or the place one tick earlier, is compared by number only.
BY_NUMBER = (
    "collisions_layout",
    "collisions_pedestrian",
    "collisions_vehicle",
    "red_light",
    "stop_infraction",
)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(missing() is not None, reason=str(missing()))
@pytest.mark.parametrize("model", ["embedded", "scripted"])
def test_our_judge_agrees_with_the_evaluator(tmp_path: Path, model: str) -> None:
    routes, config, run, checkpoint = (
        tmp_path / name for name in ("r.xml", "config.yaml", "run", "results.json")
    )
    routes.write_text(ROUTE)
    made = drive_agent("config", str(config), f"model={model}", f"out={run}")
    assert made.returncode == 0, made.stderr
    with ServerProcess("Brookfield", rendering=model == "embedded") as server:
        command = [
            os.environ.get("LEADERBOARD_PYTHON", sys.executable),
            str(Path(os.environ["LEADERBOARD_ROOT"]) / "leaderboard/leaderboard_evaluator.py"),
            "--host", server.host, "--port", str(server.port), "--traffic-manager-port", "8595", "--track", "SENSORS",
            "--routes", str(routes), "--agent", str(AGENT), "--agent-config", str(config), "--timeout", "120",
            "--checkpoint", str(checkpoint), "--debug-checkpoint", str(tmp_path / "live.txt"),
        ]  # fmt: skip
        done = subprocess.run(
            command, env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stdout + done.stderr
    assert "Ignoring scenario" not in done.stdout, "the place of the scenario lies on the route no more"
    results = json.loads(checkpoint.read_text())
    [record] = results["_checkpoint"]["records"]
    assert results["entry_status"] == "Finished" and results["eligible"] is True
    judged = judge_log(run / "routes" / "7_rep0" / "log.mcap")
    assert (judged.route_id, judged.status) == (record["route_id"], record["status"])
    assert round(judged.route_length_m, 3) == pytest.approx(record["meta"]["route_length"], abs=0.002)
    assert judged.simulated_s == pytest.approx(record["meta"]["duration_game"], abs=0.01)
    for kind, messages in record["infractions"].items():
        ours = [event.message for event in judged.events if event.kind == kind]
        if kind in BY_NUMBER:
            assert len(ours) == len(messages), kind
        else:
            assert ours == messages
    formulas = [score(version, judged.completion_percent, judged.events) for version in ("2.0", "2.1")]
    official = record["scores"]
    assert judged.completion_percent == official["score_route"]
    # master of the Leaderboard computes 2.0, its branch leaderboard-2.1 the other
    assert official["score_composed"] in [scores.driving for scores in formulas]
