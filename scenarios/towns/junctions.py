"""What happens where streets meet: how far out the arms begin, who may turn from where, who stops, who is green together.

Knows the plan's nodes and the arms' poses, nothing of the streets between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from scenarios.towns.curves import connect, moved, wrap
from scenarios.towns.plan import Node, TownPlan
from scenarios.towns.roads import (
    CROSSWALK_DEPTH_M,
    LANE_M,
    LIGHT,
    SHOULDER_M,
    STOP,
    YIELD,
    Arm,
    Crosswalk,
    Link,
    Road,
    Signal,
)

CROSSWALK_GAP_M = 1.3  # from the junction to the crosswalk
STOP_GAP_M = 1.0  # from the crosswalk back to the stop line
STRAIGHT_RAD = math.radians(40)  # heading changes below this count as going straight on
MIN_ARM_ANGLE_RAD = math.radians(45)
RIGHT_TURN_RADIUS_M = 8.5  # of the lane centre: leaves room for shoulder and pavement around the corner
MAX_JUNCTION_RADIUS_M = 30.0
_SIGN_OF_CONTROL = {"signals": LIGHT, "stop": STOP, "yield": YIELD}


def place_arms(plan: TownPlan, name: str) -> list[Arm]:
    """The node's arms, counter-clockwise, as far out as its tightest right turn needs."""
    node = plan.nodes[name]
    ends = sorted(
        (plan.heading_from(street, at_start=at_start), k, at_start, street.lanes)
        for k, street in enumerate(plan.streets)
        for at_start, end in ((True, street.start), (False, street.end))
        if end == name
    )
    for (heading, *_), (following, *_) in pairwise([*ends, ends[0]]):
        if (following - heading) % (2 * math.pi) < MIN_ARM_ANGLE_RAD:
            raise ValueError(
                f"{plan.name}: two streets at node {name!r} meet at less than 45 degrees: move a node or via"
            )
    radius_m = 12.0
    while radius_m <= MAX_JUNCTION_RADIUS_M:
        center = (node.x_m, node.y_m)
        arms = [
            Arm(k, start, moved((*center, heading), radius_m), lanes) for heading, k, start, lanes in ends
        ]
        if _tightest_right_turn(arms) >= RIGHT_TURN_RADIUS_M:
            return arms
        radius_m += 0.5
    raise ValueError(
        f"{plan.name}: node {name!r} has a corner too sharp for a right turn: move a node or via"
    )


def _tightest_right_turn(arms: list[Arm]) -> float:
    """Smallest lane-centre radius of the turns from each arm to its right-hand neighbour."""
    return min(
        connect(come.entry(come.lanes - 1), leave.exit(leave.lanes - 1)).smallest_radius_m(-LANE_M / 2)
        for come, leave in pairwise([*arms, arms[0]])
    )


def _turn(come: Arm, leave: Arm) -> float:
    """Heading change of driving in by one arm and out by another: positive left."""
    return wrap(leave.mouth[2] - come.mouth[2] - math.pi)


def _opposite(arm: Arm, arms: list[Arm]) -> Arm | None:
    """The arm straight across, if there is one."""
    others = [other for other in arms if other is not arm]
    across = min(others, key=lambda other: abs(_turn(arm, other)))
    return across if abs(_turn(arm, across)) < STRAIGHT_RAD else None


def _controlled_arms(node: Node, arms: list[Arm]) -> list[Arm]:
    if node.control == "free":
        return []
    stems = [arm for arm in arms if _opposite(arm, arms) is None]
    if node.control == "signals" or (node.control == "stop" and not stems):
        return arms
    return stems or _phases(arms)[1]


def _phases(arms: list[Arm]) -> list[list[Arm]]:
    """Arms that move together: each with the one across."""
    phases: list[list[Arm]] = []
    for arm in arms:
        if not any(arm in phase for phase in phases):
            across = _opposite(arm, arms)
            phases.append([arm, across] if across else [arm])
    return phases


def furnish(
    node: Node, arms: list[Arm], streets: list[Road], ids: Iterator[int]
) -> tuple[tuple[int, ...], ...]:
    """Put crosswalk, stop line and light or sign on the controlled arms, in place in `streets`.

    Returns the phases of the lights: signal ids that are green together.
    """
    signal_of: dict[int, int] = {}
    for arm in _controlled_arms(node, arms):
        road = streets[arm.street]
        crosswalk_m = CROSSWALK_GAP_M + CROSSWALK_DEPTH_M / 2
        stop_m = CROSSWALK_GAP_M + CROSSWALK_DEPTH_M + STOP_GAP_M
        half_road_m = arm.lanes * LANE_M + SHOULDER_M
        signal = Signal(
            id=next(ids),
            type=_SIGN_OF_CONTROL[node.control],
            s_m=stop_m if arm.at_start else road.line.length_m - stop_m,
            t_m=half_road_m + 0.6 if arm.at_start else -half_road_m - 0.6,
            lanes=tuple(arm.lanes_in),
        )
        crosswalk = Crosswalk(
            id=signal.id + 50_000,
            s_m=crosswalk_m if arm.at_start else road.line.length_m - crosswalk_m,
            span_m=2 * half_road_m + 1.0,
        )
        signal_of[arms.index(arm)] = signal.id
        streets[arm.street] = replace(
            road, signals=(*road.signals, signal), crosswalks=(*road.crosswalks, crosswalk)
        )
    if node.control != "signals":
        return ()
    return tuple(tuple(signal_of[arms.index(arm)] for arm in phase) for phase in _phases(arms))


def _lane_pairs(come: Arm, leave: Arm, arms: list[Arm]) -> list[tuple[int, int]]:
    """Which arriving lane leads to which leaving lane, as numbers from the inside (0) outwards.

    Left turns from the inner lane, right turns from the outer, straight on from all; an outer lane that has no
    partner across leads only to the right, or merges where there is no right turn.
    """
    turn = _turn(come, leave)
    if turn >= STRAIGHT_RAD:
        return [(0, 0)]
    if turn <= -STRAIGHT_RAD:
        return [(come.lanes - 1, leave.lanes - 1)]
    turns_right = any(_turn(come, other) <= -STRAIGHT_RAD for other in arms if other is not come)
    pairs = [(k, k) for k in range(min(come.lanes, leave.lanes))]
    pairs += [(come.lanes - 1, k) for k in range(come.lanes, leave.lanes)]
    if not turns_right:
        pairs += [(k, leave.lanes - 1) for k in range(leave.lanes, come.lanes)]
    return pairs


def junction_links(
    node: Node, arms: list[Arm], junction: int, streets: list[Road], ids: Iterator[int]
) -> tuple[Link, ...]:
    """The connections across; the outermost to the right of every arm carries the pavement round the corner."""
    links = []
    for come in arms:
        rightmost = min((arm for arm in arms if arm is not come), key=lambda arm: _turn(come, arm))
        for leave in (arm for arm in arms if arm is not come):
            for lane_in, lane_out in _lane_pairs(come, leave, arms):
                is_corner = leave is rightmost and lane_in == come.lanes - 1 and lane_out == leave.lanes - 1
                road = Road(
                    id=next(ids),
                    line=connect(come.entry(lane_in), leave.exit(lane_out)),
                    lanes=1,
                    speed_kmh=min(streets[come.street].speed_kmh, streets[leave.street].speed_kmh),
                    z_start_m=node.z_m,
                    z_end_m=node.z_m,
                    junction_start=junction,
                    junction_end=junction,
                    sidewalk=is_corner,
                )
                links.append(Link(road, come, leave, come.lanes_in[lane_in], leave.lanes_out[lane_out]))
    return tuple(links)
