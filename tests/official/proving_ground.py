"""A map with the places that ScenarioRunner's scenarios ask for and that no town at hand has, as OpenDRIVE text.

A one-way motorway ring with a slip road that merges, one that gets a lane of its own and an exit; a signalled crossing
whose four arms have lanes for parking, cycling and walking, joined to a figure of eight; and inside the ring two lanes that
cross without a sign, where NoSignalJunctionCrossing has its fixed coordinates. World frame, metres. Knows nothing of
scenarios.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.towns.curves import Curve, Pose, connect, moved, rounded, wrap

NAME = "ProvingGround"
_MARK_M = 0.12
_CROSSING = 50  # junction ids
_MERGE, _ENTRY, _EXIT = 51, 52, 53
_UNSIGNED = 54
_LIGHT_M = 8.5  # from the reference line: on the pavement


@dataclass(frozen=True)
class Strip:
    """One lane of a road's cross-section."""

    kind: str  # OpenDRIVE lane type
    width_m: float
    mark: str = "none"  # at its outer edge


@dataclass(frozen=True)
class Link:
    """Strips of a connecting road: consecutive ones of the road before and of the road behind, from the innermost."""

    junction: int
    before: End
    behind: End
    before_strip: int
    behind_strip: int


@dataclass(frozen=True)
class Road:
    """A road with `right` strips along its line and, of a two-way road, the same against it."""

    id: int
    line: Curve
    right: tuple[Strip, ...]
    speed_kmh: float
    two_way: bool = False
    junctions: tuple[int | None, int | None] = (None, None)  # at its start and at its end
    neighbours: tuple[int | None, int | None] = (
        None,
        None,
    )  # the road that ends at its start, that begins at its end
    link: Link | None = None  # of a connecting road
    lights: tuple[tuple[int, bool], ...] = ()  # signal id, whether at the start


@dataclass(frozen=True)
class End:
    """One end of a road, as seen by who drives out of it into a junction."""

    road: Road
    at_start: bool

    def pose(self, strip: int, *, arriving: bool) -> Pose:
        """Left edge of a strip, heading into the junction (`arriving`) or out of it."""
        pieces = self.road.line.pieces
        first, last = pieces[0], pieces[-1]
        if self.at_start:
            pose = (first.x_m, first.y_m, wrap(first.heading_rad + math.pi))
        else:
            pose = _end_of(last.x_m, last.y_m, last.heading_rad, last.length_m, last.curvature_inv_m)
        x_m, y_m, heading = pose
        turned = (x_m, y_m, heading if arriving else wrap(heading + math.pi))
        return moved(turned, 0.0, -sum(each.width_m for each in self.road.right[:strip]))

    def lane(self, strip: int, *, arriving: bool) -> int:
        """The OpenDRIVE lane id of a strip."""
        return (strip + 1) * (1 if arriving == self.at_start else -1)


def _end_of(x_m: float, y_m: float, heading: float, length_m: float, curvature_inv_m: float) -> Pose:
    if not curvature_inv_m:
        return moved((x_m, y_m, heading), length_m)
    turn = length_m * curvature_inv_m
    forward_m, left_m = math.sin(turn) / curvature_inv_m, (1 - math.cos(turn)) / curvature_inv_m
    return (*moved((x_m, y_m, heading), forward_m, left_m)[:2], wrap(heading + turn))


_FAST = Strip("driving", 3.5, "broken")
_OUTER = Strip("driving", 3.5, "solid")
_EDGE = Strip("shoulder", 2.0)
_STREET = (
    Strip("driving", 3.5, "broken"),
    Strip("parking", 2.5, "solid"),
    Strip("biking", 1.8, "solid"),
    Strip("sidewalk", 2.5),
)
_THROUGH = (_STREET[0], Strip("shoulder", 2.5), _STREET[2])  # nobody parks on a crossing


