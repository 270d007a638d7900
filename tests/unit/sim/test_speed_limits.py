"""Limits of lanes: the road's own, those of signs from where they stand on, and what a junction goes on with."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import carla
import numpy as np
import pytest

from drive_agent.sim import opendrive
from drive_agent.sim.ground import build_ground, nearest_sample
from drive_agent.sim.speed_limits import DEFAULT_LIMIT_KMH, LaneLimit, lane_limits
from scenarios import towns


def road(road_type: str = "", signals: str = "") -> str:
    """One straight road of 200 m with a lane on each side, along x."""
    lane = '<lane id="{}" type="driving" level="false"><link/><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane>'
    return f"""<OpenDRIVE><header revMajor="1" revMinor="4" name="t"/>
      <road name="a" length="200" id="1" junction="-1"><link/>{road_type}
      <planView><geometry s="0" x="0" y="0" hdg="0" length="200"><line/></geometry></planView>
      <elevationProfile/><lateralProfile/><lanes><laneOffset s="0" a="0" b="0" c="0" d="0"/><laneSection s="0">
      <left>{lane.format(1)}</left><center><lane id="0" type="none" level="false"/></center>
      <right>{lane.format(-1)}</right></laneSection></lanes><objects/><signals>{signals}</signals></road></OpenDRIVE>"""


def sign(number: int, s: float, value: float, unit: str, orientation: str) -> str:
    return (
        f'<signal id="{number}" name="l" s="{s}" t="0" zOffset="2" type="274" subtype="-1" value="{value}" '
        f'unit="{unit}" orientation="{orientation}" dynamic="no" country="DE" width="0.6" height="0.6"/>'
    )


TYPE = '<type s="0" type="town"><speed max="50" unit="km/h"/></type>'
SIGNS = sign(1, 100, 30, "km/h", "+") + sign(2, 150, 50, "mph", "-") + sign(3, 160, 80, "", "+")


def limit_at(text: str, x: float, y: float) -> float:
    town, parsed = carla.Map("t", text), opendrive.parse(text)
    grid = build_ground(town, lane_limits(town, parsed))
    return float(grid.samples[nearest_sample(grid, x, y, 0.0)]["limit_kmh"])


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (50.0, 1.75, 50.0),  # right lane, CARLA's y: before any sign
        (130.0, 1.75, 30.0),
        (190.0, 1.75, 80.0),
        (190.0, -1.75, 50.0),  # left lane, driven towards smaller x: its sign stands at 150
        (60.0, -1.75, 50.0 * 1.609344),
    ],
)
def test_a_sign_holds_from_where_it_stands_in_driving_direction(x: float, y: float, expected: float) -> None:
    assert limit_at(road(TYPE, SIGNS), x, y) == pytest.approx(expected, rel=1e-4)


def test_a_road_that_says_nothing_has_the_limit_that_vehicles_begin_with() -> None:
    assert limit_at(road(), 50.0, 1.75) == DEFAULT_LIMIT_KMH


def test_signs_count_in_driving_direction() -> None:
    backwards = LaneLimit(60.0, ((150.0, 40.0), (100.0, 20.0)), forwards=False)
    assert [backwards.at(s) for s in (180.0, 120.0, 50.0)] == [60.0, 40.0, 20.0]


def test_lanes_of_a_junction_go_on_with_the_limit_before_it() -> None:
    """As in CARLA's own towns, where the roads of junctions have no type."""
    text = towns.load("Brookfield")
    roads = ElementTree.fromstring(text).findall("road")
    inside = {int(road.get("id", "0")) for road in roads if road.get("junction") != "-1"}
    parsed = opendrive.parse(text)
    silent = tuple(
        replace(lane, speed_limit_mps=None) if lane.road_id in inside else lane for lane in parsed.lanes
    )
    limits = lane_limits(carla.Map("Brookfield", text), replace(parsed, lanes=silent))
    found = [limit.start_kmh for lane, limit in limits.items() if lane.road_id in inside]
    assert len(found) > 50
    assert set(np.round(found)) <= {40.0, 50.0}
