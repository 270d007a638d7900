"""Training learns, is repeatable, and goes on exactly where it was cut off."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.train import checkpoint
from drive_agent.train.loop import TrainConfig, train
from drive_agent.train.stages import Stage
from tests.unit.train.shards import write_shard

SMALL = EmbeddedConfig(
    text_width=64, text_layers=2, text_mlp=96, vision_width=64, vision_layers=2, vision_heads=2, vision_mlp=96
)
STAGES = (Stage("see", 0.3, 2e-2, language=False), Stage("drive", 0.7, 2e-2, language=True))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_shard(tmp_path_factory.mktemp("data") / "a", frames=64)


def config(data: Path, out: Path, **changes) -> TrainConfig:
    base = TrainConfig(
        data=(str(data),),
        out=str(out),
        steps=8,
        batch=4,
        log_steps=1,
        save_minutes=1e9,
        model=SMALL,
        stages=STAGES,
    )
    return replace(base, **changes)


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["last"] for line in lines if "last" in line]


def test_loss_falls_on_a_few_samples(data: Path, tmp_path: Path) -> None:
    only_drive = (Stage("drive", 1.0, 1e-2, language=True),)
    train(config(data, tmp_path, steps=30, batch=8, stages=only_drive))
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
    train(config(data, tmp_path, steps=2))
    network, _ = weights.load(tmp_path / "weights")
    assert float(network.path_mean[-1, 0]) == pytest.approx(40.0, abs=1e-3)


def test_wrong_calls_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        config(data, tmp_path, minutes=1.0)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        train(config(data, tmp_path), resume=True)


@pytest.mark.slow
def test_two_workers_repeat_themselves(data: Path, tmp_path: Path) -> None:
    for run in ("a", "b"):
        train(config(data, tmp_path / run, steps=3, workers=2))
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    sums = [json.loads((tmp_path / run / "weights/manifest.json").read_text()) for run in ("a", "b")]
    assert sums[0]["model.safetensors"] == sums[1]["model.safetensors"]
