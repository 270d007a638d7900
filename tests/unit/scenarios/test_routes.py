"""Route files of both Leaderboard versions, the shipped sets, and one clear line for everything that is wrong."""

import functools
import math
from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.drive.carla_map import build_road_map
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route, plan_route
from drive_agent.types import Maneuver
from scenarios import towns
from scenarios.routes import RouteSpec, parse_routes, route_set, set_names

REAL = Path(__file__).parents[4] / "shared" / "data" / "carla"

OLD = """<?xml version='1.0' encoding='UTF-8'?>
<routes>
  <route id="7" town="Town05">
    <waypoint pitch="360.0" roll="0.0" x="-49.5" y="22.25" yaw="0.1" z="0.5"/>
    <waypoint pitch="360.0" roll="0.0" x="10.0" y="-22.0" yaw="90" z="0.0"/>
    <weather id="CloudyDawn" cloudiness="80.0" sun_altitude_angle="5.0"/>
  </route>
</routes>"""

NEW = """<routes><route id="a" town="Brookfield">
  <weathers>
    <weather route_percentage="100" cloudiness="60" sun_altitude_angle="15"/>
    <weather route_percentage="0" cloudiness="20" sun_altitude_angle="45"/>
  </weathers>
  <waypoints><position x="1" y="2" z="3"/><position x="4" y="-5" z="0"/></waypoints>
  <scenarios><scenario name="ParkingExit_1" type="ParkingExit">
    <trigger_point x="1" y="2" z="3" yaw="90"/>
    <other_actor model="vehicle.audi.tt" x="5" y="6" z="0" yaw="-90"/>
    <direction value="right"/><frequency from="40" to="105"/>
  </scenario></scenarios>
</route></routes>"""


@functools.cache
def town(name: str) -> RoadMap:
    text = towns.load(name)
    return build_road_map(carla.Map(name, text), text)


def planned(name: str) -> list[tuple[RouteSpec, Route]]:
    return [(spec, plan_route(town(spec.town), spec.keypoints)) for spec in route_set(name)]


def test_version_one():
    (spec,) = parse_routes(OLD, "old.xml")
    assert (spec.id, spec.town, spec.scenarios) == ("7", "Town05", ())
    assert spec.keypoints.tolist() == [[-49.5, -22.25, 0.5], [10.0, 22.0, 0.0]]
    assert spec.weather_at(0) == spec.weather_at(100) == {"cloudiness": 80.0, "sun_altitude_angle": 5.0}


def test_version_two():
    (spec,) = parse_routes(NEW, "new.xml")
    assert spec.keypoints.tolist() == [[1, -2, 3], [4, 5, 0]]
    (scenario,) = spec.scenarios
    assert (scenario.name, scenario.type) == ("ParkingExit_1", "ParkingExit")
    assert scenario.trigger == pytest.approx((1, -2, 3, -math.pi / 2))
    assert scenario.parameters == {"direction": {"value": "right"}, "frequency": {"from": "40", "to": "105"}}
    (other,) = scenario.other_actors
    assert other.pose == pytest.approx((5, -6, 0, math.pi / 2)) and other.attributes == {
        "model": "vehicle.audi.tt"
    }


def test_weather_glides_along_the_route():
    (spec,) = parse_routes(NEW, "new.xml")
    assert [weather.route_percentage for weather in spec.weathers] == [0.0, 100.0]
    assert spec.weather_at(25) == {"cloudiness": 30.0, "sun_altitude_angle": 37.5}
    assert spec.weather_at(-5)["cloudiness"] == 20.0 and spec.weather_at(150)["cloudiness"] == 60.0


