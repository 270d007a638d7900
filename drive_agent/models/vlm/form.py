"""Which tokens an answer may go on with: a regular expression held against a vocabulary. Knows nothing of networks.

llguidance does the work. Measured on a vocabulary of 130,000 tokens and this project's patterns: 1.5 ms to take a
pattern, 0.02 ms a token (xgrammar 1 ms and 0.002 ms, with packages of hundreds of MB behind it), both next to nothing
beside a forward pass; and it tells the tokens that can only come next, which need no pass of their own.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from drive_agent.models.vlm.checkpoint import CheckpointError


class Forms:
    """Makes forms for one vocabulary of `rows` logits."""

    def __init__(self, tokenizer: Any, rows: int) -> None:
        """`tokenizer` is one of transformers' fast ones."""
        if importlib.util.find_spec("llguidance") is None:
            raise CheckpointError(
                "model.words.constrained=true needs llguidance; pip install 'drive-agent[quant]', or give "
                "model.words.constrained=false"
            )
        from llguidance.hf import from_tokenizer

        self._rows = rows
        self._words: Any = from_tokenizer(tokenizer, n_vocab=rows, eos_token=tokenizer.eos_token_id)

    def form(self, pattern: str) -> Form:
        """A fresh form of a pattern. Raises ValueError when it is no regular expression."""
        return Form(self._words, self._rows, pattern)


class Form:
    """How far one answer has come."""

    def __init__(self, words: Any, rows: int, pattern: str) -> None:
        from llguidance import LLMatcher

        self._rows = rows
        self._matcher = LLMatcher(words, LLMatcher.grammar_from_regex(pattern))
        if self._matcher.is_error():
            raise ValueError(f"pattern {pattern[:60]!r}... is refused: {self._matcher.get_error()}")
        self._bits = torch.zeros((rows + 31) // 32, dtype=torch.int32)

    @property
    def done(self) -> bool:
        """Whether nothing can follow but the end."""
        return self._matcher.is_stopped()

    def forced(self) -> list[int]:
        """The tokens that can only come next, taken at once; often none."""
        tokens = self._matcher.compute_ff_tokens()
        if tokens:
            self._matcher.consume_tokens(tokens)
        return tokens

    def choose(self, logits: torch.Tensor) -> int:
        """The most likely allowed token of `logits` (rows,); it is taken."""
        self._matcher.unsafe_compute_mask_ptr(
            self._bits.data_ptr(), self._bits.numel() * self._bits.element_size()
        )
        allowed = (self._bits[:, None] >> torch.arange(32, dtype=torch.int32)) & 1
        allowed = allowed.flatten()[: self._rows].bool().to(logits.device)
        token = int(logits.masked_fill(~allowed, float("-inf")).argmax())
        if not self._matcher.consume_token(token):
            raise RuntimeError(f"token {token} was allowed and refused: {self._matcher.get_error()}")
        return token
