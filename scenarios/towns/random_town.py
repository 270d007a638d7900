"""Random towns for training data, and the command that writes the shipped towns: `python -m scenarios.towns.generate`.

A random town is a jittered grid of junctions. Grid corners and junctions that lose a street become bends, so that no
street is a dead end. Same seed, same text.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from scenarios.towns.brookfield import BROOKFIELD
from scenarios.towns.opendrive import to_opendrive
from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.ridgeport import RIDGEPORT

SHIPPED = {plan.name: plan for plan in (BROOKFIELD, RIDGEPORT)}
COLUMNS, ROWS = 4, 3
HILLY_SHARE = 0.5
BEND_ROOM_M = 45.0
_CONTROL_SHARES = {"signals": 0.62, "stop": 0.25, "yield": 0.08, "free": 0.05}


def random_town(seed: int) -> str:
    """OpenDRIVE text of a random town of about 1.6 km of streets, named `Random<seed>`."""
    return to_opendrive(random_plan(seed))


def random_plan(seed: int) -> TownPlan:
    """A 3 x 4 grid of nodes about 95-135 m apart, 60 % of its streets curved, some of them two lanes each way."""
    rng = np.random.default_rng(seed)
    places = _jittered_grid(rng)
    avenue_row, avenue_column = rng.integers(ROWS), rng.integers(COLUMNS)
    has_avenues = rng.random(2) < (0.6, 0.3)
    streets = []
    for (column, row), other in _grid_edges():
        along_row = other[1] == row
        wide = (
            bool(has_avenues[0] and row == avenue_row)
            if along_row
            else bool(has_avenues[1] and column == avenue_column)
        )
        a, b = places[column, row], places[other]
        streets.append(
            Street(
                _name(column, row), _name(*other), _bends(rng, a, b), 2 if wide else 1, 50.0 if wide else 40.0
            )
        )
    nodes = {_name(*key): place for key, place in places.items()}
    removable = [k for k, street in enumerate(streets) if street.lanes == 1 and _touches_crossing(street)]
    if rng.random() < 0.5 and removable:
        del streets[removable[int(rng.integers(len(removable)))]]
    nodes, streets = dissolve_bends(nodes, streets, radius_m=float(rng.uniform(14.0, 26.0)))
    controls = rng.choice(list(_CONTROL_SHARES), size=len(nodes), p=list(_CONTROL_SHARES.values()))
    controls[int(rng.integers(len(nodes)))] = "signals"
    nodes = {
        name: Node(node.x_m, node.y_m, node.z_m, str(control))
        for (name, node), control in zip(nodes.items(), controls, strict=True)
    }
    return TownPlan(f"Random{seed}", nodes, tuple(streets))


def dissolve_bends(
    nodes: dict[str, Node], streets: list[Street], radius_m: float
) -> tuple[dict[str, Node], list[Street]]:
    """Join the two streets at every node that has only two, which becomes a bend of at most `radius_m`."""
    nodes, streets = dict(nodes), list(streets)
    for name, node in list(nodes.items()):
        meeting = [street for street in streets if name in (street.start, street.end)]
        if len(meeting) != 2:
            continue
        first, second = meeting
        first = first if first.end == name else _reversed(first)
        second = second if second.start == name else _reversed(second)
        bend = Via(node.x_m, node.y_m, radius_m)
        first, second = (replace(half, via=_away_from(bend, half.via)) for half in (first, second))
        lanes, speed_kmh = min((street.lanes, street.speed_kmh) for street in meeting)
        joined = replace(
            first, end=second.end, via=(*first.via, bend, *second.via), lanes=lanes, speed_kmh=speed_kmh
        )
        streets = [street for street in streets if street not in meeting] + [joined]
        del nodes[name]
    return nodes, streets


def _away_from(bend: Via, others: tuple[Via, ...]) -> tuple[Via, ...]:
    """The bends that leave this one room for its radius."""
    return tuple(via for via in others if math.dist((via.x_m, via.y_m), (bend.x_m, bend.y_m)) > BEND_ROOM_M)


def _reversed(street: Street) -> Street:
    return replace(street, start=street.end, end=street.start, via=street.via[::-1])


def _jittered_grid(rng: np.random.Generator) -> dict[tuple[int, int], Node]:
    columns_m = np.concatenate([[0.0], np.cumsum(rng.uniform(100.0, 130.0, COLUMNS - 1))])
    rows_m = np.concatenate([[0.0], np.cumsum(rng.uniform(100.0, 130.0, ROWS - 1))])
    jitter_m = rng.uniform(-5.0, 5.0, (COLUMNS, ROWS, 2))
    heights_m = rng.uniform(0.0, 4.0, (COLUMNS, ROWS)) * (rng.random() < HILLY_SHARE)
    return {
        (column, row): Node(
            float(columns_m[column] + jitter_m[column, row, 0]),
            float(rows_m[row] + jitter_m[column, row, 1]),
            float(heights_m[column, row]),
        )
        for column in range(COLUMNS)
        for row in range(ROWS)
    }


def _grid_edges() -> list[tuple[tuple[int, int], tuple[int, int]]]:
    across = [((c, r), (c + 1, r)) for r in range(ROWS) for c in range(COLUMNS - 1)]
    along = [((c, r), (c, r + 1)) for c in range(COLUMNS) for r in range(ROWS - 1)]
    return across + along


def _name(column: int, row: int) -> str:
    return f"{chr(ord('A') + column)}{row + 1}"


def _touches_crossing(street: Street) -> bool:
    """Whether an end is a four-armed node of the full grid: without this street nobody is cut off."""
    return bool({"B2", "C2"} & {street.start, street.end})


def _bends(rng: np.random.Generator, a: Node, b: Node) -> tuple[Via, ...]:
    """Nothing for a straight street, one bend for a bow, two for an S."""
    shape = rng.choice(["straight", "bow", "s"], p=[0.4, 0.4, 0.2])
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    length_m = math.hypot(dx, dy)
    side = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(5.0, 11.0)) / length_m

    def via(along: float, across: float) -> Via:
        return Via(a.x_m + along * dx - across * dy, a.y_m + along * dy + across * dx, 120.0)

    if shape == "bow":
        return (via(0.5, side),)
    if shape == "s":
        return (via(0.4, side * 0.4), via(0.6, -side * 0.4))
    return ()


def main() -> None:
    """Write the shipped towns anew."""
    for plan in SHIPPED.values():
        Path(__file__).with_name(f"{plan.name}.xodr").write_text(to_opendrive(plan))


if __name__ == "__main__":
    main()
