"""The estimate equals what is allocated; MiMo-Embodied-7B's figures are those of the docs; what does not fit is refused."""

import re
from pathlib import Path

import pytest
import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from drive_agent.models.settings import PRECISIONS
from drive_agent.models.vlm.checkpoint import CheckpointError, Stored, examine
from drive_agent.models.vlm.memory import cache_bytes_per_token, check_fits, need, parts_of

DOCS = Path(__file__).parents[4] / "docs" / "real_model.md"
MIMO = {  # sizes as published; nothing of it is loaded
    "text_config": {
        "vocab_size": 151680, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 36,
        "num_attention_heads": 32, "num_key_value_heads": 8,
    },
    "vision_config": {
        "depth": 32, "hidden_size": 1280, "intermediate_size": 3456, "num_heads": 16, "out_hidden_size": 4096,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def mimo():
    with torch.device("meta"):
        network = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(**MIMO))
    return parts_of(Stored(name, "BF16", tuple(t.shape)) for name, t in network.state_dict().items())


def test_the_parts_of_the_real_model(mimo):
    assert mimo.total == pytest.approx(8.30e9, rel=0.01)
    assert mimo.tower == pytest.approx(0.683e9, rel=0.01)
    assert cache_bytes_per_token(MIMO) == 144 * 1024


@pytest.mark.parametrize(("precision", "gigabytes"), [("bfloat16", 16.6), ("int8", 10.2), ("nf4", 7.1)])
def test_the_weights_of_the_real_model(mimo, precision, gigabytes):
    assert need(mimo, MIMO, precision, 0).weights / 1e9 == pytest.approx(gigabytes, abs=0.06)


def test_the_table_in_the_docs_is_this_arithmetic(mimo):
    rows = re.findall(r"^\| (\w+) +\| ([\d.]+) +\| ([\d.]+) +\| ([\d.]+) ", DOCS.read_text(), re.MULTILINE)
    assert [row[0] for row in rows] == list(PRECISIONS)
    for precision, weights, cache, total in rows:
        wanted = need(mimo, MIMO, precision, 4096)
        assert (weights, cache, total) == tuple(
            f"{part / 1e9:.1f}" for part in (wanted.weights, wanted.cache, wanted.total)
        )


def test_what_does_not_fit_is_refused_with_what_does(mimo):
    with pytest.raises(CheckpointError, match=r"needs 18\.\d GB .* card has 12\.0 GB free; give .*=nf4|int8"):
        check_fits(mimo, MIMO, "bfloat16", 4096, 12_000_000_000, "card")
    with pytest.raises(CheckpointError, match="model=served"):
        check_fits(mimo, MIMO, "nf4", 4096, 4_000_000_000, "card")
    assert check_fits(mimo, MIMO, "nf4", 4096, 10_000_000_000, "card").total < 10e9


def test_the_parts_are_the_same_under_old_and_new_names(tiny):
    stored = examine(tiny).tensors
    renamed = [
        Stored(f"model.{t.name}" if t.in_tower else t.name.replace("model.", "model.language_model."), t.kind, t.shape)
        for t in stored
    ]  # fmt: skip
    assert parts_of(stored) == parts_of(renamed)
