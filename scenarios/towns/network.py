"""From a plan to roads: streets trimmed at their junctions, the connections across, signals, signs and crosswalks.

The value made here (`Network`) is what the OpenDRIVE file says, without its syntax. World frame, metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from scenarios.towns.curves import Curve, Pose, connect, moved, rounded, wrap
from scenarios.towns.plan import Node, Street, TownPlan

LANE_M = 3.5
SHOULDER_M = 0.4
SIDEWALK_M = 2.5
CROSSWALK_DEPTH_M = 3.0
CROSSWALK_GAP_M = 1.3  # from the junction to the crosswalk
STOP_GAP_M = 1.0  # from the crosswalk back to the stop line
STUB_M = 12.0  # a street is straight this far from a junction, so that crosswalk and stop line lie square
STRAIGHT_RAD = math.radians(40)  # heading changes below this count as going straight on
MIN_ARM_ANGLE_RAD = math.radians(45)
RIGHT_TURN_RADIUS_M = 8.5  # of the lane centre: leaves room for shoulder and pavement around the corner
MAX_JUNCTION_RADIUS_M = 30.0
MIN_BEND_RADIUS_M = 12.0
FIRST_JUNCTION_ID = 10_000
FIRST_SIGNAL_ID = 1_000
LIGHT, STOP, YIELD, SPEED_LIMIT = "1000001", "206", "205", "274"  # OpenDRIVE types as CARLA knows them
_SIGN_OF_CONTROL = {"signals": LIGHT, "stop": STOP, "yield": YIELD}


@dataclass(frozen=True)
class Signal:
    """A light or sign that governs lanes of one driving direction; `s_m` is where they have to stop."""

    id: int
    type: str
    s_m: float
    t_m: float
    lanes: tuple[int, ...]  # OpenDRIVE lane ids governed
    value: float = -1.0


@dataclass(frozen=True)
class Crosswalk:
    id: int
    s_m: float  # of its middle
    span_m: float  # kerb to kerb and the pavements


@dataclass(frozen=True)
class Road:
    """A street (`lanes` each way) or, inside a junction, a connection of one lane to the right of its line."""

    id: int
    line: Curve
    lanes: int
    speed_kmh: float
    z_start_m: float
    z_end_m: float
    junction_start: int  # junction ids at both ends of a street; of a connection, the junction it lies in
    junction_end: int
    sidewalk: bool = True
    signals: tuple[Signal, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()


@dataclass(frozen=True)
class Link:
    """A connection's place: from a lane of one street to a lane of another."""

    road: Road
    from_arm: Arm
    to_arm: Arm
    from_lane: int
    to_lane: int


@dataclass(frozen=True)
class Arm:
    """One street's end at a junction, seen from the junction."""

    street: int  # index of the street
    at_start: bool  # the junction lies at the street's s = 0
    mouth: Pose  # centre line at the junction's border, heading away from the junction
    lanes: int

    @property
    def road_id(self) -> int:
        return self.street + 1

    @property
    def lanes_in(self) -> list[int]:
        """Lane ids that arrive at the junction, inner to outer."""
        return [k if self.at_start else -k for k in range(1, self.lanes + 1)]

    @property
    def lanes_out(self) -> list[int]:
        return [-lane for lane in self.lanes_in]

    def entry(self, lane_number: int) -> Pose:
        """Left edge of the arriving lane `lane_number` (0: inner), in driving direction."""
        x_m, y_m, heading = self.mouth
        return moved((x_m, y_m, wrap(heading + math.pi)), 0.0, -lane_number * LANE_M)

    def exit(self, lane_number: int) -> Pose:
        return moved(self.mouth, 0.0, -lane_number * LANE_M)


@dataclass(frozen=True)
class Junction:
    id: int
    name: str
    links: tuple[Link, ...]
    phases: tuple[tuple[int, ...], ...]  # signal ids that are green together


@dataclass(frozen=True)
class Network:
    plan: TownPlan
    streets: tuple[Road, ...]
    junctions: tuple[Junction, ...]


def build_network(plan: TownPlan) -> Network:
    """Lay the plan out. Raises ValueError, naming the node, where streets meet too sharply to turn."""
    arms = {name: _arms(plan, name) for name in plan.nodes}
    junction_ids = {name: FIRST_JUNCTION_ID + k for k, name in enumerate(plan.nodes)}
    streets = [_street_road(plan, k, arms, junction_ids) for k in range(len(plan.streets))]
    numbers = _Numbers(len(streets) + 1, FIRST_SIGNAL_ID)
    junctions = []
    for name, node in plan.nodes.items():
        phases = _furnish(node, arms[name], streets, numbers)
        links = _links(node, arms[name], junction_ids[name], streets, numbers)
        junctions.append(Junction(junction_ids[name], name, links, phases))
    streets = [_with_speed_signs(road, numbers) for road in streets]
    return Network(plan, tuple(streets), tuple(junctions))