def build() -> list[Road]:
    """All roads: the carriageways and streets, then what connects them."""
    return [*_motorway(), *_figure_of_eight(), *_unsigned_crossing()]


def _road(
    number: int, points: Sequence[tuple[float, float]], radius_m: float, right: tuple[Strip, ...], speed_kmh: float,
    junctions: tuple[int | None, int | None],
) -> Road:  # fmt: skip
    line = rounded(points, [radius_m] * (len(points) - 2))
    return Road(number, line, right, speed_kmh, junctions=junctions)


def _connect(number: int, link: Link, right: tuple[Strip, ...], speed_kmh: float) -> Road:
    start = link.before.pose(link.before_strip, arriving=True)
    line = connect(start, link.behind.pose(link.behind_strip, arriving=False))
    return Road(number, line, right, speed_kmh, link=link)


def _motorway() -> list[Road]:
    """Eastwards along y = 0 past merge, entry and exit, then back along y = 300."""
    two, three = (_FAST, _OUTER, _EDGE), (_FAST, _FAST, _OUTER, _EDGE)
    slip = (_OUTER, _EDGE)
    merged = _road(1, [(340, 0), (640, 0)], 1, two, 90, (_MERGE, _ENTRY))
    wide = _road(2, [(680, 0), (980, 0)], 1, three, 90, (_ENTRY, _EXIT))
    ring = [(1020, 0), (1300, 0), (1300, 300), (-200, 300), (-200, 0), (300, 0)]
    back = _road(3, ring, 145, two, 90, (_EXIT, _MERGE))
    loop = [(1020, -8.5), (1100, -8.5), (1100, -88), (150, -88), (150, -8.5), (300, -8.5)]
    slip_1 = _road(4, loop, 39, slip, 60, (_EXIT, _MERGE))
    slip_2 = _road(5, [(340, -40), (520, -40), (600, -12), (640, -12)], 200, slip, 60, (None, _ENTRY))

    def link(junction: int, before: Road, behind: Road, before_strip: int = 0, behind_strip: int = 0) -> Link:
        return Link(
            junction, End(before, at_start=False), End(behind, at_start=True), before_strip, behind_strip
        )

    return [merged, wide, back, slip_1, slip_2] + [
        _connect(101, link(_MERGE, back, merged), two[:2], 90),
        _connect(102, link(_MERGE, slip_1, merged, 0, 1), slip[:1], 60),
        _connect(103, link(_ENTRY, merged, wide), two[:2], 90),
        _connect(104, link(_ENTRY, slip_2, wide, 0, 2), slip[:1], 60),
        _connect(105, link(_EXIT, wide, back), two[:2], 90),
        _connect(106, link(_EXIT, wide, slip_1, 2, 0), slip[:1], 60),
    ]


def _figure_of_eight() -> list[Road]:
    """Two loops that meet in one crossing at (500, -500), each of two roads: a road knows at which end a junction is."""
    west, north = _loop(
        20, [(475, -500), (150, -500), (150, -250)], [(150, -250), (500, -250), (500, -475)], 1
    )
    east, south = _loop(
        30, [(525, -500), (850, -500), (850, -750)], [(850, -750), (500, -750), (500, -525)], 3
    )
    around = [west, south, east, north]  # counter-clockwise
    roads = []
    for k, before in enumerate(around):
        for turn, strips in ((1, _STREET[:1]), (2, _THROUGH), (3, _STREET[:1])):  # right, straight, left
            link = Link(_CROSSING, before, around[(k + turn) % 4], 0, 0)
            roads.append(_connect(110 + 3 * k + turn, link, strips, 30))
    return [*(end.road for end in around), *roads]