def test_routes_without_weather_get_the_leaderboards():
    text = NEW.replace(NEW[NEW.index("<weathers>") : NEW.index("<waypoints>")], "")
    (spec,) = parse_routes(text, "new.xml")
    assert spec.weather_at(50) == {"sun_altitude_angle": 70.0, "cloudiness": 50.0}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("</routes>", "", "not well-formed XML"),
        ('id="a" ', "", "<route> has no attribute 'id'"),
        ('town="Brookfield"', "", "<route> has no attribute 'town'"),
        ("Brookfield", "Brokfield", "unknown town 'Brokfield'; did you mean Brookfield"),
        ('<position x="1"', "<position", "route 'a': <position> has no attribute 'x'"),
        ('x="4"', 'x="four"', "<position> x='four' is not a finite number"),
        ('x="4"', 'x="nan"', "<position> x='nan' is not a finite number"),
        ('<position x="1" y="2" z="3"/>', "", "<route> has 1 points"),
        (
            "cloudiness",
            "cloudyness",
            "<weather> unknown weather parameter 'cloudyness'; did you mean cloudiness",
        ),
        ('<trigger_point x="1" y="2" z="3" yaw="90"/>', "", "<scenario> has no <trigger_point>"),
        ("</route></routes>", "</route>" + NEW[len("<routes>") :], "route id 'a' is used twice"),
        (NEW, "<routes/>", "holds no <route>"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(old, new, told):
    with pytest.raises(ValueError, match="^my.xml: ") as error:
        parse_routes(NEW.replace(old, new), "my.xml")
    assert told in str(error.value) and "\n" not in str(error.value)


def test_sets_by_name_and_by_path(tmp_path):
    assert {"default", "second", "dev", "test", "long"} <= set(set_names())
    path = tmp_path / "mine.xml"
    path.write_text(NEW)
    assert [spec.id for spec in route_set(str(path))] == ["a"]
    with pytest.raises(ValueError, match="unknown route set 'defalt'; did you mean default"):
        route_set("defalt")
    with pytest.raises(ValueError, match="does not exist"):
        route_set("nowhere/routes.xml")


@pytest.mark.parametrize(("name", "where"), [("default", "Brookfield"), ("second", "Ridgeport")])
def test_shipped_sets_are_worth_driving(name, where):
    routes = planned(name)
    assert [spec.id for spec, _ in routes] == ["0", "1", "2"]
    assert all(spec.town == where for spec, _ in routes)
    assert all(400.0 < route.length_m < 560.0 for _, route in routes)
    assert sum(route.length_m for _, route in routes) >= 1_200.0
    crossed = [_crossed(town(where), route) for _, route in routes]
    assert all(kinds.count("light") >= 2 for kinds in crossed)
    assert sum(kinds.count("light") for kinds in crossed) >= 7
    assert any("stop" in kinds for kinds in crossed)
    asked = {command for _, route in routes for command in route.maneuvers}
    assert {Maneuver.LEFT, Maneuver.RIGHT, Maneuver.STRAIGHT} <= asked
    suns = {(w["sun_altitude_angle"], w["cloudiness"]) for spec, _ in routes for w in [spec.weather_at(100)]}
    assert len(suns) == 3


def _crossed(road_map: RoadMap, route: Route) -> list[str]:
    """Kinds of the stop lines that a route drives over."""
    found = []
    for line in road_map.stop_lines:
        middle = line.segment.mean(0)
        lanes = set(route.lanes.tolist()) & set(line.lanes)
        near = np.linalg.norm(route.points[:, :2] - middle, axis=1).min() < 3.0
        if lanes and near:
            found.append(line.kind)
    return found


@pytest.mark.parametrize("name", ["default", "second"])
def test_shipped_keypoints_lie_on_their_lanes_with_room_to_start(name):
    for spec, route in planned(name):
        road_map = town(spec.town)
        for point in spec.keypoints:
            index, _, lateral_m = road_map.nearest_lane(point)
            assert abs(lateral_m) < 0.1 and not road_map.lanes[index].is_junction
            assert abs(road_map.pose_on(index, road_map.nearest_lane(point)[1])[2] - point[2]) < 0.1
        path = list(dict.fromkeys(route.lanes.tolist()))
        ahead = road_map.next_stop_line(path, road_map.nearest_lane(route.points[0])[1])
        assert ahead is not None and ahead[1] > 25.0


@pytest.mark.parametrize(
    ("path", "count", "first_town", "scenarios"),
    [("routes/routes_devtest.xml", 2, "Town12", True), ("routes/longest6.xml", 36, "Town01", False)],
)
def test_real_leaderboard_files(path, count, first_town, scenarios):
    if not (REAL / path).is_file():
        pytest.skip(f"{path} of the CARLA Leaderboard is not beside the checkout")
    specs = route_set(str(REAL / path))
    assert len(specs) == count and specs[0].town == first_town
    assert bool(specs[0].scenarios) == scenarios
    assert all(len(spec.keypoints) >= 2 and "sun_altitude_angle" in spec.weather_at(30) for spec in specs)


@pytest.mark.parametrize("name", ["Town01", "Town02"])
def test_longest6_can_be_planned_on_carlas_towns(name):
    xodr, routes = REAL / "xodr" / f"{name}.xodr", REAL / "routes" / "longest6.xml"
    if not (xodr.is_file() and routes.is_file()):
        pytest.skip(f"{name}.xodr and longest6.xml are not beside the checkout")
    text = xodr.read_text()
    road_map = build_road_map(carla.Map(name, text), text)
    for spec in (spec for spec in route_set(str(routes)) if spec.town == name):
        route = plan_route(road_map, spec.keypoints)
        assert route.length_m > 500.0
        gaps_m = [np.linalg.norm(route.points[:, :2] - key[:2], axis=1).min() for key in spec.keypoints]
        assert max(gaps_m) < 2.5
        direct_m = np.linalg.norm(np.diff(spec.keypoints[:, :2], axis=0), axis=1).sum()
        assert route.length_m < 1.3 * direct_m
