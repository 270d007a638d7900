"""Sums over one drive, added to those over a run: a dataclass of counts, counters and lists of measured values."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any


def add_up(total: Any, part: Any) -> None:
    """Add `part` to `total`, in place; both are of one kind, whose fields are ints, Counters, lists or dicts of lists."""
    for field in fields(total):
        mine, other = getattr(total, field.name), getattr(part, field.name)
        if isinstance(mine, Counter):
            mine.update(other)
        elif isinstance(mine, list):
            mine.extend(other)
        elif isinstance(mine, dict):
            for key, values in other.items():
                mine.setdefault(key, []).extend(values)
        else:
            setattr(total, field.name, mine + other)
