"""Where traffic flows on without stopping: ramps that leave and join, lanes that open and end, changes of profile.

In each driving direction the arriving lanes, from left to right, lead to the leaving lanes, from left to right. Arriving
lanes too many join the outermost leaving one; leaving lanes too many come out of the outermost arriving one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scenarios.towns.arms import Arm, LanePlace, arms_of, turn
from scenarios.towns.curves import moved, wrap
from scenarios.towns.links import CLOSES, KERB, OPENS, Way, connection, median
from scenarios.towns.plan import Node, TownPlan
from scenarios.towns.roads import NO_MARK, SOLID, SOLID_YELLOW, Junction, Mark, Road

REACH_S = 1.6  # half of the junction is as long as the slowest arm's limit allows in this time
RAMP_REACH_M = 38.0  # at least, where a ramp joins or leaves
RAMP_RAD = math.radians(12)  # between a ramp's end and the through road
MAX_BEND_RAD = math.radians(20)  # of the through road
LINE = Mark("broken")  # between lanes inside the junction, where nobody changes


def place_arms(plan: TownPlan, name: str, junction_ids: Iterator[int]) -> list[Arm]:
    """The arms, counter-clockwise, ramps beside the through road."""
    junction = next(junction_ids)
    bare = [replace(arm, junction=junction, flares=False) for *_, arm in arms_of(plan, name)]
    through = _through(plan.name, name, bare)
    reach_m = REACH_S * max(arm.speed_kmh for arm in through) / 3.6
    if len(bare) > len(through):
        reach_m = max(reach_m, RAMP_REACH_M)
    placed = []
    for arm in bare:
        if arm in through:
            placed.append(replace(arm, mouth=moved(arm.mouth, reach_m)))
            continue
        beside = min(through, key=lambda main: abs(wrap(arm.mouth[2] - main.mouth[2])))
        placed.append(_placed_ramp(plan.name, name, arm, beside, reach_m))
    return placed


def _through(town: str, name: str, arms: list[Arm]) -> list[Arm]:
    """The two arms of the through road: those that lie straightest across, two-way ones first."""
    pairs = [(a, b) for k, a in enumerate(arms) for b in arms[k + 1 :]]
    best = min(pairs, key=lambda pair: (sum(not (a.arrives and a.leaves) for a in pair), abs(turn(*pair))))
    if abs(turn(*best)) > MAX_BEND_RAD:
        raise ValueError(
            f"{town}: the through road bends by {math.degrees(abs(turn(*best))):.0f} degrees at node {name!r}, expected "
            f"{math.degrees(MAX_BEND_RAD):.0f} at most: move a node or via"
        )
    return list(best)


def _placed_ramp(town: str, name: str, arm: Arm, beside: Arm, reach_m: float) -> Arm:
    """A ramp begins to the right of the lanes of the through road's arm that it runs beside."""
    if arm.leaves == arm.arrives:
        raise ValueError(
            f"{town}: street {arm.road_id} at node {name!r} is two-way, expected a one-way ramp: "
            "a flow node has one through road"
        )
    lanes = beside.outgoing if arm.leaves else beside.incoming
    outer_m = lanes[-1].inner_m + lanes[-1].width_m
    side = -1.0 if arm.leaves else 1.0  # the driver's right, seen away from the node
    x_m, y_m, heading = moved(beside.mouth, 0.0, side * outer_m)
    return replace(arm, mouth=moved((x_m, y_m, wrap(heading + side * RAMP_RAD)), reach_m), is_shifted=True)


@dataclass(frozen=True)
class _Lane:
    arm: Arm
    place: LanePlace


def lay(
    name: str,
    node: Node,
    arms: list[Arm],
    streets: dict[int, Road],
    road_ids: Iterator[int],
    ids: Iterator[int],
) -> list[Junction]:
    """The junction; nothing stops here, so nothing is put into `streets`."""
    del streets, ids
    main = _through("", name, arms)
    links = []
    for come, leave in (main, main[::-1]):
        ramps = [arm for arm in arms if arm not in main]
        joining = [arm for arm in ramps if arm.arrives and _runs_beside(arm, come, leave)]
        leaving = [arm for arm in ramps if arm.leaves and _runs_beside(arm, leave, come)]
        sources = [_Lane(arm, place) for arm in (come, *joining) for place in arm.incoming]
        targets = [_Lane(arm, place) for arm in (leave, *leaving) for place in arm.outgoing]
        links += [
            connection(way, next(road_ids), node.z_m, min(way.come.speed_kmh, way.leave.speed_kmh))
            for way in _ways(sources, targets)
        ]
    return [Junction(arms[0].junction, name, tuple(links))]


def _runs_beside(ramp: Arm, near: Arm, far: Arm) -> bool:
    return abs(wrap(ramp.mouth[2] - near.mouth[2])) < abs(wrap(ramp.mouth[2] - far.mouth[2]))


def _ways(sources: list[_Lane], targets: list[_Lane]) -> list[Way]:
    if not (sources and targets):
        return []
    pairs = [(k, k) for k in range(min(len(sources), len(targets)))]
    pairs += [(k, len(targets) - 1) for k in range(len(targets), len(sources))]
    pairs += [(len(sources) - 1, k) for k in range(len(sources), len(targets))]
    return [_way(sources, targets, pair, is_last=pair == pairs[-1]) for pair in pairs]


def _way(sources: list[_Lane], targets: list[_Lane], pair: tuple[int, int], *, is_last: bool) -> Way:
    source, target = sources[pair[0]], targets[pair[1]]
    ends_arm = source.place == source.arm.incoming[-1]
    begins_arm = target.place == target.arm.outgoing[-1]
    right = ""
    if is_last:
        right = KERB
    elif begins_arm and target.arm is not targets[-1].arm:
        right = OPENS
    elif ends_arm and source.arm is not sources[-1].arm:
        right = CLOSES
    is_first = pair == (0, 0)
    is_outer = is_last or right != ""
    return Way(
        source.arm,
        target.arm,
        source.place,
        target.place,
        right,
        median(source.arm, target.arm) if is_first else (),
        left_mark=SOLID_YELLOW if is_first else NO_MARK,
        right_mark=SOLID if is_outer else LINE if pair[0] == pair[1] else NO_MARK,
    )