def _loop(
    number: int, out: list[tuple[float, float]], back: list[tuple[float, float]], light: int
) -> tuple[End, End]:
    """The two ends of a street that leaves the crossing and comes back to it, with lights `light` and the next."""
    corner = ((out[1][0] + out[2][0]) / 2, (out[1][1] + out[2][1]) / 2)
    lines = rounded([*out[:2], corner], [40.0]), rounded([corner, *back], [40.0, 40.0])
    ends = (_CROSSING, None), (None, _CROSSING)
    neighbours = (None, number + 1), (number, None)
    lights = ((light, True),), ((light + 1, False),)
    first, second = (
        Road(number + k, lines[k], _STREET, 40, True, ends[k], neighbours[k], lights=lights[k])
        for k in (0, 1)
    )
    return End(first, at_start=True), End(second, at_start=False)


def _unsigned_crossing() -> list[Road]:
    """Two streets that cross at (-76, 137.75), with dead ends; everybody goes straight on."""
    lane = (_OUTER, _EDGE)
    x_m, y_m, half_m, reach_m = -76.0, 137.75, 12.0, 95.0
    ways = [(0.0, -1.0), (0.0, 1.0), (-1.0, 0.0), (1.0, 0.0)]  # out to the south, north, west and east
    arms = []
    for number, (dx, dy) in enumerate(ways, start=40):
        line = [(x_m + dx * way_m, y_m + dy * way_m) for way_m in (half_m, reach_m)]
        straight = rounded(line, [])
        arms.append(
            End(Road(number, straight, lane, 40, two_way=True, junctions=(_UNSIGNED, None)), at_start=True)
        )
    pairs = [(arms[0], arms[1]), (arms[1], arms[0]), (arms[2], arms[3]), (arms[3], arms[2])]
    links = [Link(_UNSIGNED, before, behind, 0, 0) for before, behind in pairs]
    return [
        *(arm.road for arm in arms),
        *(_connect(140 + k, link, lane[:1], 40) for k, link in enumerate(links)),
    ]


PHASES = ((1, 3), (2, 4))  # signals of the crossing that are green together: west and east, north and south


def to_opendrive() -> str:
    """The map as OpenDRIVE 1.4."""
    roads = build()
    root = ET.Element("OpenDRIVE")
    header = _add(
        root, "header", revMajor=1, revMinor=4, name=NAME, version=1, north=0, south=0, east=0, west=0
    )
    _add(
        header, "geoReference"
    ).text = "+proj=tmerc +lat_0=48 +lon_0=8 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m"
    for road in roads:
        _write_road(root, road)
    for number, phase in enumerate(PHASES, start=1):
        controller = _add(root, "controller", name=f"phase {number}", id=number, sequence=number - 1)
        for signal in phase:
            _add(controller, "control", signalId=signal, type="")
    for junction in (_CROSSING, _MERGE, _ENTRY, _EXIT, _UNSIGNED):
        _write_junction(root, junction, roads)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _add(parent: ET.Element, tag: str, **attributes: str | float) -> ET.Element:
    texts = {k: f"{v:.9f}" if isinstance(v, float) else str(v) for k, v in attributes.items()}
    return ET.SubElement(parent, tag, texts)


def _write_road(root: ET.Element, road: Road) -> None:
    link = road.link
    junction = link.junction if link else -1
    element = _add(
        root, "road", name=f"Road {road.id}", length=road.line.length_m, id=road.id, junction=junction
    )
    ends = _add(element, "link")
    for tag, number in zip(("predecessor", "successor"), road.junctions, strict=True):
        if number is not None:
            _add(ends, tag, elementType="junction", elementId=number)
    for tag, number, contact in zip(
        ("predecessor", "successor"), road.neighbours, ("end", "start"), strict=True
    ):
        if number is not None:
            _add(ends, tag, elementType="road", elementId=number, contactPoint=contact)
    if link:
        for tag, end in (("predecessor", link.before), ("successor", link.behind)):
            contact = "start" if end.at_start else "end"
            _add(ends, tag, elementType="road", elementId=end.road.id, contactPoint=contact)
    _add(_add(element, "type", s=0, type="town"), "speed", max=road.speed_kmh, unit="km/h")
    _write_line(_add(element, "planView"), road.line)
    _add(_add(element, "elevationProfile"), "elevation", s=0, a=0, b=0, c=0, d=0)
    section = _add(_add(element, "lanes"), "laneSection", s=0)
    if road.two_way:
        left = _add(section, "left")
        for number in range(len(road.right), 0, -1):
            _write_lane(left, road, number)
    middle = _add(_add(section, "center"), "lane", id=0, type="none", level="false")
    _write_mark(middle, "broken" if road.two_way else "none" if link else "solid")
    right = _add(section, "right")
    for number in range(1, len(road.right) + 1):
        _write_lane(right, road, -number)
    signals = _add(element, "signals")
    for signal, at_start in road.lights:
        _write_light(signals, road, signal, at_start)


