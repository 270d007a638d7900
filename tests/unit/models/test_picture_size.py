"""How large the model sees a picture: published token counts, limits kept, nothing distorted beyond rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.models.picture_size import SIDE_PX, resized, visual_tokens

SIDES = st.integers(56, 4000)


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((1920, 1080), 2691), ((1600, 900), 1824), ((1280, 720), 1196), ((800, 600), 609), ((640, 360), 299),
     ((448, 252), 144)],
)  # fmt: skip
def test_known_sizes(size, tokens):
    assert visual_tokens(*size) == tokens


@given(SIDES, SIDES, st.integers(64, 16384))
def test_the_limit_holds_and_sides_are_whole_tokens(width, height, limit):
    if max(width, height) / min(width, height) > 8:
        return
    across, down = resized(width, height, limit)
    assert across % SIDE_PX == down % SIDE_PX == 0
    assert visual_tokens(width, height, limit) <= limit
