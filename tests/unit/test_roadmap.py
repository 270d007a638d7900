"""The road map as a value: nearest lane against full search, poses, stop lines ahead, the dictionary for the log."""

import functools
import json

import carla
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.drive.carla_map import build_road_map
from drive_agent.geometry import project, wrap_angle
from drive_agent.roadmap import RoadMap
from scenarios import towns


@functools.cache
def ridgeport() -> RoadMap:
    text = towns.load("Ridgeport")
    return build_road_map(carla.Map("Ridgeport", text), text)


def lane_with(road_map: RoadMap, **wanted):
    return next(lane for lane in road_map.lanes if all(getattr(lane, k) == v for k, v in wanted.items()))


@settings(deadline=None, max_examples=40)  # the first call builds the map
@given(x_m=st.floats(-260, 360), y_m=st.floats(-240, 180))
def test_nearest_lane_is_the_one_a_full_search_finds(x_m, y_m):
    road_map = ridgeport()
    point = np.array([x_m, y_m])
    index, station_m, lateral_m = road_map.nearest_lane(point)
    offsets = [
        abs(project(lane.center[:, :2], point)[1]) for lane in road_map.lanes if lane.kind == "driving"
    ]
    found = road_map.lanes[index]
    expected_station, expected_lateral = project(found.center[:, :2], point)
    assert abs(expected_lateral) <= min(offsets) + 1e-6
    assert station_m == pytest.approx(expected_station, abs=0.1)
    if 0.1 < station_m < found.length_m - 0.1:
        assert lateral_m == pytest.approx(expected_lateral, abs=0.02, rel=1e-3)


@settings(deadline=None)  # the first call builds the map
@given(share=st.floats(0.02, 0.98), offset_m=st.floats(-1.5, 1.5), number=st.integers(0, 10_000))
def test_a_pose_beside_a_lane_is_found_again(share, offset_m, number):
    road_map = ridgeport()
    driving = [lane for lane in road_map.lanes if lane.kind == "driving" and not lane.is_junction]
    lane = driving[number % len(driving)]
    x_m, y_m, _, heading = road_map.pose_on(lane.index, share * lane.length_m)
    place = np.array([x_m - offset_m * np.sin(heading), y_m + offset_m * np.cos(heading)])
    index, station_m, lateral_m = road_map.nearest_lane(place, heading)
    assert index == lane.index
    assert lateral_m == pytest.approx(offset_m, abs=0.02)
    assert station_m == pytest.approx(share * lane.length_m, abs=0.1)
    assert road_map.lane_at(place, heading) == lane.index


def test_heading_tells_crossing_ways_apart():
    road_map = ridgeport()
    for lane in (lane for lane in road_map.lanes if lane.is_junction and lane.kind == "driving"):
        middle = len(lane.center) // 2
        index, _, _ = road_map.nearest_lane(lane.center[middle], float(lane.heading[middle]))
        assert abs(wrap_angle(road_map.lanes[index].heading.mean() - lane.heading.mean())) < 1.0


def test_kinds_are_kept_apart():
    road_map = ridgeport()
    walk = lane_with(road_map, kind="sidewalk")
    place = walk.center[len(walk.center) // 2]
    assert road_map.lanes[road_map.nearest_lane(place)[0]].kind == "driving"
    assert road_map.lanes[road_map.nearest_lane(place, kinds=("sidewalk",))[0]].kind == "sidewalk"
    assert road_map.lane_at(place) == -1
    with pytest.raises(ValueError, match="no lane of kind"):
        road_map.nearest_lane(place, kinds=("tram",))


def test_far_from_every_road_the_nearest_lane_is_still_exact():
    road_map = ridgeport()
    point = np.array([2_000.0, 0.0])
    index, _, _ = road_map.nearest_lane(point)
    ends = [lane.center[:, 0].max() for lane in road_map.lanes if lane.kind == "driving"]
    assert road_map.lanes[index].center[:, 0].max() == pytest.approx(max(ends), abs=5.0)


def test_poses_beyond_a_lane_are_its_ends():
    road_map = ridgeport()
    lane = road_map.lanes[0]
    assert road_map.pose_on(0, -5.0)[:3] == pytest.approx(lane.center[0])
    assert road_map.pose_on(0, 1e6)[:3] == pytest.approx(lane.center[-1])


def test_next_stop_line_looks_along_the_path():
    road_map = ridgeport()
    line = next(line for line in road_map.stop_lines if line.kind == "stop")
    (lane,), (stop_m,) = line.lanes, line.stations_m
    assert road_map.next_stop_line([lane], 2.0) == (line, pytest.approx(stop_m - 2.0))
    before = road_map.lanes[lane].predecessors[0]
    found = road_map.next_stop_line([before, lane], 1.0)
    assert found == (line, pytest.approx(road_map.lanes[before].length_m - 1.0 + stop_m))
    assert road_map.next_stop_line([lane], stop_m + 0.5) is None


def test_next_stop_line_ahead_of_a_lane_change():
    road_map = ridgeport()
    line = next(line for line in road_map.stop_lines if len(line.lanes) == 2)
    outer = next(k for k in line.lanes if road_map.lanes[k].left >= 0)
    inner = road_map.lanes[outer].left
    found = road_map.next_stop_line([outer, inner], 10.0)
    assert found == (line, pytest.approx(line.stations_m[line.lanes.index(inner)] - 10.0, abs=0.5))


def test_the_log_gets_everything_back():
    road_map = ridgeport()
    text = json.dumps(road_map.to_dict())
    again = RoadMap.from_dict(json.loads(text))
    assert json.dumps(again.to_dict()) == text
    assert (again.name, again.geo_reference) == (road_map.name, road_map.geo_reference)
    for old, new in zip(road_map.lanes, again.lanes, strict=True):
        for name in ("center", "heading", "width"):
            assert np.array_equal(getattr(old, name), getattr(new, name))
        assert (old.successors, old.left_marking, old.right_change) == (
            new.successors,
            new.left_marking,
            new.right_change,
        )
    for old, new in zip(road_map.stop_lines, again.stop_lines, strict=True):
        assert (old.lanes, old.stations_m, old.signal_id) == (new.lanes, new.stations_m, new.signal_id)
        assert np.array_equal(old.segment, new.segment)
    assert all(np.array_equal(a, b) for a, b in zip(road_map.crosswalks, again.crosswalks, strict=True))
