"""What is relied on in transformers' Qwen2.5-VL: an upgrade that changes it fails here, by name."""

import inspect

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil, smart_resize

from drive_agent.agent import boxes_text, plan_text
from drive_agent.agent.plan_arrays import SPEED_TIMES_S
from drive_agent.models.picture_size import ALL_TOKENS, SIDE_PX, resized, visual_tokens
from drive_agent.models.settings import WordsConfig
from drive_agent.models.vlm.chat import IMAGE, NO_THOUGHT, Chat
from drive_agent.types import (
    CameraImage,
    Forecast,
    LightState,
    Maneuver,
    ObjectKind,
    Plan,
    Prompt,
    PromptState,
    Scene,
    SceneObject,
)

STATE = PromptState(0.0, 0.0, Maneuver.LANE_FOLLOW, 60.0, np.zeros((2, 2)))


def picture(width, height, name="front"):
    return CameraImage(name, 0, np.full((height, width, 3), 90, np.uint8), b"")


def ask(*pictures):
    content = [
        {"type": "text", "text": "look: "},
        *({"type": "image"} for _ in pictures),
        {"type": "text", "text": "?"},
    ]
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": content})
    return Prompt(messages, pictures, (None,) * len(pictures), STATE)


@pytest.fixture(scope="module")
def chat(tiny):
    return Chat(tiny, ALL_TOKENS)


@pytest.mark.parametrize(("size", "tokens"), [((1600, 900), 1824), ((640, 360), 299)])
def test_visual_tokens_of_the_processor(chat, size, tokens):
    inputs = chat.encode(ask(picture(*size)), "")
    assert int((inputs["input_ids"] == chat.tokenizer.get_vocab()[IMAGE]).sum()) == tokens
    assert int(inputs["image_grid_thw"].prod()) == 4 * tokens == 4 * visual_tokens(*size)
    assert inputs["pixel_values"].shape == (4 * tokens, 3 * 2 * 14 * 14)


@pytest.mark.parametrize("limit", [4, 64, 144, 300, 1280, ALL_TOKENS])
@pytest.mark.parametrize("size", [(1920, 1080), (1600, 900), (640, 360), (224, 112), (30, 300), (333, 777)])
def test_sizes_are_those_of_the_processor(size, limit):
    height, width = smart_resize(
        size[1], size[0], SIDE_PX, min_pixels=4 * SIDE_PX**2, max_pixels=limit * SIDE_PX**2
    )
    assert resized(*size, limit) == (width, height)


def test_defaults_of_the_processor():
    processor = Qwen2VLImageProcessorPil()
    assert (processor.patch_size, processor.merge_size, processor.temporal_patch_size) == (14, 2, 2)
    assert processor.image_mean == pytest.approx([0.48145466, 0.4578275, 0.40821073])
    assert processor.image_std == pytest.approx([0.26862954, 0.26130258, 0.27577711])


def test_the_chat_in_full(chat):
    assert chat.render(ask(picture(56, 56)), NO_THOUGHT) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nlook: <|vision_start|><|image_pad|><|vision_end|>?"
        "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )


def test_special_tokens_are_one_token_and_digits_stand_alone(tiny):
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    assert type(tokenizer).__name__.startswith("Qwen2Tokenizer")
    for token in (
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        IMAGE,
        "<think>",
        "</think>",
    ):
        assert len(tokenizer.encode(token, add_special_tokens=False)) == 1
    assert [tokenizer.decode([k]) for k in tokenizer.encode("12.34")] == ["1", "2", ".", "3", "4"]


def test_names_of_the_configuration():
    """The default ids are those of the published vocabulary; flat configurations (as on the hub) are read."""
    config = Qwen2_5_VLConfig()
    assert (config.image_token_id, config.video_token_id) == (151655, 151656)
    assert (config.vision_start_token_id, config.vision_end_token_id) == (151652, 151653)
    flat = Qwen2_5_VLConfig(
        hidden_size=64, num_hidden_layers=1, rope_scaling={"type": "mrope", "mrope_section": [2, 3, 3]}
    )
    assert flat.text_config.hidden_size == 64 and flat.text_config.num_hidden_layers == 1


def test_the_network_takes_what_the_decoder_gives():
    taken = inspect.signature(Qwen2_5_VLForConditionalGeneration.forward).parameters
    assert {
        "input_ids",
        "pixel_values",
        "image_grid_thw",
        "mm_token_type_ids",
        "past_key_values",
        "logits_to_keep",
    } <= set(taken)


def test_two_pictures_of_different_sizes_have_their_own_positions(chat, tiny):
    """Positions jump over a picture by its longer side: relied on when tokens are fed in pieces."""
    with torch.device("meta"):
        network = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig.from_pretrained(tiny))
    inputs = chat.encode(ask(picture(112, 56), picture(56, 140, "left")), "")
    positions, deltas = network.model.get_rope_index(
        inputs["input_ids"],
        image_grid_thw=inputs["image_grid_thw"],
        mm_token_type_ids=inputs["mm_token_type_ids"],
    )
    count = inputs["input_ids"].shape[1]
    seen = 2 * 4 + 5 * 2
    assert int(inputs["mm_token_type_ids"].sum()) == seen
    assert int(positions.max()) + 1 == count - seen + 4 + 5
    assert int(deltas) == int(positions.max()) + 1 - count


def test_the_answer_budget_holds_the_longest_answers(tiny):
    """A form that the budget cuts would not be read. The look-alike's tokenizer has shorter tokens than a real one."""
    box = '{"bbox_2d": [1234, 1234, 1234, 1234], "label": "motorcycle", "camera": "CAM_FRONT_RIGHT", "moves": "towards", '
    boxes = ", ".join([box + '"speed_mps": 12.3}'] * boxes_text.MAX_OBJECTS)
    waypoints = ", (+12.34, +12.34, +12.34)" * 8
    stock = f"Objects: [{boxes}]\nLight: yellow\nHere is the planning trajectory [PT{waypoints}]."
    thing = SceneObject(ObjectKind.VEHICLE, 1.0, -12.3, -12.3, -1.23, 12.3)
    scene = Scene((thing,) * plan_text.MAX_OBJECTS, LightState.YELLOW, 1.0, 12.3)
    plan = Plan(0, np.full((10, 2), -12.34), SPEED_TIMES_S, np.full(6, 12.3))
    forecast = Forecast(np.full((plan_text.MAX_OBJECTS, 3, 2), -12.3))
    tuned = f"{plan_text.write_scene(scene, forecast)}\n{plan_text.write_plan(plan)}"
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    for text in (stock, tuned):
        assert len(tokenizer.encode(text)) <= WordsConfig().answer_tokens