def _write_line(element: ET.Element, line: Curve) -> None:
    s_m = 0.0
    for piece in line.pieces:
        geometry = _add(
            element, "geometry", s=s_m, x=float(piece.x_m), y=float(piece.y_m), hdg=piece.heading_rad,
            length=piece.length_m,
        )  # fmt: skip
        if piece.curvature_inv_m:
            _add(geometry, "arc", curvature=piece.curvature_inv_m)
        else:
            _add(geometry, "line")
        s_m += piece.length_m


def _write_lane(side: ET.Element, road: Road, lane_id: int) -> None:
    index = abs(lane_id) - 1
    strip = road.right[index]
    lane = _add(side, "lane", id=lane_id, type=strip.kind, level="false")
    links = _add(lane, "link")
    for tag, number in zip(("predecessor", "successor"), road.neighbours, strict=True):
        if number is not None:
            _add(links, tag, id=lane_id)
    if road.link:
        _add(links, "predecessor", id=road.link.before.lane(road.link.before_strip + index, arriving=True))
        _add(links, "successor", id=road.link.behind.lane(road.link.behind_strip + index, arriving=False))
    _add(lane, "width", sOffset=0, a=strip.width_m, b=0, c=0, d=0)
    _write_mark(lane, "none" if road.link and strip.mark == "solid" else strip.mark)


def _write_mark(lane: ET.Element, kind: str) -> None:
    _add(
        lane, "roadMark", sOffset=0, type=kind, weight="standard", color="white", material="standard",
        width=0.0 if kind == "none" else _MARK_M, laneChange="both" if kind == "broken" else "none",
    )  # fmt: skip


def _write_light(signals: ET.Element, road: Road, signal: int, at_start: bool) -> None:
    lane_id = 1 if at_start else -1
    element = _add(
        signals, "signal", name="Signal_3Light_Post01", id=signal, s=1.0 if at_start else road.line.length_m - 1.0,
        t=math.copysign(_LIGHT_M, lane_id), zOffset=0, hOffset=math.pi if at_start else 0, roll=0, pitch=0,
        orientation="-" if at_start else "+", dynamic="yes", country="OpenDRIVE", type="1000001", subtype=-1, value=-1,
        height=0.8, width=0.3,
    )  # fmt: skip
    _add(element, "validity", fromLane=lane_id, toLane=lane_id)


def _write_junction(root: ET.Element, junction: int, roads: list[Road]) -> None:
    element = _add(root, "junction", id=junction, name=f"Junction {junction}")
    turns = [road for road in roads if road.link and road.link.junction == junction]
    for number, road in enumerate(turns):
        link = road.link
        assert link is not None
        connection = _add(
            element, "connection", id=number, incomingRoad=link.before.road.id, connectingRoad=road.id,
            contactPoint="start",
        )  # fmt: skip
        for index in range(len(road.right)):
            incoming = link.before.lane(link.before_strip + index, arriving=True)
            _add(connection, "laneLink", **{"from": incoming, "to": -(index + 1)})
    if junction == _CROSSING:
        for number in range(1, len(PHASES) + 1):
            _add(element, "controller", id=number, type=0, sequence=number - 1)
