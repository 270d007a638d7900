"""Planning on real towns: shortest ways, commands, lane changes, the Leaderboard's sparse points, clear refusals."""

import functools
import itertools
import math

import carla
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drive_agent.drive.carla_map import build_road_map
from drive_agent.geometry import wrap_angle
from drive_agent.roadmap import Lane, RoadMap
from drive_agent.routing import CHANGES, Route, plan_route, sparse
from drive_agent.types import Maneuver
from scenarios import towns


@functools.cache
def town(name: str) -> RoadMap:
    text = towns.load(name)
    return build_road_map(carla.Map(name, text), text)


def streets(road_map: RoadMap) -> list[Lane]:
    return [lane for lane in road_map.lanes if lane.kind == "driving" and not lane.is_junction]


def on(road_map: RoadMap, lane: Lane, share: float) -> tuple[float, float, float]:
    return road_map.pose_on(lane.index, share * lane.length_m)[:3]


def wide(road_map: RoadMap) -> tuple[Lane, Lane]:
    """Inner and outer lane of a street with two lanes each way."""
    inner = next(lane for lane in streets(road_map) if lane.right >= 0)
    return inner, road_map.lanes[inner.right]


def has_short_change(route: Route) -> bool:
    """Does it change lanes over the 6 m that are all there is where a street is too short for 20 m?"""
    runs = itertools.groupby(route.maneuvers, key=lambda command: command in CHANGES)
    return any(changing and len(list(run)) < 10 for changing, run in runs)


@settings(max_examples=40)
@given(a=st.integers(0, 10_000), b=st.integers(0, 10_000), c=st.integers(0, 10_000))
@example(a=0, b=260, c=2025)  # needs a short lane change
def test_routes_are_drivable_lines(a, b, c):
    road_map = town("Brookfield")
    lanes = streets(road_map)
    keys = [on(road_map, lanes[k % len(lanes)], share) for k, share in ((a, 0.3), (b, 0.5), (c, 0.6))]
    route = plan_route(road_map, np.array(keys))
    steps_m = np.linalg.norm(np.diff(route.points, axis=0), axis=1)
    longest_m, turn_deg, slant_deg = (1.35, 20, 45) if has_short_change(route) else (1.15, 12, 25)
    assert steps_m.min() > 0.9 and steps_m.max() < longest_m
    assert route.points[0] == pytest.approx(keys[0], abs=0.01)
    assert route.points[-1] == pytest.approx(keys[-1], abs=0.01)
    assert np.linalg.norm(route.points - keys[1], axis=1).min() < 1.0
    assert np.abs(wrap_angle(np.diff(route.headings))).max() < math.radians(turn_deg)
    for point, heading, index, command in zip(
        route.points, route.headings, route.lanes, route.maneuvers, strict=True
    ):
        lane = road_map.lanes[index]
        gap_m = np.linalg.norm(lane.center - point, axis=1)
        assert gap_m.min() < (2.5 if command in CHANGES else 0.6)
        turned = abs(wrap_angle(lane.heading[gap_m.argmin()] - heading))
        assert turned < math.radians(slant_deg if command in CHANGES else 10)
        crossing = command in (Maneuver.LEFT, Maneuver.RIGHT, Maneuver.STRAIGHT)
        assert crossing == lane.is_junction


@settings(deadline=None, max_examples=25)
@given(start=st.integers(0, 10_000), end=st.integers(0, 10_000))
def test_no_way_is_shorter(start, end):
    """Against Floyd-Warshall over whole lanes, on a town without lanes to change to."""
    road_map = town("random:1")
    lanes = [lane for lane in road_map.lanes if lane.kind == "driving"]
    assert all(lane.left < 0 and lane.right < 0 for lane in lanes)
    first, last = (
        streets(road_map)[start % len(streets(road_map))],
        streets(road_map)[end % len(streets(road_map))],
    )
    if first.index == last.index:
        return
    route = plan_route(road_map, np.array([on(road_map, first, 0.5), on(road_map, last, 0.5)]))
    expected_m = first.length_m / 2 + _lane_distances()[first.index][last.index] + last.length_m / 2
    assert route.length_m == pytest.approx(expected_m, rel=0.01, abs=1.0)


@functools.cache
def _lane_distances() -> dict[int, dict[int, float]]:
    """Metres from the end of one lane to the start of another."""
    road_map = town("random:1")
    indices = [lane.index for lane in road_map.lanes if lane.kind == "driving"]
    between = np.full((len(indices), len(indices)), np.inf)
    place = {index: k for k, index in enumerate(indices)}
    for index in indices:
        for following in road_map.lanes[index].successors:
            between[place[index], place[following]] = 0.0
    for k, index in enumerate(indices):
        between = np.minimum(
            between, between[:, k : k + 1] + road_map.lanes[index].length_m + between[k : k + 1]
        )
    return {a: {b: float(between[place[a], place[b]]) for b in indices} for a in indices}


def test_commands_follow_the_heading_change_of_the_junction():
    road_map = town("Brookfield")
    seen = set()
    for turn in (lane for lane in road_map.lanes if lane.is_junction and lane.kind == "driving"):
        before, after = road_map.lanes[turn.predecessors[0]], road_map.lanes[turn.successors[0]]
        route = plan_route(road_map, np.array([on(road_map, before, 0.9), on(road_map, after, 0.1)]))
        inside = {route.maneuvers[k] for k in np.flatnonzero(route.lanes == turn.index)}
        change = math.degrees(wrap_angle(turn.heading[-1] - turn.heading[0]))
        expected = Maneuver.STRAIGHT if abs(change) < 35 else Maneuver.LEFT if change > 0 else Maneuver.RIGHT
        assert inside == {expected}
        seen.add(expected)
    assert seen == {Maneuver.STRAIGHT, Maneuver.LEFT, Maneuver.RIGHT}


