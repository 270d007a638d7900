"""A look-alike of the real model, fine-tuned to go straight on, drives a short route in every precision."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drive_agent.data.shards import ShardWriter
from drive_agent.log.store import Episode
from drive_agent.types import PATH_STATIONS_M
from tests.lookalike import make
from tests.loop.conftest import drive_agent
from tests.unit.train.shards import frame

SPEED_MPS = 6.0


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of 1.3 M weights that has learnt one sentence: straight on at 6 m/s."""
    from drive_agent.train.lora import LoraSettings, merge, train

    folder = tmp_path_factory.mktemp("real")
    rng = np.random.default_rng(0)
    writer = ShardWriter(folder / "data")
    straight = np.stack([PATH_STATIONS_M, 0 * PATH_STATIONS_M], -1)
    for _ in range(16):
        writer.add(**frame(rng) | {"path": straight, "target_speed_mps": SPEED_MPS, "speed_mps": SPEED_MPS})
    writer.close(town="Test", seed=0)
    settings = LoraSettings(
        str(make(folder / "base")), (str(folder / "data"),), str(folder / "out"), steps=120, batch=1, rank=32,
        precision="bfloat16", learning_rate=5e-3,
    )  # fmt: skip
    train(settings)
    return merge(settings.base, folder / "out" / "adapter", folder / "merged")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("precision", ["bfloat16", "int8", "nf4"])
def test_it_drives_a_short_route(short_route, tmp_path, merged, precision):
    run = tmp_path / "run"
    done = drive_agent(
        "drive", f"routes={short_route}", f"out={run}", "model=mimo_embodied_7b", f"model.weights={merged}",
        f"model.vlm.precision={precision}", "model.vlm.device=cpu", "model.rig=front", "model.period_s=2.0",
        "model.words.wording=tuned", "model.words.scene=false", "guard.plan_hold_s=3.0", "traffic.vehicles=0",
        "traffic.walkers=0", "video=false", timeout_s=1500.0,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    [record] = json.loads((run / "results.json").read_text())["_checkpoint"]["records"]
    assert record["scores"]["score_route"] == 100.0
    with Episode.open(next(run.glob("routes/*/log.mcap"))) as episode:
        asked = [tick for _, tick in episode.ticks() if tick.reply is not None]
    assert asked and all(tick.plan_error is None for tick in asked)
    assert all(
        tick.reply.tokens > 100 and {"vision", "prefill", "decode"} <= set(tick.timings_ms) for tick in asked
    )
