"""What a town is before it has geometry: junctions, the streets between them, and who has to stop where.

Knows nothing of OpenDRIVE. World frame, metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenarios.towns.profiles import TOWN, Profile

ARMS = {  # how many streets may meet at a node of each control
    "signals": (3, 4),
    "stop": (3, 4),
    "yield": (3, 4),
    "free": (3, 4),
    "roundabout": (3, 5),
    "flow": (2, 4),
}


@dataclass(frozen=True)
class Node:
    """A place where streets meet.

    `control`: "signals" has a light on every arm (arms across are green together, protected left turns on their own),
    "stop" has stop signs (on the stem of a T-junction, on every arm of a crossing), "yield" has yield signs on the minor
    arms, "free" has nothing. "roundabout": who comes in yields. "flow": traffic flows on without stopping, past ramps
    that join or leave, to more or fewer lanes, or to another profile.
    """

    x_m: float
    y_m: float
    z_m: float = 0.0
    control: str = "signals"
    radius_m: float = 16.0  # of a roundabout's inner edge


@dataclass(frozen=True)
class Via:
    """A bend of a street: the street turns here with at most this radius (less where there is no room)."""

    x_m: float
    y_m: float
    radius_m: float = 60.0


@dataclass(frozen=True)
class Street:
    """A street from one node to another, straight between its bends; a one-way street is driven from start to end."""

    start: str
    end: str
    via: tuple[Via, ...] = ()
    lanes: int = 1  # each way
    speed_kmh: float = 40.0
    profile: Profile = TOWN
    one_way: bool = False


@dataclass(frozen=True)
class TownPlan:
    """The plan of one town. Checked on construction: an impossible plan never becomes a file."""

    name: str
    nodes: dict[str, Node]
    streets: tuple[Street, ...]
    latitude_deg: float = 49.0
    longitude_deg: float = 8.0

    def __post_init__(self) -> None:
        arms = dict.fromkeys(self.nodes, 0)
        for street in self.streets:
            for end in (street.start, street.end):
                if end not in arms:
                    raise ValueError(
                        f"{self.name}: street {street.start}-{street.end} ends at {end!r}: add that node"
                    )
                arms[end] += 1
        for name, count in arms.items():
            control = self.nodes[name].control
            if control not in ARMS:
                raise ValueError(f"{self.name}: node {name!r} has control {control!r}, not in {tuple(ARMS)}")
            fewest, most = ARMS[control]
            if not fewest <= count <= most:
                raise ValueError(
                    f"{self.name}: node {name!r} has {count} arms, expected {fewest} to {most} for {control!r}: "
                    "make it a Via of one street, or add or remove a street"
                )

    def polyline(self, street: Street) -> list[tuple[float, float]]:
        """A street's points from node to node, its bends not yet rounded."""
        start, end = self.nodes[street.start], self.nodes[street.end]
        return [(start.x_m, start.y_m), *((via.x_m, via.y_m) for via in street.via), (end.x_m, end.y_m)]

    def heading_from(self, street: Street, *, at_start: bool) -> float:
        """Direction in which a street leaves its start (or, seen from there, its end), radians."""
        points = self.polyline(street)
        (x_m, y_m), (next_x_m, next_y_m) = points[:2] if at_start else points[:-3:-1]
        return math.atan2(next_y_m - y_m, next_x_m - x_m)
