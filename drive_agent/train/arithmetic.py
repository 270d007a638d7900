"""Matrix products of a training step in bfloat16, where the processor has units for them; all else stays float32.

A CPU with AMX multiplies bfloat16 several times faster than float32. Attention is left alone: its backward pass has no
fast bfloat16 kernel on a CPU.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

FLOAT32, BFLOAT16, AUTO = "float32", "bfloat16", "auto"
KNOWN = (AUTO, FLOAT32, BFLOAT16)
_FEW_ROWS = 64  # smaller products cost more in conversion than they gain


def resolve(arithmetic: str) -> str:
    """`auto` as what this machine is fast in."""
    if arithmetic != AUTO:
        return arithmetic
    return BFLOAT16 if torch.cpu._is_amx_tile_supported() else FLOAT32  # torch has no public name for it


def products(arithmetic: str) -> AbstractContextManager[Any]:
    """A context in which linear layers multiply so; sums, norms, losses and weights are float32 in both."""
    return _Bfloat16Products() if arithmetic == BFLOAT16 else nullcontext()


class _Bfloat16Products(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is functional.linear:
            return _linear(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _linear(input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    if input.numel() < _FEW_ROWS * input.shape[-1]:
        return functional.linear(input, weight, bias)
    product = functional.linear(input.bfloat16(), weight.bfloat16())
    return product.float() if bias is None else product.float() + bias
