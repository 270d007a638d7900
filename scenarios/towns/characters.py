"""Towns of a character, made from a seed: `random:SEED:CHARACTER`, and most of the shipped training towns.

Most are jittered grids of nodes: `GridStyle` says how one is furnished. A motorway has a plan of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scenarios.towns.arms import smallest_gap
from scenarios.towns.network import build_network
from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.profiles import (
    BOULEVARD,
    CYCLED,
    CYCLED_BOULEVARD,
    MOTORWAY,
    NARROW,
    PARKED,
    RAMP,
    RURAL,
    TOWN,
    Profile,
)
from scenarios.towns.roundabouts import MIN_ARM_ANGLE_RAD as ROUNDABOUT_GAP_RAD
from scenarios.towns.shapes import bowed, dissolve_bends

Cell = tuple[int, int]  # column, row
TRIES = 40
BOW_ROOM_M = 70.0  # a shorter street is straight


@dataclass(frozen=True)
class Lot:
    """What a row or a column of streets may be."""

    profile: Profile
    lanes: int = 1
    speed_kmh: float = 40.0


@dataclass(frozen=True)
class GridStyle:
    """How a jittered grid becomes a town of one character. Spacings and jitter in metres."""

    columns: int
    rows: int
    spacing_m: tuple[float, float]
    jitter_m: float
    bow_m: tuple[float, float]  # how far a street swings out
    straight_share: float
    across: tuple[Lot, ...]  # one is drawn for each row, in turn where `in_order`
    along: tuple[Lot, ...]  # for each column
    controls: dict[str, float]  # shares
    lost_share: float = 0.0  # of streets that are left out
    rise_m: float = 0.0  # nodes lie up to so high
    bend_m: float = 20.0  # radius of corners
    in_order: bool = False


_LOCAL = Lot(TOWN)
STYLES = {
    "oldtown": GridStyle(
        7, 5, (76.0, 96.0), 9.0, (3.0, 9.0), 0.25,
        across=(Lot(NARROW, speed_kmh=30.0),),
        along=(Lot(NARROW, speed_kmh=30.0),),
        controls={"free": 0.22, "yield": 0.28, "stop": 0.35, "signals": 0.15},
        lost_share=0.16,
        bend_m=14.0,
    ),
    "grid": GridStyle(
        5, 5, (96.0, 124.0), 0.0, (0.0, 0.0), 1.0,
        across=(Lot(TOWN, 2, 50.0), Lot(PARKED), Lot(TOWN, 2, 50.0), Lot(CYCLED), Lot(TOWN, 2, 50.0)),
        along=(Lot(TOWN, 2, 50.0), Lot(CYCLED), Lot(TOWN, 2, 50.0), Lot(PARKED), Lot(TOWN, 2, 50.0)),
        controls={"signals": 0.85, "stop": 0.15},
        in_order=True,
    ),
    "arterial": GridStyle(
        6, 3, (165.0, 205.0), 8.0, (6.0, 14.0), 0.5,
        across=(Lot(CYCLED, 1, 50.0), Lot(BOULEVARD, 2, 60.0), Lot(TOWN, 1, 50.0)),
        along=(Lot(CYCLED, 1, 50.0), Lot(TOWN), Lot(CYCLED_BOULEVARD, 2, 50.0), Lot(PARKED), Lot(TOWN)),
        controls={"signals": 1.0},
        in_order=True,
    ),
    "suburb": GridStyle(
        6, 4, (108.0, 136.0), 10.0, (12.0, 22.0), 0.2,
        across=(Lot(PARKED, speed_kmh=40.0), Lot(PARKED, speed_kmh=30.0), Lot(CYCLED, speed_kmh=50.0)),
        along=(Lot(PARKED, speed_kmh=30.0), Lot(PARKED, speed_kmh=40.0), _LOCAL),
        controls={"stop": 0.62, "yield": 0.1, "free": 0.08, "roundabout": 0.12, "signals": 0.08},
        lost_share=0.1,
        bend_m=26.0,
    ),
    "rural": GridStyle(
        4, 3, (330.0, 440.0), 40.0, (40.0, 75.0), 0.1,
        across=(Lot(RURAL, speed_kmh=80.0), Lot(RURAL, speed_kmh=60.0)),
        along=(Lot(RURAL, speed_kmh=80.0), Lot(RURAL, speed_kmh=70.0)),
        controls={"stop": 0.35, "yield": 0.35, "roundabout": 0.2, "signals": 0.1},
        rise_m=14.0,
        bend_m=110.0,
    ),
}  # fmt: skip


def character_plan(character: str, seed: int, name: str) -> TownPlan:
    """A town of a character. Raises ValueError for a character that is not in `CHARACTERS`."""
    if character not in CHARACTERS:
        raise ValueError(
            f"unknown character {character!r} of a town, expected one of {', '.join(CHARACTERS)}"
        )
    rng = np.random.default_rng([seed, *character.encode()])
    told = ""
    for _ in range(TRIES):  # a jittered plan may have a corner too sharp: draw another
        plan = CHARACTERS[character](rng, name)
        try:
            build_network(plan)
        except ValueError as error:
            told = str(error)
            continue
        return plan
    raise ValueError(f"{name}: no town of character {character!r} in {TRIES} draws, the last: {told}")


def _grid_plan(style: GridStyle, rng: np.random.Generator, name: str) -> TownPlan:
    places = _places(style, rng)
    across, along = _lots(style, style.across, style.rows, rng), _lots(style, style.along, style.columns, rng)
    streets = []
    for cell, other in _kept_edges(style, rng):
        lot = across[cell[1]] if cell[1] == other[1] else along[cell[0]]
        a, b = places[cell], places[other]
        has_room = math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) > BOW_ROOM_M
        via = bowed(rng, a, b, style.bow_m, style.straight_share) if has_room else ()
        streets.append(Street(_name(cell), _name(other), via, lot.lanes, lot.speed_kmh, lot.profile))
    nodes, streets = dissolve_bends(
        {_name(cell): node for cell, node in places.items()}, streets, style.bend_m
    )
    return TownPlan(name, _controlled(style, rng, nodes, streets), tuple(streets))


def _lots(style: GridStyle, lots: tuple[Lot, ...], count: int, rng: np.random.Generator) -> list[Lot]:
    first = 0 if style.in_order else int(rng.integers(len(lots)))
    return [lots[(first + k) % len(lots)] for k in range(count)]


def _places(style: GridStyle, rng: np.random.Generator) -> dict[Cell, Node]:
    x_m, y_m = (
        np.concatenate([[0.0], np.cumsum(rng.uniform(*style.spacing_m, count - 1))])
        for count in (style.columns, style.rows)
    )
    jitter_m = rng.uniform(-style.jitter_m, style.jitter_m, (style.columns, style.rows, 2))
    z_m = rng.uniform(0.0, 1.0, (style.columns, style.rows)) * style.rise_m
    return {
        (c, r): Node(float(x_m[c] + jitter_m[c, r, 0]), float(y_m[r] + jitter_m[c, r, 1]), float(z_m[c, r]))
        for c in range(style.columns)
        for r in range(style.rows)
    }


def _kept_edges(style: GridStyle, rng: np.random.Generator) -> list[tuple[Cell, Cell]]:
    """The grid's streets without some between inner nodes, so that every node keeps three arms or is a corner."""
    edges = [((c, r), (c + 1, r)) for r in range(style.rows) for c in range(style.columns - 1)]
    edges += [((c, r), (c, r + 1)) for c in range(style.columns) for r in range(style.rows - 1)]
    arms = {
        (c, r): 4 - (c in (0, style.columns - 1)) - (r in (0, style.rows - 1))
        for c in range(style.columns)
        for r in range(style.rows)
    }
    for k in rng.permutation(len(edges))[: round(style.lost_share * len(edges))].tolist():
        a, b = edges[k]
        if arms[a] == arms[b] == 4:
            edges[k] = (a, a)
            arms[a] -= 1
            arms[b] -= 1
    return [(a, b) for a, b in edges if a != b]


