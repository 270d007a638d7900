"""Where a guest drives from where it stands: on the lane that it faces along, through the junction that it is in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from drive_agent.drive.errands import begin_at, roaming, to_goal
from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.routing import plan_route
from tests.worlds import LANE_M, street, street_with_junction


@pytest.mark.parametrize(("yaw_rad", "lane_y"), [(0.0, -LANE_M / 2), (math.pi, LANE_M / 2)])
def test_a_way_begins_on_the_lane_that_the_car_faces_along(yaw_rad, lane_y):
    begin = begin_at(street(), 100.0, 0.0, yaw_rad)
    assert begin == pytest.approx(np.array([[100.0, lane_y, 0.0]]))


def test_inside_a_junction_the_way_out_is_given_too():
    begin = begin_at(street_with_junction(), 110.0, -LANE_M / 2, 0.0)
    assert begin[:, 0] == pytest.approx([110.0, 125.0])


def test_off_the_road_is_one_line():
    with pytest.raises(ValueError, match=r"the vehicle at \(100.0, 30.0\) is 28.2 m from the nearest lane"):
        begin_at(street(), 100.0, -30.0, 0.0)


def test_a_goal_is_the_last_point_and_names_its_key():
    spec = to_goal("Street", begin_at(street(), 100.0, 0.0, 0.0), (180.0, -1.0))
    assert spec.keypoints[-1, :2] == pytest.approx([180.0, -1.0])
    assert spec.where == "guest.goal: route 'goal'"


def test_roaming_goes_on_from_where_the_last_way_ended_and_repeats_itself():
    road_map = offline_road_map("Brookfield", None)
    lane = next(lane for lane in road_map.lanes if lane.kind == "driving" and lane.length_m > 60.0)
    x_m, y_m = lane.center[5, :2]
    begin = begin_at(road_map, x_m, y_m, float(lane.heading[5]))
    first, again, next_one = (roaming(road_map, "Brookfield", begin, 3, number) for number in (0, 0, 1))
    assert np.array_equal(first.keypoints, again.keypoints)
    assert not np.array_equal(first.keypoints, next_one.keypoints)
    route = plan_route(road_map, first.keypoints)
    assert route.points[0, :2] == pytest.approx([x_m, y_m], abs=0.1) and route.length_m > 250.0
