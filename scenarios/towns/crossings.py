"""Where streets cross: how far out the arms begin, who may turn from where, who stops, who is green together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from scenarios.towns.arms import Arm, arms_of, check_gap, pulled_out, turn
from scenarios.towns.links import ACROSS, KERB, Way, connection
from scenarios.towns.plan import Node, TownPlan
from scenarios.towns.roads import CROSSWALK_DEPTH_M, LIGHT, STOP, YIELD, Crosswalk, Junction, Road, Signal

CROSSWALK_GAP_M = 1.3  # from the junction to the crosswalk
STOP_GAP_M = 1.0  # from the crosswalk back to the stop line
STRAIGHT_RAD = math.radians(40)  # heading changes below this count as going straight on
MIN_ARM_ANGLE_RAD = math.radians(45)
RIGHT_TURN_RADIUS_M = 8.5  # of the lane centre: leaves room for shoulder and pavement around the corner
KERB_RADIUS_M = 1.5  # at least, of the outer edge of the pavement round the corner
MAX_JUNCTION_RADIUS_M = 40.0
_SIGN_OF_CONTROL = {"signals": LIGHT, "stop": STOP, "yield": YIELD, "roundabout": YIELD}


def place_arms(plan: TownPlan, name: str, junction_ids: Iterator[int]) -> list[Arm]:
    """The node's arms, counter-clockwise, as far out as its tightest right turn needs."""
    check_gap(plan, name, MIN_ARM_ANGLE_RAD)
    junction = next(junction_ids)
    bare = [replace(arm, junction=junction) for *_, arm in arms_of(plan, name)]
    bare = [replace(arm, has_pocket=_is_protected(plan.nodes[name], arm, bare)) for arm in bare]
    radius_m = 12.0
    while radius_m <= MAX_JUNCTION_RADIUS_M:
        arms = [pulled_out(arm, radius_m) for arm in bare]
        if all(_is_wide_enough(come, leave) for come, leave in pairwise([*arms, arms[0]])):
            return arms
        radius_m += 0.5
    raise ValueError(
        f"{plan.name}: node {name!r} has a corner too sharp for a right turn: move a node or via"
    )


def _is_wide_enough(come: Arm, leave: Arm) -> bool:
    """Whether the turn from an arm to its right-hand neighbour leaves room for a car and for the pavement."""
    lane_in, lane_out = come.side(incoming=True), leave.side(incoming=False)
    last_in, last_out = (
        max((place for place in side if place.kind == "driving"), key=lambda place: place.inner_m)
        for side in (lane_in, lane_out)
    )
    line = Way(come, leave, last_in, last_out).line
    half_lane_m = max(last_in.width_m, last_out.width_m) / 2
    beyond_m = max(
        side[-1].inner_m + side[-1].width_m - last.inner_m
        for side, last in ((lane_in, last_in), (lane_out, last_out))
    )
    return (
        line.smallest_radius_m(-half_lane_m) >= RIGHT_TURN_RADIUS_M
        and line.smallest_radius_m(-beyond_m) >= KERB_RADIUS_M
    )


def _is_protected(node: Node, arm: Arm, arms: list[Arm]) -> bool:
    """Whether left turns get a lane and a light of their own: where the median is wide and traffic comes across."""
    has_room = node.control == "signals" and arm.arrives and arm.profile.median_m > 0
    turns_left = any(turn(arm, other) >= STRAIGHT_RAD for other in arms if other is not arm and other.leaves)
    across = _opposite(arm, arms)
    return has_room and turns_left and across is not None and across.leaves


def _opposite(arm: Arm, arms: list[Arm]) -> Arm | None:
    """The arm straight across, if there is one."""
    others = [other for other in arms if other is not arm]
    across = min(others, key=lambda other: abs(turn(arm, other)))
    return across if abs(turn(arm, across)) < STRAIGHT_RAD else None


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


def post(control: str, arm: Arm, road: Road, ids: Iterator[int]) -> Road:
    """The arm's road with crosswalk, stop line and light or sign; left turns with a pocket get a light of their own."""
    crosswalk_m = CROSSWALK_GAP_M + CROSSWALK_DEPTH_M / 2
    stop_m = CROSSWALK_GAP_M + CROSSWALK_DEPTH_M + STOP_GAP_M
    half_road_m = arm.profile.paved_m(arm.lanes)
    outward = 1 if arm.at_start else -1
    lane_ids = [place.id for place in arm.incoming]
    pocket, through = ([lane_ids[0]], lane_ids[1:]) if arm.has_pocket else ([], lane_ids)
    signals = tuple(
        Signal(
            id=next(ids),
            type=_SIGN_OF_CONTROL[control],
            s_m=stop_m if arm.at_start else road.line.length_m - stop_m,
            t_m=outward * t_m,
            lanes=tuple(lanes),
        )
        for lanes, t_m in ((through, half_road_m + 0.6), (pocket, half_road_m + 1.4))
        if lanes
    )
    crosswalk = Crosswalk(
        id=signals[0].id + 50_000,
        s_m=crosswalk_m if arm.at_start else road.line.length_m - crosswalk_m,
        span_m=2 * half_road_m + 1.0,
    )
    return replace(road, signals=(*road.signals, *signals), crosswalks=(*road.crosswalks, crosswalk))


