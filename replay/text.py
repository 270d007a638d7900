"""Legible text on pictures: Pillow's own font (Aileron, it ships inside the package), each string rendered once.

Knows nothing of what is written. Pictures are uint8 (height, width, 3) RGB and are written to in place.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from replay.palette import Color

_BOLD_STROKE_PX = 0.4  # the font has one weight; a thin outline makes the other
_EXTRA = "·°±“”‘’…×"  # what the font has beyond ASCII
_SPELLED = {"–": "-", "—": "-", "−": "-", "→": "->", "²": "2", "≥": ">=", "≤": "<="}


def put(
    image: np.ndarray,
    text: str,
    x: int,
    y: int,
    size: int,
    color: Color,
    *,
    bold: bool = False,
    align: str = "left",
) -> int:
    """Write `text` with its baseline at `y`; `x` is its left end, middle or right end by `align`. Returns its width, px."""
    mask, ascent, width = _mask(text, size, bold)
    left = x - {"left": 0, "center": width // 2, "right": width}[align]
    _blend(image, mask, left - 1, y - ascent, color)
    return width


def width_of(text: str, size: int, *, bold: bool = False) -> int:
    """How wide `put` would write it, px."""
    return _mask(text, size, bold)[2]


def shortened(text: str, size: int, width: int) -> str:
    """`text` in one line, cut with an ellipsis where it is wider than `width` px."""
    text = " ".join(text.split())
    if width_of(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(text[:middle] + "…", size) <= width else (low, middle - 1)
    return text[:low].rstrip() + "…"


def wrapped(text: str, size: int, width: int, lines: int) -> list[str]:
    """`text` broken between words into at most `lines` lines of `width` px; the last one is cut if need be."""
    words, out = text.split(), []
    while words and len(out) < lines - 1:
        count = 1
        while count < len(words) and width_of(" ".join(words[: count + 1]), size) <= width:
            count += 1
        out.append(shortened(" ".join(words[:count]), size, width))
        words = words[count:]
    return out + ([shortened(" ".join(words), size, width)] if words else [])


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError(
            "Pillow was built without FreeType, expected it for text: pip install --force-reinstall pillow"
        )
    return font


@lru_cache(maxsize=4096)
def _mask(text: str, size: int, bold: bool) -> tuple[np.ndarray, int, int]:  # noqa: FBT001
    """Coverage uint8 (h, w), rows above the baseline, advance width."""
    font, text = _font(size), _drawable(text)
    width, ascent = int(np.ceil(font.getlength(text))), size + 2
    canvas = Image.new("L", (width + 4, ascent + size // 2))
    stroke = _BOLD_STROKE_PX if bold else 0
    ImageDraw.Draw(canvas).text((1, ascent), text, font=font, fill=255, anchor="ls", stroke_width=stroke)
    return np.asarray(canvas), ascent, width


def _drawable(text: str) -> str:
    """The text in letters that the font has: accents off, unknown ones as "?"."""
    spelled = "".join(_SPELLED.get(letter, letter) for letter in text)
    plain = (c for c in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" or c in _EXTRA else "?" for c in plain)


def _blend(image: np.ndarray, mask: np.ndarray, left: int, top: int, color: Color) -> None:
    height, width = image.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], width), min(top + mask.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return
    cover = mask[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.uint16)
    region = image[y0:y1, x0:x1]
    region[:] = (region * (255 - cover) + np.array(color, np.uint16) * cover + 127) // 255
