"""Words over things on a picture, such that none lies on another. Knows nothing of what the things are.

Pictures are uint8 (height, width, 3) RGB and are written to in place; rectangles are (left, top, width, height) in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from replay import palette
from replay.draw import fade, polyline
from replay.palette import Color
from replay.text import put, width_of

Rectangle = tuple[int, int, int, int]
_SIZE = 12
_HEIGHT, _BASELINE, _MARGIN = 16, 12, 4  # of a label; of its words under its top; beside its words
_ROW = 18  # from one label to the one above it
_ROWS = 4  # a label is written so many places up, or not at all
_FREE = 7  # between a thing and its words


@dataclass(frozen=True)
class Label:
    """`center` and `top`: the middle of the upper edge of what the words are about."""

    text: str
    center: float
    top: float


def draw_labels(
    image: np.ndarray, labels: Iterable[Label], color: Color, taken: Iterable[Rectangle] = ()
) -> None:
    """Write the labels, the most important first, where neither an earlier one nor a `taken` rectangle lies.

    One that finds its place taken moves up, with a line down to its thing; where all is taken it is left out.
    """
    placed = list(places(labels, image.shape[1], taken))
    for label, (left, top, width, height) in placed:
        if top + height < label.top - _FREE:
            foot = np.clip(label.center, left, left + width)
            polyline(image, np.array([(foot, top + height), (label.center, label.top)]), color)
    for label, place in placed:
        fade(image, *place, palette.PANEL, 0.6)
        put(image, label.text, place[0] + _MARGIN, place[1] + _BASELINE, _SIZE, color)


def places(
    labels: Iterable[Label], across: int, taken: Iterable[Rectangle] = ()
) -> Iterator[tuple[Label, Rectangle]]:
    """Where each label goes on a picture `across` pixels wide; those for which there is no room are not named."""
    occupied = list(taken)
    for label in labels:
        width = width_of(label.text, _SIZE) + 2 * _MARGIN
        left = int(np.clip(label.center - width / 2, 0, max(across - width, 0)))
        for row in range(_ROWS):
            place = (left, int(label.top) - _FREE - _BASELINE - row * _ROW, width, _HEIGHT)
            if place[1] >= 0 and not any(overlap(place, other) for other in occupied):
                occupied.append(place)
                yield label, place
                break


def overlap(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles have a pixel in common."""
    return all(one[k] < other[k] + other[k + 2] and other[k] < one[k] + one[k + 2] for k in (0, 1))
