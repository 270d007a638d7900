"""What is wrong with a route file is one line with file, route, element and remedy."""

from __future__ import annotations

import re

import pytest

from drive_agent.drive.offline_maps import offline_road_map, town_text
from scenarios.checks import check_scenarios, plan, trigger_m
from scenarios.routes import parse_routes, route_set

ROUTE = """<routes><route id="3" town="Brookfield">
  <waypoints>{points}</waypoints>
  <scenarios><scenario name="S_1" type="{type}"><trigger_point x="{x}" y="{y}" yaw="{yaw}" z="0"/>{told}</scenario>
</scenarios></route></routes>"""
POINTS = '<position x="58.3" y="12.8" z="0"/><position x="108.0" y="10.9" z="0"/>'


def spec(type_name="HardBreakRoute", told="", points=POINTS, x=70.2, y=14.7, yaw=5.0):
    text = ROUTE.format(type=type_name, told=told, points=points, x=x, y=y, yaw=yaw)
    return parse_routes(text, "my.xml")[0]


@pytest.mark.parametrize(
    ("type_name", "told", "words"),
    [
        ("Acident", "", "unknown scenario type 'Acident'; did you mean Accident"),
        ("Accident", '<distence value="5"/>', "<distence> is no parameter of this scenario type; did you mean <distance>?"),
        ("Accident", '<distance value="far"/>', "<distance> value='far' is not a finite number: correct it"),
        ("Accident", '<direction value="up"/>', "<direction> value='up' is none of left, right: correct it"),
        ("HighwayExit", "", "<start_actor_flow> is missing: add it"),
    ],
)  # fmt: skip
def test_types_and_parameters_are_checked_without_a_map(type_name, told, words):
    with pytest.raises(ValueError, match=r"^my\.xml: route '3': <scenario> 'S_1': ") as caught:
        check_scenarios([spec(), spec(type_name, told)])
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_trigger_off_the_route_is_told_where_the_route_is():
    road_map = offline_road_map("Brookfield")
    good = spec()
    route = plan(good, road_map)
    assert trigger_m(good, good.scenarios[0], route) == pytest.approx(11.7, abs=1.0)
    for broken in (spec(y=20.0), spec(yaw=175.0)):
        with pytest.raises(
            ValueError, match=r"^my\.xml: route '3': .*<trigger_point> at .*move it onto"
        ) as caught:
            trigger_m(broken, broken.scenarios[0], route)
        told = re.search(r"x=(\S+) y=(\S+) yaw=(\S+)$", str(caught.value))
        assert told is not None
        mended = spec(x=float(told[1]), y=float(told[2]), yaw=float(told[3]))
        assert 0.0 < trigger_m(mended, mended.scenarios[0], route) < 30.0


def test_a_way_that_does_not_exist_names_its_route():
    with pytest.raises(ValueError, match=r"^my\.xml: route '3': <waypoints> keypoint"):
        plan(spec(points=POINTS.replace('y="10.9"', 'y="900"')), offline_road_map("Brookfield"))


def test_towns_that_are_not_there():
    with pytest.raises(ValueError, match="unknown town 'Town12'"):
        town_text("Town12")
    with pytest.raises(ValueError, match="no such file"):
        town_text("nowhere/my.xodr")


@pytest.mark.parametrize("name", ["dev", "long"])
def test_shipped_sets_have_only_scenarios_that_can_be_read(name):
    specs = route_set(name)
    check_scenarios(specs)
    assert all(spec.scenarios for spec in specs)
