"""Brookfield, the town of the default routes: a level town with an avenue, a river road and a loop round a pond."""

from scenarios.towns.plan import Node, Street, TownPlan, Via

_NODES = {
    "mill": Node(0.0, 0.0, control="stop"),
    "bakery": Node(148.0, -8.0, control="signals"),
    "library": Node(292.0, 0.0, control="stop"),
    "station": Node(-6.0, 138.0, control="signals"),
    "market": Node(144.0, 134.0, control="signals"),
    "theatre": Node(298.0, 138.0, control="signals"),
    "hospital": Node(440.0, 134.0, control="signals"),
    "school": Node(4.0, 274.0, control="yield"),
    "park": Node(146.0, 268.0, control="stop"),
    "brewery": Node(292.0, 274.0, control="signals"),
}

_AVENUE = (
    Street("station", "market", lanes=2, speed_kmh=50.0),
    Street("market", "theatre", (Via(221.0, 144.0, 200.0),), lanes=2, speed_kmh=50.0),
    Street("theatre", "hospital", lanes=2, speed_kmh=50.0),
)

_SOUTH = (
    Street("mill", "bakery", (Via(74.0, -14.0, 90.0),)),
    Street("bakery", "library"),
    Street("library", "hospital", (Via(440.0, -6.0, 32.0),)),
    Street("bakery", "library", (Via(146.0, -104.0, 26.0), Via(294.0, -100.0, 26.0))),  # round the pond
)

_NORTH = (
    Street("school", "park"),
    Street("park", "brewery", (Via(219.0, 282.0, 90.0),)),
    Street("brewery", "hospital", (Via(438.0, 276.0, 24.0),)),
    Street("school", "brewery", (Via(8.0, 364.0, 30.0), Via(150.0, 352.0, 150.0), Via(290.0, 366.0, 30.0))),
)

_ACROSS = (
    Street("mill", "station"),
    Street("station", "school"),
    Street("bakery", "market", (Via(156.0, 63.0, 110.0),)),
    Street("market", "park"),
    Street("library", "theatre", (Via(285.0, 50.0, 110.0), Via(305.0, 88.0, 110.0))),
    Street("theatre", "brewery"),
)

_RIVER_ROAD = (
    Street(
        "mill",
        "school",
        (Via(-70.0, 4.0, 40.0), Via(-128.0, 70.0, 60.0), Via(-112.0, 196.0, 80.0), Via(-70.0, 272.0, 40.0)),
    ),
)

BROOKFIELD = TownPlan("Brookfield", _NODES, _AVENUE + _SOUTH + _NORTH + _ACROSS + _RIVER_ROAD)