def _name(cell: Cell) -> str:
    return f"{chr(ord('A') + cell[0])}{cell[1] + 1}"


def _controlled(
    style: GridStyle, rng: np.random.Generator, nodes: dict[str, Node], streets: list[Street]
) -> dict[str, Node]:
    """Every node gets a control of the style's shares; at least one gets lights."""
    names = list(style.controls)
    drawn = rng.choice(names, size=len(nodes), p=list(style.controls.values()))
    drawn[int(rng.integers(len(nodes)))] = "signals"
    placed = {
        name: replace(node, control=control)
        for (name, node), control in zip(nodes.items(), drawn.tolist(), strict=True)
    }
    return {name: _sane(name, node, placed, streets) for name, node in placed.items()}


def _sane(name: str, node: Node, nodes: dict[str, Node], streets: list[Street]) -> Node:
    """Lights instead of a roundabout or signs where a street of more lanes passes, stop signs where arms meet sharply."""
    plan = TownPlan("", nodes, tuple(streets))
    if any(street.lanes > 1 for street in streets if name in (street.start, street.end)):
        return replace(node, control="signals")
    if node.control == "roundabout" and smallest_gap(plan, name) < ROUNDABOUT_GAP_RAD:
        return replace(node, control="stop")
    return node


def _motorway_plan(rng: np.random.Generator, name: str) -> TownPlan:
    """A motorway between two boulevards, an interchange in its middle, and a road along each side of it."""
    length_m = float(rng.uniform(1_350.0, 1_550.0))
    middle_m = length_m / 2 + float(rng.uniform(-60.0, 60.0))
    near_m, far_m = rng.uniform(150.0, 190.0, 2).tolist()
    half_m = 140.0  # from the interchange's middle to where its ramps leave and join
    rise_m = float(rng.uniform(2.0, 4.0))
    flows_m = {
        "west end": 150.0,
        "west lanes": middle_m - half_m - 230.0,
        "west ramps": middle_m - half_m,
        "east ramps": middle_m + half_m,
        "east lanes": middle_m + half_m + 230.0,
        "east end": length_m - 150.0,
    }
    nodes = {flow: Node(x_m, 0.0, rise_m, "flow") for flow, x_m in flows_m.items()}
    nodes |= {
        "west": Node(0.0, 0.0, 0.0, "signals"),
        "east": Node(length_m, 0.0, 0.0, "signals"),
        "off": Node(middle_m - 62.0, -near_m, 0.0, "signals"),
        "on": Node(middle_m + 62.0, -near_m, 0.0, "free"),
        "circus": Node(middle_m, far_m, 0.0, "roundabout", 17.0),
        "mall": Node(middle_m - 310.0, far_m + 20.0, 0.0, "signals"),
        "farm": Node(middle_m + 300.0, -near_m - 25.0, 0.0, "stop"),
    }
    carriageway = [Street("west", "west end", (), 2, 70.0, BOULEVARD)]
    chain = list(flows_m)
    for a, b, lanes in zip(chain, chain[1:], (2, 3, 2, 3, 2), strict=False):
        carriageway.append(Street(a, b, (), lanes, 100.0, MOTORWAY))
    carriageway.append(Street("east end", "east", (), 2, 70.0, BOULEVARD))

    def ramp(start: str, end: str, *via: Via) -> Street:
        return Street(start, end, via, 1, 60.0, RAMP, one_way=True)

    ramps = [
        ramp(
            "west ramps", "off", Via(middle_m - 45.0, -32.0, 70.0), Via(middle_m - 45.0, -near_m + 45.0, 35.0)
        ),
        ramp(
            "on", "east ramps", Via(middle_m + 45.0, -near_m + 45.0, 35.0), Via(middle_m + 45.0, -32.0, 70.0)
        ),
        ramp(
            "east ramps", "circus", Via(middle_m + 62.0, 32.0, 70.0), Via(middle_m + 45.0, far_m - 45.0, 35.0)
        ),
        ramp(
            "circus", "west ramps", Via(middle_m - 45.0, far_m - 45.0, 35.0), Via(middle_m - 62.0, 32.0, 70.0)
        ),
    ]
    beyond_m = 130.0
    sides = [
        Street("west", "mall", (Via(0.0, far_m + 20.0, 60.0),), 1, 50.0, PARKED),
        Street("mall", "circus", (Via(middle_m - 60.0, far_m + 20.0, 60.0),), 1, 50.0, CYCLED),
        Street("circus", "east", (Via(middle_m + 60.0, far_m + 20.0, 60.0), Via(length_m, far_m + 20.0, 60.0)), 1, 50.0),
        Street("west", "off", (Via(0.0, -near_m, 60.0),), 1, 50.0, CYCLED),
        Street("off", "on", (), 1, 50.0),
        Street("on", "farm", (Via(middle_m + 180.0, -near_m - 5.0, 120.0),), 1, 60.0, RURAL),
        Street("farm", "east", (Via(length_m, -near_m - 25.0, 70.0),), 1, 80.0, RURAL),
        Street(
            "mall", "farm",
            (
                Via(middle_m - 310.0, far_m + beyond_m, 60.0), Via(length_m + beyond_m, far_m + beyond_m, 120.0),
                Via(length_m + beyond_m, -near_m - beyond_m, 120.0), Via(middle_m + 300.0, -near_m - beyond_m, 60.0),
            ),
            1, 80.0, RURAL,
        ),
    ]  # fmt: skip
    return TownPlan(name, nodes, tuple(carriageway + ramps + sides))


def _of_style(style: GridStyle) -> Callable[[np.random.Generator, str], TownPlan]:
    return lambda rng, name: _grid_plan(style, rng, name)


CHARACTERS: dict[str, Callable[[np.random.Generator, str], TownPlan]] = {
    **{character: _of_style(style) for character, style in STYLES.items()},
    "motorway": _motorway_plan,
}
