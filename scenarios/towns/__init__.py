"""Towns to drive in, as OpenDRIVE text: the shipped files beside this module, and `random:SEED` made on the fly."""

from __future__ import annotations

import difflib
from pathlib import Path

RANDOM_PREFIX = "random:"
_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the shipped towns, as CARLA reports them."""
    return sorted(path.stem for path in _FOLDER.glob("*.xodr"))


def load(name: str) -> str:
    """OpenDRIVE text of a shipped town or of `random:SEED`. Raises ValueError for any other name."""
    if name in names():
        return (_FOLDER / f"{name}.xodr").read_text()
    if name.startswith(RANDOM_PREFIX):
        from scenarios.towns.generate import random_town

        return random_town(_seed(name))
    hint = difflib.get_close_matches(name, names(), n=2, cutoff=0.4) or names()
    raise ValueError(
        f"unknown town {name!r}; did you mean {' or '.join(hint)}? ({RANDOM_PREFIX}SEED makes a random one)"
    )


def _seed(name: str) -> int:
    text = name.removeprefix(RANDOM_PREFIX)
    if not text.isdecimal():
        raise ValueError(
            f"town {name!r}: the seed {text!r} is not a non-negative whole number, e.g. {RANDOM_PREFIX}7"
        )
    return int(text)
