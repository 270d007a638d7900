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
    PARKED,
    PARKED_BOULEVARD,
    RAMP,
    RURAL,
)

_MOTORWAY_NODES = {
    "west gate": Node(-1250.0, 0.0, 0.0, "signals"),
    "west end": Node(-1110.0, 0.0, 0.0, "flow"),
    "west lanes": Node(-960.0, 0.0, 1.0, "flow"),
    "elm ramps": Node(-760.0, 0.0, 2.0, "flow"),
    "oak ramps": Node(-360.0, 0.0, 3.0, "flow"),
    "oak lanes": Node(-160.0, 0.0, 3.0, "flow"),
    "ash lanes": Node(160.0, 0.0, 3.0, "flow"),
    "ash ramps": Node(360.0, 0.0, 3.0, "flow"),
    "fir ramps": Node(760.0, 0.0, 2.0, "flow"),
    "east lanes": Node(960.0, 0.0, 1.0, "flow"),
    "east end": Node(1110.0, 0.0, 0.0, "flow"),
    "east gate": Node(1250.0, 0.0, 0.0, "signals"),
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
    "fountain": Node(-900.0, -230.0, 0.0, "signals"),
    "elm south": Node(-610.0, -230.0, 0.0, "stop"),
    "oak south": Node(-510.0, -230.0, 0.0, "yield"),
    "market": Node(0.0, -230.0, 0.0, "signals"),
    "ash south": Node(510.0, -230.0, 0.0, "stop"),
    "fir south": Node(610.0, -230.0, 0.0, "yield"),
    "theatre": Node(900.0, -230.0, 0.0, "signals"),
    "bakery": Node(-450.0, -480.0, -1.0, "signals"),
    "town hall": Node(0.0, -480.0, -1.0, "signals"),
    "museum": Node(450.0, -480.0, -1.0, "stop"),
    "station": Node(0.0, -720.0, -2.0, "yield"),
}
_SOUTH = (
    Street("west gate", "fountain", (Via(-1250.0, -230.0, 60.0),), 2, 50.0, PARKED_BOULEVARD),
    Street("fountain", "elm south", (), 2, 60.0, BOULEVARD),
    Street("elm south", "oak south", (), 2, 60.0, BOULEVARD),
    Street("oak south", "market", (), 2, 60.0, CYCLED_BOULEVARD),
    Street("market", "ash south", (), 2, 50.0, PARKED_BOULEVARD),
    Street("ash south", "fir south", (), 2, 60.0, BOULEVARD),
    Street("fir south", "theatre", (), 2, 60.0, BOULEVARD),
    Street("theatre", "east gate", (Via(1250.0, -230.0, 60.0),), 2, 50.0, CYCLED_BOULEVARD),
    Street("fountain", "bakery", (Via(-900.0, -480.0, 60.0),), 1, 50.0, CYCLED),
    Street("bakery", "town hall", (), 1, 50.0, CYCLED),
    Street("town hall", "museum", (), 1, 50.0, CYCLED),
    Street("museum", "theatre", (Via(900.0, -480.0, 60.0),), 1, 40.0, PARKED),
    Street("market", "town hall", (), 1, 50.0, CYCLED),
    Street("town hall", "station", (), 1, 50.0, CYCLED),
    Street("bakery", "station", (Via(-450.0, -720.0, 60.0),), 1, 40.0, PARKED),
    Street("station", "museum", (Via(450.0, -720.0, 60.0),), 1, 40.0, PARKED),
)

_NORTH_NODES = {
    "barn": Node(-900.0, 230.0, 2.0, "stop"),
    "elm north": Node(-610.0, 230.0, 3.0, "yield"),
    "oak north": Node(-510.0, 230.0, 3.0, "stop"),
    "windmill": Node(0.0, 250.0, 6.0, "stop"),
    "ash north": Node(510.0, 230.0, 3.0, "yield"),
    "fir north": Node(610.0, 230.0, 3.0, "stop"),
    "dairy": Node(900.0, 230.0, 2.0, "free"),
    "hilltop": Node(0.0, 560.0, 14.0, "yield"),
}
_NORTH = (
    Street("west gate", "barn", (Via(-1250.0, 230.0, 80.0),), 1, 70.0, RURAL),
    Street("barn", "elm north", (), 1, 70.0, RURAL),
    Street("elm north", "oak north", (), 1, 70.0, RURAL),
    Street("oak north", "windmill", (), 1, 80.0, RURAL),
    Street("windmill", "ash north", (), 1, 80.0, RURAL),
    Street("ash north", "fir north", (), 1, 70.0, RURAL),
    Street("fir north", "dairy", (), 1, 70.0, RURAL),
    Street("dairy", "east gate", (Via(1250.0, 230.0, 80.0),), 1, 70.0, RURAL),
    Street("windmill", "hilltop", (), 1, 70.0, RURAL),
    Street("barn", "hilltop", (Via(-900.0, 560.0, 120.0),), 1, 80.0, RURAL),
    Street("hilltop", "dairy", (Via(900.0, 560.0, 120.0),), 1, 80.0, RURAL),
)

_RAMPS = tuple(
    Street(start, end, (Via(x_m, y_m, 55.0),), 1, 60.0, RAMP, one_way=True)
    for start, end, x_m, y_m in (
        ("elm ramps", "elm south", -610.0, -60.0),
        ("elm north", "elm ramps", -610.0, 50.0),
        ("oak ramps", "oak north", -510.0, 60.0),
        ("oak south", "oak ramps", -510.0, -50.0),
        ("ash ramps", "ash south", 510.0, -60.0),
        ("ash north", "ash ramps", 510.0, 50.0),
        ("fir ramps", "fir north", 610.0, 60.0),
        ("fir south", "fir ramps", 610.0, -50.0),
    )
)

LONGMERE = TownPlan(
    "Longmere",
    _MOTORWAY_NODES | _SOUTH_NODES | _NORTH_NODES,
    _MOTORWAY + _SOUTH + _NORTH + _RAMPS,
    latitude_deg=47.4,
    longitude_deg=9.6,
)
