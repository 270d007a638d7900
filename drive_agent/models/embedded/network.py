"""The network: a small Qwen2.5-VL, learned queries behind its prompt, and heads that turn states into numbers.

The stages are methods, so that a caller can time or train them apart: `see` (pictures to patch features and visual
tokens), `think` (visual tokens and prompt to query states), `decide` (query states to the plan's numbers), `locate`
(patch features to object maps). Knows nothing of losses, files or of how objects are lifted into the ego frame.

The vision tower's own forward loops over pictures; `see` runs the same modules on a whole batch of equal pictures
(the tests hold it equal to the class's own output).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import (
    Qwen2_5_VLRMSNorm,
    Qwen2_5_VLVisionAttention,
    Qwen2_5_VLVisionBlock,
    apply_rotary_pos_emb_vision,
)
from transformers.vision_utils import get_vision_position_ids

from drive_agent.models.embedded.config import (
    FRAMES,
    GAPS_M,
    LIGHTS,
    MERGE,
    PATCH_PX,
    SPEEDS_MPS,
    STOPS_M,
    EmbeddedConfig,
    patch_grid,
    qwen_config,
    visual_tokens,
)
from drive_agent.models.embedded.objects import KINDS
from drive_agent.models.embedded.patches import position_code
from drive_agent.models.embedded.tokenizer import NUMBERS, DriveTokenizer
from drive_agent.types import PATH_STATIONS_M

QUERIES = ("path", "speed", "light", "gap", "stop")
OUTPUTS = {
    "path": len(PATH_STATIONS_M) * 3,  # standardised x, y of every point, then log of its spread
    "speed": len(SPEEDS_MPS),
    "light": LIGHTS + 1,  # states, then distance to the stop line / 50 m
    "gap": len(GAPS_M) + 2,  # bins, "nothing ahead", then speed of the lead / 10 m/s
    "stop": len(STOPS_M) + 1,  # bins, "no stop line to obey"
}
OBJECT_OUTPUTS = 16  # see objects.py
_CELLS = 2  # cells along the side of a patch
_OBJECT_WIDTH = 192
_NUMBER_WAVES, _NUMBER_SCALE = 8, 0.1


@dataclass(frozen=True)
class Seen:
    """What the vision tower makes of the pictures, cameras side by side along the second axis."""

    patches: torch.Tensor  # (n, patches, vision width)
    tokens: torch.Tensor  # (n, visual tokens, text width)


class DrivingNetwork(nn.Module):
    """Qwen2.5-VL with driving queries and heads; see the module's docstring."""

    path_mean: torch.Tensor
    path_std: torch.Tensor
    position_codes: torch.Tensor
    rotary_cos: torch.Tensor
    rotary_sin: torch.Tensor
    prompt_ids: torch.Tensor
    number_at: torch.Tensor
    image_at: torch.Tensor
    places: torch.Tensor

    def __init__(self, config: EmbeddedConfig, tokenizer: DriveTokenizer) -> None:
        super().__init__()
        if len(tokenizer) > config.vocabulary:
            raise ValueError(
                f"tokenizer has {len(tokenizer)} tokens, expected at most config.vocabulary = {config.vocabulary}"
            )
        self.config = config
        self.vlm = Qwen2_5_VLForConditionalGeneration(qwen_config(config, tokenizer.special_ids))
        self._relate_numbers(tokenizer)
        self.queries = nn.Parameter(torch.randn(len(QUERIES), config.text_width) * 0.3)
        self.query_heads = nn.ModuleDict(
            {name: nn.Linear(config.text_width, OUTPUTS[name]) for name in QUERIES}
        )
        outputs = nn.Linear(_OBJECT_WIDTH, _CELLS * _CELLS * OBJECT_OUTPUTS)
        with torch.no_grad():  # centres are rare: begin by seeing none
            outputs.bias.view(-1, OBJECT_OUTPUTS)[:, :KINDS] = -4.0
        self.object_head = nn.Sequential(
            nn.LayerNorm(config.vision_width + 1),
            nn.Linear(config.vision_width + 1, _OBJECT_WIDTH),
            nn.GELU(),
            outputs,
        )
        self.register_buffer("path_mean", torch.zeros(len(PATH_STATIONS_M), 2))
        self.register_buffer("path_std", torch.ones(len(PATH_STATIONS_M), 2))
        self._patch_counts = [rows * columns for rows, columns in map(patch_grid, config.cameras)]
        self._register_constants(tokenizer)

    @torch.no_grad()
    def _relate_numbers(self, tokenizer: DriveTokenizer) -> None:
        """Begin with number tokens whose neighbours are alike: few frames teach about each single bin."""
        embeddings = self.vlm.get_input_embeddings()
        assert isinstance(embeddings, nn.Embedding)
        table = embeddings.weight
        for first, count in tokenizer.number_ranges():
            place = torch.linspace(0, torch.pi, count)[:, None]
            waves = torch.cos(place * torch.arange(_NUMBER_WAVES))
            table[first : first + count] = waves @ torch.randn(_NUMBER_WAVES, table.shape[1]) * _NUMBER_SCALE

    def _register_constants(self, tokenizer: DriveTokenizer) -> None:
        """What depends on the layout of pictures and prompt alone: position codes, rotary angles, prompt ids."""
        cameras = self.config.cameras
        grids = torch.tensor([[1, *patch_grid(camera)] for camera in cameras])
        counts = [visual_tokens(camera) for camera in cameras]
        text = tokenizer.frame_text(counts, "<|endoftext|>" * NUMBERS)
        ids = torch.from_numpy(tokenizer.encode(text))[None]
        number_at = (ids[0] == tokenizer.id("<|endoftext|>")).nonzero()[:, 0]
        image_id = tokenizer.id("<|image_pad|>")
        whole = torch.cat([ids, ids.new_full((1, len(QUERIES)), tokenizer.id("<|im_end|>"))], 1)
        image = (whole == image_id).int()
        places, _ = self.vlm.model.get_rope_index(whole, image, image_grid_thw=grids)  # pyright: ignore[reportArgumentType]
        visual = self.vlm.model.visual
        angles = visual.rotary_pos_emb(torch.zeros(1), get_vision_position_ids(grids, MERGE))
        constants = {
            "position_codes": torch.cat([position_code(camera, k) for k, camera in enumerate(cameras)]),
            "rotary_cos": angles[0].float(),
            "rotary_sin": angles[1].float(),
            "prompt_ids": ids[0],
            "number_at": number_at,
            "image_at": (ids[0] == image_id).nonzero()[:, 0],
            "places": places,
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    # ---- pictures ------------------------------------------------------------------------------------------------

    def see(self, rows: Sequence[torch.Tensor]) -> Seen:
        """Vision tower on the rows of `patchify`, one tensor (n, patches, 3 * 2 * 14 * 14) a camera."""
        return Seen(*self.tower(rows))

    def tower(self, rows: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """`see` as plain tensors: patches, tokens. Of a network that does not see, both are zero."""
        if not self.config.sees:
            n, patches = len(rows[0]), sum(part.shape[1] for part in rows)
            shapes = (patches, self.config.vision_width), (patches // MERGE**2, self.config.text_width)
            return rows[0].new_zeros(n, *shapes[0]), rows[0].new_zeros(n, *shapes[1])
        visual = self.vlm.model.visual
        x = self._embed_patches(torch.cat(list(rows), 1))
        for block in cast(Iterable[Qwen2_5_VLVisionBlock], visual.blocks):
            x = x + self._attend(block.attn, _norm(block.norm1, x))
            x = x + block.mlp(_norm(block.norm2, x))
        n, _, width = x.shape
        merged = _norm(visual.merger.ln_q, x).reshape(n, -1, width * MERGE * MERGE)
        return x, visual.merger.mlp(merged)

    def _embed_patches(self, rows: torch.Tensor) -> torch.Tensor:
        """The class's patch embedding of four channels; the constant fourth one is multiplied once a batch."""
        weight = self.vlm.model.visual.patch_embed.proj.weight  # (width, 4, 2, 14, 14)
        colour = weight[:, :3].reshape(weight.shape[0], -1)
        place = weight[:, 3].reshape(weight.shape[0], FRAMES * PATCH_PX * PATCH_PX)
        return functional.linear(rows, colour) + functional.linear(self.position_codes, place)

    def _attend(self, attention: Qwen2_5_VLVisionAttention, x: torch.Tensor) -> torch.Tensor:
        """The class's vision attention; every picture attends to itself only."""
        n, patches, _ = x.shape
        query, key, value = attention.qkv(x).view(n, patches, 3, attention.num_heads, -1).unbind(2)
        query, key = apply_rotary_pos_emb_vision(query, key, self.rotary_cos, self.rotary_sin)
        parts = [
            functional.scaled_dot_product_attention(*picture).transpose(1, 2).flatten(2)
            for picture in zip(
                *(t.transpose(1, 2).split(self._patch_counts, 2) for t in (query, key, value)), strict=True
            )
        ]
        return attention.proj(torch.cat(parts, 1))

    # ---- language ------------------------------------------------------------------------------------------------

    def embed(self, tokens: torch.Tensor, number_ids: torch.Tensor) -> torch.Tensor:
        """Prompt and queries as the language model reads them, (n, prompt + queries, text width).

        `tokens` (n, visual tokens, text width) from `see`, `number_ids` int64 (n, NUMBERS) from the tokenizer.
        """
        n = len(tokens)
        ids = self.prompt_ids.repeat(n, 1)
        ids[:, self.number_at] = number_ids
        embedded = self.vlm.get_input_embeddings()(ids).index_copy(1, self.image_at, tokens)
        return torch.cat([embedded, self.queries.expand(n, -1, -1)], 1)

    def think(self, tokens: torch.Tensor, number_ids: torch.Tensor) -> torch.Tensor:
        """Query states (n, queries, text width) after one pass over pictures, prompt and queries."""
        output = self.vlm.model.language_model(
            inputs_embeds=self.embed(tokens, number_ids),
            position_ids=self.places.expand(-1, len(tokens), -1),
            use_cache=False,
        )
        return output.last_hidden_state[:, -len(QUERIES) :]

    def speak(
        self, tokens: torch.Tensor, number_ids: torch.Tensor, text_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Query states as of `think`, and logits (n, words, vocabulary) of what follows each word of `text_ids`.

        The text (n, words) stands behind the queries: words see what the plan was made of, and the plan no word. Rows
        that are shorter are padded at their end with anything.
        """
        n, words = text_ids.shape
        embedded = torch.cat([self.embed(tokens, number_ids), self.vlm.get_input_embeddings()(text_ids)], 1)
        output = self.vlm.model.language_model(
            inputs_embeds=embedded,
            position_ids=self.text_places(words).expand(-1, n, -1),
            use_cache=False,
        )
        states = output.last_hidden_state
        return states[:, -words - len(QUERIES) : -words], self.vlm.lm_head(states[:, -words:])

    def text_places(self, words: int) -> torch.Tensor:
        """Positions (3, 1, prompt + queries + words) with a text behind the queries."""
        after = self.places[..., -1:] + torch.arange(1, words + 1)
        return torch.cat([self.places, after], -1)

    def decide(self, states: torch.Tensor) -> dict[str, torch.Tensor]:
        """Raw outputs of every query, name -> (n, OUTPUTS[name])."""
        return {name: self.query_heads[name](states[:, k]) for k, name in enumerate(QUERIES)}

    def path(self, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Path points (n, stations, 2) in the ego frame and their spread (n, stations) in metres."""
        points = raw[:, : len(PATH_STATIONS_M) * 2].view(-1, len(PATH_STATIONS_M), 2)
        return points * self.path_std + self.path_mean, raw[:, len(PATH_STATIONS_M) * 2 :].clamp(-5, 4).exp()

    # ---- objects -------------------------------------------------------------------------------------------------

    def locate(self, patches: torch.Tensor, speed_mps: torch.Tensor) -> list[torch.Tensor]:
        """Object maps of every camera, (n, cell rows, cell columns, OBJECT_OUTPUTS).

        The own speed (n,) is told to the head, since moving pictures show relative motion only.
        """
        told = (speed_mps / 10).view(-1, 1, 1).expand(-1, patches.shape[1], 1)
        cells = self.object_head(torch.cat([patches, told], 2)).split(self._patch_counts, 1)
        return [
            patch_map(part, patch_grid(camera), _CELLS)
            for part, camera in zip(cells, self.config.cameras, strict=True)
        ]


def _norm(norm: Qwen2_5_VLRMSNorm, x: torch.Tensor) -> torch.Tensor:
    """The class's RMS norm through torch's own kernel."""
    return functional.rms_norm(x, (x.shape[-1],), norm.weight, norm.variance_epsilon)


def patch_map(x: torch.Tensor, grid: tuple[int, int], cells: int) -> torch.Tensor:
    """Rows in patch order (n, patches, cells * cells * k) as a map (n, rows * cells, columns * cells, k)."""
    n, (rows, columns) = len(x), grid
    blocks = x.view(n, rows // MERGE, columns // MERGE, MERGE, MERGE, cells, cells, -1)
    return blocks.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(n, rows * cells, columns * cells, -1)
