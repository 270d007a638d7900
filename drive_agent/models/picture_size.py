"""How large a Qwen2.5-VL class model really sees a picture, and how many tokens that costs. Plain arithmetic.

Knows nothing of processors; a contract test holds it against the one in transformers.
"""

from __future__ import annotations

import math

SIDE_PX = 28  # one visual token: 2 x 2 patches of 14 pixels
MIN_TOKENS = 4
ALL_TOKENS = 16384  # more than any camera here: no limit


def resized(width: int, height: int, max_tokens: int = ALL_TOKENS) -> tuple[int, int]:
    """Width and height of a picture as the model sees it: sides in whole tokens, at most `max_tokens` in all.

    The rule is Qwen2-VL's (arXiv 2409.12191, naive dynamic resolution): rounded sides, the aspect kept when scaled.
    Coordinates that a model tells are pixels of this size.
    """
    across, down = round(width / SIDE_PX), round(height / SIDE_PX)
    if across * down > max_tokens:
        scale = math.sqrt(width * height / (max_tokens * SIDE_PX**2))
        across = max(1, math.floor(width / scale / SIDE_PX))
        down = max(1, math.floor(height / scale / SIDE_PX))
    elif across * down < MIN_TOKENS:
        scale = math.sqrt(MIN_TOKENS * SIDE_PX**2 / (width * height))
        across, down = math.ceil(width * scale / SIDE_PX), math.ceil(height * scale / SIDE_PX)
    return across * SIDE_PX, down * SIDE_PX


def visual_tokens(width: int, height: int, max_tokens: int = ALL_TOKENS) -> int:
    """Visual tokens of a picture of that size."""
    across, down = resized(width, height, max_tokens)
    return across // SIDE_PX * (down // SIDE_PX)
