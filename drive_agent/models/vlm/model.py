"""MiMo-Embodied-7B and other Qwen2.5-VL class models, on a GPU or a patient CPU: a prompt in, words out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from drive_agent.models.settings import VlmConfig, WordsConfig
from drive_agent.models.vlm.chat import NO_THOUGHT, THOUGHT, Chat
from drive_agent.models.vlm.checkpoint import CheckpointError, examine, find
from drive_agent.models.vlm.decode import Decoder, Written
from drive_agent.models.vlm.form import Forms
from drive_agent.models.vlm.loading import load_network
from drive_agent.rig import CameraMount
from drive_agent.types import Prompt, Reply

WORDS_RESERVE = 1024  # tokens of a question's words


class VisionLanguageModel:
    """Answers in words, greedily."""

    name = "vlm"

    def __init__(
        self, network: torch.nn.Module, chat: Chat, words: WordsConfig, cameras: tuple[CameraMount, ...]
    ) -> None:
        self._chat = chat
        self._words = words
        self._cameras = cameras
        tokenizer = chat.tokenizer
        close = tokenizer.encode("</think>\n\n", add_special_tokens=False)
        self._decoder = Decoder(network, _end_ids(network, chat), close)
        rows = network.get_output_embeddings().weight.shape[0]  # pyright: ignore[reportCallIssue]
        self._forms = Forms(tokenizer, rows) if words.constrained else None
        self._device = next(network.parameters()).device

    @classmethod
    def load(
        cls, weights: str, cameras: tuple[CameraMount, ...], words: WordsConfig, vlm: VlmConfig
    ) -> VisionLanguageModel:
        """From a folder or a name on the hub. Raises CheckpointError, before loading, for what will not work."""
        checkpoint = examine(find(weights))
        tokens = (
            len(cameras) * words.picture_tokens + WORDS_RESERVE + words.think_tokens + words.answer_tokens
        )
        sizes = checkpoint.config.get("text_config") or checkpoint.config
        longest = sizes.get("max_position_embeddings", 32768)
        if tokens > longest:
            raise CheckpointError(
                f"{len(cameras)} cameras of {words.picture_tokens} tokens, thought and answer make {tokens} tokens, the "
                f"model takes {longest}; give a smaller model.words.picture_tokens"
            )
        chat = Chat(checkpoint.folder, words.picture_tokens)
        return cls(load_network(checkpoint, vlm, tokens), chat, words, cameras)

    @property
    def cameras(self) -> tuple[CameraMount, ...]:
        return self._cameras

    def answer(self, prompt: Prompt) -> Reply:
        """Reply in words, the thought included. Raises ValueError when messages and pictures do not fit together."""
        words = self._words
        if not words.think_tokens:
            return self.complete(prompt, NO_THOUGHT, 0, words.answer_tokens)
        reply = self.complete(prompt, THOUGHT, words.think_tokens, words.answer_tokens)
        return replace(reply, text=f"{THOUGHT}{reply.text}")

    def complete(self, prompt: Prompt, begun: str, think_tokens: int, answer_tokens: int) -> Reply:
        """Go on with an answer that has `begun`; the reply holds what comes after that."""
        inputs = self._chat.encode(prompt, begun)
        form = self._forms.form(prompt.pattern) if self._forms is not None and prompt.pattern else None
        on_gpu = self._device.type == "cuda"
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(self._device)
        written = self._decoder.write(inputs, think_tokens, answer_tokens, form)
        return Reply(
            text=self._text(written, thinking=think_tokens > 0),
            timings_ms=written.timings_ms,
            tokens=len(written.thought) + len(written.answer),
            token_times_ms=tuple(written.token_times_ms),
            prompt_tokens=inputs["input_ids"].shape[1],
            peak_bytes=torch.cuda.max_memory_allocated(self._device) if on_gpu else 0,
        )

    def _text(self, written: Written, *, thinking: bool) -> str:
        decode = self._chat.tokenizer.decode
        thought = f"{decode(written.thought)}</think>\n\n" if thinking else ""
        return thought + str(decode(written.answer, skip_special_tokens=True))


def _end_ids(network: torch.nn.Module, chat: Chat) -> set[int]:
    """Tokens that end an answer: the checkpoint's own and ChatML's."""
    told: Any = network.generation_config.eos_token_id  # pyright: ignore[reportAttributeAccessIssue]
    ends: set[int] = set(told if isinstance(told, list) else [] if told is None else [told])
    return ends | {chat.tokenizer.get_vocab()["<|im_end|>"]}
