"""Words of the embedded model, decoded as fast as one core allows, and only such as the asker offers.

The class's own modules cost ten times more for one word than its arithmetic (facts of their dispatch): here projections
are fused, keys and values lie in place, rotary angles are known beforehand, and words that can only come next need no
pass of their own. The tests hold it against `generate`, word by word. Knows nothing of plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from drive_agent.models.embedded.network import QUERIES, DrivingNetwork
from drive_agent.models.embedded.tokenizer import DriveTokenizer

MOST_WORDS = 160  # of a text, its opening included


@dataclass
class Node:
    """A place in the phrases of a slot: which words may come next."""

    children: dict[int, Node] = field(default_factory=dict)


def tree_of(phrases: Sequence[Sequence[int]]) -> Node:
    """All phrases (ids) as a tree. No phrase may be the beginning of another one."""
    root = Node()
    for ids in phrases:
        node = root
        for token in ids:
            node = node.children.setdefault(int(token), Node())
    return root


@dataclass(frozen=True)
class Said:
    """What was decoded: ids, and how many passes it took."""

    ids: tuple[int, ...]
    passes: int


@dataclass(frozen=True)
class _Layer:
    """Weights of one decoder layer."""

    before: torch.Tensor
    qkv: torch.Tensor
    qkv_bias: torch.Tensor
    out: torch.Tensor
    after: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor


class Speech:
    """The language model of one network. Takes a copy of its weights: make it anew when they change."""

    def __init__(self, network: DrivingNetwork, tokenizer: DriveTokenizer) -> None:
        self._network, self._tokenizer = network, tokenizer
        config = network.config
        self._heads, self._key_heads = config.text_heads, config.text_key_heads
        self._head = config.text_width // config.text_heads
        language: Any = network.vlm.model.language_model
        self._layers = [_layer(layer) for layer in language.layers]
        self._norm, self._epsilon = language.norm.weight.detach(), float(language.norm.variance_epsilon)
        self._words = network.vlm.lm_head.weight.detach()
        places = network.text_places(MOST_WORDS)
        cos, sin = language.rotary_emb(self._words, places)
        self._cos, self._sin = cos[0], sin[0]
        shape = (len(self._layers), self._key_heads, places.shape[-1], self._head)
        self._keys, self._values = torch.zeros(shape), torch.zeros(shape)
        self._trees: dict[tuple[tuple[str, ...], ...], list[Node]] = {}

    @torch.inference_mode()
    def think(self, tokens: torch.Tensor, number_ids: torch.Tensor) -> torch.Tensor:
        """Query states (1, queries, width) as of `DrivingNetwork.think`, remembered for `say`."""
        embedded = self._network.embed(tokens, number_ids)[0]
        self._begin = len(embedded)
        return self._pass(embedded, 0)[None, -len(QUERIES) :]

    @torch.inference_mode()
    def say(self, slots: tuple[tuple[str, ...], ...], follow_up: str = "") -> Said:
        """Fill the slots in turn, behind the plan of the last `think`."""
        trees = self._trees_of(slots)
        coming = [int(k) for k in self._tokenizer.encode(self._tokenizer.opening(follow_up))]
        at, passes, said = self._begin, 0, []
        for tree in trees:
            node = tree
            while node.children:
                if len(node.children) == 1:
                    token = next(iter(node.children))
                else:
                    logits = self._ask(coming, at)
                    at, passes, coming = at + len(coming), passes + 1, []
                    allowed = list(node.children)
                    token = allowed[int(logits[allowed].argmax())]
                said.append(token)
                coming.append(token)
                node = node.children[token]
        return Said(tuple(said), passes)

    @torch.inference_mode()
    def say_freely(self, follow_up: str = "", most: int = MOST_WORDS) -> Said:
        """Greedy words until the closing one, held to nothing: what an unconstrained decoder would say."""
        closing = self._tokenizer.id(self._tokenizer.closing(follow_up))
        coming = [int(k) for k in self._tokenizer.encode(self._tokenizer.opening(follow_up))]
        at, said = self._begin, []
        while len(said) < most - len(coming):
            token = int(self._ask(coming, at).argmax())
            at, coming = at + len(coming), [token]
            if token == closing:
                break
            said.append(token)
        return Said(tuple(said), len(said) + 1)

    def text(self, said: Said) -> str:
        """What was said, as text."""
        return self._tokenizer.decode(said.ids)

    def _trees_of(self, slots: tuple[tuple[str, ...], ...]) -> list[Node]:
        if slots not in self._trees:
            encode = self._tokenizer.encode
            self._trees[slots] = [tree_of([encode(phrase).tolist() for phrase in slot]) for slot in slots]
        return self._trees[slots]

    def _ask(self, ids: list[int], at: int) -> torch.Tensor:
        """Logits (vocabulary,) after the words `ids` at place `at`."""
        return functional.linear(self._pass(self._words[ids], at)[-1], self._words)

    def _pass(self, x: torch.Tensor, at: int) -> torch.Tensor:
        """Final states (t, width) of inputs (t, width) that stand at `at` and see all before; keys are remembered."""
        t, width = x.shape
        end = at + t
        cos, sin = self._cos[at:end], self._sin[at:end]
        mask = None if t == 1 else torch.ones(t, end, dtype=torch.bool).tril(at)
        for k, layer in enumerate(self._layers):
            y = functional.linear(
                functional.rms_norm(x, (width,), layer.before, self._epsilon), layer.qkv, layer.qkv_bias
            )
            heads = y.view(t, -1, self._head).transpose(0, 1)
            turned = heads[: self._heads + self._key_heads]
            turned = turned * cos + _half_turned(turned) * sin
            self._keys[k, :, at:end] = turned[self._heads :]
            self._values[k, :, at:end] = heads[self._heads + self._key_heads :]
            seen = functional.scaled_dot_product_attention(
                turned[None, : self._heads], self._keys[k, None, :, :end], self._values[k, None, :, :end],
                attn_mask=mask, enable_gqa=True,
            )  # fmt: skip
            x = x + functional.linear(seen[0].transpose(0, 1).reshape(t, width), layer.out)
            y = functional.linear(functional.rms_norm(x, (width,), layer.after, self._epsilon), layer.gate_up)
            gate, up = y.chunk(2, -1)
            x = x + functional.linear(functional.silu(gate) * up, layer.down)
        return functional.rms_norm(x, (width,), self._norm, self._epsilon)


def _half_turned(x: torch.Tensor) -> torch.Tensor:
    low, high = x.chunk(2, -1)
    return torch.cat([-high, low], -1)


def _layer(layer: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    return _Layer(
        before=layer.input_layernorm.weight.detach(),
        qkv=torch.cat([part.weight for part in parts]).detach(),
        qkv_bias=torch.cat([part.bias for part in parts]).detach(),
        out=attention.o_proj.weight.detach(),
        after=layer.post_attention_layernorm.weight.detach(),
        gate_up=torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]).detach(),
        down=mlp.down_proj.weight.detach(),
    )
