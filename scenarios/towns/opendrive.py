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
    LIGHT,
    SPEED_LIMIT,
    STOP,
    YIELD,
    Crosswalk,
    Junction,
    Mark,
    Network,
    Road,
    RoadLane,
    Section,
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
        _road(root, road)
    for junction in network.junctions:
        for link in junction.links:
            _road(root, link.road)
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


def _road(root: ET.Element, road: Road) -> None:
    is_street = road.junction < 0
    name = f"{'Street' if is_street else 'Turn'} {road.id}"
    element = _add(root, "road", name=name, length=road.line.length_m, id=road.id, junction=road.junction)
    link = _add(element, "link")
    for tag, end in (("predecessor", road.start), ("successor", road.end)):
        contact = {"contactPoint": end.contact} if end.contact else {}
        _add(link, tag, elementType="road" if contact else "junction", elementId=end.id, **contact)
    _profile(element, road)
    lanes = _add(element, "lanes")
    for section in road.sections:
        _section(lanes, section)
    if is_street:
        objects = _add(element, "objects")
        for crosswalk in road.crosswalks:
            _crosswalk(objects, crosswalk)
        signals = _add(element, "signals")
        for signal in road.signals:
            _signal(signals, signal)


def _section(parent: ET.Element, section: Section) -> None:
    """Lanes from left to right, as the standard lists them."""
    element = _add(parent, "laneSection", s=section.s_m)
    left = [lane for lane in section.lanes if lane.id > 0]
    if left:
        side = _add(element, "left")
        for lane in left:
            _lane(side, lane)
    middle = _add(_add(element, "center"), "lane", id=0, type="none", level="false")
    _mark(middle, section.middle)
    side = _add(element, "right")
    for lane in section.lanes[len(left) :]:
        _lane(side, lane)


def _lane(side: ET.Element, lane: RoadLane) -> None:
    element = _add(side, "lane", id=lane.id, type=lane.kind, level="false")
    if lane.before is not None or lane.after is not None:
        link = _add(element, "link")
        for tag, joined in (("predecessor", lane.before), ("successor", lane.after)):
            if joined is not None:
                _add(link, tag, id=joined)
    a, b, c, d = lane.width
    terms = {key: f"{term:.12g}" for key, term in (("b", b), ("c", c), ("d", d))}
    _add(element, "width", sOffset=0, a=a, **terms)
    _mark(element, lane.mark)


def _profile(element: ET.Element, road: Road) -> None:
    """Speed, plan view and elevation (a cubic that is level at both ends)."""
    kind = _add(element, "type", s=0, type=road.road_type)
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


def _mark(lane: ET.Element, mark: Mark) -> None:
    _add(
        lane,
        "roadMark",
        sOffset=0,
        type=mark.kind,
        weight="standard",
        color=mark.color,
        material="standard",
        width=0.0 if mark.kind == "none" else MARK_M,
        laneChange="both" if mark.may_cross else "none",
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
            incomingRoad=link.road.start.id,
            connectingRoad=link.road.id,
            contactPoint="start",
        )
        for from_lane, lane_id in link.from_lanes:
            _add(connection, "laneLink", **{"from": from_lane, "to": lane_id})
    for sequence, controller in enumerate(controllers):
        _add(element, "controller", id=controller, type=0, sequence=sequence)
