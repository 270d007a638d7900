"""The outcomes as a section of the compatibility page; complete: every class of the ScenarioRunner checkout is accounted for."""

from __future__ import annotations

import ast
import os
import textwrap
from pathlib import Path

from tests.official import examples, outcomes
from tests.official.outcomes import Outcome, Played

SECTION = Path(__file__).parents[2] / "docs/carla_compatibility/leaderboard.md"
_BASE = "base class, never run by itself"
NO_ROUTE_SCENARIO = {
    "BaseVehicleTurning": _BASE,
    "JunctionLeftTurn": _BASE,
    "JunctionRightTurn": _BASE,
    "OppositeVehicleJunction": _BASE,
    "RouteScenario": "the route itself: every row below is one",
    "OpenScenario": "plays OpenSCENARIO files: see the examples",
    "OSC2Scenario": "plays OpenSCENARIO 2 files: see the examples",
    "CutIn": "in a route hidden by a behaviour of the same name; played as an example",
    "FollowLeadingVehicleWithObstacle": "its constructor refuses a route's arguments; played as an example",
}
_LENGTH_OF_NONE = "ScenarioRunner's own ChangeActorWaypoints asks for the length of None"
UNPLAYABLE = {
    "ChangeLane_2": "the file names no other actors, which the class needs",
    "IntersectionCollisionAvoidance.xosc": _LENGTH_OF_NONE,
    "SyncArrivalIntersection.xosc": _LENGTH_OF_NONE,
}
_HEAD = """## Leaderboard and ScenarioRunner scenario classes

Every scenario class of ScenarioRunner (release 0.9.16) on a route of its own in the Leaderboard's evaluator, both
unmodified, with the evaluator's NpcAgent at the wheel (helped on where it stands for 20 s, so that scenarios are passed);
then ScenarioRunner's example files. Written by `python -m tests.official page`; `ProvingGround` is a map made for it
(`tests/official/proving_ground.py`) with motorway, slip roads, parking and bicycle lanes.

*passed*: the scenario started, its actors appeared, and neither the server nor the evaluator reported an error. Actors:
how many appeared, in brackets how many of them moved. *with the route*: it was still running when the route ended.
"""


def write(folder: Path) -> list[str]:
    """Write the section; what failed and what is missing from it."""
    routes = {row.scenario: row for row in outcomes.read(folder / outcomes.ROUTES, Outcome)}
    played = {row.name: row for row in outcomes.read(folder / outcomes.EXAMPLES, Played)}
    here, elsewhere = examples.examples()
    lines = [
        _HEAD,
        "| class | map | result | started | ended | actors | which, or why none |",
        "|---|---|---|---|---|---|---|",
    ]
    absent = []
    for name in sorted(scenario_classes()):
        if name in NO_ROUTE_SCENARIO:
            lines.append(f"| {name} | | | | | | {NO_ROUTE_SCENARIO[name]} |")
        elif name in routes:
            lines.append(_route_line(routes[name]))
        else:
            absent.append(name)
    lines += ["", f"### ScenarioRunner's examples\n\n{_examples_head(elsewhere)}\n"]
    lines += ["| example | kind | map | result | ended | actors | verdict |", "|---|---|---|---|---|---|---|"]
    lines += [_example_line(played[example.name]) for example in here if example.name in played]
    absent += [example.name for example in here if example.name not in played]
    SECTION.write_text("\n".join(lines) + "\n", encoding="utf-8")
    bad = [f"{row.name} failed" for row in [*routes.values(), *played.values()] if not _as_expected(row)]
    return bad + [f"{name} was not run" for name in absent]


def _as_expected(row: Outcome | Played) -> bool:
    return row.good or (row.name in UNPLAYABLE and not row.server_faults)


def scenario_classes() -> set[str]:
    """Names of all subclasses of BasicScenario in the checkout, read without importing them."""
    bases: dict[str, list[str]] = {}
    for path in (Path(os.environ["SCENARIO_RUNNER_ROOT"]) / "srunner/scenarios").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    found = {"BasicScenario"}
    while grown := {name for name, parents in bases.items() if found & set(parents)} - found:
        found |= grown
    return found - {"BasicScenario"}


def _actors(row: Outcome | Played) -> str:
    number = sum(row.actors.values())
    return f"{number} ({row.moved})" if number else "none of its own"


def _result(row: Outcome | Played) -> str:
    if row.good:
        return "passed"
    if _as_expected(row):
        return f"cannot be played: {UNPLAYABLE[row.name]}"
    return "failed: " + "; ".join([*row.faults, *row.server_faults] or ["not started"])


def _route_line(row: Outcome) -> str:
    started = "" if row.started_s is None else f"{row.started_s:.1f} s"
    ended = "with the route" if row.ended_s is None else f"{row.ended_s:.1f} s"
    return f"| {row.scenario} | {row.town} | {_result(row)} | {started} | {ended} | {_actors(row)} | {_kinds(row)} |"


def _kinds(row: Outcome) -> str:
    """What kinds of actors, in words."""
    words = {"vehicle": "vehicles", "walker": "pedestrians", "static": "props"}
    present = {kind.split(".")[0] for kind in row.actors}
    return ", ".join(word for key, word in words.items() if key in present)


def _examples_head(elsewhere: list[str]) -> str:
    text = (
        "Of each file the first scenario of every class on CARLA's Town01 and Town02, with a second client at the wheel as "
        "ScenarioRunner's manual expects; `CutInFrom_left_Lane_here` and `lead_and_slow.osc` are our own. The verdict is "
        f"ScenarioRunner's on that driver. Not played, for their maps are not at hand: {', '.join(elsewhere)}."
    )
    return textwrap.fill(text, 119, break_on_hyphens=False)


def _example_line(row: Played) -> str:
    ended = "by itself" if row.ended else "stopped after the limit"
    return f"| {row.name} | {row.kind} | {row.town} | {_result(row)} | {ended} | {_actors(row)} | {row.verdict.lower()} |"
