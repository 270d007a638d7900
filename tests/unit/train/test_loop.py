"""Training learns, is repeatable, and goes on exactly where it was cut off."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.train import checkpoint
from drive_agent.train.loop import TrainConfig, train
from drive_agent.train.stages import Stage
from tests.unit.train.shards import write_shard

SMALL = EmbeddedConfig(
    text_width=64, text_layers=2, text_mlp=96, vision_width=64, vision_layers=2, vision_heads=2, vision_mlp=96
)
STAGE = Stage(steps=8, learning_rate=2e-2, words=0.3, words_every=2, quiz_share=0.5)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_shard(tmp_path_factory.mktemp("data") / "a", frames=64)


def config(data: Path, out: Path, **changes) -> TrainConfig:
    base = TrainConfig(
        data=(str(data),),
        out=str(out),
        stage=STAGE,
        batch=4,
        log_steps=1,
        save_minutes=1e9,
        model=SMALL,
    )
    return replace(base, **changes)


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["last"] for line in lines if "last" in line]


def test_loss_falls_on_a_few_samples(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path, batch=8, stage=Stage(steps=30, learning_rate=1e-2)))
    curve = losses(tmp_path)
    assert np.mean(curve[-5:]) < 0.6 * np.mean(curve[:3])


def test_a_run_cut_off_and_resumed_is_the_run_that_was_not(data: Path, tmp_path: Path, monkeypatch) -> None:
    train(config(data, tmp_path / "whole"))
    save = checkpoint.save

    def save_and_fall(folder, learner, optimizer, progress) -> None:
        save(folder, learner, optimizer, progress)
        if progress["step"] == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", save_and_fall)
    with pytest.raises(KeyboardInterrupt):
        train(config(data, tmp_path / "cut", save_minutes=0))
    monkeypatch.undo()
    train(config(data, tmp_path / "cut"), resume=True)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")
    sums = [json.loads((tmp_path / run / "weights/manifest.json").read_text()) for run in ("whole", "cut")]
    assert sums[0]["tokenizer.json"] == sums[1]["tokenizer.json"]
    assert sums[0]["model.safetensors"] == sums[1]["model.safetensors"]


def test_weights_of_a_run_are_ready_to_load(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path, stage=replace(STAGE, steps=2)))
    network, _ = weights.load(tmp_path / "weights")
    assert float(network.path_mean[-1, 0]) == pytest.approx(40.0, abs=1e-3)


def test_wrong_calls_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        train(config(data, tmp_path), resume=True)
    with pytest.raises(FileNotFoundError, match="train the stage before"):
        train(config(data, tmp_path, start=str(tmp_path / "nowhere")))
    with pytest.raises(ValueError, match="group=1"):
        Stage(steps=1, learning_rate=1e-3, group=1)
    nothing = Stage(steps=1, learning_rate=1e-3, dense=0, shortcut=0, plan=0)
    with pytest.raises(ValueError, match="asks for nothing"):
        train(config(data, tmp_path / "b", stage=nothing))


def test_rewarded_samples_repeat_themselves_and_change_the_heads(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "start"))
    rewarded = Stage(
        steps=4,
        learning_rate=1e-3,
        dense=0,
        shortcut=0,
        plan=0,
        group=6,
        word_reward=0.5,
        words_every=2,
        quiz_share=0.5,
    )
    for run in ("a", "b"):
        train(config(data, tmp_path / run, stage=rewarded, start=str(tmp_path / "start")))
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    before, after = (load_file(tmp_path / run / "weights/model.safetensors") for run in ("start", "a"))
    moved = {name for name in before if not before[name].equal(after[name])}
    assert {f"driving.query_heads.{name}.weight" for name in ("path", "speed", "light", "gap")} <= moved
    line = json.loads((tmp_path / "a" / "log.jsonl").read_text().splitlines()[-1])
    assert all(0 <= line[f"reward.{name}"] <= 1 for name in ("plan", "light", "gap", "words"))


@pytest.mark.slow
def test_two_workers_repeat_themselves(data: Path, tmp_path: Path) -> None:
    for run in ("a", "b"):
        train(config(data, tmp_path / run, stage=replace(STAGE, steps=3), workers=2))
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    sums = [json.loads((tmp_path / run / "weights/manifest.json").read_text()) for run in ("a", "b")]
    assert sums[0]["model.safetensors"] == sums[1]["model.safetensors"]
