"""How long words take: the class's own `generate`, our loop over the same words, a rationale held to its form, one plan."""

from __future__ import annotations

import time

import numpy as np
import torch

from drive_agent.agent.rationale_text import SLOTS
from drive_agent.models.embedded import weights
from drive_agent.models.embedded.speech import Speech
from drive_agent.types import Maneuver

WORDS = 60


@torch.inference_mode()
def spent_on_words(rounds: int) -> dict[str, list[float]]:
    """What -> milliseconds of each round, all from the visual tokens on, in turn: the machine's pace drifts."""
    torch.set_num_threads(1)
    network, tokenizer = weights.load(weights.FOLDER)
    speech = Speech(network, tokenizer)
    torch.manual_seed(0)
    tokens = torch.randn(1, len(network.image_at), network.config.text_width)
    state = (5.0, 10.0, Maneuver.LEFT, 20.0, [[20.0, 0.0], [40.0, 5.0]])
    numbers = torch.from_numpy(tokenizer.number_ids(*(np.asarray(value)[None] for value in state)))
    opening = torch.from_numpy(tokenizer.encode(tokenizer.opening("")))[None]

    def generate() -> None:
        embedded = torch.cat([network.embed(tokens, numbers), network.vlm.get_input_embeddings()(opening)], 1)
        network.vlm.generate(
            inputs_embeds=embedded, attention_mask=torch.ones(embedded.shape[:2], dtype=torch.long),
            position_ids=network.text_places(opening.shape[1]), do_sample=False, max_new_tokens=WORDS,
            min_new_tokens=WORDS,
        )  # fmt: skip

    def same_words() -> None:
        speech.think(tokens, numbers)
        speech.say_freely(most=WORDS)

    def rationale() -> None:
        speech.think(tokens, numbers)
        speech.say(SLOTS.phrases)

    ways = {
        "generate": generate,
        "the same words, own loop": same_words,
        "a rationale, held to its form": rationale,
        "a plan, one pass": lambda: network.decide(network.think(tokens, numbers)),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for done in range(rounds + 1):
        for name, way in ways.items():
            since = time.perf_counter()
            way()
            if done:  # the first round warms up
                spent[name].append((time.perf_counter() - since) * 1e3)
    return spent
