"""A prompt as the numbers that a Qwen2.5-VL class network takes. Knows nothing of networks.

The chat template is the checkpoint's own; each picture's placeholder becomes as many tokens as the picture has. Thinking
is switched off by an empty think block that the answer begins with, which works whether or not a model obeys words
such as /no_think.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from drive_agent.models.picture_size import SIDE_PX
from drive_agent.models.vlm.checkpoint import PICTURES, CheckpointError
from drive_agent.types import Prompt

IMAGE = "<|image_pad|>"
NO_THOUGHT, THOUGHT = "<think>\n\n</think>\n\n", "<think>\n"
NEEDED = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", IMAGE)


class Chat:
    """The words and pictures of one checkpoint."""

    def __init__(self, folder: Path, picture_tokens: int) -> None:
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        self.template = _template(folder, self.tokenizer)
        known = self.tokenizer.get_vocab()
        missing = [token for token in NEEDED if token not in known]
        if missing:
            raise CheckpointError(
                f"{folder / 'tokenizer.json'} lacks {missing}, expected Qwen2.5-VL's tokens"
            )
        self._image_id = known[IMAGE]
        self._pictures = _picture_processor(folder, picture_tokens)

    def encode(self, prompt: Prompt, begun: str) -> dict[str, torch.Tensor]:
        """The network's inputs for a prompt whose answer has `begun` already; one row.

        Raises ValueError when messages and pictures do not belong together.
        """
        text = self.render(prompt, begun)
        inputs: dict[str, torch.Tensor] = {}
        if prompt.images:
            inputs = dict(self._pictures(images=[image.rgb for image in prompt.images], return_tensors="pt"))
        counts = [
            int(grid.prod()) // self._pictures.merge_size**2 for grid in inputs.get("image_grid_thw", ())
        ]
        pieces = text.split(IMAGE)
        if len(pieces) - 1 != len(counts):
            raise ValueError(f"the messages name {len(pieces) - 1} pictures, {len(counts)} were given")
        whole = pieces[0] + "".join(IMAGE * n + piece for n, piece in zip(counts, pieces[1:], strict=True))
        ids = torch.tensor([self.tokenizer.encode(whole, add_special_tokens=False)])
        return inputs | {"input_ids": ids, "mm_token_type_ids": (ids == self._image_id).int()}

    def render(self, prompt: Prompt, begun: str) -> str:
        """The prompt in the checkpoint's template, one placeholder a picture."""
        text = self.tokenizer.apply_chat_template(
            [dict(message) for message in prompt.messages],
            chat_template=self.template,
            tokenize=False,
            add_generation_prompt=True,
        )
        return str(text) + begun


def _template(folder: Path, tokenizer: PreTrainedTokenizerBase) -> str:
    """The chat template, from whichever file a repository keeps it in."""
    if (folder / "chat_template.jinja").is_file():
        return (folder / "chat_template.jinja").read_text()
    if (folder / "chat_template.json").is_file():
        return json.loads((folder / "chat_template.json").read_text())["chat_template"]
    if isinstance(tokenizer.chat_template, str):
        return tokenizer.chat_template
    raise CheckpointError(
        f"{folder} has no chat template (chat_template.jinja, chat_template.json or in tokenizer_config.json); take the "
        "one of Qwen2.5-VL-7B-Instruct"
    )


def _picture_processor(folder: Path, picture_tokens: int) -> Qwen2VLImageProcessorPil:
    """Qwen2.5-VL's, with the checkpoint's means and scales, and our own limit for a picture."""
    size = {"shortest_edge": 4 * SIDE_PX**2, "longest_edge": picture_tokens * SIDE_PX**2}
    if not (folder / PICTURES).is_file():
        return Qwen2VLImageProcessorPil(size=size)
    settings = json.loads((folder / PICTURES).read_text())
    kept = {key: settings[key] for key in ("image_mean", "image_std") if key in settings}
    for key, expected in (("patch_size", 14), ("merge_size", 2), ("temporal_patch_size", 2)):
        if settings.get(key, expected) != expected:
            raise CheckpointError(f"{folder / PICTURES} has {key} {settings[key]}, expected {expected}")
    return Qwen2VLImageProcessorPil(size=size, **kept)
