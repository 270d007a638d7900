"""Helpers for plans that are drawn at random: streets that swing out, and corners that become bends."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from scenarios.towns.plan import Node, Street, Via

BEND_ROOM_M = 45.0


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
        narrow = min(meeting, key=lambda street: (street.lanes, street.speed_kmh))
        joined = replace(
            first,
            end=second.end,
            via=(*first.via, bend, *second.via),
            lanes=narrow.lanes,
            speed_kmh=narrow.speed_kmh,
            profile=narrow.profile,
        )
        streets = [street for street in streets if street not in meeting] + [joined]
        del nodes[name]
    return nodes, streets


def _away_from(bend: Via, others: tuple[Via, ...]) -> tuple[Via, ...]:
    """The bends that leave this one room for its radius."""
    return tuple(via for via in others if math.dist((via.x_m, via.y_m), (bend.x_m, bend.y_m)) > BEND_ROOM_M)


def _reversed(street: Street) -> Street:
    return replace(street, start=street.end, end=street.start, via=street.via[::-1])


def bowed(
    rng: np.random.Generator, a: Node, b: Node, swing_m: tuple[float, float], straight_share: float
) -> tuple[Via, ...]:
    """Nothing for a straight street, one bend for a bow, two for an S, which swings out less."""
    bent = 1.0 - straight_share
    shape = rng.choice(["straight", "bow", "s"], p=[straight_share, bent * 2 / 3, bent / 3])
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    length_m = math.hypot(dx, dy)
    side = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(*swing_m)) / length_m

    def via(along: float, across: float) -> Via:
        return Via(a.x_m + along * dx - across * dy, a.y_m + along * dy + across * dx, 120.0)

    if shape == "bow":
        return (via(0.5, side),)
    if shape == "s":
        return (via(0.4, side * 0.4), via(0.6, -side * 0.4))
    return ()
