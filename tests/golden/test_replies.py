"""Replies are, byte by byte, what the client of 0.9.16 was seen to read."""

from tests.golden.transcript import PATH, layout, transcript


def test_replies_are_the_golden_ones() -> None:
    assert transcript() == PATH.read_text(encoding="utf-8"), "if the change is right: python -m tests.golden"


def test_a_layout_names_types_and_counts() -> None:
    assert layout([1, True, [1.0, 2.0, "x"], None, b""]) == "[int bool [float*2 str] nil bin]"
