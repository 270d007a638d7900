"""Fast words are the class's own words; held to slots, nothing else can be said."""

import numpy as np
import pytest
import torch

from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.speech import Speech, tree_of
from drive_agent.models.embedded.tokenizer import DriveTokenizer, build_tokenizer
from drive_agent.types import Maneuver

SLOTS = (("light red\n", "light none\n"), ("so stop", "so go on"), (", now", " for the light"))


@pytest.fixture(scope="module")
def parts():
    torch.manual_seed(3)
    tokenizer = DriveTokenizer(build_tokenizer([phrase for slot in SLOTS for phrase in slot] * 3))
    network = DrivingNetwork(EmbeddedConfig(text_layers=3, vision_layers=1), tokenizer).eval()
    tokens = torch.randn(1, len(network.image_at), network.config.text_width)
    state = (5.0, 10.0, Maneuver.LEFT, 20.0, [[20.0, 0.0], [40.0, 5.0]])
    numbers = torch.from_numpy(tokenizer.number_ids(*(np.asarray(value)[None] for value in state)))
    return network, tokenizer, tokens, numbers


@torch.inference_mode()
def generated(network, tokenizer, tokens, numbers, follow_up: str, count: int) -> list[int]:
    """What the class's own `generate` says greedily behind the same prompt, queries and opening."""
    opening = torch.from_numpy(tokenizer.encode(tokenizer.opening(follow_up)))[None]
    embedded = torch.cat([network.embed(tokens, numbers), network.vlm.get_input_embeddings()(opening)], 1)
    ids = network.vlm.generate(
        inputs_embeds=embedded, attention_mask=torch.ones(embedded.shape[:2], dtype=torch.long),
        position_ids=network.text_places(opening.shape[1]), do_sample=False, max_new_tokens=count, min_new_tokens=count,
    )  # fmt: skip
    return ids[0].tolist()


@pytest.mark.parametrize("follow_up", ["", "Is the way free?"])
def test_free_words_are_those_of_generate(parts, follow_up: str) -> None:
    network, tokenizer, tokens, numbers = parts
    speech = Speech(network, tokenizer)
    speech.think(tokens, numbers)
    said = list(speech.say_freely(follow_up, most=60).ids)
    wanted = generated(*parts, follow_up, len(said))
    assert len(said) > 5 and said == wanted


@torch.inference_mode()
def test_plan_states_are_those_of_the_class(parts) -> None:
    network, tokenizer, tokens, numbers = parts
    speech = Speech(network, tokenizer)
    torch.testing.assert_close(
        speech.think(tokens, numbers), network.think(tokens, numbers), atol=2e-5, rtol=1e-4
    )
    ids = torch.from_numpy(tokenizer.encode("light red\nso stop"))[None]
    states, logits = network.speak(tokens, numbers, ids)
    torch.testing.assert_close(states, network.think(tokens, numbers), atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(
        logits[0, -1], speech._ask(ids[0].tolist(), speech._begin), atol=1e-4, rtol=1e-4
    )


def test_slots_are_filled_with_the_likeliest_phrases_and_nothing_else(parts) -> None:
    network, tokenizer, tokens, numbers = parts
    speech = Speech(network, tokenizer)
    speech.think(tokens, numbers)
    said = speech.say(SLOTS)
    text = speech.text(said)
    assert any(text == a + b + c for a in SLOTS[0] for b in SLOTS[1] for c in SLOTS[2])
    assert said.passes <= len(SLOTS) * 2 < len(said.ids)  # forced words cost no pass
    again = speech.say((tuple(reversed(SLOTS[0])), *SLOTS[1:]))
    assert speech.text(again) == text  # the order of the offer does not matter


def test_a_tree_holds_its_phrases() -> None:
    tree = tree_of([[1, 2, 3], [1, 4]])
    assert set(tree.children) == {1} and set(tree.children[1].children) == {2, 4}
