"""The expert's ways round what blocks its lane, and the room it makes, on a straight street."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from drive_agent.geometry import from_frame, to_frame
from drive_agent.roadmap import RoadMap
from drive_agent.types import ActorInfo, LightState, ObjectKind
from tests.unit.expert.crossroads import Other, World
from tests.worlds import EGO_LANE_Y, LANE_M, lane, straight_route, street, street_with_junction

EASTWARD = np.array([[0.0, EGO_LANE_Y], [900.0, EGO_LANE_Y]])
WESTWARD = np.array([[900.0, -EGO_LANE_Y], [0.0, -EGO_LANE_Y]])


@dataclass
class Ambulance(Other):
    def info(self, actor_id: int) -> ActorInfo:
        return replace(super().info(actor_id), type_id="vehicle.ford.ambulance")


@dataclass
class Cyclist(Other):
    def info(self, actor_id: int) -> ActorInfo:
        return replace(super().info(actor_id), kind=ObjectKind.CYCLIST, half_length_m=0.9, half_width_m=0.3)


def two_lanes_each_way(length_m: float = 400.0) -> RoadMap:
    """The street with a second lane on the right of the ego's, which is the left one."""
    narrow = street(length_m)
    y = EGO_LANE_Y - LANE_M
    beside = lane(2, (0.0, y), (length_m, y), lane_id=-2)
    return replace(narrow, lanes=(*narrow.lanes, beside))


