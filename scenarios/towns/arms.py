"""The ends of streets at a junction: where they begin, and which lanes arrive and leave there.

Knows plan and profiles; how the arms are joined is the business of crossings, flows and roundabouts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from scenarios.towns.curves import Pose, moved, wrap
from scenarios.towns.plan import Street, TownPlan
from scenarios.towns.profiles import LaneShape, Profile


@dataclass(frozen=True)
class LanePlace:
    """A lane at the border of a junction."""

    id: int  # OpenDRIVE lane id
    kind: str
    inner_m: float  # from the reference line to its inner edge
    width_m: float


@dataclass(frozen=True)
class Arm:
    """One street's end at a junction, seen from the junction."""

    road_id: int
    at_start: bool  # the junction lies at the street's s = 0
    mouth: Pose  # reference line at the junction's border, heading away from the junction
    junction: int  # its id
    profile: Profile
    lanes: int  # driving lanes each way, a left-turn pocket not counted
    speed_kmh: float
    arrives: bool  # traffic may come in here
    leaves: bool
    has_pocket: bool = False  # a left-turn lane with a light of its own
    flares: bool = True  # nobody parks here, the median is level
    is_shifted: bool = False  # lies beside the line from node to node: the street must lead to it

    @property
    def incoming(self) -> list[LanePlace]:
        """Driving lanes that arrive at the junction, inner to outer."""
        return [place for place in self.side(incoming=True) if place.kind == "driving" and self.arrives]

    @property
    def outgoing(self) -> list[LanePlace]:
        """Driving lanes that leave it, inner to outer."""
        return [place for place in self.side(incoming=False) if place.kind == "driving" and self.leaves]

    def side(self, *, incoming: bool) -> list[LanePlace]:
        """All lanes of one direction at the border, from the middle outwards."""
        shapes = self.profile.shapes(self.lanes, pocket=self.has_pocket and incoming, at_crossing=self.flares)
        return list(_places(shapes, 1 if self.at_start == incoming else -1))

    def entry(self, inner_m: float) -> Pose:
        """Pose of an arriving lane's left edge, in driving direction."""
        x_m, y_m, heading = self.mouth
        return moved((x_m, y_m, wrap(heading + math.pi)), 0.0, -inner_m)

    def exit(self, inner_m: float) -> Pose:
        return moved(self.mouth, 0.0, -inner_m)


def _places(shapes: list[LaneShape], sign: int) -> Iterator[LanePlace]:
    inner_m = 0.0
    for number, (kind, width_m) in enumerate(shapes, start=1):
        yield LanePlace(sign * number, kind, inner_m, width_m)
        inner_m += width_m


def arms_of(plan: TownPlan, name: str) -> list[tuple[float, int, Arm]]:
    """(heading away, index of the street, arm with its mouth at the node) of a node's arms, counter-clockwise."""
    node = plan.nodes[name]
    found = [
        (plan.heading_from(street, at_start=at_start), k, at_start)
        for k, street in enumerate(plan.streets)
        for at_start, end in ((True, street.start), (False, street.end))
        if end == name
    ]
    return [
        (heading, k, _arm(plan.streets[k], k, (node.x_m, node.y_m, heading), at_start=at_start))
        for heading, k, at_start in sorted(found)
    ]


def _arm(street: Street, index: int, mouth: Pose, *, at_start: bool) -> Arm:
    return Arm(
        road_id=index + 1,
        at_start=at_start,
        mouth=mouth,
        junction=-1,
        profile=street.profile,
        lanes=street.lanes,
        speed_kmh=street.speed_kmh,
        arrives=not street.one_way or not at_start,
        leaves=not street.one_way or at_start,
    )


def smallest_gap(plan: TownPlan, name: str) -> float:
    """Smallest angle between neighbouring arms of a node."""
    headings = [heading for heading, *_ in arms_of(plan, name)]
    return min((b - a) % (2 * math.pi) for a, b in pairwise([*headings, headings[0]]))


def check_gap(plan: TownPlan, name: str, least_rad: float) -> None:
    """Raises ValueError where two arms meet more sharply than `least_rad`."""
    if smallest_gap(plan, name) < least_rad:
        raise ValueError(
            f"{plan.name}: two streets at node {name!r} meet at less than {math.degrees(least_rad):.0f} degrees: "
            "move a node or via"
        )


def pulled_out(arm: Arm, radius_m: float) -> Arm:
    """The arm, beginning so far from the node."""
    return replace(arm, mouth=moved(arm.mouth, radius_m))


def turn(come: Arm, leave: Arm) -> float:
    """Heading change of driving in by one arm and out by another: positive left."""
    return wrap(leave.mouth[2] - come.mouth[2] - math.pi)
