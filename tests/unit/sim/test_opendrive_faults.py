"""Maps that the client reads wrongly or dies of are refused, with the value, what was expected, and the remedy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import pytest

from drive_agent.sim.maps import TownError, check_opendrive
from scenarios import towns

TEXT = towns.load("Ridgeport")


def changed(change: Callable[[Element], object]) -> str:
    root = ElementTree.fromstring(TEXT)
    change(root)
    return ElementTree.tostring(root, encoding="unicode")


def street(root: Element) -> Element:
    return next(road for road in root.findall("road") if road.get("junction") == "-1")


def connection(root: Element) -> Element:
    return next(road for road in root.findall("road") if road.get("junction") != "-1")


def at(root: Element, path: str) -> Element:
    found = root.find(path)
    assert found is not None
    return found


def without(parent: Element, *tags: str) -> None:
    for tag in tags:
        for child in parent.findall(tag):
            parent.remove(child)


def curve(root: Element, tag: str, **values: str) -> None:
    geometry = at(street(root), "planView/geometry")
    without(geometry, "line", "arc", "spiral", "paramPoly3")
    if tag:
        SubElement(geometry, tag, values)


FAULTS: dict[str, tuple[Callable[[Element], object], str]] = {
    "no roads": (lambda r: without(r, "road", "junction", "controller"), "no <road>"),
    "a road twice": (lambda r: r.append(copy.deepcopy(street(r))), "road id .* is used 2 times"),
    "a junction twice": (lambda r: r.append(copy.deepcopy(at(r, "junction"))), "junction id .* is used 2 times"),
    "a wordy id": (lambda r: street(r).set("id", "Main"), "road id 'Main': expected a whole number"),
    "only pavements": (
        lambda r: [lane.set("type", "sidewalk") for lane in r.iter("lane")],
        r"no road has a lane to drive on \(there are: sidewalk\)",
    ),
    "nan": (lambda r: at(street(r), "planView/geometry").set("x", "nan"), "<geometry x='nan'>: expected a finite number"),
    "text": (lambda r: at(street(r), "planView/geometry").set("hdg", "north"), "<geometry hdg='north'>"),
    "far away": (lambda r: at(street(r), "planView/geometry").set("x", "5e6"), "subtract a constant"),
    "too wide": (lambda r: at(street(r), "planView/geometry").set("x", "9e4"), "km wide in x"),
    "endless": (lambda r: street(r).set("length", "1e9"), "has length 1e\\+09"),
    "a wordy sign": (
        lambda r: SubElement(SubElement(street(r), "objects"), "object", name="Speed_fast", id="1"), "Speed_ and a number",
    ),
}  # fmt: skip

KILLERS: dict[str, tuple[Callable[[Element], object], str]] = {
    "a control of no signal": (lambda r: at(r, "controller/control").set("signalId", "none"), "names signal none"),
    "a reference to no signal": (
        lambda r: SubElement(next(r.iter("signals")), "signalReference", id="none", s="1", t="0", orientation="+"),
        "<signalReference> names signal none",
    ),
    "no plan view": (lambda r: without(street(r), "planView"), "has no <geometry>"),
    "no curve": (lambda r: curve(r, ""), "without a curve"),
    "a straight arc": (lambda r: curve(r, "arc", curvature="0"), "arc of curvature 0"),
    "a round spiral": (lambda r: curve(r, "spiral", curvStart="0.1", curvEnd="0.1"), "spiral of constant curvature"),
    "a negative length": (lambda r: street(r).set("length", "-5"), "has length -5"),
    "no lanes": (lambda r: without(street(r), "lanes"), "no <laneSection>"),
    "no centre": (lambda r: without(at(street(r), "lanes/laneSection"), "center"), "no centre lane"),
    "a gap": (
        lambda r: at(street(r), "lanes/laneSection/right/lane").set("id", "-7"), "expected 1, 2, 3",
    ),
    "a link to no lane": (
        lambda r: at(connection(r), "lanes/laneSection/right/lane/link/successor").set("id", "-9"),
        "successor lane -9 does not exist",
    ),
    "a connection along no road": (
        lambda r: at(r, "junction/connection").set("connectingRoad", "99999"), "along road '99999'",
    ),
    "a late section": (
        lambda r: at(street(r), "lanes/laneSection").set("s", "1e6"), "<laneSection> at s=1e6",
    ),
    "an early signal": (lambda r: next(r.iter("signal")).set("s", "-10"), "<signal> at s=-10"),
    "no junctions": (lambda r: without(r, "junction"), "the client dies of signal 11 while following the lanes"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FAULTS, *KILLERS])
def test_a_broken_map_is_refused_with_the_reason(name: str) -> None:
    change, reason = (FAULTS | KILLERS)[name]
    with pytest.raises(TownError, match=rf"^map 'Broken' is refused: .*{reason}"):
        check_opendrive("Broken", changed(change))


def test_a_sound_map_passes() -> None:
    assert len(check_opendrive("Ridgeport", TEXT).lanes) > 100
