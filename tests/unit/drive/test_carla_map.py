"""From `carla.Map` to `RoadMap`: on our towns and, where they are at hand, on CARLA's own."""

import functools
import math
import os
from collections import Counter
from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.drive.carla_map import build_road_map
from drive_agent.geometry import wrap_angle
from drive_agent.roadmap import RoadMap
from scenarios import towns

XODR = Path(
    os.environ.get("CARLA_XODR_DIR", "CarlaUE4/Content/Carla/Maps/OpenDrive")
)  # as a CARLA release has it


@functools.cache
def built(name: str) -> tuple[carla.Map, RoadMap]:
    text = towns.load(name) if name in towns.names() else (XODR / f"{name}.xodr").read_text()
    carla_map = carla.Map(name, text)
    return carla_map, build_road_map(carla_map, text)


def carla_town(name: str) -> tuple[carla.Map, RoadMap]:
    if not (XODR / f"{name}.xodr").is_file():
        pytest.skip(
            f"{XODR} has no {name}.xodr: set CARLA_XODR_DIR to the folder that a CARLA release has them in"
        )
    return built(name)


def test_points_are_carlas_with_y_and_yaw_negated():
    carla_map, road_map = built("Ridgeport")
    for lane in road_map.lanes[::5]:
        if lane.kind != "driving" or lane.is_junction:
            continue
        x_m, y_m, z_m = lane.center[len(lane.center) // 2]
        waypoint = carla_map.get_waypoint(carla.Location(x_m, -y_m, z_m))
        assert (waypoint.road_id, waypoint.section_id, waypoint.lane_id) == (
            lane.road_id,
            lane.section_id,
            lane.lane_id,
        )
        assert waypoint.transform.location.z == pytest.approx(z_m, abs=0.01)
        heading = -math.radians(waypoint.transform.rotation.yaw)
        assert wrap_angle(heading - lane.heading[len(lane.heading) // 2]) == pytest.approx(0.0, abs=0.01)
        assert lane.width == pytest.approx(3.5, abs=1e-3)


@pytest.mark.parametrize("name", ["Brookfield", "Ridgeport"])
def test_points_run_in_driving_direction_a_metre_apart(name):
    _, road_map = built(name)
    for lane in road_map.lanes:
        steps = np.diff(lane.center[:, :2], axis=0)
        gaps_m = np.linalg.norm(steps, axis=1)
        assert gaps_m.max() < 2.0 and gaps_m.min() > 0.02
        forward = np.stack([np.cos(lane.heading[:-1]), np.sin(lane.heading[:-1])], -1)
        assert ((steps * forward).sum(1) > 0.9 * gaps_m).all()


@pytest.mark.parametrize("name", ["Brookfield", "Ridgeport"])
def test_the_graph_agrees_with_carla(name):
    carla_map, road_map = built(name)
    for lane in (lane for lane in road_map.lanes if lane.kind == "driving"):
        x_m, y_m, z_m = lane.center[-3]
        here = carla_map.get_waypoint_xodr(lane.road_id, lane.lane_id, _near_end(carla_map, lane))
        ahead = {(w.road_id, w.lane_id) for w in here.next(4.0)}
        assert ahead == {(road_map.lanes[k].road_id, road_map.lanes[k].lane_id) for k in lane.successors}
        assert all(lane.index in road_map.lanes[k].predecessors for k in lane.successors)
        for side in (lane.left, lane.right):
            assert side < 0 or road_map.lanes[side].road_id == lane.road_id


def _near_end(carla_map: carla.Map, lane) -> float:
    """Road station two metres before the end of a lane."""
    x_m, y_m, z_m = lane.center[-1]
    last = min(
        (carla_map.get_waypoint_xodr(lane.road_id, lane.lane_id, s) for s in np.arange(0.0, 1000.0, 1.0)),
        key=lambda w: (
            math.inf if w is None else math.hypot(w.transform.location.x - x_m, -w.transform.location.y - y_m)
        ),
    )
    return last.s - 2.0 if lane.lane_id < 0 else last.s + 2.0


def test_wide_streets_know_their_neighbours():
    _, road_map = built("Brookfield")
    wide = [lane for lane in road_map.lanes if lane.left >= 0 or lane.right >= 0]
    assert len(wide) == 12
    for lane in wide:
        if lane.left >= 0:
            beside = road_map.lanes[lane.left]
            assert lane.left_change and not lane.right_change and beside.right == lane.index
            offset = beside.center[5, :2] - lane.center[5, :2]
            across = np.array([-np.sin(lane.heading[5]), np.cos(lane.heading[5])])
            assert offset @ across == pytest.approx(3.5, abs=0.1)
            assert lane.left_marking == ("broken", "white") and beside.left_marking == (
                "solid solid",
                "yellow",
            )


def test_stop_lines_lie_across_their_lanes_before_the_light():
    carla_map, road_map = built("Brookfield")
    signals = {mark.id for mark in carla_map.get_all_landmarks() if mark.type in ("1000001", "205", "206")}
    assert {line.signal_id for line in road_map.stop_lines} == signals
    for line in road_map.stop_lines:
        width_m = np.linalg.norm(line.segment[1] - line.segment[0])
        assert width_m == pytest.approx(3.5 * len(line.lanes), abs=0.02)
        for index, station_m in zip(line.lanes, line.stations_m, strict=True):
            x_m, y_m, _, heading = road_map.pose_on(index, station_m)
            along = (line.segment - (x_m, y_m)) @ (np.cos(heading), np.sin(heading))
            assert np.abs(along).max() < 0.05
            right = (line.position[:2] - (x_m, y_m)) @ (np.sin(heading), -np.cos(heading))
            assert right > 1.75, "the sign stands on the right"


def test_texts_of_another_map_are_refused():
    carla_map, _ = built("Brookfield")
    with pytest.raises(ValueError, match="pass the OpenDRIVE text that this map was made from"):
        build_road_map(carla_map, towns.load("Ridgeport"))


@pytest.mark.parametrize(("name", "lights"), [("Town01", 36), ("Town02", 24)])
def test_carlas_own_towns(name, lights):
    _, road_map = carla_town(name)
    assert Counter(line.kind for line in road_map.stop_lines) == {"light": lights}
    for lane in (lane for lane in road_map.lanes if lane.kind == "driving"):
        assert lane.successors and lane.predecessors
        assert lane.speed_limit_mps == pytest.approx(
            25 * 0.44704
        )  # junctions state none and take it from before
        for follower in (road_map.lanes[k] for k in lane.successors):
            assert np.linalg.norm(lane.center[-1] - follower.center[0]) < 0.2
    for line in road_map.stop_lines:  # CARLA's signals refer to junction lanes: one stops before the junction
        for index, station_m in zip(line.lanes, line.stations_m, strict=True):
            lane = road_map.lanes[index]
            assert not lane.is_junction and station_m == pytest.approx(lane.length_m, abs=0.01)
            assert math.dist(lane.center[-1][:2], line.position[:2]) < 40.0
