from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.text import put, shortened, width_of, wrapped


def test_text_lands_left_of_its_right_end_and_above_its_baseline() -> None:
    image = np.zeros((60, 200, 3), np.uint8)
    width = put(image, "Hamburg", 150, 40, 20, (10, 200, 30), align="right")
    rows, columns = np.nonzero(image.any(-1))
    assert 150 - width - 2 <= columns.min() and columns.max() <= 152
    assert 20 < rows.min() < 30 and rows.max() <= 46
    assert tuple(image.reshape(-1, 3)[image[..., 1].argmax()]) == (10, 200, 30)


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=80), x=st.integers(-300, 300), y=st.integers(-80, 80))
def test_any_text_anywhere_is_harmless(text: str, x: int, y: int) -> None:
    put(np.zeros((40, 120, 3), np.uint8), text, x, y, 13, (255, 255, 255), bold=True)


@settings(deadline=None)
@given(text=st.text(st.characters(codec="ascii"), max_size=200), width=st.integers(30, 300))
def test_shortened_and_wrapped_text_fits(text: str, width: int) -> None:
    assert width_of(shortened(text, 14, width), 14) <= width
    lines = wrapped(text, 14, width, 2)
    assert len(lines) <= 2
    assert all(width_of(line, 14) <= width for line in lines)


def test_wrapping_keeps_all_words_where_there_is_room() -> None:
    text = "slow down because the light ahead is red"
    assert " ".join(wrapped(text, 14, 160, 4)) == text
