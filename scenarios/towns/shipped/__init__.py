"""The towns that ship: what each is called and like, and whether training may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from scenarios.towns.characters import character_plan
from scenarios.towns.plan import TownPlan
from scenarios.towns.shipped.brookfield import BROOKFIELD
from scenarios.towns.shipped.longmere import LONGMERE
from scenarios.towns.shipped.ridgeport import RIDGEPORT
from scenarios.towns.shipped.starhaven import STARHAVEN
from scenarios.towns.shipped.westlake import WESTLAKE

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Town:
    """One shipped town. `split`: no training ever sees a town of `TEST`."""

    name: str
    character: str
    split: str
    plan: Callable[[], TownPlan]


def _drawn(name: str, character: str, seed: int, described: str) -> Town:
    """A training town made by its character's generator."""
    return Town(name, described, TRAIN, partial(character_plan, character, seed, name))


SHIPPED = {
    town.name: town
    for town in (
        Town("Brookfield", "small level town with an avenue and a river road", TRAIN, lambda: BROOKFIELD),
        _drawn("Oldbridge", "oldtown", 1, "old town: narrow, short, crooked streets"),
        _drawn("Gridley", "grid", 1, "grid city: lights everywhere, two lanes each way"),
        _drawn("Fairmont", "arterial", 1, "boulevard with protected left turns"),
        _drawn("Maplewood", "suburb", 2, "suburb: stop signs, parked cars"),
        _drawn("Highmoor", "rural", 1, "hilly country roads"),
        _drawn("Crossley", "motorway", 1, "motorway with an interchange"),
        Town("Ridgeport", "oval town on a hill with diagonals", TEST, lambda: RIDGEPORT),
        Town("Starhaven", "round town: radial streets and a ring boulevard", TEST, lambda: STARHAVEN),
        Town("Westlake", "motorway round a corner, hilly suburb, country roads", TEST, lambda: WESTLAKE),
        Town("Longmere", "straight motorway, long avenues, country road", TEST, lambda: LONGMERE),
    )
}
