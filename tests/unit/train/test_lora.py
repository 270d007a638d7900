"""Fine-tuning a look-alike: the loss falls, the adapter is saved, loaded and merged, and all three answer alike."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from drive_agent.agent.dialogue import Tuned
from drive_agent.data.shards import DriveDataset
from drive_agent.models.settings import VlmConfig, WordsConfig
from drive_agent.models.vlm.model import VisionLanguageModel
from drive_agent.rig import RIGS
from drive_agent.train.lora import LoraSettings, merge, train
from drive_agent.train.words import example
from tests.lookalike import make
from tests.unit.train.shards import write_shard

CAMERAS = RIGS["front"]().cameras


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A look-alike, data, and a short training."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("lora")
    make(folder / "base")
    write_shard(folder / "data", frames=8)
    settings = LoraSettings(
        str(folder / "base"), (str(folder / "data"),), str(folder / "out"), steps=8, batch=2,
        precision="bfloat16", learning_rate=4e-3,
    )  # fmt: skip
    return folder, settings, train(settings)


def model(weights, adapter=None):
    vlm = VlmConfig(precision="bfloat16", device="cpu", adapter=adapter)
    return VisionLanguageModel.load(str(weights), CAMERAS, WordsConfig(wording="tuned"), vlm)


def test_the_loss_falls_and_is_written(run):
    folder, _, losses = run
    assert losses[-1] < 0.8 * losses[0]
    assert json.loads((folder / "out" / "losses.json").read_text()) == losses
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {
        p.name for p in (folder / "out" / "adapter").iterdir()
    }


def test_only_the_language_layers_are_adapted(run):
    from safetensors import safe_open

    with safe_open(run[0] / "out" / "adapter" / "adapter_model.safetensors", "pt") as file:
        names = list(file.keys())
    assert len(names) == 4 * 7 * 2 and all("language_model.layers" in name for name in names)


def test_adapter_and_merged_checkpoint_answer_alike_and_unlike_the_base(run):
    folder, settings, _ = run
    merged = merge(settings.base, folder / "out" / "adapter", folder / "merged")
    assert "<|im_start|>" in (merged / "chat_template.jinja").read_text()
    row = {name: values[0] for name, values in DriveDataset(settings.data).rows(np.array([0])).items()}
    prompt = example(row, CAMERAS, scene=False)[0]
    models = (model(settings.base), model(settings.base, str(folder / "out" / "adapter")), model(merged))
    logits = []
    for one in models:
        inputs = one._chat.encode(prompt, "")
        with torch.inference_mode():
            logits.append(one._decoder._network(**inputs).logits[0, -1].float())
    base, adapted, whole = logits
    assert (adapted - whole).norm() < 0.1 * (adapted - base).norm()
    held = models[2].answer(replace(prompt, pattern=Tuned(scene=False).pattern))
    assert held.text is not None and re.fullmatch(Tuned(scene=False).pattern, held.text)


def test_rationales_are_learnt_from_an_adapter_on(run):
    folder, settings, before = run
    more = replace(
        settings, rationale=True, start=str(folder / "out" / "adapter"), out=str(folder / "more"), steps=4
    )
    losses = train(more)
    assert losses[0] < before[0] and (folder / "more" / "adapter" / "adapter_model.safetensors").is_file()


@pytest.mark.slow
def test_a_quantized_base_is_trained_too(run):
    folder, settings, _ = run
    losses = train(replace(settings, precision="nf4", out=str(folder / "nf4"), checkpointing=True))
    assert losses[-1] < 0.9 * losses[0]