@pytest.mark.parametrize(("swap", "command"), [(False, "CHANGE_LANE_RIGHT"), (True, "CHANGE_LANE_LEFT")])
def test_a_lane_change_glides_over_in_twenty_metres(swap, command):
    road_map = town("Brookfield")
    origin, target = wide(road_map)[:: -1 if swap else 1]
    route = plan_route(road_map, np.array([on(road_map, origin, 0.2), on(road_map, target, 0.8)]))
    change = [k for k, asked in enumerate(route.maneuvers) if asked == Maneuver[command]]
    assert change == list(range(change[0], change[-1] + 1)) and 19 <= len(change) <= 21
    assert set(route.maneuvers) == {Maneuver.LANE_FOLLOW, Maneuver[command]}
    assert route.lanes[0] == origin.index and route.lanes[-1] == target.index
    assert np.abs(wrap_angle(np.diff(route.headings))).max() < math.radians(6)


def test_no_change_across_a_solid_line():
    """The lane of the opposite direction lies nearer than any way round."""
    road_map = town("Brookfield")
    inner, _ = wide(road_map)
    middle = inner.center[len(inner.center) // 2]
    across = road_map.nearest_lane(middle[:2], float(inner.heading[0]) + math.pi)[0]
    assert road_map.lanes[across].lane_id * inner.lane_id < 0
    route = plan_route(road_map, np.array([middle, on(road_map, road_map.lanes[across], 0.5)]))
    assert route.length_m > 200.0


def test_sparse_points_are_commands_and_at_most_200_m_apart():
    road_map = town("Ridgeport")
    long_lane = max(streets(road_map), key=lambda lane: lane.length_m)
    route = plan_route(road_map, np.array([on(road_map, long_lane, 0.01), on(road_map, long_lane, 0.99)]))
    picks = sparse(route)
    assert (
        picks[0] == 0
        and picks[-1] == len(route.points) - 1
        and len(picks) == math.ceil(route.length_m / 201) + 1
    )
    gaps_m = np.diff(picks)
    assert gaps_m.max() <= 202


def test_sparse_is_the_leaderboards_rule():
    """`downsample_route` by hand: a point where a command begins, two for a lane change, none where it ends."""
    follow, left, change = Maneuver.LANE_FOLLOW, Maneuver.LEFT, Maneuver.CHANGE_LANE_LEFT
    commands = [follow] * 3 + [left] * 2 + [follow] * 2 + [change] * 4 + [follow] * 3
    points = np.stack([np.arange(14.0), np.zeros(14), np.zeros(14)], -1)
    route = Route(points, np.zeros(14), tuple(commands), np.zeros(14, int))
    assert sparse(route).tolist() == [0, 3, 5, 7, 10, 13]


def test_keypoints_at_joints_and_in_junctions_do_not_lead_astray():
    road_map = town("Brookfield")
    turn = next(lane for lane in road_map.lanes if lane.is_junction and len(lane.center) > 20)
    before, after = road_map.lanes[turn.predecessors[0]], road_map.lanes[turn.successors[0]]
    keys = [
        on(road_map, before, 0.5),
        before.center[-1],
        on(road_map, turn, 0.5),
        after.center[0],
        on(road_map, after, 0.5),
    ]
    direct_m = before.length_m / 2 + turn.length_m + after.length_m / 2
    assert plan_route(road_map, np.array(keys)).length_m == pytest.approx(direct_m, abs=0.5)


def test_the_same_way_round_again_is_a_loop():
    road_map = town("Brookfield")
    lane = streets(road_map)[0]
    route = plan_route(road_map, np.array([on(road_map, lane, 0.6), on(road_map, lane, 0.4)]))
    assert route.length_m > 200.0


@pytest.mark.parametrize(
    ("keypoints", "told"),
    [
        ([[0.0, 0.0, 0.0]], "expected"),
        ([[-6.0, 100.0], [5_000.0, 0.0]], "keypoint 1 at .* from the nearest driving lane of 'Brookfield'"),
        ([[221.0, 142.0], [221.0, 142.0]], "give keypoints farther apart"),
    ],
)
def test_refusals_say_why(keypoints, told):
    with pytest.raises(ValueError, match=told) as error:
        plan_route(town("Brookfield"), np.array(keypoints))
    assert "\n" not in str(error.value)


def test_unreachable_points_are_named():
    whole = town("Brookfield")
    lanes = tuple(
        Lane(**{**lane.__dict__, "successors": ()}) if lane.is_junction else lane for lane in _plain(whole)
    )
    cut = RoadMap(whole.name, lanes, whole.stop_lines, whole.crosswalks, whole.geo_reference)
    first, second = streets(cut)[:3:2]
    with pytest.raises(ValueError, match="keypoint 1 at .* cannot be reached from keypoint 0"):
        plan_route(cut, np.array([on(cut, first, 0.5), on(cut, second, 0.5)]))


def _plain(road_map: RoadMap) -> tuple[Lane, ...]:
    return RoadMap.from_dict(road_map.to_dict()).lanes
