"""Scores of whole runs: from logs, from published files, and what is missing from them."""

import json
from pathlib import Path

import pytest

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.events import KINDS
from drive_agent.score.ledger import Ledger, judged_record
from drive_agent.score.run import score_run
from drive_agent.score.summary import summarise
from drive_agent.types import Collision, Command, ControlTerms, Decision, PlanError, Reply
from tests.worlds import cruise, header, straight_route, street, truth

REAL = Path(__file__).parents[4] / "shared/data/carla/results/tfpp"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"published result files are not at {REAL}")
NAMES = [f"RouteScenario_7_rep{k}" for k in range(4)]
TERMS = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)


def decision(tick: int) -> Decision:
    """A model call each tenth tick, every second of those in vain; the guard speaks on the third tick."""
    called = tick % 10 == 0
    return Decision(
        Command(0.5, 0.0, 0.0), TERMS, TERMS, "too_close" if tick == 3 else "", None,
        plan_error=PlanError("no waypoints") if called and tick % 20 == 0 else None,
        reply=Reply("text") if called else None,
        timings_ms={"control": 0.1, "model": float(tick)} if called else {"control": 0.1},
    )  # fmt: skip


def drive(run: Path, repetition: int, seconds: float, outcome: Outcome | None, crash_at: int = -1) -> Path:
    path = run / "routes" / f"7_rep{repetition}" / "log.mcap"
    with EpisodeWriter(path, header(straight_route(200), "7", repetition), street()) as log:
        for now in cruise(8.0, seconds, others={5: (50.0, 1.75, 16.0)}):
            hits = (Collision(5, "vehicle.tesla.model3", 1.0),) if now.frame_id == crash_at else ()
            log.write(
                truth(
                    now.frame_id, now.ego[0], speed_mps=8.0, others={5: (50.0, 1.75, 16.0)}, collisions=hits
                ),
                decision(now.frame_id),
            )
        if outcome:
            log.finish(outcome)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Four routes asked for: one complete, one that hit a car, one whose agent crashed, one that was killed."""
    folder = tmp_path_factory.mktemp("run")
    ledger = Ledger.open(folder, NAMES)
    done = Outcome("Completed", "", 50.0, 25.0)
    failed = Outcome("Failed - Agent crashed", "ValueError: no plan", 20.0, 10.0)
    for name, log, outcome in (
        (NAMES[0], drive(folder, 0, 30.0, done), done),
        (NAMES[1], drive(folder, 1, 30.0, done, crash_at=200), done),
        (NAMES[2], drive(folder, 2, 10.0, None), failed),
    ):
        ledger.finish(name, judged_record(log, name, outcome), outcome.reason)
    drive(folder, 3, 4.0, None)
    return folder


def test_one_log_is_scored_by_itself(run):
    whole = score_run(run)["routes"][1]
    for place in (run / "routes/7_rep1", run / "routes/7_rep1/log.mcap"):
        values = score_run(place)
        assert values["routes"] == [whole] and values["routes_total"] == 1 and not values["missing"]
    with pytest.raises(ValueError, match="was interrupted"):
        score_run(run / "routes/7_rep3")


def test_scores_are_recomputed_from_the_logs(run):
    values = score_run(run, "2.1")
    slow = 0.4 * 0.5  # a part at half the traffic's speed
    scores = [100 / (1 + 5 * slow), 100 / (1 + 5 * slow + 0.7), 79.5 / 2 / (1 + slow)]
    assert values["routes"][0]["driving_score"] == pytest.approx(scores[0])
    assert values["routes"][1]["driving_score"] == pytest.approx(scores[1], abs=1e-6)
    assert values["driving_score"] == pytest.approx((scores[0] + scores[1] + 39.5 / (1 + slow)) / 4, abs=1e-5)
    assert values["success_rate"] == 0.25
    assert values["infractions"]["collisions_vehicle"]["count"] == 1
    assert values["routes_total"] == 4
    [gone] = values["missing"]
    assert gone["route_id"] == NAMES[3] and "the drive was interrupted after 4.00 s" in gone["reason"]


def test_the_results_file_says_the_same_as_the_logs(run):
    records = json.loads((run / "results.json").read_text())["_checkpoint"]["records"]
    rows = score_run(run, "2.1")["routes"]
    assert [r["scores"]["score_composed"] for r in records] == [row["driving_score"] for row in rows]
    assert [r["status"] for r in records] == [row["status"] for row in rows]


def test_versions_differ(run):
    scores = {
        version: score_run(run, version)["driving_score"] for version in ("1.0", "2.0", "2.1", "bench2drive")
    }
    assert scores["1.0"] == pytest.approx((100 + 60 + 39.5) / 4)
    assert scores["2.0"] == pytest.approx((100 * 0.85**5 + 60 * 0.85**5 + 39.5 * 0.85) / 4, abs=1e-5)
    assert scores["bench2drive"] == pytest.approx(scores["1.0"])
    assert score_run(run, "bench2drive")["efficiency"] == 50.0


def test_summary(run):
    values = summarise(run)
    assert values["scores"]["2.1"]["driving_score"] == score_run(run, "2.1")["driving_score"]
    assert values["routes"][1]["driving_score"]["1.0"] == 60.0
    assert values["failures"] == [
        {"route_id": NAMES[2], "status": "Failed - Agent crashed", "reason": "ValueError: no plan"}
    ]
    assert values["real_time_factor"] == pytest.approx((25 + 25 + 10) / 120, abs=1e-3)
    assert values["ticks"] == 600 + 600 + 200
    assert values["model_calls"] == 140
    assert values["guard_interventions"] == {"too_close": 3}
    assert values["parse_failures"] == {"no waypoints": 70}
    assert values["latency_ms"]["model"]["max"] == 600.0 and values["latency_ms"]["model"]["count"] == 140
    assert values["latency_ms"]["control"]["p50"] == 0.1
    json.dumps(values)


def test_routes_that_were_not_begun_are_named_and_counted(tmp_path):
    (tmp_path / "routes").mkdir()
    Ledger.open(tmp_path, NAMES).failed(NAMES[1], "the server hangs")
    values = score_run(tmp_path)
    assert values["routes_total"] == 4 and values["driving_score"] == 0.0
    reasons = ["not begun", "the server hangs", "not begun", "not begun"]
    assert values["missing"] == [
        {"route_id": name, "reason": reason} for name, reason in zip(NAMES, reasons, strict=True)
    ]


def test_wrong_calls(tmp_path):
    with pytest.raises(ValueError, match="version=3: expected one of"):
        score_run(tmp_path, "3")
    with pytest.raises(ValueError, match="holds neither routes"):
        score_run(tmp_path)
    with pytest.raises(ValueError, match="does not exist"):
        score_run(tmp_path / "nowhere")


@needs_real
def test_the_published_bench2drive_score_comes_out():
    values = score_run(REAL, "bench2drive")
    assert round(values["driving_score"], 4) == 84.2059 and round(values["success_rate"], 4) == 0.6727
    assert values["routes_total"] == 220 and values["missing"] == []
    assert score_run(REAL / "merged.json", "bench2drive")["driving_score"] == pytest.approx(
        values["driving_score"]
    )


@needs_real
def test_every_published_route_score_comes_out():
    for path in sorted(REAL.glob("eval_*.json")):
        official = json.loads(path.read_text())["_checkpoint"]["records"]
        rows = score_run(path, "bench2drive")["routes"]
        for record, row in zip(official, rows, strict=True):
            assert row["driving_score"] == pytest.approx(
                record["scores"]["score_composed"], abs=0.006
            )  # % has 2 digits


def shard(path: Path, route_ids: list[str], total: int) -> None:
    """A result file as an official evaluator leaves it."""
    records = [
        {
            "index": k, "route_id": name, "status": "Perfect", "num_infractions": 0,
            "infractions": {kind: [] for kind in KINDS},
            "scores": {"score_route": 100, "score_penalty": 1.0, "score_composed": 100.0},
            "meta": {"route_length": 150.0, "duration_game": 20.0, "duration_system": 40.0},
        }
        for k, name in enumerate(route_ids)
    ]  # fmt: skip
    path.write_text(json.dumps({"_checkpoint": {"progress": [len(records), total], "records": records}}))


def test_shards_are_merged_and_missing_and_repeated_routes_are_named(tmp_path):
    names = [f"RouteScenario_{k}_rep0" for k in range(5)]
    (tmp_path / "shards").mkdir()
    shard(tmp_path / "shards/0.json", names[:2], 2)
    shard(tmp_path / "shards/1.json", [names[1], names[3]], 4)
    values = score_run(tmp_path / "shards")
    assert values["routes_total"] == 5 and values["driving_score"] == 60.0
    assert values["duplicates"] == [names[1]]
    assert values["missing"] == [
        {"route_id": "", "reason": "2 of 5 routes have no record; routes=FILE.xml names them"}
    ]
    routes = tmp_path / "five.xml"
    routes.write_text("<routes>" + "".join(f'<route id="{k}"/>' for k in range(5)) + "</routes>")
    named = score_run(tmp_path / "shards", route_file=routes)
    assert named["driving_score"] == 60.0
    assert named["missing"] == [{"route_id": name, "reason": "no record"} for name in (names[2], names[4])]
    routes.write_text('<routes><route id="0"/></routes>')
    with pytest.raises(ValueError, match="has route RouteScenario_1_rep0, which routes= has not"):
        score_run(tmp_path / "shards", route_file=routes)


def test_repetitions_say_how_sure_the_score_is(run):
    spreads = score_run(run, "1.0")["spread"]
    assert spreads["repetitions"]["count"] == 3 and spreads["routes"]["count"] == 1
    assert spreads["repetitions"]["std"] == pytest.approx(30.77, abs=0.01)  # of 100, 60 and 39.5
    assert spreads["repetitions"]["ci95"] == pytest.approx(4.3027 * 30.77 / 3**0.5, abs=0.05)