def drive(world: World, seconds: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Places along the street and sides (left of the lane's middle) of the rear axle, and what was said."""
    places, said = [], []
    for _ in range(round(seconds / 0.05)):
        plan, _ = world.step()
        places.append(world.pose[:2].copy())
        said.append(plan.reason)
        assert not any(touches(world, other) for other in world.others), (places[-1], plan.reason)
    places = np.array(places)
    return places[:, 0], places[:, 1] - EGO_LANE_Y, said


def touches(world: World, other: Other) -> bool:
    """Whether the ego's box reaches into another one."""
    x, y, yaw = world.pose
    grid = np.stack(np.meshgrid(np.linspace(-1.02, 3.88, 12), np.linspace(-0.92, 0.92, 5)), -1)
    row, info = other.row(), other.info(2)
    seen = to_frame(from_frame(grid, x, y, yaw), row[0], row[1], row[3])
    return bool((np.abs(seen) < (info.half_length_m, info.half_width_m)).all(-1).any())


def test_passes_a_standing_car_through_the_oncoming_lane_and_returns():
    parked = Other(EASTWARD - (0.0, 0.9), 100.0, 0.0)
    world = World(street(), straight_route(300), [parked])
    x, left, said = drive(world, 25)
    beside = np.abs(x - 100.0) < 3.0
    assert left[beside].min() > 0.9
    assert np.abs(left[(x > 140.0)]).max() < 0.2
    assert x[-1] > 180.0
    assert any("through the lane of the oncoming traffic" in text for text in said)


def test_tells_the_way_along_the_route_beside_the_one_round_what_blocks_it():
    world = World(street(), straight_route(300), [Other(EASTWARD, 100.0, 0.0)])
    seen = []
    for _ in range(500):
        plan, situation = world.step()
        route = from_frame(situation.route_path_ego, *world.pose)
        assert abs(route[-1, 1] - EGO_LANE_Y) < 0.5
        seen.append((world.pose[0], np.abs(plan.path_ego - situation.route_path_ego).max()))
    apart_m = {place: max(m for x, m in seen if place <= x < place + 5.0) for place in (25, 80, 95, 150)}
    assert apart_m[25] == apart_m[150] == 0.0
    assert min(apart_m[80], apart_m[95]) > 2.0


@pytest.mark.parametrize("kind", [ObjectKind.VEHICLE, ObjectKind.CYCLIST, ObjectKind.PROP])
def test_who_is_ahead_is_told_as_what_it_is(kind):
    world = World(street(), straight_route(300), [Other(EASTWARD, 60.0, 5.0, kind)])
    assert world.step()[1].lead_kind == kind


def test_waits_for_oncoming_cars_and_goes_when_they_have_passed():
    parked = Other(EASTWARD, 100.0, 0.0)
    coming = [Other(WESTWARD, start, 10.0) for start in np.arange(500.0, 800.0, 40.0)]
    world = World(street(), straight_route(300), [parked, *coming])
    x, left, said = drive(world, 25)
    before_all_passed = len(x) * 14 // 25
    assert np.abs(left[:before_all_passed]).max() < 0.7
    assert any(text.startswith("waiting for a gap") for text in said)
    drive(world, 40)
    assert world.pose[0] > 150.0


def test_does_not_overtake_a_queue_at_a_red_light():
    queue = [Other(EASTWARD, 95.0, 0.0), Other(EASTWARD, 87.0, 0.0)]
    world = World(street(stop_m=100.0), straight_route(300), queue, {"s1": LightState.RED})
    x, left, _ = drive(world, 25)
    assert np.abs(left).max() < 0.1
    assert 70.0 < x[-1] < 84.0


def test_does_not_overtake_a_queue_at_a_junction_that_its_route_ends_before():
    queue = [Other(EASTWARD, 92.0, 0.0), Other(EASTWARD, 84.0, 0.0)]
    world = World(street_with_junction(before_m=100.0), straight_route(90), queue)
    x, left, _ = drive(world, 25)
    assert np.abs(left).max() < 0.1
    assert 67.0 < x[-1] < 81.0


def test_keeps_inside_its_lane_where_that_is_enough():
    at_edge = Other(EASTWARD - (0.0, 2.0), 100.0, 0.0)
    coming = [Other(WESTWARD, start, 8.0) for start in np.arange(500.0, 900.0, 20.0)]
    world = World(street(parking=True), straight_route(300), [at_edge, *coming])
    x, left, said = drive(world, 20)
    assert left[np.abs(x - 100.0) < 3.0].min() > 0.4
    assert left.max() < 1.1
    assert x[-1] > 120.0
    assert any("keeping to the left of the lane" in text for text in said)


def test_uses_the_lane_beside_only_when_nobody_comes_there():
    parked = Other(EASTWARD + (0.0, 0.3), 100.0, 0.0)
    alone = World(two_lanes_each_way(), straight_route(300), [parked])
    x, left, said = drive(alone, 18)
    assert left[np.abs(x - 100.0) < 3.0].max() < -1.3
    assert any("over the lane on the right" in text for text in said)
    from_behind = Other(EASTWARD - (0.0, LANE_M), 12.0, 7.0)
    world = World(two_lanes_each_way(), straight_route(300), [parked, from_behind])
    drive(world, 25)  # asserts that nothing is touched
    assert world.pose[0] > 120.0


def test_clears_things_that_stand_beside_those_in_its_way():
    cones = [Cyclist(EASTWARD + (0.0, aside), 100.0, 0.0, ObjectKind.CYCLIST) for aside in (-1.0, 0.2, 1.6)]
    world = World(street(), straight_route(300), list(cones))
    x, left, _ = drive(world, 25)
    assert left[np.abs(x - 100.0) < 1.0].min() > 2.6
    assert x[-1] > 130.0


def test_overtakes_a_slow_cyclist():
    cyclist = Cyclist(EASTWARD - (0.0, 1.0), 60.0, 2.8)
    world = World(street(), straight_route(300), [cyclist])
    x, left, said = drive(world, 25)
    assert x[-1] > cyclist.station_m + 10.0
    assert left.max() > 0.6
    assert abs(left[-1]) < 0.2
    assert any("a slow cyclist" in text for text in said)


def test_makes_room_for_who_comes_over_the_middle():
    invader = Other(WESTWARD - (0.0, 1.2), 700.0, 8.0)
    world = World(street(parking=True), straight_route(300), [invader])
    _, left, said = drive(world, 25)
    assert left.min() < -0.25
    assert abs(left[-1]) < 0.15
    assert any("making room for oncoming" in text for text in said)


@pytest.mark.parametrize("wide", [True, False])
def test_lets_an_emergency_vehicle_pass(wide):
    road = two_lanes_each_way() if wide else street(parking=True)
    ambulance = Ambulance(EASTWARD, 2.0, 16.0)
    world = World(road, straight_route(350), [ambulance], start_m=45.0, speed_mps=8.0)
    _, left, said = drive(world, 12)
    assert left.min() < -2.0
    assert ambulance.station_m > world.pose[0]
    drive(world, 10)
    assert abs(world.pose[1] - EGO_LANE_Y) < 0.3
    assert any("emergency vehicle" in text for text in said)
