"""`drive-agent scenarios`: lists and shows what there is to drive, draws routes, makes route files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2

from drive_agent.config import ConfigError, did_you_mean
from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.roadmap import RoadMap
from scenarios import catalogue, towns
from scenarios.checks import check_scenarios, plan
from scenarios.drafts import route_element, write_routes
from scenarios.own import load_own_types
from scenarios.places import Atlas
from scenarios.preview import draw_preview
from scenarios.recipes import RECIPES, RouteSet, single_scenarios
from scenarios.routes import RouteSpec, route_set, set_names
from scenarios.types import find_type, type_names
from scenarios.weathers import deal_weathers

HELP = """usage: drive-agent scenarios list [towns|sets|types]
       drive-agent scenarios show NAME [route=ID]
       drive-agent scenarios preview ROUTES [route=ID] out=FILE.png|FOLDER
       drive-agent scenarios make [SET] [types=A,B] [towns=A,B] [each=1]
                                  [seed=0] out=FILE.xml

What there is to drive: towns, route sets, scenario types. Needs no server.

  drive-agent scenarios list
  drive-agent scenarios show Gridley             a town
  drive-agent scenarios show AccidentTwoWays     a type and its parameters
  drive-agent scenarios show dev route=3         a route of a set or of a file
  drive-agent scenarios preview dev route=3 out=route.png
  drive-agent scenarios preview my.xml out=pictures
  drive-agent scenarios make types=Accident,ParkingExit towns=Gridley each=3
                             seed=1 out=mine.xml
  drive-agent scenarios make towns=test out=all.xml    every type, test towns
  drive-agent scenarios make bench out=bench.xml       a shipped set again

keys
  route      id of a route; preview without it draws all, out is then a folder
  types      names, separated by commas; all where it is left out
  towns      names, train (where left out), test, random:SEED or .xodr files
  each       routes for every type
  seed       another seed, other places and weather
  maps       a folder of .xodr files whose names are towns
  scenarios  a Python file with types of your own

