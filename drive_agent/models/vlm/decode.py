"""Greedy decoding of one answer: a thought within its budget, then the answer, held to a form if there is one.

Written out because `generate` cannot take the tokens that a form forces in one pass, end a thought at its budget, or
tell what the vision tower, the prompt and each token cost. Knows nothing of prompts or plans.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from drive_agent.models.vlm.form import Form


@dataclass
class Written:
    """What was decoded and what it cost."""

    thought: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    passes: int = 0  # forward passes after the prompt's
    timings_ms: dict[str, float] = field(default_factory=dict)  # vision, prefill, decode
    token_times_ms: list[float] = field(default_factory=list)  # of the answer, since the start


class Decoder:
    """Decodes with one network; one answer at a time."""

    def __init__(self, network: Any, end_ids: set[int], think_end: list[int]) -> None:
        """`end_ids` end an answer, `think_end` are the tokens that close a thought."""
        self._network = network
        self._end_ids = end_ids
        self._think_end = think_end
        self._device = next(network.parameters()).device

    @torch.inference_mode()
    def write(
        self, inputs: dict[str, torch.Tensor], think_tokens: int, answer_tokens: int, form: Form | None
    ) -> Written:
        """Decode from the network's inputs (one row). An answer without a form ends at `answer_tokens` at the latest."""
        written, start = Written(), time.perf_counter()
        cache = DynamicCache(config=self._network.config)
        inputs = {name: value.to(self._device) for name, value in inputs.items()}
        with self._timed_vision(written):
            logits = self._network(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[
                0, -1
            ]
            self._wait()
        prefilled = time.perf_counter()
        written.timings_ms["prefill"] = (prefilled - start) * 1e3 - written.timings_ms.get("vision", 0.0)
        if think_tokens:
            logits = self._think(logits, cache, think_tokens, written)
        self._answer(logits, cache, answer_tokens, form, written, start)
        written.timings_ms["decode"] = (time.perf_counter() - prefilled) * 1e3
        return written

    def _think(self, logits: torch.Tensor, cache: Any, budget: int, written: Written) -> torch.Tensor:
        """Think freely until the thought is closed; close it where the budget ends. Returns the next logits."""
        closing = self._think_end[0]
        for _ in range(budget):
            token = int(logits.argmax())
            if token == closing or token in self._end_ids:
                break
            written.thought.append(token)
            logits = self._pass([token], cache, written)
        return self._pass(self._think_end, cache, written)

    def _answer(
        self, logits: torch.Tensor, cache: Any, budget: int, form: Form | None, written: Written, start: float
    ) -> None:
        while len(written.answer) < budget:
            tokens = form.forced() if form is not None else []
            if not tokens:
                if form is not None and form.done:
                    return
                tokens = [int(logits.argmax()) if form is None else form.choose(logits)]
            tokens = self._until_end(tokens)
            now_ms = (time.perf_counter() - start) * 1e3
            written.answer += tokens
            written.token_times_ms += [now_ms] * len(tokens)
            if not tokens or (form is not None and form.done):
                return
            logits = self._pass(tokens, cache, written)

    def _until_end(self, tokens: list[int]) -> list[int]:
        ends = [k for k, token in enumerate(tokens) if token in self._end_ids]
        return tokens[: ends[0]] if ends else tokens

    def _pass(self, tokens: list[int], cache: Any, written: Written) -> torch.Tensor:
        """Append tokens and return the logits after them."""
        ids = torch.tensor([tokens], device=self._device)
        written.passes += 1
        return self._network(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[
            0, -1
        ]

    @contextmanager
    def _timed_vision(self, written: Written) -> Iterator[None]:
        """Milliseconds of the vision tower within."""
        since = 0.0

        def begin(*_: Any) -> None:
            nonlocal since
            self._wait()
            since = time.perf_counter()

        def end(*_: Any) -> None:
            self._wait()
            written.timings_ms["vision"] = (time.perf_counter() - since) * 1e3

        tower = self._network.model.visual
        hooks = [tower.register_forward_pre_hook(begin), tower.register_forward_hook(end)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
