"""Connections inside a junction: one driving lane from arm to arm, with what lies on its left and right.

Knows arms; which lanes are joined is the business of crossings, flows and roundabouts.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.towns.arms import Arm, LanePlace
from scenarios.towns.curves import Curve, connect
from scenarios.towns.roads import NO_MARK, Link, Mark, Road, RoadEnd, RoadLane, Section, blended

SLIVER_M = 0.05  # a strip that begins or ends inside the junction is so wide there
ACROSS, KERB, OPENS, CLOSES = "across", "kerb", "opens", "closes"


@dataclass(frozen=True)
class Strip:
    """A lane beside the driving lane of a connection; ids are None where it begins or ends."""

    kind: str
    before: int | None
    after: int | None
    start_m: float  # width
    end_m: float


@dataclass(frozen=True)
class Way:
    """From a lane of one arm to a lane of another, and what the connection looks like.

    `right`: KERB carries the strips of both arms round (bicycle lane, shoulder, pavement), ACROSS only a bicycle lane;
    OPENS lets a shoulder begin and CLOSES lets it end, as where a ramp leaves or joins; "" is the bare lane.
    """

    come: Arm
    leave: Arm
    lane_in: LanePlace
    lane_out: LanePlace
    right: str = ""
    left: tuple[Strip, ...] = ()
    left_mark: Mark = NO_MARK
    right_mark: Mark = NO_MARK

    @property
    def line(self) -> Curve:
        """Left edge of the driving lane."""
        return connect(self.come.entry(self.lane_in.inner_m), self.leave.exit(self.lane_out.inner_m))


def connection(way: Way, road_id: int, z_m: float, speed_kmh: float) -> Link:
    """The road of a connection and the lanes that lead to it."""
    line = way.line
    driving = Strip("driving", way.lane_in.id, way.lane_out.id, way.lane_in.width_m, way.lane_out.width_m)
    right = [driving, *_right_strips(way)]
    strips = {
        len(way.left) - k: strip for k, strip in enumerate(way.left)
    }  # lane ids fall from left to right
    strips |= {-1 - k: strip for k, strip in enumerate(right)}
    lanes = tuple(
        RoadLane(
            id=lane_id,
            kind=strip.kind,
            width=blended(strip.start_m, strip.end_m, line.length_m),
            mark=way.right_mark if lane_id == -1 else NO_MARK,
            before=strip.before,
            after=strip.after,
        )
        for lane_id, strip in strips.items()
    )
    come, leave = way.come, way.leave
    road = Road(
        id=road_id,
        line=line,
        sections=(Section(0.0, way.left_mark, lanes),),
        speed_kmh=speed_kmh,
        z_start_m=z_m,
        z_end_m=z_m,
        start=RoadEnd(come.road_id, "start" if come.at_start else "end"),
        end=RoadEnd(leave.road_id, "start" if leave.at_start else "end"),
        junction=come.junction,
        road_type=_road_type({come.profile.road_type, leave.profile.road_type}),
    )
    from_lanes = tuple((strip.before, lane) for lane, strip in strips.items() if strip.before is not None)
    return Link(road, from_lanes)


def _road_type(types: set[str]) -> str:
    """A motorway begins and ends with its junctions."""
    return "motorway" if "motorway" in types else types.pop() if len(types) == 1 else "town"


def _right_strips(way: Way) -> list[Strip]:
    come, leave = _beyond(way.come, incoming=True), _beyond(way.leave, incoming=False)
    strips = []
    if way.right in (ACROSS, KERB) and "biking" in come and "biking" in leave:
        strips.append(_strip("biking", come.pop("biking"), leave.pop("biking")))
    if way.right == KERB:
        paved = [_merged(side) for side in (come, leave)]
        strips.append(_strip("shoulder", *paved))
        if "sidewalk" in come or "sidewalk" in leave:
            strips.append(_strip("sidewalk", come.get("sidewalk"), leave.get("sidewalk")))
    elif way.right == OPENS:
        strips.append(_strip("shoulder", None, _merged(leave)))
    elif way.right == CLOSES:
        strips.append(_strip("shoulder", _merged(come), None))
    return strips


_Place = tuple[int, float]  # lane id, width_m


def _beyond(arm: Arm, *, incoming: bool) -> dict[str, _Place]:
    """What lies outside the driving lanes of an arm, by kind; several shoulders count as one."""
    side = arm.side(incoming=incoming)
    last = max(k for k, place in enumerate(side) if place.kind == "driving")
    found: dict[str, _Place] = {}
    for place in side[last + 1 :]:
        _, width_m = found.get(place.kind, (0, 0.0))
        found[place.kind] = (place.id, width_m + place.width_m)
    return found


def _merged(side: dict[str, _Place]) -> _Place | None:
    """All pavement for vehicles beyond the driving lanes as one shoulder."""
    paved = [place for kind, place in side.items() if kind != "sidewalk"]
    return (paved[-1][0], sum(width_m for _, width_m in paved)) if paved else None


def _strip(kind: str, before: _Place | None, after: _Place | None) -> Strip:
    before_id, start_m = before or (None, SLIVER_M)
    after_id, end_m = after or (None, SLIVER_M)
    return Strip(kind, before_id, after_id, start_m, end_m)


def median(come: Arm, leave: Arm) -> tuple[Strip, ...]:
    """One direction's half of the median, narrowing to nothing where only one arm has one; empty where none has."""
    before, after = (
        next(((p.id, p.width_m) for p in arm.side(incoming=incoming) if p.kind == "median"), None)
        for arm, incoming in ((come, True), (leave, False))
    )
    return (_strip("median", before, after),) if before or after else ()
