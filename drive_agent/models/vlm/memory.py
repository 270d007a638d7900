"""What a Qwen2.5-VL class model needs in memory, from the shapes of its tensors: asked before anything is loaded.

The weights and the cache are exact arithmetic, proven by a test against what is really allocated. `WORKING_BYTES` is an
allowance (CUDA context, activations of one frame's prefill) that was never measured on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from drive_agent.models.settings import PRECISIONS
from drive_agent.models.vlm.checkpoint import CheckpointError, Stored

WORKING_BYTES = 1_500_000_000
NF4_BLOCK, NF4_GROUP = 64, 256  # weights a block has one scale for, scales a group has one offset for


@dataclass(frozen=True)
class Parts:
    """Numbers of weights by what precision does to them."""

    linear: int  # layers of the language model: these are quantized
    rows: int  # their outputs, each with a scale of its own in int8
    embeddings: int  # token embedding and head
    tower: int  # vision tower and projector
    rest: int  # norms and biases

    @property
    def total(self) -> int:
        return self.linear + self.embeddings + self.tower + self.rest


@dataclass(frozen=True)
class Need:
    """Bytes."""

    weights: int
    cache: int
    working: int = WORKING_BYTES

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.working


def parts_of(tensors: Iterable[Stored]) -> Parts:
    """Sort the tensors of a checkpoint."""
    sums = dict.fromkeys(("linear", "rows", "embeddings", "tower", "rest"), 0)
    for tensor in tensors:
        if tensor.in_tower:
            sums["tower"] += tensor.count
        elif "embed_tokens" in tensor.name or "lm_head" in tensor.name:
            sums["embeddings"] += tensor.count
        elif len(tensor.shape) == 2:
            sums["linear"] += tensor.count
            sums["rows"] += tensor.shape[0]
        else:
            sums["rest"] += tensor.count
    return Parts(**sums)


def linear_bytes(parts: Parts, precision: str) -> int:
    """Bytes of the quantizable layers in a precision."""
    if precision == "bfloat16":
        return 2 * parts.linear
    if precision == "int8":
        return parts.linear + 4 * parts.rows
    blocks = parts.linear / NF4_BLOCK  # 4 bits a weight, 8 bits a block, a float32 for each group of blocks
    return round(parts.linear / 2 + blocks + 4 * blocks / NF4_GROUP)


def need(parts: Parts, config: dict, precision: str, tokens: int) -> Need:
    """Bytes for the weights in a precision and a sequence of so many tokens."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r}, expected one of {', '.join(PRECISIONS)}")
    weights = linear_bytes(parts, precision) + 2 * (parts.embeddings + parts.tower + parts.rest)
    return Need(weights, tokens * cache_bytes_per_token(config))


def cache_bytes_per_token(config: dict) -> int:
    """Bytes of keys and values (bfloat16) that one token adds."""
    text = config.get("text_config") or config
    width, heads = text["hidden_size"], text["num_attention_heads"]
    head = text.get("head_dim") or width // heads
    return 2 * 2 * text["num_hidden_layers"] * (text.get("num_key_value_heads") or heads) * head


def check_fits(parts: Parts, config: dict, precision: str, tokens: int, free: int, where: str) -> Need:
    """What is needed. Raises CheckpointError with a precision that fits when it is more than `free` bytes."""
    wanted = need(parts, config, precision, tokens)
    if wanted.total <= free:
        return wanted
    lighter = [p for p in PRECISIONS if need(parts, config, p, tokens).total <= free]
    if lighter:
        fits = need(parts, config, lighter[-1], tokens).total
        remedy = f"give model.vlm.precision={lighter[-1]} ({_gb(fits)})"
    else:
        remedy = "free memory, or use a server with more: model=served model.served.url=http://HOST:8000/v1"
    raise CheckpointError(
        f"model.vlm.precision={precision} needs {_gb(wanted.total)} ({_gb(wanted.weights)} weights, "
        f"{_gb(wanted.cache)} cache of {tokens} tokens, {_gb(wanted.working)} working), {where} has {_gb(free)} free; "
        f"{remedy}"
    )


def free_bytes(device: str) -> int:
    """Memory that is free on a device ("cpu" or one of CUDA's)."""
    if device == "cpu":
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(fields["MemAvailable"].split()[0]) * 1024
    import torch

    return torch.cuda.mem_get_info(device)[0]


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
