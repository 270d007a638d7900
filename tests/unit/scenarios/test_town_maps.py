"""Every town, read back by the genuine `carla.Map`: what the plans promise is what CARLA sees."""

import functools
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
from scenarios.towns.characters import CHARACTERS

NAMES = [*towns.names(), *(f"random:{seed}" for seed in (0, 2, 23)), *(f"random:4:{c}" for c in CHARACTERS)]
LIGHT, STOP, YIELD, SPEED = "1000001", "206", "205", "274"
TURN_RAD = math.radians(40)
EVERY_TOWN = pytest.mark.parametrize("name", NAMES)


@functools.cache
def world(name: str) -> tuple[carla.Map, RoadMap, ET.Element]:
    text = towns.load(name)
    carla_map = carla.Map(name, text)
    return carla_map, build_road_map(carla_map, text), ET.fromstring(text)


def driving(road_map: RoadMap) -> list[Lane]:
    return [lane for lane in road_map.lanes if lane.kind == "driving"]


def turn_of(lane: Lane) -> float:
    return float(wrap_angle(lane.heading[-1] - lane.heading[0]))


def begins_here(road_map: RoadMap, lane: Lane) -> bool:
    """Whether it is a left-turn lane: nothing leads to it, one changes into it."""
    while lane.predecessors and not lane.is_junction:
        lane = road_map.lanes[lane.predecessors[0]]
    return not lane.predecessors


def street_sections(root: ET.Element):
    """Road id, station of its middle, and lane types by id, of every section outside junctions."""
    for road in root.findall("road[@junction='-1']"):
        sections = road.findall("lanes/laneSection")
        bounds_m = [float(section.get("s")) for section in sections] + [float(road.get("length"))]
        for number, section in enumerate(sections):
            kinds = {int(lane.get("id")): lane.get("type") for lane in section.iter("lane")}
            yield int(road.get("id")), sum(bounds_m[number : number + 2]) / 2, kinds


@EVERY_TOWN
def test_ids_are_unique_and_controllers_name_signals(name):
    """CARLA's parser crashes on a control of a missing signal and mixes up doubled roads."""
    _, _, root = world(name)
    for found in (
        root.findall("road"),
        root.iter("signal"),
        root.findall("controller"),
        root.findall("junction"),
        root.iter("object"),
    ):
        ids = [element.get("id") for element in found]
        assert len(ids) == len(set(ids))
    signals = {element.get("id") for element in root.iter("signal")}
    assert {control.get("signalId") for control in root.iter("control")} <= signals


@EVERY_TOWN
def test_the_parser_has_nothing_to_say(name, capfd):
    carla.Map(name, towns.load(name))
    said = capfd.readouterr()
    assert said.out + said.err == ""


@EVERY_TOWN
def test_nobody_is_stuck(name):
    """From every driving lane every other one can be reached by legal driving."""
    _, road_map, _ = world(name)
    onward, back = defaultdict(set), defaultdict(set)
    for lane in driving(road_map):
        changes = {lane.left} if lane.left_change else set()
        changes |= {lane.right} if lane.right_change else set()
        assert lane.successors
        assert lane.predecessors or changes, "a left-turn lane begins beside another lane"
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


@EVERY_TOWN
def test_carla_finds_a_way_on_everywhere(name):
    carla_map, _, _ = world(name)
    for waypoint in carla_map.generate_waypoints(25.0):
        assert waypoint.next(5.0)
    starts = {(start.road_id, start.section_id, start.lane_id) for start, _ in carla_map.get_topology()}
    ends = {(end.road_id, end.section_id, end.lane_id) for _, end in carla_map.get_topology()}
    assert ends <= starts


@EVERY_TOWN
def test_lanes_meet_without_gap_or_kink(name):
    """Shoulders may meet bicycle or parking lanes, which are elsewhere."""
    _, road_map, _ = world(name)
    for lane in (lane for lane in road_map.lanes if lane.kind != "shoulder"):
        for follower in (road_map.lanes[index] for index in lane.successors):
            assert np.linalg.norm(lane.center[-1] - follower.center[0]) < 0.02
            assert abs(wrap_angle(lane.heading[-1] - follower.heading[0])) < 1e-3


@EVERY_TOWN
def test_every_bend_can_be_driven(name):
    _, road_map, _ = world(name)
    for lane in driving(road_map):
        curvature = np.abs(wrap_angle(np.diff(lane.heading))) / np.diff(lane.stations_m)
        is_fast = not lane.is_junction and lane.speed_limit_mps > 65 / 3.6
        assert curvature.max() < (1 / 50.0 if is_fast else 1 / 6.0), (lane.road_id, lane.lane_id)


