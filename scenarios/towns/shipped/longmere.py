"""Longmere, a town that no training sees: a straight motorway with four pairs of ramps, long avenues south of it with
bicycle lanes and parking, country roads north of it.
"""

from __future__ import annotations

from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.profiles import (
    BOULEVARD,
    CYCLED,
    CYCLED_BOULEVARD,
    MOTORWAY,
    PARKED_BOULEVARD,
    RAMP,
    RURAL,
)

_MOTORWAY_NODES = {
    "west gate": Node(-1080.0, 0.0, 0.0, "signals"),
    "west end": Node(-940.0, 0.0, 0.0, "flow"),
    "west lanes": Node(-825.0, 0.0, 1.0, "flow"),
    "elm ramps": Node(-650.0, 0.0, 2.0, "flow"),
    "oak ramps": Node(-250.0, 0.0, 3.0, "flow"),
    "oak lanes": Node(-80.0, 0.0, 3.0, "flow"),
    "ash lanes": Node(80.0, 0.0, 3.0, "flow"),
    "ash ramps": Node(250.0, 0.0, 3.0, "flow"),
    "fir ramps": Node(650.0, 0.0, 2.0, "flow"),
    "east lanes": Node(825.0, 0.0, 1.0, "flow"),
    "east end": Node(940.0, 0.0, 0.0, "flow"),
    "east gate": Node(1080.0, 0.0, 0.0, "signals"),
}
_MOTORWAY = tuple(
    Street(start, end, (), lanes, speed_kmh, profile)
    for start, end, lanes, speed_kmh, profile in (
        ("west gate", "west end", 2, 70.0, BOULEVARD),
        ("west end", "west lanes", 2, 100.0, MOTORWAY),
        ("west lanes", "elm ramps", 3, 100.0, MOTORWAY),
        ("elm ramps", "oak ramps", 2, 100.0, MOTORWAY),
        ("oak ramps", "oak lanes", 3, 100.0, MOTORWAY),
        ("oak lanes", "ash lanes", 2, 100.0, MOTORWAY),
        ("ash lanes", "ash ramps", 3, 100.0, MOTORWAY),
        ("ash ramps", "fir ramps", 2, 100.0, MOTORWAY),
        ("fir ramps", "east lanes", 3, 100.0, MOTORWAY),
        ("east lanes", "east end", 2, 100.0, MOTORWAY),
        ("east end", "east gate", 2, 70.0, BOULEVARD),
    )
)

_SOUTH_NODES = {
    "elm south": Node(-500.0, -170.0, 0.0, "stop"),
    "oak south": Node(-400.0, -170.0, 0.0, "yield"),
    "market": Node(0.0, -170.0, 0.0, "signals"),
    "ash south": Node(400.0, -170.0, 0.0, "stop"),
    "fir south": Node(500.0, -170.0, 0.0, "yield"),
    "theatre": Node(740.0, -170.0, 0.0, "signals"),
}
_SOUTH = (
    Street("west gate", "elm south", (Via(-1080.0, -170.0, 50.0),), 2, 50.0, PARKED_BOULEVARD),
    Street("elm south", "oak south", (), 2, 60.0, BOULEVARD),
    Street("oak south", "market", (), 2, 60.0, CYCLED_BOULEVARD),
    Street("market", "ash south", (), 2, 50.0, CYCLED_BOULEVARD),
    Street("ash south", "fir south", (), 2, 60.0, BOULEVARD),
    Street("fir south", "theatre", (), 2, 60.0, CYCLED_BOULEVARD),
    Street("theatre", "east gate", (Via(1080.0, -170.0, 50.0),), 2, 50.0, CYCLED_BOULEVARD),
    Street("market", "theatre", (Via(0.0, -390.0, 50.0), Via(740.0, -390.0, 50.0)), 1, 50.0, CYCLED),
)

_NORTH_NODES = {
    "elm north": Node(-500.0, 170.0, 3.0, "yield"),
    "oak north": Node(-400.0, 170.0, 3.0, "stop"),
    "ash north": Node(400.0, 170.0, 3.0, "yield"),
    "fir north": Node(500.0, 170.0, 3.0, "stop"),
}
_NORTH = (
    Street("west gate", "elm north", (Via(-1080.0, 170.0, 60.0),), 1, 70.0, RURAL),
    Street("elm north", "oak north", (), 1, 70.0, RURAL),
    Street("oak north", "ash north", (Via(0.0, 230.0, 160.0),), 1, 80.0, RURAL),
    Street("ash north", "fir north", (), 1, 70.0, RURAL),
    Street("fir north", "east gate", (Via(1080.0, 170.0, 60.0),), 1, 70.0, RURAL),
)

_RAMPS = tuple(
    Street(start, end, (Via(x_m, y_m, 55.0),), 1, 60.0, RAMP, one_way=True)
    for start, end, x_m, y_m in (
        ("elm ramps", "elm south", -500.0, -55.0),
        ("elm north", "elm ramps", -500.0, 45.0),
        ("oak ramps", "oak north", -400.0, 55.0),
        ("oak south", "oak ramps", -400.0, -45.0),
        ("ash ramps", "ash south", 400.0, -55.0),
        ("ash north", "ash ramps", 400.0, 45.0),
        ("fir ramps", "fir north", 500.0, 55.0),
        ("fir south", "fir ramps", 500.0, -45.0),
    )
)

LONGMERE = TownPlan(
    "Longmere",
    _MOTORWAY_NODES | _SOUTH_NODES | _NORTH_NODES,
    _MOTORWAY + _SOUTH + _NORTH + _RAMPS,
    latitude_deg=47.4,
    longitude_deg=9.6,
)
