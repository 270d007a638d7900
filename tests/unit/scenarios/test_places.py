"""Every scenario type has a place in the shipped towns, and a route to it that can be written, read back and played."""

from __future__ import annotations

import pytest

import scenarios.library  # noqa: F401 - registers the types
from drive_agent.drive.offline_maps import offline_road_map
from scenarios.abilities import TYPES
from scenarios.drafts import around, is_sound
from scenarios.places import Atlas, find_sites
from scenarios.types import find_type

TOWNS = ("Fairmont", "Maplewood", "Highmoor", "Gridley")
HOMES = {  # where what most towns lack is
    "EnterActorFlow": ("Crossley",),
    "HighwayCutIn": ("Crossley",),
    "HighwayExit": ("Longmere",),
    "MergerIntoSlowTraffic": ("Crossley",),
    "MergerIntoSlowTrafficV2": ("Crossley",),
    "InterurbanActorFlow": ("Highmoor",),
    "InterurbanAdvancedActorFlow": ("Highmoor",),
    "StaticCutIn": ("Longmere",),
}


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return Atlas(offline_road_map, seed=0)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_type_has_a_place(atlas: Atlas, name: str) -> None:
    kind = find_type(name)
    drafts = (
        around(town, site)
        for town in HOMES.get(name, TOWNS)
        for site in find_sites(kind, atlas.ways(town), atlas.rng(name))
    )
    assert any(is_sound(draft) for draft in drafts)
