"""Westlake, a town that no training sees: a motorway round a corner, a hilly suburb inside it, country roads outside."""

from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.profiles import BOULEVARD, CYCLED, MOTORWAY, NARROW, PARKED, RAMP, RURAL, TOWN

_MOTORWAY_NODES = {
    "north gate": Node(0.0, 900.0, 0.0, "signals"),
    "north end": Node(0.0, 760.0, 1.0, "flow"),
    "north lanes": Node(0.0, 615.0, 2.0, "flow"),
    "north ramps": Node(0.0, 420.0, 3.0, "flow"),
    "east ramps": Node(420.0, 0.0, 3.0, "flow"),
    "east lanes": Node(625.0, 0.0, 2.0, "flow"),
    "east end": Node(775.0, 0.0, 1.0, "flow"),
    "east gate": Node(920.0, 0.0, 0.0, "signals"),
}

_MOTORWAY = (
    Street("north gate", "north end", (), 2, 70.0, BOULEVARD),
    Street("north end", "north lanes", (), 2, 100.0, MOTORWAY),
    Street("north lanes", "north ramps", (), 3, 100.0, MOTORWAY),
    Street("north ramps", "east ramps", (Via(0.0, 0.0, 320.0),), 2, 100.0, MOTORWAY),
    Street("east ramps", "east lanes", (), 3, 100.0, MOTORWAY),
    Street("east lanes", "east end", (), 2, 100.0, MOTORWAY),
    Street("east end", "east gate", (), 2, 70.0, BOULEVARD),
)

_SUBURB_NODES = {
    "pier": Node(275.0, 245.0, 1.0, "signals"),
    "chapel": Node(262.0, 450.0, 4.0, "stop"),
    "orchard": Node(505.0, 432.0, 7.0, "roundabout", 16.0),
    "boathouse": Node(530.0, 215.0, 3.0, "stop"),
    "hill": Node(765.0, 330.0, 9.0, "stop"),
    "school": Node(480.0, 660.0, 5.0, "signals"),
    "library": Node(232.0, 690.0, 3.0, "yield"),
}

_SUBURB = (
    Street("pier", "chapel", (Via(282.0, 350.0, 120.0),), 1, 40.0, PARKED),
    Street("pier", "boathouse", (Via(400.0, 205.0, 120.0),), 1, 50.0, CYCLED),
    Street("boathouse", "orchard", (Via(540.0, 330.0, 120.0),), 1, 30.0, PARKED),
    Street("chapel", "orchard", (Via(385.0, 470.0, 120.0),), 1, 30.0, PARKED),
    Street("chapel", "library", (Via(225.0, 570.0, 120.0),), 1, 40.0, TOWN),
    Street("orchard", "school", (Via(515.0, 550.0, 120.0),), 1, 40.0, PARKED),
    Street("orchard", "hill", (Via(640.0, 410.0, 120.0),), 1, 40.0, NARROW),
    Street("library", "school", (Via(355.0, 720.0, 120.0),), 1, 50.0, CYCLED),
    Street("library", "north gate", (Via(190.0, 900.0, 50.0),), 1, 50.0, CYCLED),
    Street("school", "hill", (Via(640.0, 690.0, 70.0), Via(790.0, 560.0, 90.0)), 1, 60.0, RURAL),
    Street("boathouse", "hill", (Via(660.0, 175.0, 70.0),), 1, 50.0, TOWN),
    Street("hill", "east gate", (Via(900.0, 300.0, 60.0),), 1, 50.0, TOWN),
)

_COUNTRY_NODES = {
    "mill": Node(-170.0, 150.0, 0.0, "stop"),
    "lock": Node(40.0, -215.0, 0.0, "free"),
}

_COUNTRY = (
    Street(
        "north gate",
        "mill",
        (Via(-200.0, 890.0, 80.0), Via(-290.0, 640.0, 160.0), Via(-190.0, 360.0, 160.0)),
        1,
        80.0,
        RURAL,
    ),
    Street("mill", "lock", (Via(-120.0, -70.0, 120.0),), 1, 70.0, RURAL),
    Street(
        "lock",
        "east gate",
        (Via(170.0, -310.0, 120.0), Via(560.0, -225.0, 160.0), Via(920.0, -240.0, 80.0)),
        1,
        80.0,
        RURAL,
    ),
)

_RAMPS = tuple(
    Street(start, end, via, 1, 60.0, RAMP, one_way=True)
    for start, end, via in (
        ("north ramps", "mill", (Via(-70.0, 235.0, 70.0),)),
        ("lock", "east ramps", (Via(225.0, -75.0, 70.0),)),
        ("east ramps", "pier", (Via(290.0, 45.0, 60.0),)),
        ("pier", "north ramps", (Via(45.0, 245.0, 60.0),)),
    )
)

WESTLAKE = TownPlan(
    "Westlake",
    _MOTORWAY_NODES | _SUBURB_NODES | _COUNTRY_NODES,
    _MOTORWAY + _SUBURB + _COUNTRY + _RAMPS,
    latitude_deg=46.8,
    longitude_deg=7.4,
)
