"""What is wrong with a folder is said before anything is loaded, by name and with the remedy."""

import json
import shutil

import pytest

from drive_agent.models.settings import VlmConfig
from drive_agent.models.vlm.checkpoint import INDEX, PICTURES, CheckpointError, examine, find


@pytest.fixture
def copy(tiny, tmp_path):
    return shutil.copytree(tiny, tmp_path / "copy")


def test_a_published_layout_is_read(tiny):
    checkpoint = examine(tiny)
    names = {tensor.name for tensor in checkpoint.tensors}
    assert {"visual.patch_embed.proj.weight", "model.embed_tokens.weight", "lm_head.weight"} <= names
    assert len(set(json.loads((tiny / INDEX).read_text())["weight_map"].values())) == 2
    assert ["float32" in note for note in checkpoint.notes] == [True]


def test_a_missing_picture_configuration_is_handled_and_told(copy):
    (copy / PICTURES).unlink()
    assert any(PICTURES in note for note in examine(copy).notes)


def test_a_cut_file_is_named(copy):
    shard = copy / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"00002-of-00002.safetensors has \d+ bytes, expected \d+"):
        examine(copy)
    shard.write_bytes(b"\x00\x01")
    with pytest.raises(CheckpointError, match="no whole header"):
        examine(copy)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model-00001-of-00002.safetensors"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        examine(copy)


def test_another_class_is_refused(copy):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "llava"}))
    with pytest.raises(CheckpointError, match="'llava', expected 'qwen2_5_vl'"):
        examine(copy)
    (copy / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="not JSON"):
        examine(copy)


@pytest.mark.parametrize("precision", ["float16", "fp16", "half"])
def test_float16_is_refused_with_the_reason(precision):
    with pytest.raises(ValueError, match="rows of '!'.*bfloat16"):
        VlmConfig(precision=precision)


def test_a_wrong_place_is_refused():
    with pytest.raises(CheckpointError, match="expected a folder, or a name on the hub"):
        find("/no/such/folder")
