"""Why an OpenDRIVE map is refused: what makes the client compute nonsense, and what is known to kill its parser.

Reads the XML only. `faults` are refused outright; `suspects` explain why the client died (`check_map` is what tells that
it does). Each is one line: the value, what was expected, the remedy.
"""

import math
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

from drive_agent.sim.opendrive import OpenDrive, is_speed_sign

MOST_CHARACTERS = 200 * 10**6
MOST_LANE_M = 5e6  # of all lanes together: a road of absurd length would fill the memory with waypoints
WIDEST_M = 12e3  # of the whole map, in x and in y
MOST_UNDRAWN_M = 5e3  # of one road behind its last curve
FARTHEST_M = 100e3  # from the origin: the client's positions are 32-bit numbers, 8 mm apart there

_NUMBERS = {
    "road": ("length",),
    "geometry": ("s", "x", "y", "hdg", "length"),
    "arc": ("curvature",),
    "spiral": ("curvStart", "curvEnd"),
    "poly3": ("a", "b", "c", "d"),
    "paramPoly3": ("aU", "bU", "cU", "dU", "aV", "bV", "cV", "dV"),
    "elevation": ("s", "a", "b", "c", "d"),
    "laneOffset": ("s", "a", "b", "c", "d"),
    "laneSection": ("s",),
    "width": ("sOffset", "a", "b", "c", "d"),
    "signal": ("s", "t", "zOffset"),
    "signalReference": ("s",),
    "object": ("s", "t", "zOffset", "hdg"),
}
_CURVES = ("line", "arc", "spiral", "poly3", "paramPoly3")


def faults(root: ElementTree.Element) -> Iterator[str]:
    """What the client would read wrongly without a word, or what no computer could hold."""
    roads = root.findall("road")
    if not roads:
        yield "it has no <road>: expected at least one; export the road network too"
        return
    yield from _repeated_or_wordy_ids("road", roads)
    yield from _repeated_or_wordy_ids("junction", root.findall("junction"))
    for road in roads:
        yield from _bad_numbers(road)
        yield from _unreadable_speed_signs(road)
        yield from _too_far(road)
        yield from _longer_than_drawn(road)
    yield from _too_wide(roads)


def faults_of_lanes(parsed: OpenDrive) -> Iterator[str]:
    """What is wrong with the lanes as a whole."""
    if not any(lane.drivable for lane in parsed.lanes):
        kinds = ", ".join(sorted({lane.kind for lane in parsed.lanes})) or "no lanes at all"
        yield f"no road has a lane to drive on (there are: {kinds}): expected a lane of type driving"
    total_m = sum(lane.end_s - lane.start_s for lane in parsed.lanes)
    if total_m > MOST_LANE_M:
        yield f"its lanes are {total_m / 1e3:.0f} km long: expected at most {MOST_LANE_M / 1e3:.0f} km; cut the map"


def suspects(root: ElementTree.Element) -> Iterator[str]:
    """What is known to kill the parser of the client 0.9.16, the likeliest first."""
    yield from _missing_signals(root)
    roads = {road.get("id", ""): road for road in root.findall("road")}
    for road in roads.values():
        yield from _broken_geometry(road)
        yield from _broken_lanes(road)
    for road in roads.values():
        yield from _broken_links(road, roads)
    for junction in root.findall("junction"):
        yield from _broken_connections(junction, roads)


def _repeated_or_wordy_ids(kind: str, elements: list[ElementTree.Element]) -> Iterator[str]:
    ids = [element.get("id", "") for element in elements]
    for name, count in Counter(ids).items():
        if not name.lstrip("-").isdecimal():
            yield f"{kind} id {name!r}: expected a whole number (CARLA reads any other as 0); number the {kind}s"
        elif count > 1:
            yield f"{kind} id {name} is used {count} times: expected ids of their own; renumber the {kind}s"


def _bad_numbers(road: ElementTree.Element) -> Iterator[str]:
    for element in road.iter():
        for name in _NUMBERS.get(element.tag, ()):
            text = element.get(name)
            if text is None:
                continue
            try:
                finite = math.isfinite(float(text or "0"))
            except ValueError:
                finite = False
            if not finite:
                yield f"road {road.get('id')}: <{element.tag} {name}={text!r}>: expected a finite number; correct it"


def _unreadable_speed_signs(road: ElementTree.Element) -> Iterator[str]:
    for element in road.iterfind("objects/object"):
        sign = element.get("name", "")
        if is_speed_sign(element) and not _is_number(sign.partition("_")[2]):
            yield f"road {road.get('id')} has an object named {sign!r}: expected Speed_ and a number; rename it"


def _too_far(road: ElementTree.Element) -> Iterator[str]:
    for geometry in road.iterfind("planView/geometry"):
        x, y = _float(geometry, "x"), _float(geometry, "y")
        if max(abs(x), abs(y)) > FARTHEST_M:
            yield (
                f"road {road.get('id')} lies at x={x:.0f}, y={y:.0f}: expected at most {FARTHEST_M / 1e3:.0f} km from the "
                "origin (the client's positions are 32-bit numbers); subtract a constant from x and y of every <geometry>"
            )
            return


def _longer_than_drawn(road: ElementTree.Element) -> Iterator[str]:
    """A road that goes on behind its last curve: CARLA would draw it out for as long as its length says."""
    length_m, drawn_m = (
        _float(road, "length"),
        sum(_float(g, "length") for g in road.iterfind("planView/geometry")),
    )
    if length_m > drawn_m + MOST_UNDRAWN_M:
        yield f"road {road.get('id')} has length {length_m:g}, its <geometry> {drawn_m:g}: expected the same; correct it"