def lay(
    name: str,
    node: Node,
    arms: list[Arm],
    streets: dict[int, Road],
    road_ids: Iterator[int],
    ids: Iterator[int],
) -> list[Junction]:
    """The crossing; its lights, signs and crosswalks are put into `streets`, in place."""
    signals_of: dict[int, list[int]] = {}
    for arm in _controlled_arms(node, arms):
        if arm.arrives:
            before = len(streets[arm.road_id].signals)
            streets[arm.road_id] = post(node.control, arm, streets[arm.road_id], ids)
            signals_of[arms.index(arm)] = [s.id for s in streets[arm.road_id].signals[before:]]
    links = tuple(
        connection(way, next(road_ids), node.z_m, min(way.come.speed_kmh, way.leave.speed_kmh))
        for way in _ways(name, arms)
    )
    return [Junction(arms[0].junction, name, links, _light_phases(node, arms, signals_of))]


def _light_phases(
    node: Node, arms: list[Arm], signals_of: dict[int, list[int]]
) -> tuple[tuple[int, ...], ...]:
    """Through traffic of two arms across, then their protected left turns, then the next two arms."""
    if node.control != "signals":
        return ()
    phases = []
    for group in _phases(arms):
        found = [signals_of.get(arms.index(arm), []) for arm in group]
        phases += [tuple(signals[0] for signals in found if signals)]
        phases += [tuple(signals[1] for signals in found if len(signals) > 1)]
    return tuple(phase for phase in phases if phase)


def _lane_pairs(come: Arm, leave: Arm, arms: list[Arm]) -> list[tuple[int, int]]:
    """Which arriving lane leads to which leaving lane, as numbers from the inside (0) outwards.

    Left turns from the inner lane (the pocket where there is one), right turns from the outer, straight on from all but
    the pocket; an outer lane that has no partner across leads only to the right, or merges where there is no right turn.
    """
    arriving, leaving = len(come.incoming), len(leave.outgoing)
    change = turn(come, leave)
    if change >= STRAIGHT_RAD:
        return [(0, 0)]
    if change <= -STRAIGHT_RAD:
        return [(arriving - 1, leaving - 1)]
    turns_right = any(
        turn(come, other) <= -STRAIGHT_RAD for other in arms if other is not come and other.leaves
    )
    first = int(come.has_pocket)
    through = arriving - first
    pairs = [(first + k, k) for k in range(min(through, leaving))]
    pairs += [(arriving - 1, k) for k in range(through, leaving)]
    if not turns_right:
        pairs += [(first + k, leaving - 1) for k in range(leaving, through)]
    return pairs


def _ways(name: str, arms: list[Arm]) -> list[Way]:
    """All ways across; the outermost to the right of every arm carries the pavement round the corner."""
    ways = []
    for come in arms:
        others = [arm for arm in arms if arm is not come]
        rightmost = min(others, key=lambda arm: turn(come, arm))
        for leave in (arm for arm in others if come.arrives and arm.leaves):
            lanes_in, lanes_out = come.incoming, leave.outgoing
            for lane_in, lane_out in _lane_pairs(come, leave, arms):
                right = ""
                if (lane_in, lane_out) == (len(lanes_in) - 1, len(lanes_out) - 1):
                    right = KERB if leave is rightmost else ACROSS if leave is _opposite(come, arms) else ""
                ways.append(Way(come, leave, lanes_in[lane_in], lanes_out[lane_out], right))
    _check_nobody_is_stuck(name, arms, ways)
    return ways


def _check_nobody_is_stuck(name: str, arms: list[Arm], ways: list[Way]) -> None:
    onward = {(way.come.road_id, way.lane_in.id) for way in ways}
    reached = {(way.leave.road_id, way.lane_out.id) for way in ways}
    for arm in arms:
        for lanes, joined, told in ((arm.incoming, onward, "onward"), (arm.outgoing, reached, "into")):
            for place in lanes:
                if (arm.road_id, place.id) not in joined:
                    raise ValueError(
                        f"node {name!r}: no way leads {told} lane {place.id} of street {arm.road_id}: "
                        "give it fewer lanes or another arm"
                    )
