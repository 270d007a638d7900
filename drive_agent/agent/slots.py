"""Wordings made of slots, each filled with one of a few phrases: written, read, and offered to a decoder as choices.

A decoder that is held to the slots cannot write what is not read here, and needs no grammar engine for it. Phrases end
with what separates them from the next slot, so that a text can be read in one way only. Knows nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Slots:
    """A wording: for each slot in turn the phrases that may stand there."""

    phrases: tuple[tuple[str, ...], ...]

    @cached_property
    def pattern(self) -> str:
        """The regular expression of all texts."""
        return "".join("(" + "|".join(map(re.escape, slot)) + ")" for slot in self.phrases)

    @cached_property
    def _places(self) -> tuple[dict[str, int], ...]:
        return tuple({phrase: k for k, phrase in enumerate(slot)} for slot in self.phrases)

    def split(self, choice: Sequence[int]) -> list[str]:
        """The phrases of a choice, one index a slot."""
        return [slot[k] for slot, k in zip(self.phrases, choice, strict=True)]

    def write(self, choice: Sequence[int]) -> str:
        """The text of a choice. Inverse of `read`."""
        return "".join(self.split(choice))

    def read(self, text: str) -> tuple[int, ...] | None:
        """The choice that a text makes, None unless the whole text is one of this wording."""
        found = re.fullmatch(self.pattern, text)
        if found is None:
            return None
        return tuple(places[phrase] for places, phrase in zip(self._places, found.groups(), strict=True))


def nearest(value: float, values: Sequence[float]) -> int:
    """Index of the value that is nearest; of two, the first."""
    return min(range(len(values)), key=lambda k: abs(values[k] - value))
