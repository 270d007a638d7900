"""The language layers of the embedded model in fewer bits, as the 7B is held: what it costs is measured on this one.

On a CPU `bfloat16` means rounded weights and float32 arithmetic. int8 and nf4 are bitsandbytes'; vision tower, embeddings
and driving heads keep their weights, as with the 7B.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from torch import nn

from drive_agent.models.embedded.network import DrivingNetwork

FLOAT32 = "float32"
PRECISIONS = (FLOAT32, "bfloat16", "int8", "nf4")


@torch.no_grad()
def reduce(network: DrivingNetwork, precision: str) -> int:
    """Change the network in place; returns the bytes that its weights take then.

    Raises ValueError for an unknown precision, RuntimeError where bitsandbytes is wanted and missing.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r}: expected one of {', '.join(PRECISIONS)}")
    if precision == "bfloat16":
        for parameter in network.parameters():
            parameter.copy_(parameter.bfloat16().float())
        return 2 * sum(parameter.numel() for parameter in network.parameters())
    whole = 4 * sum(parameter.numel() for parameter in network.parameters())
    if precision == FLOAT32:
        return whole
    if importlib.util.find_spec("bitsandbytes") is None:
        raise RuntimeError(
            f"precision {precision!r} needs bitsandbytes; pip install 'drive-agent[quant]', or give float32"
        )
    saved = 0
    layers: Any = network.vlm.model.language_model.layers
    for layer in layers:
        for parent in (layer.self_attn, layer.mlp):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Linear):
                    made, size = _int8(child) if precision == "int8" else _nf4(child)
                    saved += 4 * child.weight.numel() - size
                    setattr(parent, name, made)
    return whole - saved


def _int8(linear: nn.Linear) -> tuple[nn.Module, int]:
    """A layer with weights in 8 bits, a scale a row; and their bytes."""
    from bitsandbytes.nn import modules

    made: Any = modules.Linear8bitLt(
        linear.in_features, linear.out_features, bias=linear.bias is not None, has_fp16_weights=False
    )
    made.load_state_dict(linear.state_dict())
    made = made.to("cpu")
    return made, linear.weight.numel() + 4 * linear.out_features


def _nf4(linear: nn.Linear) -> tuple[nn.Module, int]:
    """A layer with weights in 4 bits, a scale for every 64 of them; and their bytes."""
    from bitsandbytes.nn import modules

    made: Any = modules.Linear4bit(
        linear.in_features, linear.out_features, bias=linear.bias is not None, quant_type="nf4",
        compute_dtype=torch.float32,
    )  # fmt: skip
    made.load_state_dict(linear.state_dict())
    made = made.to("cpu")
    return made, linear.weight.numel() // 2 + 4 * linear.weight.numel() // 64
