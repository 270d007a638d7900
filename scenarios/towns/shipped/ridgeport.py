"""Ridgeport, a town on a hill that no training sees: an oval ring, two diagonals over the top, and a road round the port."""

import math
from itertools import pairwise

from scenarios.towns.plan import Node, Street, TownPlan, Via

_HALF_LENGTH_M, _HALF_WIDTH_M = 240.0, 160.0


def _oval(angle_deg: float) -> tuple[float, float]:
    angle = math.radians(angle_deg)
    return round(_HALF_LENGTH_M * math.cos(angle), 3), round(_HALF_WIDTH_M * math.sin(angle), 3)


def _oval_bend(start_deg: float, end_deg: float) -> Via:
    """Where the tangents at two points of the oval cross: a bend there joins the oval smoothly at both."""
    stretch = 1 / math.cos(math.radians(end_deg - start_deg) / 2)
    x_m, y_m = _oval((start_deg + end_deg) / 2)
    return Via(round(x_m * stretch, 3), round(y_m * stretch, 3), 400.0)


_RING_DEG = {
    "east": 0.0,
    "northeast": 42.0,
    "north": 102.0,
    "northwest": 140.0,
    "southwest": 222.0,
    "south": 262.0,
}
_RING_DEG["southeast"] = 318.0
_RING_CONTROL = {
    "east": ("signals", 1.0),
    "northeast": ("signals", 2.0),
    "north": ("stop", 2.0),
    "northwest": ("stop", 1.0),
    "southwest": ("signals", 0.0),
    "south": ("yield", 0.0),
    "southeast": ("stop", 0.0),
}

_NODES = {
    **{name: Node(*_oval(_RING_DEG[name]), z_m, control) for name, (control, z_m) in _RING_CONTROL.items()},
    "plaza": Node(0.0, 4.0, 6.0, "signals"),
    "chapel": Node(92.0, 58.0, 4.5, "signals"),
    "dock": Node(-90.0, -56.0, 4.0, "stop"),
    "quay": Node(-92.0, 58.0, 4.5, "signals"),
    "depot": Node(94.0, -54.0, 4.0, "signals"),
}

_ROUND = list(_RING_DEG)
_RING = tuple(
    Street(start, end, (_oval_bend(_RING_DEG[start], _RING_DEG[end] + (360.0 if end == "east" else 0.0)),))
    for start, end in pairwise([*_ROUND, _ROUND[0]])
)

_HIGH_STREET = (  # two lanes each way, up the hill and down again
    Street("southwest", "dock", lanes=2, speed_kmh=50.0),
    Street("dock", "plaza", lanes=2, speed_kmh=50.0),
    Street("plaza", "chapel", lanes=2, speed_kmh=50.0),
    Street("chapel", "northeast", lanes=2, speed_kmh=50.0),
)

_SIDE_STREETS = (
    Street("northwest", "quay"),
    Street("quay", "plaza"),
    Street("plaza", "depot"),
    Street("depot", "southeast"),
    Street("dock", "quay", (Via(-98.0, 0.0, 120.0),)),
    Street("depot", "chapel", (Via(102.0, 2.0, 120.0),)),
    Street("quay", "north"),
)

_PORT_ROAD = (
    Street("south", "east", (Via(-33.5, -232.0, 30.0), Via(342.0, -226.0, 60.0), Via(338.0, 0.0, 40.0))),
)

RIDGEPORT = TownPlan(
    "Ridgeport",
    _NODES,
    _RING + _HIGH_STREET + _SIDE_STREETS + _PORT_ROAD,
    latitude_deg=47.5,
    longitude_deg=8.75,
)
