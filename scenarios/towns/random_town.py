"""Random towns for training data: `random:SEED`.

A random town is a jittered grid of junctions. Grid corners and junctions that lose a street become bends, so that no
street is a dead end. Same seed, same plan.
"""

from __future__ import annotations

import numpy as np

from scenarios.towns.plan import Node, Street, TownPlan
from scenarios.towns.shapes import bowed, dissolve_bends

COLUMNS, ROWS = 4, 3
HILLY_SHARE = 0.5
SWING_M = (5.0, 11.0)  # of a curved street
STRAIGHT_SHARE = 0.4
_CONTROL_SHARES = {"signals": 0.62, "stop": 0.25, "yield": 0.08, "free": 0.05}


def random_plan(seed: int, columns: int = COLUMNS, rows: int = ROWS) -> TownPlan:
    """A town of about 1.6 km of streets, named `Random<seed>`; more with more columns and rows.

    A 3 x 4 grid of nodes about 95-135 m apart, 60 % of its streets curved, some of them two lanes each way.
    """
    rng = np.random.default_rng(seed)
    places = _jittered_grid(rng, columns, rows)
    avenue_row, avenue_column = rng.integers(rows), rng.integers(columns)
    has_avenues = rng.random(2) < (0.6, 0.3)
    streets = []
    for (column, row), other in _grid_edges(columns, rows):
        along_row = other[1] == row
        wide = (
            bool(has_avenues[0] and row == avenue_row)
            if along_row
            else bool(has_avenues[1] and column == avenue_column)
        )
        a, b = places[column, row], places[other]
        streets.append(
            Street(
                _name(column, row),
                _name(*other),
                bowed(rng, a, b, SWING_M, STRAIGHT_SHARE),
                2 if wide else 1,
                50.0 if wide else 40.0,
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


def _jittered_grid(rng: np.random.Generator, columns: int, rows: int) -> dict[tuple[int, int], Node]:
    columns_m = np.concatenate([[0.0], np.cumsum(rng.uniform(100.0, 130.0, columns - 1))])
    rows_m = np.concatenate([[0.0], np.cumsum(rng.uniform(100.0, 130.0, rows - 1))])
    jitter_m = rng.uniform(-5.0, 5.0, (columns, rows, 2))
    heights_m = rng.uniform(0.0, 4.0, (columns, rows)) * (rng.random() < HILLY_SHARE)
    return {
        (column, row): Node(
            float(columns_m[column] + jitter_m[column, row, 0]),
            float(rows_m[row] + jitter_m[column, row, 1]),
            float(heights_m[column, row]),
        )
        for column in range(columns)
        for row in range(rows)
    }


def _grid_edges(columns: int, rows: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    across = [((c, r), (c + 1, r)) for r in range(rows) for c in range(columns - 1)]
    along = [((c, r), (c, r + 1)) for c in range(columns) for r in range(rows - 1)]
    return across + along


def _name(column: int, row: int) -> str:
    return f"{chr(ord('A') + column)}{row + 1}"


def _touches_crossing(street: Street) -> bool:
    """Whether an end is a four-armed node of the full grid: without this street nobody is cut off."""
    return bool({"B2", "C2"} & {street.start, street.end})
