"""Every town, read back by the genuine `carla.Map`: what the plans promise is what CARLA sees."""

import functools
import hashlib
import math
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict

import carla
import numpy as np
import pytest

from drive_agent.drive.carla_map import build_road_map
from drive_agent.geometry import project, wrap_angle
from drive_agent.roadmap import Lane, RoadMap
from scenarios import towns
from scenarios.towns.opendrive import to_opendrive
from scenarios.towns.plan import Node, Street, TownPlan, Via
from scenarios.towns.random_town import random_plan

NAMES = ["Brookfield", "Ridgeport", *(f"random:{seed}" for seed in (0, 1, 2, 7, 23))]
LIGHT, STOP, YIELD, SPEED = "1000001", "206", "205", "274"
TURN_RAD = math.radians(40)


@functools.cache
def world(name: str) -> tuple[carla.Map, RoadMap, ET.Element]:
    text = towns.load(name)
    carla_map = carla.Map(name, text)
    return carla_map, build_road_map(carla_map, text), ET.fromstring(text)


def driving(road_map: RoadMap) -> list[Lane]:
    return [lane for lane in road_map.lanes if lane.kind == "driving"]


def turn_of(lane: Lane) -> float:
    return float(wrap_angle(lane.heading[-1] - lane.heading[0]))


FINGERPRINTS = {  # of texts that trained weights and published figures depend on
    "Brookfield": "bf9c757ae5d73976",
    "Ridgeport": "ee268324436ebb4e",
    "random:0": "43e9657c5a14993c",
    "random:1": "1cef8307c6f19c9a",
}


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_old_towns_never_change(name):
    assert hashlib.sha256(towns.load(name).encode()).hexdigest()[:16] == FINGERPRINTS[name]


def test_random_towns_differ_by_seed_only():
    assert towns.load("random:5") == to_opendrive(random_plan(5))
    assert towns.load("random:5") != towns.load("random:6")


def test_random_plans_have_the_mix_that_training_needs():
    plans = [random_plan(seed) for seed in range(60)]
    controls = Counter(node.control for plan in plans for node in plan.nodes.values())
    assert controls["signals"] > controls["stop"] > controls["free"] > 0
    assert all(any(node.control == "signals" for node in plan.nodes.values()) for plan in plans)
    streets = [street for plan in plans for street in plan.streets]
    assert {street.lanes for street in streets} == {1, 2}
    assert 0.4 < np.mean([bool(street.via) for street in streets]) < 0.8


