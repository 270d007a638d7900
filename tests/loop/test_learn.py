"""The pipeline that makes the shipped weights, tiny: collect, four stages with two rounds at the wheel, and drive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.loop.conftest import drive_agent

RECIPE = (
    "network=tiny", "recipe=tiny", "recipe.towns=[Brookfield]", "recipe.rows=240", "stage1.steps=60", "stage2.steps=450",
    "stage3.steps=60", "stage4.steps=15", "stage4.group=4", "stage2.learning_rate=4e-3", "frames=30", "workers=1",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_from_nothing_to_a_driven_street(tmp_path: Path, short_route: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    words = ("train", *RECIPE, f"out={run}", f"data={data}", f"held_out={tmp_path / 'held_out'}")
    trained = drive_agent(*words, timeout_s=1200)
    assert trained.returncode == 0, trained.stderr
    assert json.loads((data / "index.json").read_text())["frames"] >= 240
    for after in ("driven_2", "driven_3"):
        driven = json.loads((run / after / "index.json").read_text())["sources"]
        assert list(driven) == ["free, model drives"] and driven["free, model drives"] >= 30
    data_of = [
        json.loads((run / stage / "settings.json").read_text())["data"]
        for stage in ("3_explain", "4_improve")
    ]
    assert [len(folders) for folders in data_of] == [2, 3]  # every stage learns from the rounds before it
    log = [json.loads(line) for line in (run / "2_drive" / "log.jsonl").read_text().splitlines()]
    paths = [line["plan.path"] for line in log if "plan.path" in line]
    assert paths[-1] < 0.5 * paths[0]
    assert "reward.plan" in (run / "4_improve" / "log.jsonl").read_text()
    assert "free_failures" in (run / "evaluation.md").read_text()

    drive = tmp_path / "drive"
    driven = drive_agent(
        "drive", f"routes={short_route}", f"model.weights={run / '4_improve' / 'weights'}", f"out={drive}",
        "traffic.vehicles=0", "traffic.walkers=0", "video=false", "model.embedded.explain_every=4",
    )  # fmt: skip
    assert driven.returncode == 0, driven.stderr
    record = json.loads((drive / "results.json").read_text())["_checkpoint"]["records"][0]
    assert record["scores"]["score_route"] == 100.0, record["status"]