class _Numbers:
    """The next free road and signal id."""

    def __init__(self, road: int, signal: int) -> None:
        self._road, self._signal = road, signal

    def road(self) -> int:
        self._road += 1
        return self._road - 1

    def signal(self) -> int:
        self._signal += 1
        return self._signal - 1


def _heading_from(plan: TownPlan, street: Street, *, at_start: bool) -> float:
    """Direction in which a street leaves its start (or, seen from there, its end)."""
    points = _polyline(plan, street)
    (x_m, y_m), (next_x_m, next_y_m) = points[:2] if at_start else points[:-3:-1]
    return math.atan2(next_y_m - y_m, next_x_m - x_m)


def _polyline(plan: TownPlan, street: Street) -> list[tuple[float, float]]:
    start, end = plan.nodes[street.start], plan.nodes[street.end]
    return [(start.x_m, start.y_m), *((via.x_m, via.y_m) for via in street.via), (end.x_m, end.y_m)]


def _arms(plan: TownPlan, name: str) -> list[Arm]:
    """The node's arms, counter-clockwise, as far out as its tightest right turn needs."""
    node = plan.nodes[name]
    ends = sorted(
        (_heading_from(plan, street, at_start=at_start), k, at_start, street.lanes)
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


def _street_road(plan: TownPlan, index: int, arms: dict[str, list[Arm]], junctions: dict[str, int]) -> Road:
    street = plan.streets[index]
    start = next(arm for arm in arms[street.start] if arm.street == index and arm.at_start)
    end = next(arm for arm in arms[street.end] if arm.street == index and not arm.at_start)
    points = [start.mouth[:2], *_polyline(plan, street)[1:-1], end.mouth[:2]]
    line = rounded(points, [via.radius_m for via in street.via], STUB_M)
    if line.smallest_radius_m() < MIN_BEND_RADIUS_M:
        raise ValueError(
            f"{plan.name}: street {street.start}-{street.end} has a bend of radius {line.smallest_radius_m():.1f} m, "
            f"expected {MIN_BEND_RADIUS_M:g} m or more: move its vias apart"
        )
    return Road(
        id=index + 1,
        line=line,
        lanes=street.lanes,
        speed_kmh=street.speed_kmh,
        z_start_m=plan.nodes[street.start].z_m,
        z_end_m=plan.nodes[street.end].z_m,
        junction_start=junctions[street.start],
        junction_end=junctions[street.end],
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


def _furnish(
    node: Node, arms: list[Arm], streets: list[Road], numbers: _Numbers
) -> tuple[tuple[int, ...], ...]:
    """Put crosswalk, stop line and light or sign on the controlled arms; returns the phases of lights."""
    signal_of: dict[int, int] = {}
    for arm in _controlled_arms(node, arms):
        road = streets[arm.street]
        crosswalk_m = CROSSWALK_GAP_M + CROSSWALK_DEPTH_M / 2
        stop_m = CROSSWALK_GAP_M + CROSSWALK_DEPTH_M + STOP_GAP_M
        half_road_m = arm.lanes * LANE_M + SHOULDER_M
        signal = Signal(
            id=numbers.signal(),
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


def _links(
    node: Node, arms: list[Arm], junction: int, streets: list[Road], numbers: _Numbers
) -> tuple[Link, ...]:
    links = []
    for come in arms:
        rightmost = min((arm for arm in arms if arm is not come), key=lambda arm: _turn(come, arm))
        for leave in (arm for arm in arms if arm is not come):
            for lane_in, lane_out in _lane_pairs(come, leave, arms):
                is_corner = leave is rightmost and lane_in == come.lanes - 1 and lane_out == leave.lanes - 1
                road = Road(
                    id=numbers.road(),
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


def _with_speed_signs(road: Road, numbers: _Numbers) -> Road:
    """A speed-limit sign in each direction, a little after the junction."""
    t_m = road.lanes * LANE_M + SHOULDER_M + 0.6
    forward = tuple(-k for k in range(1, road.lanes + 1))
    backward = tuple(range(1, road.lanes + 1))
    signs = (
        Signal(numbers.signal(), SPEED_LIMIT, STUB_M, -t_m, forward, road.speed_kmh),
        Signal(numbers.signal(), SPEED_LIMIT, road.line.length_m - STUB_M, t_m, backward, road.speed_kmh),
    )
    return replace(road, signals=(*road.signals, *signs))
