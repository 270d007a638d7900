"""Starhaven, a round town that no training sees: five radial streets between a roundabout and a ring boulevard."""

import math
from itertools import pairwise

from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.profiles import CYCLED, CYCLED_BOULEVARD, NARROW, PARKED, RURAL, TOWN

_INNER_M, _OUTER_M = 132.0, 275.0
_POINTS = ("north", "west", "south", "harbour", "east")  # 72 degrees apart
_FIRST_DEG = 92.0


def _at(radius_m: float, angle_deg: float) -> tuple[float, float]:
    angle = math.radians(angle_deg)
    return round(radius_m * math.cos(angle), 3), round(radius_m * math.sin(angle), 3)


def _angle(number: int) -> float:
    return _FIRST_DEG + 72.0 * number


def _arc(radius_m: float, number: int) -> Via:
    """The bend that makes the street between two neighbouring points a part of a circle."""
    return Via(*_at(radius_m / math.cos(math.radians(36.0)), _angle(number) + 36.0), radius_m)


_INNER_CONTROL = ("signals", "stop", "yield", "stop", "signals")
_NODES = {"star": Node(0.0, 0.0, 3.0, "roundabout", 19.0)}
for _k, _point in enumerate(_POINTS):
    _NODES[f"{_point} gate"] = Node(*_at(_INNER_M, _angle(_k)), 2.0, _INNER_CONTROL[_k])
    _NODES[_point] = Node(*_at(_OUTER_M, _angle(_k)), 0.0, "signals")

_RADIALS = tuple(
    street
    for point, outer in zip(_POINTS, (PARKED, CYCLED, TOWN, PARKED, CYCLED), strict=True)
    for street in (
        Street("star", f"{point} gate", profile=TOWN, speed_kmh=40.0),
        Street(f"{point} gate", point, profile=outer, speed_kmh=40.0),
    )
)

_ROUND = [*enumerate(_POINTS), (0, _POINTS[0])]
_WALL_STREET = tuple(
    Street(f"{a} gate", f"{b} gate", (_arc(_INNER_M, k),), 1, 30.0, NARROW)
    for (k, a), (_, b) in pairwise(_ROUND)
)
_RING = tuple(
    Street(a, b, (_arc(_OUTER_M, k),), 2, 60.0, CYCLED_BOULEVARD) for (k, a), (_, b) in pairwise(_ROUND)
)

_COAST_ROAD = (
    Street(
        "west",
        "harbour",
        (
            Via(*_at(410.0, _angle(1)), 70.0),
            Via(*_at(520.0, _angle(1) + 36.0), 130.0),
            Via(*_at(520.0, _angle(3) - 36.0), 130.0),
            Via(*_at(410.0, _angle(3)), 70.0),
        ),
        1,
        80.0,
        RURAL,
    ),
)

STARHAVEN = TownPlan(
    "Starhaven",
    _NODES,
    _RADIALS + _WALL_STREET + _RING + _COAST_ROAD,
    latitude_deg=54.2,
    longitude_deg=10.1,
)
