"""Writes a town as OpenDRIVE 1.4, in the dialect that CARLA's parser reads completely.

What the parser needs beyond the standard's minimum: `laneChange` on every road mark (it assumes "both"), a width on
every mark, crosswalk outlines directly under the object with the first corner repeated, junctions that list their
controllers, `<link>` in connecting lanes, and a geoReference.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from scenarios.towns.curves import Curve
from scenarios.towns.network import build_network
from scenarios.towns.plan import TownPlan
from scenarios.towns.roads import (
    CROSSWALK_DEPTH_M,
    LANE_M,
    LIGHT,
    SHOULDER_M,
    SIDEWALK_M,
    SPEED_LIMIT,
    STOP,
    YIELD,
    Crosswalk,
    Junction,
    Link,
    Network,
    Road,
    Signal,
)

MARK_M = 0.12
_SIGNAL_NAMES = {LIGHT: "Signal_3Light_Post01", STOP: "Sign_Stop", YIELD: "Sign_Yield"}


def to_opendrive(plan: TownPlan) -> str:
    """The OpenDRIVE text of a town plan. Raises ValueError, naming the place, where the plan cannot be built."""
    network = build_network(plan)
    root = ET.Element("OpenDRIVE")
    _header(root, network)
    for road in network.streets:
        _street(root, road)
    for junction in network.junctions:
        for link in junction.links:
            _connection_road(root, link, junction.id)
    controllers = _controllers(root, network)
    for junction in network.junctions:
        _junction(root, junction, controllers[junction.id])
    ET.indent(root, " ")
    return '<?xml version="1.0" standalone="yes"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add(parent: ET.Element, tag: str, **attributes: str | float) -> ET.Element:
    """A child element; floats are written to a tenth of a micrometre, which keeps joints closed."""
    texts = {
        key: _number(value) if isinstance(value, float) else str(value) for key, value in attributes.items()
    }
    return ET.SubElement(parent, tag, texts)


def _number(value: float) -> str:
    text = f"{value:.7f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _header(root: ET.Element, network: Network) -> None:
    nodes = network.plan.nodes.values()
    header = _add(
        root,
        "header",
        revMajor=1,
        revMinor=4,
        name=network.plan.name,
        version=1,
        date="2026-01-01T00:00:00",
        north=max(node.y_m for node in nodes),
        south=min(node.y_m for node in nodes),
        east=max(node.x_m for node in nodes),
        west=min(node.x_m for node in nodes),
    )
    _add(header, "geoReference").text = (
        f"+proj=tmerc +lat_0={network.plan.latitude_deg} +lon_0={network.plan.longitude_deg} "
        "+k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +geoidgrids=egm96_15.gtx +vunits=m +no_defs"
    )


def _street(root: ET.Element, road: Road) -> None:
    element = _add(root, "road", name=f"Street {road.id}", length=road.line.length_m, id=road.id, junction=-1)
    link = _add(element, "link")
    _add(link, "predecessor", elementType="junction", elementId=road.junction_start)
    _add(link, "successor", elementType="junction", elementId=road.junction_end)
    _profile(element, road)
    section = _add(_add(element, "lanes"), "laneSection", s=0)
    left, center, right = (_add(section, side) for side in ("left", "center", "right"))
    for number in range(1, road.lanes + 3):
        _street_lane(right, -number, road.lanes)
    for number in range(road.lanes + 2, 0, -1):  # the standard lists lanes from left to right
        _street_lane(left, number, road.lanes)
    middle = _add(center, "lane", id=0, type="none", level="false")
    _mark(middle, "solid solid" if road.lanes > 1 else "solid", "yellow")
    objects = _add(element, "objects")
    for crosswalk in road.crosswalks:
        _crosswalk(objects, crosswalk)
    signals = _add(element, "signals")
    for signal in road.signals:
        _signal(signals, signal)


def _connection_road(root: ET.Element, link: Link, junction: int) -> None:
    road = link.road
    name = f"Turn {road.id}"
    element = _add(root, "road", name=name, length=road.line.length_m, id=road.id, junction=junction)
    ends = _add(element, "link")
    for tag, arm in (("predecessor", link.from_arm), ("successor", link.to_arm)):
        contact = "start" if arm.at_start else "end"
        _add(ends, tag, elementType="road", elementId=arm.road_id, contactPoint=contact)
    _profile(element, road)
    section = _add(_add(element, "lanes"), "laneSection", s=0)
    center, right = (_add(section, side) for side in ("center", "right"))
    _mark(_add(center, "lane", id=0, type="none", level="false"), "none", "white")
    for lane_id, from_lane, to_lane in _lane_links(link):
        kind, width_m = {-1: ("driving", LANE_M), -2: ("shoulder", SHOULDER_M), -3: ("sidewalk", SIDEWALK_M)}[
            lane_id
        ]
        lane = _lane(right, lane_id, kind, width_m, (from_lane, to_lane))
        _mark(lane, "none", "white")


def _lane_links(link: Link) -> list[tuple[int, int, int]]:
    """Connecting lane id, its lane before, its lane behind; at corners the pavement goes round too."""
    links = [(-1, link.from_lane, link.to_lane)]
    if link.road.sidewalk:
        from_side, to_side = math.copysign(1, link.from_lane), math.copysign(1, link.to_lane)
        links += [
            (-1 - k, int(from_side * (link.from_arm.lanes + k)), int(to_side * (link.to_arm.lanes + k)))
            for k in (1, 2)
        ]
    return links


def _profile(element: ET.Element, road: Road) -> None:
    """Speed, plan view and elevation (a cubic that is level at both ends)."""
    kind = _add(element, "type", s=0, type="town")
    _add(kind, "speed", max=road.speed_kmh, unit="km/h")
    _plan_view(_add(element, "planView"), road.line)
    rise_m, length_m = road.z_end_m - road.z_start_m, road.line.length_m
    c, d = 3 * rise_m / length_m**2, -2 * rise_m / length_m**3
    profile = _add(element, "elevationProfile")
    _add(profile, "elevation", s=0, a=road.z_start_m, b=0, c=f"{c:.12g}", d=f"{d:.12g}")
    _add(element, "lateralProfile")


def _plan_view(element: ET.Element, line: Curve) -> None:
    s_m = 0.0
    for piece in line.pieces:
        heading = f"{piece.heading_rad:.10f}"
        geometry = _add(
            element, "geometry", s=s_m, x=piece.x_m, y=piece.y_m, hdg=heading, length=piece.length_m
        )
        if piece.curvature_inv_m:
            _add(geometry, "arc", curvature=f"{piece.curvature_inv_m:.10g}")
        else:
            _add(geometry, "line")
        s_m += piece.length_m


def _street_lane(side: ET.Element, lane_id: int, lanes: int) -> None:
    """Driving lanes from the middle outwards, then shoulder, then pavement."""
    number = abs(lane_id)
    if number <= lanes:
        lane = _lane(side, lane_id, "driving", LANE_M)
        _mark(lane, "solid" if number == lanes else "broken", "white")
    elif number == lanes + 1:
        _mark(_lane(side, lane_id, "shoulder", SHOULDER_M), "none", "white")
    else:
        _mark(_lane(side, lane_id, "sidewalk", SIDEWALK_M), "none", "white")


def _lane(
    side: ET.Element, lane_id: int, kind: str, width_m: float, link: tuple[int, int] | None = None
) -> ET.Element:
    lane = _add(side, "lane", id=lane_id, type=kind, level="false")
    if link:
        element = _add(lane, "link")
        _add(element, "predecessor", id=link[0])
        _add(element, "successor", id=link[1])
    _add(lane, "width", sOffset=0, a=width_m, b=0, c=0, d=0)
    return lane


def _mark(lane: ET.Element, kind: str, color: str) -> None:
    """A road mark; lanes may be changed across broken ones only."""
    _add(
        lane,
        "roadMark",
        sOffset=0,
        type=kind,
        weight="standard",
        color=color,
        material="standard",
        width=0.0 if kind == "none" else MARK_M,
        laneChange="both" if kind == "broken" else "none",
    )


def _crosswalk(objects: ET.Element, crosswalk: Crosswalk) -> None:
    element = _add(
        objects,
        "object",
        id=crosswalk.id,
        name="SimpleCrosswalk",
        type="crosswalk",
        s=crosswalk.s_m,
        t=0,
        zOffset=0,
        hdg=0,
        pitch=0,
        roll=0,
        orientation="none",
        length=CROSSWALK_DEPTH_M,
        width=crosswalk.span_m,
    )
    outline = _add(element, "outline")
    half_depth_m, half_span_m = CROSSWALK_DEPTH_M / 2, crosswalk.span_m / 2
    for u_sign, v_sign in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)):
        _add(outline, "cornerLocal", u=u_sign * half_depth_m, v=v_sign * half_span_m, z=0)


def _signal(signals: ET.Element, signal: Signal) -> None:
    """`hOffset` turns the signal's heading into the driving direction of the lanes it governs, as in CARLA's towns."""
    along = signal.lanes[0] < 0
    is_limit = signal.type == SPEED_LIMIT
    element = _add(
        signals,
        "signal",
        name=f"Speed_{signal.value:.0f}" if is_limit else _SIGNAL_NAMES[signal.type],
        id=signal.id,
        s=signal.s_m,
        t=signal.t_m,
        zOffset=0,
        hOffset=0 if along else f"{math.pi:.10f}",
        roll=0,
        pitch=0,
        orientation="+" if along else "-",
        dynamic="yes" if signal.type == LIGHT else "no",
        country="OpenDRIVE",
        type=signal.type,
        subtype=f"{signal.value:.0f}" if is_limit else -1,
        value=signal.value,
        unit="km/h" if is_limit else "",
        text="",
        height=0.8,
        width=0.3,
    )
    _add(element, "validity", fromLane=min(signal.lanes), toLane=max(signal.lanes))


def _controllers(root: ET.Element, network: Network) -> dict[int, list[int]]:
    """One controller a phase; returns the controller ids of each junction."""
    ids: dict[int, list[int]] = {junction.id: [] for junction in network.junctions}
    phases = [(junction.id, phase) for junction in network.junctions for phase in junction.phases]
    for number, (junction, phase) in enumerate(phases, start=1):
        element = _add(root, "controller", name=f"phase {number}", id=number, sequence=len(ids[junction]))
        for signal in phase:
            _add(element, "control", signalId=signal, type="")
        ids[junction].append(number)
    return ids


def _junction(root: ET.Element, junction: Junction, controllers: list[int]) -> None:
    element = _add(root, "junction", id=junction.id, name=junction.name)
    for number, link in enumerate(junction.links):
        connection = _add(
            element,
            "connection",
            id=number,
            incomingRoad=link.from_arm.road_id,
            connectingRoad=link.road.id,
            contactPoint="start",
        )
        for lane_id, from_lane, _ in _lane_links(link):
            _add(connection, "laneLink", **{"from": from_lane, "to": lane_id})
    for sequence, controller in enumerate(controllers):
        _add(element, "controller", id=controller, type=0, sequence=sequence)