@pytest.mark.parametrize(
    ("name", "told"),
    [("Brokfield", "Brookfield"), ("random:x", "seed"), ("random:-1", "seed"), ("", "Ridgeport")],
)
def test_unknown_towns_name_the_remedy(name, told):
    with pytest.raises(ValueError, match=told) as error:
        towns.load(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_and_controllers_name_signals(name):
    """CARLA's parser crashes on a control of a missing signal and mixes up doubled roads."""
    _, _, root = world(name)
    for tag in ("road", "signal", "controller", "junction", "object"):
        ids = [element.get("id") for element in root.iter(tag) if element.get("junction") or tag != "road"]
        if tag == "controller":
            ids = [element.get("id") for element in root.findall("controller")]
        assert len(ids) == len(set(ids)), tag
    signals = {element.get("id") for element in root.iter("signal")}
    assert {control.get("signalId") for control in root.iter("control")} <= signals


@pytest.mark.parametrize("name", NAMES)
def test_the_parser_has_nothing_to_say(name, capfd):
    carla.Map(name, towns.load(name))
    said = capfd.readouterr()
    assert said.out + said.err == ""


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_stuck(name):
    """From every driving lane every other one can be reached."""
    _, road_map, _ = world(name)
    onward, back = defaultdict(set), defaultdict(set)
    for lane in driving(road_map):
        changes = {lane.left} if lane.left_change else set()
        changes |= {lane.right} if lane.right_change else set()
        assert lane.successors and lane.predecessors
        for following in (*lane.successors, *changes):
            onward[lane.index].add(following)
            back[following].add(lane.index)
    everyone = {lane.index for lane in driving(road_map)}
    for graph in (onward, back):
        seen, edge = set(), [min(everyone)]
        while edge:
            here = edge.pop()
            if here not in seen:
                seen.add(here)
                edge += graph[here]
        assert seen == everyone


@pytest.mark.parametrize("name", NAMES)
def test_lanes_meet_without_gap_or_kink(name):
    _, road_map, _ = world(name)
    for lane in road_map.lanes:
        for follower in (road_map.lanes[index] for index in lane.successors):
            assert np.linalg.norm(lane.center[-1] - follower.center[0]) < 0.02
            assert abs(wrap_angle(lane.heading[-1] - follower.heading[0])) < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_every_bend_can_be_driven(name):
    _, road_map, _ = world(name)
    for lane in driving(road_map):
        curvature = np.abs(wrap_angle(np.diff(lane.heading))) / np.diff(lane.stations_m)
        assert curvature.max() < 1 / 6.0, (lane.road_id, lane.lane_id)


@pytest.mark.parametrize("name", NAMES)
def test_streets_keep_clear_of_each_other(name):
    _, road_map, _ = world(name)
    streets = defaultdict(list)
    for lane in driving(road_map):
        if not lane.is_junction:
            streets[lane.road_id].append(lane.center[::2, :2])
    merged = {road: np.concatenate(parts) for road, parts in streets.items()}
    for road, points in merged.items():
        others = np.concatenate([other for key, other in merged.items() if key != road])
        gaps = np.linalg.norm(points[:, None] - others[None], axis=2)
        assert gaps.min() > 6.0


@pytest.mark.parametrize("name", NAMES)
def test_lane_changes_and_markings(name):
    carla_map, _, root = world(name)
    for road in root.findall("road[@junction='-1']"):
        road_id, middle_m = int(road.get("id")), float(road.get("length")) / 2
        lanes = len(road.findall("lanes/laneSection/right/lane[@type='driving']"))
        for side in (-1, 1):
            for number in range(1, lanes + 1):
                waypoint = carla_map.get_waypoint_xodr(road_id, side * number, middle_m)
                left, right = waypoint.left_lane_marking, waypoint.right_lane_marking
                inner, outer = number == 1, number == lanes
                expected = {(True, True): "NONE", (True, False): "Right", (False, True): "Left"}[inner, outer]
                assert str(waypoint.lane_change) == expected
                assert (str(left.type), str(left.color)) == (
                    ("SolidSolid" if lanes > 1 else "Solid", "Yellow") if inner else ("Broken", "White")
                )
                assert (str(right.type), str(right.color)) == ("Solid" if outer else "Broken", "White")
                assert left.width == pytest.approx(0.12) == right.width
        for number, kind in ((lanes + 1, carla.LaneType.Shoulder), (lanes + 2, carla.LaneType.Sidewalk)):
            assert carla_map.get_waypoint_xodr(road_id, -number, middle_m).lane_type == kind


@pytest.mark.parametrize("name", NAMES)
def test_lights_move_in_two_phases_with_the_opposite_approach(name):
    carla_map, road_map, _ = world(name)
    lights = [mark for mark in carla_map.get_all_landmarks() if mark.type == LIGHT]
    assert lights
    heading = {}
    for line in road_map.stop_lines:
        lane = road_map.lanes[line.lanes[0]]
        heading[line.signal_id] = float(
            np.interp(line.stations_m[0], lane.stations_m, np.unwrap(lane.heading))
        )
    for light in lights:
        group = {mark.id for mark in carla_map.get_landmark_group(light)}
        assert light.id in group and len(group) <= 2
        for other in group - {light.id}:
            turn = float(wrap_angle(heading[light.id] - heading[other]))
            assert abs(abs(turn) - math.pi) < TURN_RAD


@pytest.mark.parametrize("name", NAMES)
def test_signs_face_the_lanes_they_govern(name):
    carla_map, _, _ = world(name)
    for mark in carla_map.get_all_landmarks():
        for start, end in mark.get_lane_validities():
            assert start * end > 0, "lanes of one direction"
            lane_yaw = carla_map.get_waypoint_xodr(mark.road_id, start, mark.s).transform.rotation.yaw
            assert abs((mark.transform.rotation.yaw - lane_yaw + 180) % 360 - 180) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_stop_line_then_crosswalk_then_junction(name):
    _, road_map, _ = world(name)
    assert len(road_map.crosswalks) == len(road_map.stop_lines)
    for line in road_map.stop_lines:
        assert 1 <= len(line.lanes) <= 2
        for index, stop_m in zip(line.lanes, line.stations_m, strict=True):
            lane = road_map.lanes[index]
            end = lane.center[-1]
            ring = min(road_map.crosswalks, key=lambda ring: np.linalg.norm(ring.mean(0) - end))
            assert np.array_equal(ring[0], ring[-1])
            corners_m = [project(lane.center[:, :2], corner[:2])[0] for corner in ring]
            assert min(corners_m) - stop_m == pytest.approx(1.0, abs=0.1)
            assert max(corners_m) < lane.length_m - 0.5
            assert all(road_map.lanes[k].is_junction for k in lane.successors)


@pytest.mark.parametrize("name", NAMES)
def test_turns_start_from_the_right_lane(name):
    _, road_map, _ = world(name)
    for turn in (lane for lane in driving(road_map) if lane.is_junction):
        (origin,) = (road_map.lanes[index] for index in turn.predecessors)
        (target,) = (road_map.lanes[index] for index in turn.successors)
        if turn_of(turn) > TURN_RAD:
            assert origin.left < 0 and target.left < 0
        elif turn_of(turn) < -TURN_RAD:
            assert origin.right < 0 and target.right < 0
    for lane in driving(road_map):  # straight on from both lanes where the street across is as wide
        ahead = [road_map.lanes[k] for k in lane.successors if abs(turn_of(road_map.lanes[k])) < TURN_RAD]
        wide = [turn for turn in ahead if _has_neighbour(road_map.lanes[turn.successors[0]])]
        if wide and lane.left >= 0:
            beside = road_map.lanes[lane.left]
            assert any(abs(turn_of(road_map.lanes[k])) < TURN_RAD for k in beside.successors)


def _has_neighbour(lane: Lane) -> bool:
    return lane.left >= 0 or lane.right >= 0


@pytest.mark.parametrize("name", NAMES)
def test_speed_limits_are_posted_and_recorded(name):
    carla_map, road_map, _ = world(name)
    posted = {
        (mark.road_id, mark.orientation): mark.value for mark in carla_map.get_all_landmarks_of_type(SPEED)
    }
    for lane in (lane for lane in driving(road_map) if not lane.is_junction):
        expected_kmh = 50.0 if _has_neighbour(lane) else 40.0
        assert lane.speed_limit_mps == pytest.approx(expected_kmh / 3.6)
    assert set(posted.values()) <= {40.0, 50.0}
    assert len(posted) == 2 * len({lane.road_id for lane in driving(road_map) if not lane.is_junction})


@pytest.mark.parametrize("name", ["Brookfield", "Ridgeport"])
def test_shipped_towns_are_real_places(name):
    carla_map, road_map, root = world(name)
    kinds = Counter(mark.type for mark in carla_map.get_all_landmarks())
    assert kinds[LIGHT] >= 20 and kinds[STOP] >= 4 and kinds[YIELD] >= 1
    assert sum(float(road.get("length")) for road in root.findall("road[@junction='-1']")) > 2_500
    origin = carla_map.transform_to_geolocation(carla.Location())
    assert (origin.latitude, origin.longitude) == pytest.approx(
        (towns.plan(name).latitude_deg, towns.plan(name).longitude_deg)
    )
    assert road_map.name == name and "Town" not in name
    assert any(lane.kind == "sidewalk" and lane.is_junction for lane in road_map.lanes), (
        "pavements go round corners"
    )


def test_brookfield_is_three_kilometres_and_level_and_ridgeport_has_a_hill():
    _, brookfield, root = world("Brookfield")
    assert sum(float(road.get("length")) for road in root.findall("road[@junction='-1']")) >= 3_000
    assert all(np.all(lane.center[:, 2] == 0) for lane in brookfield.lanes)
    _, ridgeport, _ = world("Ridgeport")
    heights_m = np.concatenate([lane.center[:, 2] for lane in ridgeport.lanes])
    assert np.ptp(heights_m) == pytest.approx(6.0, abs=0.01)
    for lane in driving(ridgeport):
        assert np.abs(np.diff(lane.center[:, 2]) / np.diff(lane.stations_m)).max() < 0.1


SQUARE = {"a": Node(0, 0), "b": Node(100, 0), "c": Node(100, 100), "d": Node(0, 100)}
SIDES = (Street("a", "b"), Street("b", "c"), Street("c", "d"), Street("d", "a"))


@pytest.mark.parametrize(
    ("streets", "told"),
    [
        (SIDES, "node 'a' has 2 arms"),
        ((*SIDES, Street("a", "x")), "ends at 'x'"),
        (
            (*SIDES, Street("a", "c"), Street("b", "d", (Via(104, 50, 30.0),))),
            "less than 45 degrees",
        ),
    ],
)
def test_impossible_plans_say_where(streets, told):
    with pytest.raises(ValueError, match=told):
        to_opendrive(TownPlan("Nowhere", SQUARE, streets))
