"""The streets between junctions: their line, the lanes along them, and the speed limits posted beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from scenarios.towns.arms import Arm
from scenarios.towns.curves import Curve, moved, rounded
from scenarios.towns.plan import Street, TownPlan, Via
from scenarios.towns.profiles import LaneShape
from scenarios.towns.roads import (
    DIVIDER,
    NO_MARK,
    SOLID,
    SOLID_YELLOW,
    SPEED_LIMIT,
    Mark,
    Road,
    RoadEnd,
    RoadLane,
    Section,
    Signal,
    constant,
)

STUB_M = 12.0  # a street is straight this far from a junction, so that crosswalk and stop line lie square
RAMP_STUB_M = 24.0
RAMP_BEND = 150.0  # radius behind it
MIN_BEND_RADIUS_M = 12.0
KERB_RADIUS_M = 2.0  # at least, of the road's edge inside a bend
FLARE_M = 9.0  # from a crossing: nobody parks here, the median is level
POCKET_M = 55.0  # length of a left-turn lane, less where the street is short
POCKET_SHARE = 0.4


def lay_street(plan: TownPlan, street: Street, start: Arm, end: Arm) -> Road:
    """The road from arm to arm. Raises ValueError, naming the street, where a bend is too sharp."""
    line = _line(plan, street, start, end)
    half_m = street.profile.half_m(street.lanes)
    least_m = max(MIN_BEND_RADIUS_M, half_m + KERB_RADIUS_M)
    if line.smallest_radius_m() < least_m:
        raise ValueError(
            f"{plan.name}: street {street.start}-{street.end} has a bend of radius {line.smallest_radius_m():.1f} m, "
            f"expected {least_m:.1f} m or more: move its vias apart"
        )
    return Road(
        id=start.road_id,
        line=line,
        sections=_sections(street, line.length_m, start, end),
        speed_kmh=street.speed_kmh,
        z_start_m=plan.nodes[street.start].z_m,
        z_end_m=plan.nodes[street.end].z_m,
        start=RoadEnd(start.junction),
        end=RoadEnd(end.junction),
        road_type=street.profile.road_type,
    )


def _line(plan: TownPlan, street: Street, start: Arm, end: Arm) -> Curve:
    vias = list(street.via)
    if start.is_shifted:
        vias.insert(0, Via(*moved(start.mouth, RAMP_STUB_M)[:2], RAMP_BEND))
    if end.is_shifted:
        vias.append(Via(*moved(end.mouth, RAMP_STUB_M)[:2], RAMP_BEND))
    points = [start.mouth[:2], *((via.x_m, via.y_m) for via in vias), end.mouth[:2]]
    return rounded(points, [via.radius_m for via in vias], STUB_M)


def _sections(street: Street, length_m: float, start: Arm, end: Arm) -> tuple[Section, ...]:
    """The street cut wherever a lane changes its kind, ids kept throughout."""
    pocket_m = min(POCKET_M, POCKET_SHARE * length_m)
    has_flares = street.profile.parking_m > 0 or street.profile.median_m > 0
    cuts_m = {0.0, length_m}
    for arm, near_m, pocket_end_m in (
        (start, FLARE_M, pocket_m),
        (end, length_m - FLARE_M, length_m - pocket_m),
    ):
        if has_flares and arm.flares:
            cuts_m.add(near_m)
        if arm.has_pocket:
            cuts_m.add(pocket_end_m)
    stretches = list(pairwise(sorted(cuts_m)))
    sides = []
    for low_m, high_m in stretches:
        middle_m = (low_m + high_m) / 2
        at_crossing = (start.flares and middle_m < FLARE_M) or (end.flares and middle_m > length_m - FLARE_M)
        pockets = (
            end.has_pocket and middle_m > length_m - pocket_m,
            start.has_pocket and middle_m < pocket_m,
        )
        shapes = [
            street.profile.shapes(street.lanes, pocket=pocket, at_crossing=at_crossing) for pocket in pockets
        ]
        sides.append((shapes[0], [] if street.one_way else shapes[1]))
    return tuple(_section(street, low_m, sides, number) for number, (low_m, _) in enumerate(stretches))


_Sides = tuple[list[LaneShape], list[LaneShape]]  # right and left of the reference line


def _section(street: Street, s_m: float, all_sides: list[_Sides], number: int) -> Section:
    right, left = all_sides[number]

    def lane(sign: int, k: int) -> RoadLane:
        shapes = all_sides[number][0 if sign < 0 else 1]
        kind, width_m = shapes[k]
        before, after = (
            sign * (k + 1)
            if 0 <= other < len(all_sides) and all_sides[other][0 if sign < 0 else 1][k][0] == kind
            else None
            for other in (number - 1, number + 1)
        )
        return RoadLane(sign * (k + 1), kind, constant(width_m), _outer_mark(shapes, k), before, after)

    lanes = [lane(1, k) for k in reversed(range(len(left)))] + [lane(-1, k) for k in range(len(right))]
    return Section(s_m, _middle_mark(street, right, left), tuple(lanes))


def _outer_mark(shapes: list[LaneShape], k: int) -> Mark:
    """What is painted between a lane and the one outside it."""
    kind, outside = shapes[k][0], shapes[k + 1][0] if k + 1 < len(shapes) else ""
    if kind == "driving":
        return DIVIDER if outside == "driving" else SOLID
    if outside == "driving":
        return SOLID_YELLOW  # the median's edge
    return SOLID if (kind, outside) == ("biking", "parking") else NO_MARK


def _middle_mark(street: Street, right: list[LaneShape], left: list[LaneShape]) -> Mark:
    kinds = [shapes[0][0] for shapes in (right, left) if shapes]
    if "driving" not in kinds:
        return NO_MARK
    if street.lanes > 1 and not street.profile.median_m and not street.one_way:
        return Mark("solid solid", "yellow")
    return Mark("broken", "yellow") if street.profile.may_overtake and not street.one_way else SOLID_YELLOW


def with_speed_signs(road: Road, street: Street, ids: Iterator[int]) -> Road:
    """A speed-limit sign in each direction, a little after the junction."""
    t_m = street.profile.paved_m(street.lanes) + 0.6
    forward, backward = (
        tuple(lane.id for lane in road.sections[k].lanes if lane.kind == "driving" and lane.id * sign > 0)
        for k, sign in ((0, -1), (-1, 1))
    )
    signs = [Signal(next(ids), SPEED_LIMIT, STUB_M, -t_m, forward, road.speed_kmh)]
    if backward:
        signs.append(
            Signal(next(ids), SPEED_LIMIT, road.line.length_m - STUB_M, t_m, backward, road.speed_kmh)
        )
    return replace(road, signals=(*road.signals, *signs))
