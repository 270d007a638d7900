import numpy as np
import pytest

from drive_agent.expert.expert import PATH_STATIONS_M, ScriptedDriver
from drive_agent.geometry import arc_length
from drive_agent.types import LightState, ObjectKind
from tests.unit.expert.crossroads import ARM_M, LINE_BEFORE_M, Other, World, crossroads, route

LINE_M = ARM_M - LINE_BEFORE_M
LIGHTS = dict.fromkeys("ESWN", "light")
RED = dict.fromkeys("ESWN", LightState.RED)


def test_stops_before_a_red_light_and_goes_on_green():
    road_map = crossroads(LIGHTS)
    world = World(road_map, route(road_map, "SN"), lights=dict(RED))
    seen = world.run(25)
    assert world.speed_mps == 0.0
    assert 0.5 < LINE_M - world.front_m < 2.5
    assert seen[-1].light == LightState.RED
    assert seen[-1].light_m == pytest.approx(LINE_M - world.front_m, abs=0.3)
    world.lights["S"] = LightState.GREEN
    world.run(8)
    assert world.front_m > LINE_M + 15.0


def test_yellow_is_obeyed_only_where_the_stop_is_comfortable():
    road_map = crossroads(LIGHTS)
    for start_m, stops in ((30.0, True), (LINE_M - 10.0, False)):
        world = World(
            road_map,
            route(road_map, "SN"),
            lights={**RED, "S": LightState.YELLOW},
            start_m=start_m,
            speed_mps=8.0,
        )
        world.run(10)
        assert (world.front_m < LINE_M) == stops


def test_follows_a_slow_leader_and_stops_behind_it():
    road_map = crossroads({})
    way = route(road_map, "SN")
    leader = Other(way.points[:, :2], 40.0, 3.0)
    world = World(road_map, way, [leader], speed_mps=8.0, start_m=10.0)
    seen = []
    for k in range(400):
        seen.append(world.step()[1])
        assert world.distance_to(leader) > 5.0
        if k == 250:
            assert world.speed_mps == pytest.approx(3.0, abs=0.4)
            assert seen[-1].lead_speed_mps == pytest.approx(3.0, abs=0.1)
            leader.speed_mps = 0.0
    assert world.speed_mps == 0.0
    assert seen[-1].gap_m == pytest.approx(3.0, abs=1.5)


def test_makes_a_full_stop_at_a_stop_sign_once_and_goes_on():
    road_map = crossroads({"S": "stop"})
    world = World(road_map, route(road_map, "SN"))
    fronts, speeds = [], []
    for _ in range(600):
        world.step()
        fronts.append(world.front_m)
        speeds.append(world.speed_mps)
    stood = np.array(fronts)[np.array(speeds) < 0.05]
    assert len(stood) * 0.05 == pytest.approx(0.75, abs=0.4)
    assert ((LINE_M - stood > 0.0) & (LINE_M - stood < 2.0)).all()
    assert fronts[-1] > LINE_M + 30.0


def test_waits_for_a_person_who_crosses_and_then_goes():
    road_map = crossroads({})
    way = route(road_map, "SN")
    x, y, _ = way.points[50]
    person = Other(np.array([[x + 9.0, y], [x - 12.0, y]]), 0.0, 1.3, ObjectKind.WALKER)
    world = World(road_map, way, [person], speed_mps=7.0, start_m=14.0)
    nearest = 99.0
    for _ in range(300):
        world.step()
        if world.speed_mps > 0.1:
            nearest = min(nearest, world.distance_to(person))
    assert nearest > 3.4
    assert world.front_m > 60.0


def test_ignores_a_person_on_the_pavement():
    road_map = crossroads({})
    way = route(road_map, "SN")
    side = way.points[:, :2] + (4.0, 0.0)
    world = World(road_map, way, [Other(side, 40.0, 1.3, ObjectKind.WALKER)], start_m=14.0)
    assert all(s.gap_m is None for s in world.run(4))


@pytest.mark.parametrize(("way", "yields"), [("SW", True), ("SN", False), ("SE", False)])
def test_only_a_left_turn_yields_to_oncoming_traffic_at_green(way, yields):
    road_map = crossroads(LIGHTS)
    green = {**RED, "S": LightState.GREEN, "N": LightState.GREEN}
    oncoming = Other(route(road_map, "NS").points[:, :2], 35.0, 8.0)
    world = World(road_map, route(road_map, way), [oncoming], green, start_m=50.0, speed_mps=7.0)
    seen = []
    for _ in range(300):
        seen.append(world.step()[1])
        assert world.distance_to(oncoming) > 2.6
    assert any(s.yield_to == 2 for s in seen) == yields
    assert world.front_m > 100.0


def test_lets_crossing_traffic_pass_at_a_stop_sign():
    road_map = crossroads({"S": "stop", "N": "stop"})
    crossing = [Other(route(road_map, "EW").points[:, :2], start, 7.0) for start in (10.0, -20.0)]
    world = World(road_map, route(road_map, "SN"), crossing, start_m=40.0)
    for _ in range(500):
        world.step()
        assert min(world.distance_to(c) for c in crossing) > 4.0
    assert world.front_m > 110.0


def test_path_starts_at_the_car_and_returns_to_the_lane():
    road_map = crossroads({})
    world = World(road_map, route(road_map, "SN"))
    world.pose = world.pose + (0.8, 0.0, 0.05)  # 0.8 m to the right
    plan, _ = world.step()
    assert plan.path_ego.shape == (10, 2)
    assert np.hypot(*plan.path_ego[0]) == pytest.approx(2.0, abs=0.2)
    along = arc_length(np.vstack([[0.0, 0.0], plan.path_ego]))[1:]
    assert along == pytest.approx(PATH_STATIONS_M, abs=0.4)
    x, y = plan.path_ego[-1]
    assert x * np.sin(0.05) + y * np.cos(0.05) == pytest.approx(0.8, abs=0.05)


def test_target_speed_moves_smoothly_while_the_car_moves():
    road_map = crossroads(LIGHTS)
    leader = Other(route(road_map, "SN").points[:, :2], 45.0, 2.5)
    world = World(road_map, route(road_map, "SE"), [leader], dict(RED), start_m=10.0)
    targets = []
    while world.speed_mps > 0.3:
        targets.append(world.step()[1].target_speed_mps)
    assert len(targets) > 100
    assert np.abs(np.diff(targets)).max() < 1.0  # the step from the last 0.25 m to a stand is 0.95 m/s


def test_scripted_driver_ignores_everything():
    road_map = crossroads(LIGHTS)
    world = World(road_map, route(road_map, "SN"), lights=dict(RED))
    plan = ScriptedDriver(road_map, world.route, speed_mps=7.0).step(world.truth())
    assert (plan.speeds_mps == 7.0).all()
    assert plan.path_ego == pytest.approx(world.expert.step(world.truth())[0].path_ego)
