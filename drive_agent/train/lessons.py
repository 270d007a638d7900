"""Words that a step teaches: rationales and answers about the scene, as ids behind the plan's queries.

The corpus of these wordings is what the tokenizer's words are made from. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from drive_agent.agent.quiz_text import QUESTIONS, Question
from drive_agent.agent.rationale_text import SLOTS, choose
from drive_agent.models.embedded.tokenizer import DriveTokenizer, build_tokenizer
from drive_agent.train.answers import answer_of, rationale_of
from drive_agent.train.batch import Batch


def corpus() -> list[str]:
    """Every phrase that is ever said, and every question."""
    phrases = [phrase for slot in SLOTS.phrases for phrase in slot]
    for one in QUESTIONS:
        phrases += [one.text, *(phrase for slot in one.answers.phrases for phrase in slot)]
    return phrases


def words_tokenizer() -> DriveTokenizer:
    """The tokenizer of a network that is trained anew."""
    return DriveTokenizer(build_tokenizer(corpus()))


@dataclass(frozen=True)
class Lesson:
    """Texts of a batch; `question` None where a rationale is given."""

    ids: torch.Tensor  # (n, words)
    told: torch.Tensor  # (n, words - 1) bool: the word after this one is the answer's
    questions: tuple[Question | None, ...]


def draw(batch: Batch, rng: np.random.Generator, quiz_share: float) -> list[Question | None]:
    """What each frame is asked; None: for its rationale. A question that a frame cannot answer is not asked."""
    asked: list[Question | None] = []
    for k in range(len(batch.number_ids)):
        if rng.random() >= quiz_share:
            asked.append(None)
            continue
        row = batch.row(k)
        for j in rng.permutation(len(QUESTIONS)):
            if answer_of(QUESTIONS[j].name, row, batch.cameras[0]) is not None:
                asked.append(QUESTIONS[j])
                break
    return asked


def teach(batch: Batch, asked: Sequence[Question | None], tokenizer: DriveTokenizer) -> Lesson:
    """The right words for what is asked."""
    pairs = []
    for k, one in enumerate(asked):
        row = batch.row(k)
        if one is None:
            phrases = SLOTS.split(choose(rationale_of(row)))
        else:
            choice = answer_of(one.name, row, batch.cameras[0])
            assert choice is not None, "draw() asks what can be answered"
            phrases = one.answers.split(choice)
        follow_up = one.text if one else ""
        # phrase by phrase, as a decoder that fills slots writes them
        answer = [part for phrase in phrases for part in tokenizer.encode(phrase)]
        answer += [tokenizer.id(tokenizer.closing(follow_up))]
        pairs.append((tokenizer.encode(tokenizer.opening(follow_up)), np.array(answer)))
    return Lesson(*pad(pairs), tuple(asked))


def pad(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Openings and answers as ids (n, words) and the mask (n, words - 1) of what has to be foretold."""
    longest = max(len(opening) + len(answer) for opening, answer in pairs)
    ids = np.zeros((len(pairs), longest), dtype=np.int64)
    told = np.zeros((len(pairs), longest - 1), dtype=bool)
    for k, (opening, answer) in enumerate(pairs):
        end = len(opening) + len(answer)
        ids[k, :end] = np.concatenate([opening, answer])
        told[k, len(opening) - 1 : end - 1] = True
    return torch.from_numpy(ids), torch.from_numpy(told)