@EVERY_TOWN
def test_lanes_are_as_wide_as_their_kind(name):
    _, road_map, _ = world(name)
    widths_m = {"driving": (2.9, 5.1), "biking": (1.5, 2.1), "parking": (2.0, 2.5)}
    for lane in (lane for lane in road_map.lanes if lane.kind in widths_m):
        low_m, high_m = widths_m[lane.kind]
        assert low_m < lane.width.min() and lane.width.max() < high_m


@EVERY_TOWN
def test_streets_keep_clear_of_each_other(name):
    """No lane lies on another road's lane outside junctions; where a ramp leaves, it lies a shoulder away."""
    _, road_map, _ = world(name)
    cells = defaultdict(list)
    for lane in driving(road_map):
        if not lane.is_junction:
            for point in lane.center[::2]:
                cells[tuple((point[:2] // 8.0).astype(int))].append((lane.road_id, *point[:2]))
    for (i, j), here in cells.items():
        near = [other for di in (-1, 0, 1) for dj in (-1, 0, 1) for other in cells.get((i + di, j + dj), ())]
        for road_id, x, y in here:
            gaps = [math.hypot(x - u, y - v) for other, u, v in near if other != road_id]
            assert min(gaps, default=math.inf) > 5.0


@EVERY_TOWN
def test_lane_changes_and_markings(name):
    """One may change between lanes of one direction and nowhere else; yellow on the driver's left, white on the right."""
    carla_map, _, root = world(name)
    for road_id, middle_m, kinds in street_sections(root):
        for lane_id in (k for k, kind in kinds.items() if kind == "driving"):
            outward = 1 if lane_id > 0 else -1
            has_left, has_right = (kinds.get(lane_id + step) == "driving" for step in (-outward, outward))
            waypoint = carla_map.get_waypoint_xodr(road_id, lane_id, middle_m)
            expected = ("Both" if has_right else "Left") if has_left else "Right" if has_right else "NONE"
            assert str(waypoint.lane_change) == expected
            left, right = waypoint.left_lane_marking, waypoint.right_lane_marking
            assert str(left.color) == ("White" if has_left else "Yellow")
            assert str(left.type) in ({"Broken"} if has_left else {"Solid", "SolidSolid", "Broken"})
            assert (str(right.type), str(right.color)) == ("Broken" if has_right else "Solid", "White")
            assert left.width == pytest.approx(0.12) == right.width


@EVERY_TOWN
def test_lane_types_read_back(name):
    carla_map, _, root = world(name)
    types = {
        "driving": carla.LaneType.Driving,
        "biking": carla.LaneType.Biking,
        "parking": carla.LaneType.Parking,
        "shoulder": carla.LaneType.Shoulder,
        "sidewalk": carla.LaneType.Sidewalk,
        "median": carla.LaneType.Median,
    }
    for road_id, middle_m, kinds in street_sections(root):
        for lane_id, kind in kinds.items():
            if lane_id:
                assert carla_map.get_waypoint_xodr(road_id, lane_id, middle_m).lane_type == types[kind]


@EVERY_TOWN
def test_only_a_broken_line_lets_overtake(name):
    """Streets with one lane each way: a broken middle where the profile allows overtaking, a solid one elsewhere."""
    carla_map, _, _ = world(name)
    plan = towns.plan(name)
    for road_id, street in enumerate(plan.streets, start=1):
        if street.lanes > 1 or street.one_way:
            continue
        middle_m = float(np.median([w.s for w in carla_map.generate_waypoints(4.0) if w.road_id == road_id]))
        marking = carla_map.get_waypoint_xodr(road_id, -1, middle_m).left_lane_marking
        assert str(marking.type) == ("Broken" if street.profile.may_overtake else "Solid")
        assert marking.lane_change == carla.LaneChange.NONE


@EVERY_TOWN
def test_lights_move_together_with_the_opposite_approach(name):
    carla_map, road_map, _ = world(name)
    lights = [mark for mark in carla_map.get_all_landmarks() if mark.type == LIGHT]
    assert lights
    heading, is_left = {}, {}
    for line in road_map.stop_lines:
        lane = road_map.lanes[line.lanes[0]]
        heading[line.signal_id] = float(
            np.interp(line.stations_m[0], lane.stations_m, np.unwrap(lane.heading))
        )
        is_left[line.signal_id] = begins_here(road_map, lane)
    for light in lights:
        group = {mark.id for mark in carla_map.get_landmark_group(light)}
        assert light.id in group and len(group) <= 2
        for other in group - {light.id}:
            turn = float(wrap_angle(heading[light.id] - heading[other]))
            assert abs(abs(turn) - math.pi) < TURN_RAD
            assert is_left[light.id] == is_left[other], (
                "left turns with a lane of their own have a light of their own"
            )


@pytest.mark.parametrize("name", ["Fairmont", "Starhaven", "Crossley"])
def test_protected_turns(name):
    """A left-turn lane begins along the boulevard, leads only left, and its light governs no other lane."""
    _, road_map, _ = world(name)
    stops = [line for line in road_map.stop_lines if begins_here(road_map, road_map.lanes[line.lanes[0]])]
    if name == "Crossley":
        assert not stops, "its boulevards end at T-junctions, where nobody comes across"
        return
    assert len(stops) >= 6
    for line in stops:
        assert line.kind == "light" and len(line.lanes) == 1
        pocket = road_map.lanes[line.lanes[0]]
        assert all(turn_of(road_map.lanes[k]) > TURN_RAD for k in pocket.successors)
        for k in road_map.lanes[pocket.right].successors:
            assert turn_of(road_map.lanes[k]) < TURN_RAD, "nobody turns left from beside the pocket"
        length_m = pocket.length_m + sum(road_map.lanes[k].length_m for k in pocket.predecessors)
        assert 15.0 < length_m < 60.0 and pocket.right_change


@EVERY_TOWN
def test_signs_face_the_lanes_they_govern(name):
    carla_map, _, _ = world(name)
    for mark in carla_map.get_all_landmarks():
        for start, end in mark.get_lane_validities():
            assert start * end > 0, "lanes of one direction"
            lane_yaw = carla_map.get_waypoint_xodr(mark.road_id, start, mark.s).transform.rotation.yaw
            assert abs((mark.transform.rotation.yaw - lane_yaw + 180) % 360 - 180) < 0.1


@EVERY_TOWN
def test_stop_line_then_crosswalk_then_junction(name):
    _, road_map, _ = world(name)
    arms = {
        (road_map.lanes[line.lanes[0]].road_id, road_map.lanes[line.lanes[0]].lane_id > 0)
        for line in road_map.stop_lines
    }
    assert len(road_map.crosswalks) == len(arms)
    for line in road_map.stop_lines:
        assert 1 <= len(line.lanes) <= 2
        for index, stop_m in zip(line.lanes, line.stations_m, strict=True):
            lane = road_map.lanes[index]
            end = lane.center[-1]
            ring = min(road_map.crosswalks, key=lambda ring: np.linalg.norm(ring.mean(0) - end))
            assert np.array_equal(ring[0], ring[-1])
            corners_m = [project(lane.center[:, :2], corner[:2])[0] for corner in ring]
            assert min(corners_m) - stop_m == pytest.approx(1.0, abs=0.15)
            assert max(corners_m) < lane.length_m - 0.5
            assert all(road_map.lanes[k].is_junction for k in lane.successors)


@EVERY_TOWN
def test_turns_start_from_the_right_lane(name):
    _, road_map, _ = world(name)
    for turn in (lane for lane in driving(road_map) if lane.is_junction):
        (origin,) = (road_map.lanes[index] for index in turn.predecessors)
        (target,) = (road_map.lanes[index] for index in turn.successors)
        if turn_of(turn) > TURN_RAD and not _is_ring(turn):
            assert origin.left < 0 and target.left < 0
        elif turn_of(turn) < -TURN_RAD:
            assert origin.right < 0 and target.right < 0
    for lane in driving(road_map):  # straight on from both lanes where the street across is as wide
        ahead = [road_map.lanes[k] for k in lane.successors if abs(turn_of(road_map.lanes[k])) < TURN_RAD]
        wide = [turn for turn in ahead if _has_neighbour(road_map.lanes[turn.successors[0]])]
        if wide and lane.left >= 0 and not begins_here(road_map, road_map.lanes[lane.left]):
            beside = road_map.lanes[lane.left]
            assert any(abs(turn_of(road_map.lanes[k])) < TURN_RAD for k in beside.successors)


def _is_ring(lane: Lane) -> bool:
    return lane.width.min() > 4.9


def _has_neighbour(lane: Lane) -> bool:
    return lane.left >= 0 or lane.right >= 0


@EVERY_TOWN
def test_speed_limits_are_posted_and_recorded(name):
    carla_map, road_map, _ = world(name)
    streets = dict(enumerate(towns.plan(name).streets, start=1))
    for lane in (lane for lane in driving(road_map) if lane.road_id in streets):
        assert lane.speed_limit_mps == pytest.approx(streets[lane.road_id].speed_kmh / 3.6)
    posted = defaultdict(dict)
    for mark in carla_map.get_all_landmarks_of_type(SPEED):
        posted[mark.road_id][str(mark.orientation)] = mark.value
    assert set(posted) == set(streets)
    for road_id, street in streets.items():
        assert set(posted[road_id].values()) == {street.speed_kmh}
        assert len(posted[road_id]) == (1 if street.one_way else 2)


@EVERY_TOWN
def test_slopes_can_be_driven(name):
    _, road_map, _ = world(name)
    for lane in driving(road_map):
        assert np.abs(np.diff(lane.center[:, 2]) / np.diff(lane.stations_m)).max() < 0.1


@pytest.mark.parametrize("name", ["Crossley", "Westlake"])
def test_ramps_leave_and_join_the_motorway(name):
    """Who drives on in the outer lane before an exit leaves; who comes up a ramp joins in a lane of its own."""
    _, road_map, _ = world(name)
    plan = towns.plan(name)
    ramps = {road for road, street in enumerate(plan.streets, start=1) if street.one_way}
    motorway = {road for road, street in enumerate(plan.streets, start=1) if street.speed_kmh == 100.0}
    exits = joins = 0
    for link in (lane for lane in driving(road_map) if lane.is_junction):
        (origin,) = (road_map.lanes[index] for index in link.predecessors)
        (target,) = (road_map.lanes[index] for index in link.successors)
        if origin.road_id in motorway and target.road_id in ramps:
            exits += 1
            assert origin.right < 0 and origin.left >= 0 and origin.successors == (link.index,)
            assert origin.left_change and road_map.lanes[origin.left].right_change
        if origin.road_id in ramps and target.road_id in motorway:
            joins += 1
            assert target.right < 0 and target.predecessors == (link.index,)
            assert target.left_change and target.length_m > 100.0
    assert exits == joins == 2


@pytest.mark.parametrize("name", ["Highmoor", "Crossley", "Starhaven", "Westlake"])
def test_roundabouts_go_round_against_the_clock(name):
    _, road_map, _ = world(name)
    circles = [node for node in towns.plan(name).nodes.values() if node.control == "roundabout"]
    assert circles
    for node in circles:
        center = np.array([node.x_m, node.y_m])
        lane = road_map.lanes[road_map.nearest_lane(center + [node.radius_m + 2.5, 0.0])[0]]
        seen, total_rad = [], 0.0
        while lane.index not in seen:
            seen.append(lane.index)
            total_rad += turn_of(lane)
            (lane,) = (road_map.lanes[k] for k in lane.successors if _is_ring(road_map.lanes[k]))
        assert total_rad == pytest.approx(2 * math.pi, abs=0.01)
        entries = {k for index in seen for k in road_map.lanes[index].predecessors} - set(seen)
        ways_in = {k for index in entries for k in road_map.lanes[index].predecessors} - set(seen)
        yielding = {k for line in road_map.stop_lines if line.kind == "yield" for k in line.lanes}
        assert len(ways_in) >= 2 and ways_in <= yielding


@EVERY_TOWN
def test_bicycle_lanes_go_on_across(name):
    """A bicycle lane ends only where the street across has none."""
    _, road_map, _ = world(name)
    lanes = [lane for lane in road_map.lanes if lane.kind == "biking"]
    if not any(street.profile.biking_m for street in towns.plan(name).streets):
        assert not lanes
        return
    assert any(lane.is_junction for lane in lanes) or name not in ("Gridley", "Fairmont", "Starhaven")
    for lane in (lane for lane in lanes if lane.is_junction):
        assert lane.successors and lane.predecessors


@pytest.mark.parametrize("name", towns.names())
def test_shipped_towns_are_real_places(name):
    carla_map, road_map, _ = world(name)
    kinds = Counter(mark.type for mark in carla_map.get_all_landmarks())
    assert kinds[LIGHT] >= 3 and kinds[STOP] + kinds[YIELD] >= 1 or name == "Fairmont"
    origin = carla_map.transform_to_geolocation(carla.Location())
    plan = towns.plan(name)
    assert (origin.latitude, origin.longitude) == pytest.approx((plan.latitude_deg, plan.longitude_deg))
    assert road_map.name == name
    assert any(lane.kind == "sidewalk" and lane.is_junction for lane in road_map.lanes)


def test_brookfield_is_level_and_ridgeport_has_a_hill():
    _, brookfield, _ = world("Brookfield")
    assert all(np.all(lane.center[:, 2] == 0) for lane in brookfield.lanes)
    _, ridgeport, _ = world("Ridgeport")
    heights_m = np.concatenate([lane.center[:, 2] for lane in ridgeport.lanes])
    assert np.ptp(heights_m) == pytest.approx(6.0, abs=0.01)