SET, instead of types, towns and each:
""" + "\n".join(f"  {name:10} {recipe.summary}" for name, recipe in RECIPES.items())

Say = Callable[[str], None]
LISTS = {"towns": catalogue.list_towns, "sets": catalogue.list_sets, "types": catalogue.list_types}


def run(words: list[str], say: Say) -> int:
    """One sub-verb; `say` is told each piece of text. Raises ConfigError for a wrong call, ValueError for what cannot be drawn or made."""
    verb, rest = (words[0], words[1:]) if words else ("", [])
    if verb not in VERBS:
        known = ", ".join(VERBS)
        raise ConfigError(
            f"scenarios {verb or '...'}: expected one of {known}{did_you_mean(verb, list(VERBS))}"
        )
    run_verb, names, keys = VERBS[verb]
    plain = [word for word in rest if "=" not in word]
    told = _told([word for word in rest if "=" in word], verb, (*keys, "scenarios"))
    if len(plain) > 1:
        raise ConfigError(f"scenarios {verb}: {plain[1]!r} is one word too many; expected {names}")
    if "scenarios" in told:
        load_own_types(told["scenarios"])
    return run_verb(plain[0] if plain else "", told, say)


def _told(words: list[str], verb: str, known: tuple[str, ...]) -> dict[str, str]:
    told = {}
    for word in words:
        key, _, text = word.partition("=")
        if key not in known:
            hint = did_you_mean(key, list(known))
            raise ConfigError(f"scenarios {verb}: unknown key {key!r}{hint}; known: {', '.join(known)}")
        told[key] = text
    return told


def _list(name: str, told: Mapping[str, str], say: Say) -> int:
    if name and name not in LISTS:
        raise ConfigError(
            f"list {name!r}: expected one of {', '.join(LISTS)}{did_you_mean(name, list(LISTS))}"
        )
    say("\n\n".join(text() for key, text in LISTS.items() if name in ("", key)))
    return 0


def _show(name: str, told: Mapping[str, str], say: Say) -> int:
    if name in towns.names() or name.startswith(towns.RANDOM_PREFIX):
        say(catalogue.show_town(name))
    elif name in type_names():
        say(catalogue.show_type(name))
    elif name in set_names() or name.endswith(".xml"):
        specs = _specs(name, told)
        say(catalogue.show_route(specs[0]) if "route" in told else catalogue.show_set(name, specs))
    else:
        known = [*towns.names(), *set_names(), *type_names()]
        hint = did_you_mean(name, known) or "; `drive-agent scenarios list` has all names"
        raise ConfigError(
            f"show {name!r}: expected a town, a route set, an XML file or a scenario type{hint}"
        )
    return 0


def _specs(name: str, told: Mapping[str, str]) -> tuple[RouteSpec, ...]:
    """Routes of a set or file, or the one that was asked for."""
    folder = told.get("maps")
    specs = route_set(name, [path.stem for path in Path(folder).glob("*.xodr")] if folder else ())
    check_scenarios(specs)
    if "route" not in told:
        return specs
    chosen = tuple(spec for spec in specs if spec.id == told["route"])
    if not chosen:
        ids = [spec.id for spec in specs]
        raise ConfigError(
            f"route={told['route']}: {name} has {', '.join(ids)}{did_you_mean(told['route'], ids)}"
        )
    return chosen


def _preview(name: str, told: Mapping[str, str], say: Say) -> int:
    if not name:
        raise ConfigError(
            "preview needs a route set or an XML file: drive-agent scenarios preview dev out=pictures"
        )
    specs = _specs(name, told)
    out = _out(told, "preview", "route.png")
    if out.suffix == ".png" and len(specs) > 1:
        raise ConfigError(
            f"out={out}: {name} has {len(specs)} routes; add route=ID, or give a folder as out="
        )
    files = {spec.id: out if out.suffix == ".png" else out / f"{spec.id}.png" for spec in specs}
    maps: dict[str, RoadMap] = {}
    for spec in specs:
        if spec.town not in maps:
            maps[spec.town] = _map_of(spec, told.get("maps"))
    for spec in specs:
        image = draw_preview(spec, maps[spec.town], plan(spec, maps[spec.town]))
        files[spec.id].parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(files[spec.id]), image):
            raise OSError(f"out={files[spec.id]} cannot be written; give a file in a folder you may write to")
        say(str(files[spec.id]))
    return 0


def _map_of(spec: RouteSpec, folder: str | None) -> RoadMap:
    try:
        return offline_road_map(spec.town, folder)
    except ValueError as error:
        raise ValueError(f"{spec.where}: <route> town: {error}") from error


def _make(name: str, told: Mapping[str, str], say: Say) -> int:
    if name and name not in RECIPES:
        raise ConfigError(
            f"make {name!r}: expected one of {', '.join(RECIPES)}{did_you_mean(name, list(RECIPES))}"
        )
    out = _out(told, "make", "mine.xml")
    seed = _whole(told, "seed", 0, least=0)
    folder = told.get("maps")
    atlas = Atlas(lambda town: offline_road_map(town, folder), seed)
    made = RECIPES[name].make(atlas) if name else _as_told(atlas, told)
    for line in made.missing:
        say(line)
    if not made.drafts:
        raise ValueError(f"{out} is not written: no place was found; give other towns or types")
    pairs = zip(made.drafts, deal_weathers(seed), strict=False)
    write_routes(out, (route_element(str(k), *pair) for k, pair in enumerate(pairs)))
    say(f"{out}: {len(made.drafts)} routes")
    return 0


def _as_told(atlas: Atlas, told: Mapping[str, str]) -> RouteSet:
    names = told["types"].split(",") if "types" in told else type_names()
    splits = {"train": towns.names("train"), "test": towns.names("test")}
    where = told.get("towns", "train")
    kinds = [find_type(name).name for name in names]
    return single_scenarios(
        atlas, kinds, splits.get(where, where.split(",")), _whole(told, "each", 1, least=1)
    )


def _out(told: Mapping[str, str], verb: str, example: str) -> Path:
    if "out" not in told:
        raise ConfigError(f"{verb} needs a file to write: out={example}")
    return Path(told["out"])


def _whole(told: Mapping[str, str], key: str, default: int, *, least: int) -> int:
    text = told.get(key, str(default))
    if not text.isdecimal() or int(text) < least:
        raise ConfigError(f"{key}={text}: expected a whole number, {least} or more")
    return int(text)


Verb = Callable[[str, Mapping[str, str], Say], int]
VERBS: dict[str, tuple[Verb, str, tuple[str, ...]]] = {  # what it does, its plain word, its keys
    "list": (_list, "towns, sets or types", ()),
    "show": (_show, "one name", ("route", "maps")),
    "preview": (_preview, "one route set or XML file", ("route", "out", "maps")),
    "make": (_make, "the name of a set or none", ("types", "towns", "each", "seed", "out", "maps")),
}
