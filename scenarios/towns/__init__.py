"""Towns to drive in, as OpenDRIVE text: shipped ones by name, random ones as `random:SEED` or `random:SEED:CHARACTER`.

All are made from plans when they are asked for, in less than a second; the same name always gives the same text.
"""

from __future__ import annotations

import difflib
import functools

from scenarios.towns.characters import CHARACTERS, character_plan
from scenarios.towns.facts import TownFacts, facts_of
from scenarios.towns.opendrive import to_opendrive
from scenarios.towns.plan import TownPlan
from scenarios.towns.random_town import random_plan
from scenarios.towns.shipped import SHIPPED

RANDOM_PREFIX = "random:"


def names(split: str = "") -> list[str]:
    """Names of the shipped towns, as CARLA reports them: of one split ("train" or "test"), or all."""
    return sorted(town.name for town in SHIPPED.values() if split in ("", town.split))


def facts(name: str) -> TownFacts:
    """Character, split, length and features of a town. Raises ValueError like `load`."""
    town = SHIPPED.get(name)
    return facts_of(plan(name), town.character if town else "random", town.split if town else "")


@functools.lru_cache(maxsize=16)
def load(name: str) -> str:
    """OpenDRIVE text of a town. Raises ValueError, with what there is, for a name that is none."""
    return to_opendrive(plan(name))


def plan(name: str) -> TownPlan:
    """The plan of a shipped or random town. Raises ValueError for any other name."""
    if name in SHIPPED:
        return SHIPPED[name].plan()
    if name.startswith(RANDOM_PREFIX):
        seed, _, character = name.removeprefix(RANDOM_PREFIX).partition(":")
        if not seed.isdecimal():
            raise ValueError(
                f"town {name!r}: the seed {seed!r} is not a non-negative whole number, e.g. {RANDOM_PREFIX}7"
            )
        if not character:
            return random_plan(int(seed))
        return character_plan(character, int(seed), f"Random{seed}{character}")
    hint = difflib.get_close_matches(name, names(), n=2, cutoff=0.4) or names()
    raise ValueError(
        f"unknown town {name!r}; did you mean {' or '.join(hint)}? ({RANDOM_PREFIX}SEED makes a random one, "
        f"{RANDOM_PREFIX}SEED:CHARACTER one that is {', '.join(CHARACTERS)})"
    )
