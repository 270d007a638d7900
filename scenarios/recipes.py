"""How route sets are made from a seed: one scenario each, plain routes, or long ones with many scenarios.

The sets that ship are recipes with names. Knows nothing of files and of carla: an `Atlas` has the road maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

import scenarios.library  # noqa: F401 - registers the types
from drive_agent.types import Maneuver
from scenarios import towns
from scenarios.abilities import TYPES
from scenarios.drafts import Draft, around, is_sound
from scenarios.places import Atlas, Site, find_sites, random_way, settings_along
from scenarios.types import ScenarioType, find_type

NEAR_M = 40.0  # two routes of a set do not begin so near to each other in the same direction
PLAIN_M = (500.0, 800.0)
LONG_M = (1_000.0, 3_000.0)
LONG_GAP_M = 60.0  # between the end of one scenario's reach and the next one's trigger
LONG_LEAST, LONG_SAME = 4, 2  # scenarios that a long route has at least, and at most of one type
TRIES = 300
DEV_TYPES = (  # two or three of each ability
    "AccidentTwoWays",
    "ParkedObstacle",
    "VehicleOpensDoorTwoWays",
    "HighwayCutIn",
    "SignalizedJunctionLeftTurn",
    "MergerIntoSlowTraffic",
    "DynamicObjectCrossing",
    "HardBreakRoute",
    "ParkingCutIn",
    "YieldToEmergencyVehicle",
    "VanillaNonSignalizedTurnEncounterStopsign",
    "OppositeVehicleRunningRedLight",
)


@dataclass(frozen=True)
class RouteSet:
    """What was made, and one line for each thing that the towns do not have room for."""

    drafts: tuple[Draft, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """A route set with a name."""

    name: str
    summary: str
    make: Callable[[Atlas], RouteSet]


def single_scenarios(
    atlas: Atlas, type_names: Sequence[str], town_names: Sequence[str], each: int, *, again: bool = False
) -> RouteSet:
    """`each` routes for every type, spread over the towns as far as they have places for it.

    `again`: where they have fewer, the same places come again, to be driven in another weather.
    """
    drafts: list[Draft] = []
    missing: list[str] = []
    for name in type_names:
        found = _spread(atlas, find_type(name), town_names, each)
        drafts += found
        if again and found:
            drafts += (found * each)[len(found) : each]
        if len(found) < each:
            missing.append(f"{name}: {len(found)} of {each} places found in {', '.join(town_names)}")
    return RouteSet(tuple(drafts), tuple(missing))


def _spread(atlas: Atlas, kind: ScenarioType, town_names: Sequence[str], each: int) -> list[Draft]:
    """Routes for a type, from one town after the other in turn."""
    rng = atlas.rng(kind.name)
    turns = [_sound(atlas, kind, str(town), rng) for town in rng.permutation(list(town_names))]
    found: list[Draft] = []
    while turns and len(found) < each:
        turn = turns.pop(0)
        draft = next(turn, None)
        if draft is not None:
            found.append(draft)
            turns.append(turn)
    return found


def _sound(atlas: Atlas, kind: ScenarioType, town: str, rng: np.random.Generator) -> Iterator[Draft]:
    drafts = (around(town, site) for site in find_sites(kind, atlas.ways(town), rng))
    return (draft for draft in drafts if is_sound(draft))


def plain_routes(atlas: Atlas, town_names: Sequence[str], count: int) -> RouteSet:
    """Routes without scenarios, the same number in every town, that turn left and right, or where none does, one way."""
    drafts: list[Draft] = []
    for number in range(count):
        town = town_names[number % len(town_names)]
        rng = atlas.rng(f"plain {number}")
        drafts.append(_first(_plain(atlas, town, rng, drafts), f"a plain route in {town}"))
    return RouteSet(tuple(drafts))


def _plain(atlas: Atlas, town: str, rng: np.random.Generator, others: Sequence[Draft]) -> Iterator[Draft]:
    road_map = atlas.road_map(town)
    for number in range(2 * TRIES):
        length_m = float(rng.uniform(*PLAIN_M))
        route = random_way(road_map, rng, length_m)
        if route is None or route.length_m < length_m:
            continue
        draft = Draft(town, road_map, route, 0.0, length_m)
        turns = {Maneuver.LEFT, Maneuver.RIGHT} & set(route.maneuvers[1 : int(length_m)])
        if len(turns) >= (2 if number < TRIES else 1) and _is_new(draft, others) and is_sound(draft):
            yield draft


def long_routes(atlas: Atlas, type_names: Sequence[str], town_names: Sequence[str], count: int) -> RouteSet:
    """Routes of one to three kilometres with scenarios of different types one after the other."""
    drafts: list[Draft] = []
    for number in range(count):
        town = town_names[number % len(town_names)]
        rng = atlas.rng(f"long {number}")
        length_m = float(np.linspace(*LONG_M, count)[number]) * 0.98
        tries = _long(atlas, town, rng, [find_type(name) for name in type_names], length_m, drafts)
        drafts.append(_first(tries, f"a long route in {town}"))
    return RouteSet(tuple(drafts))


def _long(
    atlas: Atlas,
    town: str,
    rng: np.random.Generator,
    kinds: Sequence[ScenarioType],
    length_m: float,
    others: Sequence[Draft],
) -> Iterator[Draft]:
    road_map = atlas.road_map(town)
    for _ in range(TRIES):
        route = random_way(road_map, rng, length_m, change_share=0.2)
        if route is None or not length_m <= route.length_m:
            continue
        end_m = min(route.length_m, LONG_M[1])
        sites = _fill(Draft(town, road_map, route, 0.0, end_m), kinds, rng)
        draft = Draft(town, road_map, route, 0.0, end_m, sites)
        if len(sites) >= LONG_LEAST and _is_new(draft, others) and is_sound(draft):
            yield draft


def _fill(draft: Draft, kinds: Sequence[ScenarioType], rng: np.random.Generator) -> tuple[Site, ...]:
    """Scenarios along a route, as many as it has room for; a type comes twice only when no other fits."""
    sites: list[Site] = []
    free_m = 0.0
    for setting in settings_along(draft.road_map, draft.route):
        if setting.trigger_m < free_m:
            continue
        used = [site.kind.name for site in sites]
        order = sorted(rng.permutation(len(kinds)), key=lambda k: used.count(kinds[k].name))
        for kind in (kinds[k] for k in order):
            if kind.lead_m == 0.0 or used.count(kind.name) == LONG_SAME:  # the former begin with their route
                continue
            elements = kind.site(setting, rng)
            if elements is not None and (site := Site(kind, setting, elements)).end_m < draft.end_m:
                sites.append(site)
                free_m = site.end_m + LONG_GAP_M
                break
    return tuple(sites)


def _is_new(draft: Draft, others: Sequence[Draft]) -> bool:
    """Whether no other route of the town begins beside it."""
    begins = [other.route.points[0] for other in others if other.town == draft.town]
    return all(np.linalg.norm(draft.route.points[0] - begin) > NEAR_M for begin in begins)


def _first(drafts: Iterator[Draft], what: str) -> Draft:
    draft = next(drafts, None)
    if draft is None:
        raise ValueError(f"{what}: none found in {TRIES} tries; give another seed or another town")
    return draft


_TRAIN, _TEST = towns.names("train"), towns.names("test")
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "dev",
            "12 routes, every ability, on training towns: for every day",
            lambda atlas: single_scenarios(atlas, DEV_TYPES, _TRAIN, 1),
        ),
        Recipe(
            "test",
            "12 routes of 500 to 800 m on test towns, traffic but no scenarios",
            lambda atlas: plain_routes(atlas, _TEST, 12),
        ),
        Recipe(
            "long",
            "10 routes of 1 to 3 km with scenarios one after the other",
            lambda atlas: long_routes(atlas, sorted(TYPES), _TRAIN, 10),
        ),
        Recipe(
            "bench",
            "44 types x 5 on test towns, one scenario each",
            lambda atlas: single_scenarios(atlas, sorted(TYPES), _TEST, 5, again=True),
        ),
        Recipe(
            "train",
            "44 types x 10 on training towns, one scenario each",
            lambda atlas: single_scenarios(atlas, sorted(TYPES), _TRAIN, 10),
        ),
    )
}
