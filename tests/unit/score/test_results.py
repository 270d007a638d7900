"""The results file: the Leaderboard's keys and numbers."""

import json
from pathlib import Path

import pytest

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.ledger import Ledger, judged_record
from drive_agent.score.results import LABELS, RouteRecord, global_record, read_records
from drive_agent.types import Collision
from tests.worlds import cruise, header, straight_route, street, truth

NAMES = ["RouteScenario_7_rep0", "RouteScenario_7_rep1", "RouteScenario_8_rep0"]
REAL = Path(__file__).parents[4] / "shared/data/carla/results/tfpp"
DONE = Outcome("Completed", "", 30.0, 25.0)


def drive(
    folder: Path, repetition: int = 0, route_id: str = "7", seconds: float = 30.0, crash_at: int = -1
) -> Path:
    """A log: 200 m at 8 m/s, perhaps with a collision, perhaps cut short."""
    path = folder / "routes" / f"{route_id}_rep{repetition}" / "log.mcap"
    route, road_map = straight_route(200), street()
    with EpisodeWriter(path, header(route, route_id, repetition), road_map) as log:
        for now in cruise(8.0, seconds):
            hits = (Collision(5, "vehicle.tesla.model3", 1.0),) if now.frame_id == crash_at else ()
            log.write(truth(now.frame_id, now.ego[0], speed_mps=8.0, collisions=hits), None)
    return path


def enter(ledger: Ledger, name: str, log: Path, outcome: Outcome) -> RouteRecord:
    """Judge a log and enter it, as the runner does."""
    record = judged_record(log, name, outcome)
    ledger.finish(name, record, outcome.reason)
    return record


def filled(folder: Path) -> Ledger:
    ledger = Ledger.open(folder, NAMES)
    enter(ledger, NAMES[0], drive(folder), DONE)
    enter(ledger, NAMES[1], drive(folder, 1, crash_at=100), DONE)
    return ledger


def test_records_have_the_official_keys_and_values(tmp_path):
    filled(tmp_path)
    data = json.loads((tmp_path / "results.json").read_text())
    assert list(data) == ["_checkpoint", "entry_status", "eligible", "sensors", "values", "labels"]
    assert list(data["_checkpoint"]) == ["global_record", "progress", "records"]
    assert data["_checkpoint"]["progress"] == [2, 3]
    assert data["entry_status"] == "Started" and data["eligible"] is False and data["values"] == []
    perfect, collided = data["_checkpoint"]["records"]
    assert perfect["status"] == "Perfect" and collided["status"] == "Completed"
    assert perfect["scores"] == {"score_route": 100, "score_penalty": 1.0, "score_composed": 100.0}
    assert collided["scores"] == {"score_route": 100, "score_penalty": 0.588235, "score_composed": 58.823529}
    assert collided["infractions"]["collisions_vehicle"] == [
        "Agent collided against object with type=vehicle.tesla.model3 and id=5 at (x=39.2, y=1.75, z=0.0)"
    ]
    assert collided["num_infractions"] == 1
    assert perfect["meta"] == {"route_length": 200.0, "duration_game": 25.0, "duration_system": 30.0}


def test_the_global_record_comes_with_the_last_route(tmp_path):
    results = filled(tmp_path)
    failed = Outcome("Failed - Agent crashed", "IndexError", 4.0, 0.0)
    third = enter(results, NAMES[2], tmp_path / "none.mcap", failed)
    assert (third.score_route, third.score_penalty, third.score_composed) == (0.0, 1.0, 0.0)
    data = json.loads((tmp_path / "results.json").read_text())
    total = data["_checkpoint"]["global_record"]
    assert total["status"] == "Failed"
    assert total["scores_mean"] == {
        "score_composed": 52.941176,
        "score_route": 66.666667,
        "score_penalty": 0.862745,
    }
    assert total["scores_std_dev"]["score_composed"] == 50.259
    assert total["infractions"]["collisions_vehicle"] == 2.5  # one in 0.4 km
    assert total["meta"]["exceptions"] == [[NAMES[2], 2, "Failed - Agent crashed"]]
    assert data["labels"] == list(LABELS)
    assert data["values"][:5] == ["52.941176", "66.666667", "0.862745", "0.0", "2.5"]
    assert data["entry_status"] == "Finished" and data["eligible"] is True


def test_broken_files_are_refused_in_one_line(tmp_path):
    path = tmp_path / "results.json"
    for text, part in (
        ('{"_checkpoint": {"rec', "is broken"),
        ("", "is broken"),
        (
            '{"entry_status": "Started"}',
            "is no results file of the Leaderboard 2.x: '_checkpoint' is missing",
        ),
        ("[]", "is no results file"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=part) as caught:
            read_records(path)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"published result files are not at {REAL}")
@pytest.mark.parametrize("shard", range(8))
def test_the_global_record_of_a_published_file_comes_out(shard):
    path = REAL / f"eval_bench2drive220_{shard}.json"
    data = json.loads(path.read_text())
    records = read_records(path)
    assert data["labels"] == list(LABELS)
    assert (
        json.loads(json.dumps(global_record(records, len(records)))) == data["_checkpoint"]["global_record"]
    )
