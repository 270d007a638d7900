"""Roundabouts of one lane: a ring driven counter-clockwise, with a small junction where each street meets it.

Between these junctions the ring is a road like any other. Who comes in yields.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from scenarios.towns.arms import Arm, arms_of, check_gap, pulled_out, smallest_gap
from scenarios.towns.crossings import post
from scenarios.towns.curves import Curve, Piece, Pose, wrap
from scenarios.towns.links import KERB, Strip, Way, connection
from scenarios.towns.plan import Node, TownPlan
from scenarios.towns.profiles import RING
from scenarios.towns.roads import (
    SOLID,
    SOLID_YELLOW,
    Junction,
    Road,
    RoadEnd,
    RoadLane,
    Section,
    constant,
)

MIN_ARM_ANGLE_RAD = math.radians(58)
HALF_MOUTH_RAD = math.radians(
    30
)  # a junction takes this much of the ring to each side of its street, at most
RING_ROAD_RAD = math.radians(14)  # of the ring are left between two junctions, at least
RING_KMH = 30.0
ENTRY_ROOM_M = 2.0  # of street before its bend into the ring
ISLAND_M = 3.0  # planted border of the island


def place_arms(plan: TownPlan, name: str, junction_ids: Iterator[int]) -> list[Arm]:
    """The arms, counter-clockwise, so far out that their bends into the ring end there."""
    check_gap(plan, name, MIN_ARM_ANGLE_RAD)
    half = _half_mouth(smallest_gap(plan, name))
    distance_m = plan.nodes[name].radius_m * (1 / math.cos(half) + math.tan(half)) + ENTRY_ROOM_M
    arms = []
    for *_, arm in arms_of(plan, name):
        if arm.lanes != 1 or arm.profile.median_m:
            raise ValueError(
                f"{plan.name}: street {arm.road_id} at the roundabout {name!r} has {arm.lanes} lanes or a median, "
                "expected one lane and no median: let a flow node narrow it before"
            )
        arms.append(replace(pulled_out(arm, distance_m), junction=next(junction_ids)))
    return arms


def _half_mouth(gap: float) -> float:
    return min(HALF_MOUTH_RAD, (gap - RING_ROAD_RAD) / 2)


def _on_ring(node: Node, angle: float) -> Pose:
    """The ring's inner edge at an angle, in driving direction."""
    return (
        node.x_m + node.radius_m * math.cos(angle),
        node.y_m + node.radius_m * math.sin(angle),
        wrap(angle + math.pi / 2),
    )


def lay(
    name: str,
    node: Node,
    arms: list[Arm],
    streets: dict[int, Road],
    road_ids: Iterator[int],
    ids: Iterator[int],
) -> list[Junction]:
    """A junction for each arm; the ring's roads, and signs and crosswalks of the arms, are put into `streets`."""
    headings = [arm.mouth[2] for arm in arms]
    half = _half_mouth(min((b - a) % (2 * math.pi) for a, b in pairwise([*headings, headings[0]])))
    begins, ends = [], []  # of the ring road that starts at each arm, seen from its two junctions
    for arm, following in pairwise([*arms, arms[0]]):
        road_id = next(road_ids)
        streets[road_id] = _ring_road(node, arm, following, half, road_id)
        start, end = _on_ring(node, arm.mouth[2] + half), _on_ring(node, following.mouth[2] - half)
        begins.append(_ring_arm(road_id, start, arm.junction, at_start=True))
        ends.append(
            _ring_arm(road_id, (end[0], end[1], wrap(end[2] + math.pi)), following.junction, at_start=False)
        )
    junctions = []
    for number, arm in enumerate(arms):
        come, leave = ends[number - 1], begins[number]
        if arm.arrives:
            streets[arm.road_id] = post(node.control, arm, streets[arm.road_id], ids)
        links = tuple(connection(way, next(road_ids), node.z_m, RING_KMH) for way in _ways(come, leave, arm))
        junctions.append(Junction(arm.junction, f"{name} {number + 1}", links))
    return junctions


def _ring_arm(road_id: int, mouth: Pose, junction: int, *, at_start: bool) -> Arm:
    """An end of a ring road as an arm of a junction; `mouth` heads away from the junction."""
    return Arm(road_id, at_start, mouth, junction, RING, 1, RING_KMH, arrives=not at_start, leaves=at_start)


def _ways(come: Arm, leave: Arm, arm: Arm) -> list[Way]:
    """Round, out and in."""
    island = Strip("median", 1, 1, ISLAND_M, ISLAND_M)
    ways = [Way(come, leave, come.incoming[0], leave.outgoing[0], left=(island,), left_mark=SOLID_YELLOW)]
    if arm.leaves:
        ways.append(Way(come, arm, come.incoming[0], arm.outgoing[0], KERB))
    if arm.arrives:
        ways.append(Way(arm, leave, arm.incoming[0], leave.outgoing[0], KERB))
    return ways


def _ring_road(node: Node, arm: Arm, following: Arm, half: float, road_id: int) -> Road:
    start = arm.mouth[2] + half
    angle = (following.mouth[2] - half - start) % (2 * math.pi)
    piece = Piece(*_on_ring(node, start), angle * node.radius_m, 1 / node.radius_m)
    shapes = RING.shapes(1)
    lanes = [RoadLane(1, "median", constant(ISLAND_M))]
    lanes += [
        RoadLane(-k, kind, constant(width_m), SOLID if kind == "driving" else RoadLane.mark)
        for k, (kind, width_m) in enumerate(shapes, start=1)
    ]
    return Road(
        id=road_id,
        line=Curve((piece,)),
        sections=(Section(0.0, SOLID_YELLOW, tuple(lanes)),),
        speed_kmh=RING_KMH,
        z_start_m=node.z_m,
        z_end_m=node.z_m,
        start=RoadEnd(arm.junction),
        end=RoadEnd(following.junction),
    )
