"""A look-alike asked like the real model: answers keep to the form, thoughts to their budget, costs are told."""

import json
import re
import shutil
from dataclasses import replace

import pytest
import torch

from drive_agent.agent.dialogue import Stock, Tuned, after_thought
from drive_agent.models.settings import VlmConfig, WordsConfig
from drive_agent.models.vlm.checkpoint import PICTURES, CheckpointError
from drive_agent.models.vlm.model import VisionLanguageModel
from drive_agent.types import Plan
from tests.unit.models.vlm.conftest import CAMERAS

NAMES = tuple(camera.name for camera in CAMERAS)
EXACT = VlmConfig(precision="bfloat16", device="cpu")


@pytest.fixture(scope="module")
def model(tiny):
    return VisionLanguageModel.load(str(tiny), CAMERAS, WordsConfig(), EXACT)


@pytest.fixture(scope="module")
def thinker(tiny):
    return VisionLanguageModel.load(str(tiny), CAMERAS, WordsConfig(think_tokens=6), EXACT)


@pytest.mark.parametrize("dialogue", [Stock(CAMERAS, 300, scene=True), Tuned(scene=False)])
def test_a_constrained_answer_has_the_form(model, frame, dialogue):
    prompt = dialogue.ask(frame, NAMES)
    reply = model.answer(prompt)
    assert reply.text is not None and re.fullmatch(prompt.pattern, reply.text)
    said = dialogue.understand(reply, frame)
    assert isinstance(said.plan, Plan) or "expected at most 40" in said.plan.reason


def test_costs_are_told(model, frame):
    reply = model.answer(Stock(CAMERAS, 300, scene=False).ask(frame, NAMES))
    assert set(reply.timings_ms) == {"vision", "prefill", "decode"}
    assert len(reply.token_times_ms) == reply.tokens > 100
    assert list(reply.token_times_ms) == sorted(reply.token_times_ms)
    assert reply.prompt_tokens > 8 * 4 + 4 * 4  # the pictures' tokens at least
    assert reply.peak_bytes == 0


def test_the_same_question_has_the_same_answer(model, frame):
    prompt = Stock(CAMERAS, 300, scene=False).ask(frame, NAMES)
    first = model.answer(prompt)
    other = replace(prompt, messages=({"role": "user", "content": "hm"},), images=(), pattern="yes|no")
    assert model.answer(other).text in ("yes", "no")
    assert model.answer(prompt).text == first.text


def test_thought_keeps_to_its_budget_and_the_answer_to_its_form(thinker, frame):
    prompt = Stock(CAMERAS, 300, scene=False).ask(frame, NAMES)
    text = thinker.answer(prompt).text
    assert text is not None and text.startswith("<think>\n") and text.count("</think>") == 1
    assert re.fullmatch(prompt.pattern, after_thought(text))


def test_without_a_form_the_answer_is_what_the_class_itself_generates(tiny, frame):
    """The decoder written out here against `generate`, greedily."""
    words = WordsConfig(constrained=False, answer_tokens=40)
    model = VisionLanguageModel.load(str(tiny), CAMERAS, words, EXACT)
    prompt = Stock(CAMERAS, 300, scene=False).ask(frame, NAMES)
    inputs = model._chat.encode(prompt, "<think>\n\n</think>\n\n")
    network = model._decoder._network
    with torch.inference_mode():
        ids = network.generate(**inputs, max_new_tokens=40, do_sample=False)[
            0, inputs["input_ids"].shape[1] :
        ]
    assert model.answer(prompt).text == model._chat.tokenizer.decode(ids, skip_special_tokens=True)


def test_without_pictures_configuration_it_answers_the_same(tiny, model, frame, tmp_path):
    bare = shutil.copytree(tiny, tmp_path / "bare")
    (bare / PICTURES).unlink()
    prompt = Stock(CAMERAS, 300, scene=False).ask(frame, NAMES)
    other = VisionLanguageModel.load(str(bare), CAMERAS, WordsConfig(), EXACT)
    assert other.answer(prompt).text == model.answer(prompt).text


def test_a_missing_chat_template_is_named(tiny, tmp_path):
    bare = shutil.copytree(tiny, tmp_path / "bare")
    settings = json.loads((bare / "tokenizer_config.json").read_text())
    template = settings.pop("chat_template")
    (bare / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match="no chat template"):
        VisionLanguageModel.load(str(bare), CAMERAS, WordsConfig(), EXACT)
    (bare / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    VisionLanguageModel.load(str(bare), CAMERAS, WordsConfig(), EXACT)


def test_pictures_and_messages_must_agree(model, frame):
    prompt = Stock(CAMERAS, 300, scene=False).ask(frame, NAMES)
    with pytest.raises(ValueError, match="name 2 pictures, 1 were given"):
        model.answer(replace(prompt, images=prompt.images[:1]))


def test_more_tokens_than_the_model_takes_are_refused(tiny):
    with pytest.raises(CheckpointError, match="the model takes 8192; give a smaller"):
        VisionLanguageModel.load(str(tiny), CAMERAS, WordsConfig(picture_tokens=4000), EXACT)