def _too_wide(roads: list[ElementTree.Element]) -> Iterator[str]:
    pieces = [piece for road in roads for piece in road.iterfind("planView/geometry")]
    for axis in ("x", "y"):
        ends = [_float(piece, axis) for piece in pieces]
        width_m = (
            max((max(ends) - min(ends), *(_float(piece, "length") for piece in pieces))) if pieces else 0.0
        )
        if width_m > WIDEST_M:
            yield f"it is {width_m / 1e3:.0f} km wide in {axis}: expected at most {WIDEST_M / 1e3:.0f} km; cut the map"


def _missing_signals(root: ElementTree.Element) -> Iterator[str]:
    known = {signal.get("id", "") for signal in root.iterfind("road/signals/signal")}
    for controller in root.findall("controller"):
        for control in controller.findall("control"):
            if control.get("signalId", "") not in known:
                yield (
                    f"controller {controller.get('id')} names signal {control.get('signalId')}, which does not exist; "
                    "remove the <control> or add the signal"
                )
    for reference in root.iterfind("road/signals/signalReference"):
        if reference.get("id", "") not in known:
            yield (
                f"a <signalReference> names signal {reference.get('id')}, which does not exist; "
                "remove it or add the signal"
            )


def _broken_geometry(road: ElementTree.Element) -> Iterator[str]:
    name, length_m = f"road {road.get('id')}", _float(road, "length")
    pieces = road.findall("planView/geometry")
    if not pieces:
        yield f"{name} has no <geometry>: expected at least one in its <planView>; add it or remove the road"
    if length_m <= 0.0:
        yield f"{name} has length {length_m:g}: expected more than 0; correct it or remove the road"
    for piece in pieces:
        if not any(piece.find(curve) is not None for curve in _CURVES):
            yield f"{name} has a <geometry> without a curve: expected one of {', '.join(_CURVES)}"
        arc, spiral = piece.find("arc"), piece.find("spiral")
        if arc is not None and _float(arc, "curvature") == 0.0:
            yield f"{name} has an arc of curvature 0, by which CARLA divides; write <line/>"
        if spiral is not None and _float(spiral, "curvStart") == _float(spiral, "curvEnd"):
            yield f"{name} has a spiral of constant curvature, by whose change CARLA divides; write <arc> or <line/>"
    for tag, place in (("laneSection", "lanes/laneSection"), ("laneOffset", "lanes/laneOffset")):
        for element in road.iterfind(place):
            if not 0.0 <= _float(element, "s") <= length_m:
                yield f"{name} has a <{tag}> at s={element.get('s')}: expected 0 to its length, {length_m:g}; correct it"
    for element in road.iterfind("signals/*"):
        if _float(element, "s") < 0.0:
            yield f"{name} has a <{element.tag}> at s={element.get('s')}: expected 0 or more; correct it"


def _broken_lanes(road: ElementTree.Element) -> Iterator[str]:
    name, sections = f"road {road.get('id')}", road.findall("lanes/laneSection")
    if not sections:
        yield f"{name} has no <laneSection>: expected at least one; add it or remove the road"
    for section in sections:
        at = f"{name}, lane section at s={section.get('s')}"
        if section.find("center/lane") is None:
            yield f'{at} has no centre lane: expected <center><lane id="0"/></center>'
        for side in ("left", "right"):
            ids = sorted(abs(lane) for lane in _lane_ids(section, side))
            if ids != list(range(1, len(ids) + 1)):
                yield f"{at} numbers its {side} lanes {ids}: expected 1, 2, 3 ... from the centre without a gap"


def _broken_links(road: ElementTree.Element, roads: dict[str, ElementTree.Element]) -> Iterator[str]:
    """Lanes that name a lane which the neighbouring section or road does not have."""
    sections = road.findall("lanes/laneSection")
    for index, section in enumerate(sections):
        for way, neighbour in (("predecessor", index - 1), ("successor", index + 1)):
            if 0 <= neighbour < len(sections):
                there = sections[neighbour]
            else:
                there = _section_beyond(road, way, roads)
            if there is None:
                continue
            known = {lane for side in ("left", "center", "right") for lane in _lane_ids(there, side)}
            for lane in section.iterfind("*/lane"):
                link = lane.find(f"link/{way}")
                if link is not None and int(_float(link, "id")) not in known:
                    yield (
                        f"road {road.get('id')}, lane {lane.get('id')}: its {way} lane {link.get('id')} does not exist; "
                        "correct or remove the <link>"
                    )


def _broken_connections(
    junction: ElementTree.Element, roads: dict[str, ElementTree.Element]
) -> Iterator[str]:
    name = f"junction {junction.get('id')}"
    for connection in junction.findall("connection"):
        road = connection.get("connectingRoad")
        if road is None:
            yield f"{name} has a connection without a connecting road (a direct junction), which CARLA does not know; draw one"
        elif road not in roads:
            yield f"{name} has a connection along road {road!r}, which does not exist; add the road or remove it"


def _section_beyond(
    road: ElementTree.Element, way: str, roads: dict[str, ElementTree.Element]
) -> ElementTree.Element | None:
    """The lane section of the road that this one is linked to; None for a junction, for nothing and for what is missing."""
    link = road.find(f"link/{way}")
    if link is None or link.get("elementType") != "road":
        return None
    beyond = roads.get(link.get("elementId", ""))
    sections = beyond.findall("lanes/laneSection") if beyond is not None else []
    if not sections:
        return None
    return sections[0 if link.get("contactPoint") == "start" else -1]


def _lane_ids(section: ElementTree.Element, side: str) -> list[int]:
    return [int(_float(lane, "id")) for lane in section.iterfind(f"{side}/lane")]


def _float(element: ElementTree.Element, name: str) -> float:
    text = element.get(name, "")
    return float(text) if _is_number(text) else 0.0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
