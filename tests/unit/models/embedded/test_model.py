"""A weights folder is used whole or not at all, and the model's answers have the promised form."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from drive_agent.models.base import load_model
from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.models.embedded.model import EmbeddedModel
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.objects import FIELDS
from drive_agent.models.embedded.tokenizer import DriveTokenizer, build_tokenizer
from drive_agent.types import CameraImage, Maneuver, Prompt, PromptState

SMALL = EmbeddedConfig(
    text_width=64, text_layers=2, text_mlp=96, vision_width=64, vision_layers=2, vision_heads=2, vision_mlp=96
)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    tokenizer = DriveTokenizer(build_tokenizer())
    weights.save(tmp_path / "w", DrivingNetwork(SMALL, tokenizer), tokenizer, {"seed": 0})
    return tmp_path / "w"


def image(name: str, width: int, seed: int) -> CameraImage:
    rgb = np.random.default_rng(seed).integers(0, 256, (112, width, 3), dtype=np.uint8)
    return CameraImage(name, 0, rgb, b"")


def prompt() -> Prompt:
    state = PromptState(5.0, 12.0, Maneuver.LEFT, 20.0, np.array([[20.0, 1.0], [40.0, 12.0]]))
    return Prompt((), (image("wide", 224, 1), image("narrow", 112, 2)), (image("wide", 224, 3), None), state)


def test_answer_has_the_promised_arrays(folder) -> None:
    reply = load_model("embedded", folder=folder).answer(prompt())
    shapes = {name: array.shape for name, array in reply.arrays.items() if name != "objects"}
    assert shapes == {
        "path_ego": (10, 2),
        "path_spread_m": (10,),
        "speed_values_mps": (41,),
        "speed_probs": (41,),
        "light_probs": (4,),
        "light_m": (),
        "gap_values_m": (50,),
        "gap_probs": (51,),
        "lead_speed_mps": (),
        "stop_values_m": (25,),
        "stop_probs": (26,),
    }
    assert reply.arrays["objects"].shape[1] == len(FIELDS)
    for name in ("speed_probs", "light_probs", "gap_probs", "stop_probs"):
        assert reply.arrays[name].sum() == pytest.approx(1.0, abs=1e-5)
    assert all(np.isfinite(array).all() for array in reply.arrays.values())
    assert list(reply.timings_ms) == ["patchify", "vision", "language", "heads"]


def test_answers_are_the_same_every_time(folder) -> None:
    first, second = (EmbeddedModel.load(folder).answer(prompt()).arrays for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_pictures_and_numbers_both_matter(folder) -> None:
    model = EmbeddedModel.load(folder)
    base = model.answer(prompt()).arrays["path_ego"]
    other_pictures = replace(prompt(), images=(image("wide", 224, 9), image("narrow", 112, 2)))
    other_route = replace(prompt(), state=replace(prompt().state, maneuver=Maneuver.RIGHT))
    other_past = replace(prompt(), previous_images=(image("wide", 224, 8), None))
    for changed in (other_pictures, other_route, other_past):
        assert not np.array_equal(model.answer(changed).arrays["path_ego"], base)


def test_prompts_without_the_right_pictures_are_refused(folder) -> None:
    model = EmbeddedModel.load(folder)
    with pytest.raises(ValueError, match="'narrow'"):
        model.answer(replace(prompt(), images=prompt().images[:1], previous_images=(None,)))
    with pytest.raises(ValueError, match="shape"):
        model.answer(replace(prompt(), images=(image("wide", 112, 1), prompt().images[1])))


def test_missing_truncated_altered_weights_are_refused(folder) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(
        weights.WeightsError, match=r"model\.safetensors has \d+ bytes, expected \d+; restore"
    ):
        EmbeddedModel.load(folder)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(weights.WeightsError, match=r"model\.safetensors has SHA-256 .* expected .*; restore"):
        EmbeddedModel.load(folder)
    path.unlink()
    with pytest.raises(
        weights.WeightsError, match=r"model\.safetensors is missing, expected \d+ bytes; restore"
    ):
        EmbeddedModel.load(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(weights.WeightsError, match="not JSON"):
        EmbeddedModel.load(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(weights.WeightsError, match=r"manifest\.json is missing"):
        EmbeddedModel.load(folder)


def test_the_folder_is_one_that_transformers_reads(folder) -> None:
    ours, _ = weights.load(folder)
    theirs = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    for name, value in theirs.state_dict().items():
        assert torch.equal(value, ours.vlm.state_dict()[name]), name
    assert json.loads((folder / "config.json").read_text())["model_type"] == "qwen2_5_vl"


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'embeded' is unknown, expected one of .*'embedded'"):
        load_model("embeded")


def test_words_are_said_beside_the_same_plan() -> None:
    model = EmbeddedModel.load()
    plain = model.answer(prompt())
    spoken = model.answer(replace(prompt(), slots=(("yes", "no"),), follow_up="Is the way free?"))
    assert plain.text is None and spoken.text in ("yes", "no")
    assert plain.arrays.keys() == spoken.arrays.keys()
    for name, values in plain.arrays.items():
        np.testing.assert_allclose(spoken.arrays[name], values, atol=1e-3)
    assert "words" in spoken.timings_ms and "words" not in plain.timings_ms


def test_fewer_bits_change_answers_a_little() -> None:
    exact = EmbeddedModel.load().answer(prompt()).arrays["path_ego"]
    for precision in ("bfloat16", "int8", "nf4"):
        told = EmbeddedModel.load(precision=precision).answer(prompt()).arrays["path_ego"]
        assert 0 < np.abs(told - exact).max() < 3.0
    with pytest.raises(ValueError, match="expected one of float32"):
        EmbeddedModel.load(precision="int3")
