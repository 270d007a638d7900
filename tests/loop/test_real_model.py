"""A look-alike of the real model, fine-tuned to go straight on, drives a short route in every precision."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from drive_agent.data.shards import ShardWriter
from drive_agent.log.schema import TickRecord
from drive_agent.log.store import Episode
from drive_agent.types import PATH_STATIONS_M
from tests.lookalike import make
from tests.loop.conftest import drive_agent
from tests.unit.train.shards import frame

SPEED_MPS = 6.0
VLLM = os.environ.get("VLLM") or shutil.which("vllm")
NUSCENES = Path(__file__).parents[3] / "shared" / "data" / "nuscenes" / "v1.0-one-sample"


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


def questions_of_a_whole_drive(run: Path) -> list[TickRecord]:
    """The ticks at which the model was asked; its one route was driven to the end, and every reply held a plan."""
    [record] = json.loads((run / "results.json").read_text())["_checkpoint"]["records"]
    assert record["scores"]["score_route"] == 100.0
    with Episode.open(next(run.glob("routes/*/log.mcap"))) as episode:
        asked = [tick for _, tick in episode.ticks() if tick.reply is not None]
    assert asked and all(tick.plan_error is None for tick in asked)
    return asked


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
    asked = questions_of_a_whole_drive(run)
    assert all(
        tick.reply.tokens > 100 and {"vision", "prefill", "decode"} <= set(tick.timings_ms) for tick in asked
    )


@contextmanager
def vllm_serving(weights: Path, log: Path) -> Iterator[str]:
    """vLLM with the checkpoint, in its own environment and process; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(VLLM), "serve", str(weights), "--host=127.0.0.1", f"--port={port}", "--dtype=bfloat16", "--enforce-eager",
        "--max-model-len=4096", "--served-model-name=straight",
    ]  # fmt: skip
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    quiet = own | {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    with log.open("w") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, env=quiet)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(1)
    raise RuntimeError(f"vLLM did not start: {log.read_text()[-2000:]}")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(VLLM is None, reason="needs vLLM in an environment of its own: give VLLM=PATH/bin/vllm")
def test_it_drives_behind_vllm(short_route, tmp_path, merged):
    """A server that others wrote: it holds its decoder to our form, begins with our empty thought, knows its model."""
    from drive_agent.models.served import ServedModel, ServerMissingError
    from drive_agent.models.settings import ServedConfig, WordsConfig

    run = tmp_path / "run"
    with vllm_serving(merged, tmp_path / "vllm.txt") as url:
        done = drive_agent(
            "drive", f"routes={short_route}", f"out={run}", "model=served", f"model.served.url={url}",
            "model.served.timeout_s=60", "model.rig=front", "model.period_s=2.0", "model.words.wording=tuned",
            "model.words.scene=false", "guard.plan_hold_s=3.0", "traffic.vehicles=0", "traffic.walkers=0",
            "video=false", timeout_s=900.0,
        )  # fmt: skip
        with pytest.raises(ServerMissingError, match="straight.*refuses a question to 'crooked'.*NotFound"):
            ServedModel.connect((), WordsConfig(), ServedConfig(url, "crooked", timeout_s=60))
        assert ServedModel.connect((), WordsConfig(), ServedConfig(url, dialect="openai", timeout_s=60))
    assert done.returncode == 0, done.stdout + done.stderr
    asked = questions_of_a_whole_drive(run)
    assert all(tick.reply.tokens > 100 and "served" in tick.timings_ms for tick in asked)


@pytest.mark.skipif(not NUSCENES.exists(), reason=f"needs the published key frame in {NUSCENES.name}")
def test_it_is_asked_about_a_real_key_frame(tmp_path):
    """Open loop, all six cameras of nuScenes: the checkpoint says nothing sensible, but in the form that was asked for."""
    pytest.importorskip("nuscenes", reason="the devkit is the extra 'nuscenes'")
    out, weights = tmp_path / "open", make(tmp_path / "weights")
    done = drive_agent(
        "openloop", f"data={NUSCENES}", "model=mimo_embodied_7b", f"model.weights={weights}", f"out={out}",
        "model.vlm.precision=bfloat16", "model.vlm.device=cpu", "model.rig=nuscenes_640",
        "model.words.answer_tokens=2048", f"cache={tmp_path / 'cache'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mimo_embodied_7b" in json.loads((out / "openloop.json").read_text())["planners"]
    with Episode.open(out / "routes" / "scene-0061" / "log.mcap") as episode:
        [(_, tick)] = episode.ticks()
        pictures = {name: list(episode.images(name)) for name in episode.cameras}
    assert len(pictures) == 6 and all(len(shots) == 1 for shots in pictures.values())
    assert (
        tick.prompt is not None
        and [part["type"] for part in tick.prompt.messages[1]["content"]].count("image") == 6
    )
    assert tick.reply.prompt_tokens > 6 * 299 and re.fullmatch(tick.prompt.pattern, tick.reply.text)
    assert tick.scene is not None
