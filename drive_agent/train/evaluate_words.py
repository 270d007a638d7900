"""What a network says in words on held-out frames: rationales and answers, held to their form and free.

Knows nothing of training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from drive_agent.agent.quiz_text import QUESTIONS
from drive_agent.agent.rationale_text import SLOTS, action_of, choose, chosen, read_rationale
from drive_agent.data.shards import DriveDataset
from drive_agent.models.embedded.config import SPEEDS_MPS
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.speech import Speech
from drive_agent.models.embedded.tokenizer import DriveTokenizer
from drive_agent.train.answers import answer_of, rationale_of
from drive_agent.train.batch import make_batch
from drive_agent.train.evaluate import Evaluation
from drive_agent.train.rewards import answer_reward

PARTS = ("light", "ahead", "rule", "going_on", "stopping", "action", "cause")


@torch.inference_mode()
def evaluate_words(
    network: DrivingNetwork,
    tokenizer: DriveTokenizer,
    dataset: DriveDataset,
    index: np.ndarray,
    settings: Evaluation,
) -> dict[str, float]:
    """Name -> figure on the frames `index` (n,).

    `rationale_NAME`: share of rationales whose part is right; `rationale_consistent`: whose decision is what the
    network's own plan does; `quiz_NAME`: mean reward of answers; `free_failures`: share of texts that nobody can read
    when the decoder is held to nothing (held to the form there are none); `word_passes`: passes of a rationale.
    """
    speech = Speech(network, tokenizer)
    right: list[list[bool]] = []
    consistent, unread, passes = [], [], []
    quiz: dict[str, list[float]] = {one.name: [] for one in QUESTIONS}
    for k in index:
        batch = make_batch(
            dataset,
            np.array([k]),
            tokenizer,
            np.random.default_rng(0),
            motion=settings.motion,
            blind=settings.blind,
        )
        row = batch.row(0)
        seen = network.see(batch.patches)
        states = speech.think(seen.tokens, batch.number_ids)
        speed = functional.softmax(network.decide(states)["speed"], 1)[0].numpy() @ SPEEDS_MPS
        said = speech.say(SLOTS.phrases)
        choice = SLOTS.read(speech.text(said))
        assert choice is not None, "a decoder that is held to slots fills them"
        passes.append(said.passes)
        wanted = choose(rationale_of(row))
        right.append([a == b for a, b in zip(choice, wanted, strict=True)])
        told = chosen(choice)
        consistent.append(
            told is not None and told.action == action_of(float(row["speed_mps"]), float(speed))
        )
        unread.append(read_rationale(speech.text(speech.say_freely())) is None)
        for one in QUESTIONS:
            if answer_of(one.name, row, dataset.cameras[0]) is not None:
                text = speech.text(speech.say(one.answers.phrases, one.text))
                quiz[one.name].append(answer_reward(one, text, row, dataset.cameras[0]))
    scores = {f"rationale_{name}": part for name, part in zip(PARTS, np.mean(right, 0), strict=True)}
    scores |= {
        "rationale_consistent": float(np.mean(consistent)),
        "free_failures": float(np.mean(unread)),
        "word_passes": float(np.mean(passes)),
    }
    scores |= {
        f"quiz_{name}": float(np.mean(values)) if values else float("nan") for name, values in quiz.items()
    }
    return {name: round(float(value), 4) for name, value in scores.items()} | {"words_frames": len(index)}
