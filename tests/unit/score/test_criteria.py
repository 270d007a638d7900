"""Every criterion just below and just above its threshold, in worlds that are known by heart."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from drive_agent.log.schema import ScenarioEvent
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.score.events import (
    COLLISION_LAYOUT,
    COLLISION_PEDESTRIAN,
    COLLISION_VEHICLE,
    MIN_SPEED,
    OUTSIDE_LANES,
    RED_LIGHT,
    ROUTE_DEVIATION,
    ROUTE_TIMEOUT,
    SCENARIO_TIMEOUT,
    STOP,
    YIELD,
    Event,
)
from drive_agent.score.judge import RouteJudge
from drive_agent.score.rules import BENCH2DRIVE
from drive_agent.types import Collision, LightState, Maneuver, Truth
from tests.worlds import (
    EGO_HALF_LENGTH_M,
    EGO_LANE_Y,
    LANE_M,
    LIMIT_MPS,
    TICK_US,
    cruise,
    straight_route,
    street,
    street_with_junction,
    truth,
)

RED, GREEN = {"s1": LightState.RED}, {"s1": LightState.GREEN}


def judged(
    truths: Iterable[Truth], road_map: RoadMap | None = None, route: Route | None = None, **rules
) -> RouteJudge:
    """The judge after these ticks, or at the route's end."""
    judge = RouteJudge(route or straight_route(200), road_map or street(), **rules)
    for now in truths:
        judge.update(now)
        if judge.ended:
            break
    return judge


def kinds_of(events: Iterable[Event]) -> list[str]:
    return [event.kind for event in events]


# ---- route completion


def test_completion_is_the_share_of_points_that_lie_behind():
    judge = judged(cruise(10.0, 5.001))  # the last tick is at 50.0 m minus one step
    assert judge.completion_percent == 24.5  # the 49 m point is behind, the 50 m point not yet
    assert judge.ended is None


def test_a_route_is_completed_past_99_percent_and_one_tick_later():
    judge = RouteJudge(straight_route(200), street())
    for now in cruise(10.0, 60):
        judge.update(now)
        if judge.completion_percent == 100:
            break
    assert 198 < now.ego[0] <= 199.5 and judge.ended is None
    judge.update(truth(now.frame_id + 1, now.ego[0] + 0.5, speed_mps=10.0))
    assert judge.ended == "completed"
    with pytest.raises(RuntimeError, match="has ended"):
        judge.update(now)


def test_the_end_must_be_near():
    """All points lie behind, but the goal is 12 m to the side."""
    judge = judged(cruise(10.0, 20.5, y_m=EGO_LANE_Y + 12.0))
    assert judge.ended is None and judge.completion_percent == 100
    near = judged(cruise(10.0, 20.5, y_m=EGO_LANE_Y + 9.0))
    assert near.ended == "completed"


# ---- deviation, blocking, timeouts


@pytest.mark.parametrize(("offset_m", "deviates"), [(29.9, False), (30.1, True)])
def test_deviation_at_30_m(offset_m, deviates):
    judge = judged([truth(0, 0.0), truth(1, 0.0, EGO_LANE_Y + offset_m, speed_mps=1.0)])
    assert (kinds_of(judge.events) == [ROUTE_DEVIATION]) == deviates
    assert judge.ended == ("route_deviation" if deviates else None)


def test_deviation_message_is_in_carla_axes():
    [event] = judged([truth(0, -1.0), truth(1, -0.34567, 40.0)]).events
    assert event.message == "Agent deviated from the route at (x=-0.346, y=-40.0, z=0.0)"
    assert (event.x_m, event.y_m) == (-0.34567, 40.0)


@pytest.mark.parametrize(("metres", "deviates"), [(58, False), (63, True)])
def test_deviation_after_30_percent_between_15_and_30_m(metres, deviates):
    aside = cruise(10.0, metres / 10, y_m=EGO_LANE_Y + 16.0)
    judge = judged([*aside, *cruise(10.0, 2.0, start_m=metres, first_tick=5000)])
    assert (ROUTE_DEVIATION in kinds_of(judge.events)) == deviates


@pytest.mark.parametrize(("seconds", "ended"), [(179.95, None), (180.0, "blocked")])
def test_blocked_after_180_s_of_standing(seconds, ended):
    judge = judged(truth(1 + k, 5.0, speed_mps=0.09) for k in range(round(seconds * 20) + 1))
    assert judge.ended == ended
    if ended:
        assert judge.events[0].message == "Agent got blocked at (x=5.0, y=1.75, z=0.0)"


def test_moving_for_one_tick_is_not_blocked():
    speeds = [0.0] * 2900 + [0.1] + [0.0] * 2900
    assert judged(truth(k, 5.0, speed_mps=v) for k, v in enumerate(speeds)).ended is None


def test_bench2drive_blocks_after_60_s_and_stops_after_4000_ticks():
    assert judged((truth(k, 5.0) for k in range(1300)), rules=BENCH2DRIVE).ended == "blocked"
    creeping = (truth(k, 5.0, speed_mps=0.2) for k in range(5000))
    judge = judged(creeping, rules=BENCH2DRIVE)
    assert judge.ended == "tick_runtime" and judge.simulated_s == 4001 * TICK_US / 1e6


@pytest.mark.parametrize("driven_m", [0, 50])
def test_timeout_grows_with_the_metres_passed(driven_m):
    allowed_s = 300 + driven_m / (LIMIT_MPS / 10)
    drive = list(cruise(10.0, driven_m / 10 + 0.1))
    last = drive[-1].frame_id
    wait = (truth(last + 1 + k, driven_m + 0.5, speed_mps=0.5) for k in range(round(allowed_s * 20)))
    judge = judged([*drive, *wait])
    assert judge.ended == "timeout"
    [event] = judge.events
    assert (event.kind, event.message) == (ROUTE_TIMEOUT, "Route timeout.")
    assert (
        0 < judge.simulated_s - allowed_s < 0.101
    )  # begun at the first tick, over one tick after it is exceeded


# ---- collisions


def hit(other_id: int = 5, kind: str = "vehicle.tesla.model3") -> tuple[Collision, ...]:
    return (Collision(other_id, kind, 100.0),)


@pytest.mark.parametrize(
    ("type_id", "kind"),
    [
        ("vehicle.tesla.model3", COLLISION_VEHICLE),
        ("walker.pedestrian.0001", COLLISION_PEDESTRIAN),
        ("static.building", COLLISION_LAYOUT),
        ("traffic.traffic_light", COLLISION_LAYOUT),
        ("static.sidewalk", None),
        ("sensor.camera.rgb", None),
    ],
)
def test_what_was_hit_decides_the_kind(type_id, kind):
    judge = judged([truth(0, 0.0, speed_mps=5.0), truth(1, 1.0, speed_mps=5.0, collisions=hit(5, type_id))])
    assert kinds_of(judge.events) == ([kind] if kind else [])


def test_a_collision_is_judged_by_the_tick_before_its_report():
    standing = [truth(0, 0.0), truth(1, 0.0, speed_mps=5.0, collisions=hit())]
    assert judged(standing).events == ()
    [event] = judged([truth(0, 3.0, speed_mps=5.0), truth(1, 3.25, collisions=hit())]).events
    assert event.message.endswith("at (x=3.0, y=1.75, z=0.0)")


def test_collision_message():
    [event] = judged([truth(1, 1.0, speed_mps=5.0, collisions=hit(77))]).events
    assert (
        event.message
        == "Agent collided against object with type=vehicle.tesla.model3 and id=77 at (x=1.0, y=1.75, z=0.0)"
    )
    assert event.other_id == "77"


@pytest.mark.parametrize(("speed", "count"), [(0.09, 0), (0.11, 1)])
def test_being_hit_while_standing_is_no_fault(speed, count):
    assert len(judged([truth(1, 1.0, speed_mps=speed, collisions=hit())]).events) == count


@pytest.mark.parametrize(("distance_m", "count"), [(4.9, 1), (5.1, 2)])
def test_collisions_within_5_m_are_one(distance_m, count):
    ticks = [
        truth(1, 0.0, speed_mps=5.0, collisions=hit(5)),
        truth(2, distance_m, speed_mps=5.0),
        truth(3, distance_m, speed_mps=5.0, collisions=hit(6)),
    ]
    assert len(judged(ticks).events) == count


@pytest.mark.parametrize(("seconds", "count"), [(4.95, 1), (5.0, 2)])
def test_the_same_car_within_5_s_is_one(seconds, count):
    later = round(seconds * 20)
    ticks = [
        truth(1, 0.0, speed_mps=5.0, collisions=hit()),
        truth(1 + later, 20.0, speed_mps=5.0),
        truth(2 + later, 20.0, speed_mps=5.0, collisions=hit()),
    ]
    assert len(judged(ticks).events) == count


def test_the_town_itself_has_no_identity():
    ticks = [truth(k, 10.0 * k, speed_mps=5.0, collisions=hit(0, "static.wall")) for k in (1, 2)]
    ticks.insert(1, truth(2, 20.0, speed_mps=5.0))
    assert len(judged(ticks).events) == 2


# ---- red lights

LINE = 100.0
TAIL = EGO_HALF_LENGTH_M + 1.0
FROM_85_M = straight_route(200, start_m=85.0)


def over_the_line(lights_at: dict[float, dict], **extra: object) -> list[Truth]:
    """Rolls over the line at 100 m; the lights change where the ego is at a position."""
    ticks = []
    for now in cruise(8.0, 5, start_m=85.0):
        x = now.ego[0]
        lights = lights_at[max(at for at in lights_at if at <= x)]
        ticks.append(truth(now.frame_id, x, speed_mps=8.0, lights=lights, **extra))
    return ticks


def test_red_counts_when_the_tail_crosses_the_line():
    judge = judged(over_the_line({0: RED}), street(stop_m=LINE), FROM_85_M)
    [event] = judge.events
    assert event.kind == RED_LIGHT and event.other_id == "s1"
    assert event.message == "Agent ran a red light s1 at (x=108.0, y=5.75, z=5.0)"
    assert LINE + 0.8 * EGO_HALF_LENGTH_M - 0.4 < event.x_m < LINE + TAIL


def test_green_and_no_light_are_free():
    assert judged(over_the_line({0: GREEN}), street(stop_m=LINE), FROM_85_M).events == ()
    assert judged(over_the_line({0: RED}), street(), FROM_85_M).events == ()


@pytest.mark.parametrize(("red_from", "count"), [(LINE + 3.0, 1), (LINE + TAIL + 0.1, 0)])
def test_a_light_that_turns_red_counts_until_the_tail_is_over(red_from, count):
    assert (
        len(judged(over_the_line({0: GREEN, red_from: RED}), street(stop_m=LINE), FROM_85_M).events) == count
    )


def test_the_junction_border_counts_not_the_painted_line():
    """The line is 5 m before the junction: standing with the tail between the two is not running the light."""
    line = street(stop_m=LINE - 5.0).stop_lines[0]
    road_map = replace(street_with_junction(LINE), stop_lines=(line,))
    between = [now for now in over_the_line({0: RED}) if now.ego[0] < LINE + 0.8 * EGO_HALF_LENGTH_M - 0.5]
    assert judged(between, road_map, FROM_85_M).events == ()
    [event] = judged(over_the_line({0: RED}), road_map, FROM_85_M).events
    assert event.kind == RED_LIGHT and LINE + 0.8 * EGO_HALF_LENGTH_M - 0.9 < event.x_m < LINE + TAIL


def test_the_opposite_lane_has_another_light():
    back = [
        truth(k, 115.0 - 0.4 * k, -EGO_LANE_Y, yaw_rad=math.pi, speed_mps=8.0, lights=RED) for k in range(60)
    ]
    assert RED_LIGHT not in kinds_of(judged(back, street(stop_m=LINE), FROM_85_M).events)


def test_driving_out_backwards_over_the_line_is_not_running_it():
    back = [truth(k, 115.0 - 0.4 * k, yaw_rad=math.pi, speed_mps=8.0, lights=RED) for k in range(60)]
    assert RED_LIGHT not in kinds_of(judged(back, street(stop_m=LINE), FROM_85_M).events)


# ---- stop signs


def past_the_sign(slowest_mps: float, stop_at_m: float = 97.0, y_m: float = EGO_LANE_Y) -> list[Truth]:
    """8 m/s, except for a second at `stop_at_m`."""
    ticks = list(cruise(8.0, (stop_at_m - 85.0) / 8.0, start_m=85.0, y_m=y_m))
    last = ticks[-1].frame_id
    ticks += [truth(last + 1 + k, stop_at_m, y_m, speed_mps=slowest_mps) for k in range(20)]
    return ticks + list(cruise(8.0, 3.0, start_m=stop_at_m, first_tick=last + 21, y_m=y_m))


@pytest.mark.parametrize(("slowest", "count"), [(0.09, 0), (0.11, 1)])
def test_a_stop_sign_asks_for_standing(slowest, count):
    judge = judged(past_the_sign(slowest), street(stop_m=LINE, stop_kind="stop"), FROM_85_M)
    assert kinds_of(judge.events) == [STOP] * count
    if count:
        assert judge.events[0].message == "Agent ran a stop with id=s1 at (x=108.0, y=5.75, z=5.0)"


BOX_CENTRE = LINE - 0.45 * LANE_M


@pytest.mark.parametrize(
    ("stop_at", "count"), [(BOX_CENTRE - 4.1, 1), (BOX_CENTRE - 3.5, 0), (LINE, 0), (LINE + 1.2, 1)]
)
def test_standing_counts_only_near_the_sign(stop_at, count):
    assert (
        len(judged(past_the_sign(0.0, stop_at), street(stop_m=LINE, stop_kind="stop"), FROM_85_M).events)
        == count
    )


def test_the_opposite_lane_has_no_sign():
    back = [truth(k, 115.0 - 0.4 * k, -EGO_LANE_Y, yaw_rad=math.pi, speed_mps=8.0) for k in range(60)]
    assert STOP not in kinds_of(judged(back, street(stop_m=LINE, stop_kind="stop"), FROM_85_M).events)


def test_a_sign_at_a_junction_holds_over_the_lane_border():
    """The line at the end of lane 0: the ego is past the sign only once it is on the junction's lane."""
    road_map = street_with_junction()
    line = street(stop_m=LINE, stop_kind="stop").stop_lines[0]
    judge = judged(past_the_sign(8.0), replace(road_map, stop_lines=(line,)), FROM_85_M)
    [event] = judge.events
    assert event.kind == STOP and LINE < event.x_m < LINE + 1.0


# ---- lanes


@pytest.mark.parametrize(("outside_m", "out"), [(0.49, False), (0.51, True)])
def test_outside_begins_half_a_metre_beyond_the_border(outside_m, out):
    y = EGO_LANE_Y - LANE_M / 2 - outside_m
    assert (kinds_of(judged(cruise(10.0, 3.0, y_m=y)).events) == [OUTSIDE_LANES]) == out


def test_a_parking_lane_is_a_lane():
    y = EGO_LANE_Y - LANE_M
    assert kinds_of(judged(cruise(10.0, 3.0, y_m=y)).events) == [OUTSIDE_LANES]
    assert judged(cruise(10.0, 3.0, y_m=y), street(parking=True)).events == ()


def test_outside_metres_are_counted_per_route_point_and_kept_up_to_date():
    out = EGO_LANE_Y - LANE_M
    judge = RouteJudge(straight_route(200), street())
    news = []
    for now in [
        *cruise(10.0, 4.1),
        *cruise(10.0, 1.0, start_m=40.6, first_tick=100, y_m=out),
        *cruise(10.0, 3.0, start_m=50.6, first_tick=200),
    ]:
        news += judge.update(now)
    assert kinds_of(news) == [OUTSIDE_LANES]  # told once, when it begins
    [event] = judge.events
    assert event.value == pytest.approx(100 * 10 / 80)
    assert (
        event.message
        == "Agent went outside its route lanes for about 10.0 meters (12.5% of the completed route)"
    )
    assert event.time_us == news[0].time_us


def test_the_opposite_lane_is_outside_until_one_is_back():
    other = -EGO_LANE_Y
    judge = judged(
        [
            *cruise(10.0, 2.1),
            *cruise(10.0, 1.0, start_m=20.6, first_tick=100, y_m=other),
            *cruise(10.0, 2.0, start_m=30.6, first_tick=200),
        ]
    )
    [event] = judge.events
    assert event.value == pytest.approx(100 * 10 / 50)


def test_a_scenario_may_send_the_ego_into_the_opposite_lane():
    judge = RouteJudge(straight_route(200), street())
    judge.update(truth(0, 0.0), [ScenarioEvent(0, "TwoWays", "wrong_lane_test_off")])
    for now in [*cruise(10.0, 1.0), *cruise(10.0, 1.0, start_m=10.0, first_tick=50, y_m=-EGO_LANE_Y)]:
        judge.update(now)
    assert judge.events == ()
    judge.update(
        truth(100, 22.0, -EGO_LANE_Y, speed_mps=9.0), [ScenarioEvent(0, "TwoWays", "wrong_lane_test_on")]
    )
    assert kinds_of(judge.events) == [OUTSIDE_LANES]


@pytest.mark.parametrize(("angle_deg", "out"), [(119.0, False), (121.0, True)])
def test_the_direction_counts_just_after_a_junction(angle_deg, out):
    """The ego leaves the junction at an angle to the lane."""
    yaw = math.radians(angle_deg)
    ticks = [truth(k, 115.0 + 0.5 * k, yaw_rad=yaw, speed_mps=10.0) for k in range(40)]
    judge = judged(ticks, street_with_junction(), straight_route(100, start_m=115.0))
    assert (OUTSIDE_LANES in kinds_of(judge.events)) == out


def test_inside_a_junction_any_lane_is_right():
    ticks = cruise(10.0, 1.5, start_m=102.0, y_m=-EGO_LANE_Y)
    assert judged(ticks, street_with_junction(), straight_route(100, start_m=102.0)).events == ()


# ---- minimum speed


@pytest.mark.parametrize(("traffic_mps", "percents"), [(8.0, []), (8.01, [99.88] * 5), (16.0, [50.0] * 5)])
def test_four_parts_are_compared_with_the_traffic(traffic_mps, percents):
    """The last part is written twice, as the Leaderboard does."""
    judge = judged(cruise(8.0, 60, others={5: (50.0, 1.75, traffic_mps)}))
    assert judge.ended == "completed"
    assert [e.value for e in judge.events] == percents
    assert all(
        e.message == f"Average speed is {e.value}% of the surrounding traffic's one" for e in judge.events
    )


@pytest.mark.parametrize("role", ["hero", "scenario", "autopilot"])
def test_only_background_vehicles_are_traffic(role):
    assert judged(cruise(8.0, 60, others={5: (50.0, 1.75, 20.0)}, role=role)).events == ()


def test_standing_traffic_asks_for_nothing():
    assert judged(cruise(8.0, 60, others={5: (50.0, 1.75, 0.0)})).events == ()


def test_a_route_broken_off_near_its_end_writes_the_last_part_once():
    judge = RouteJudge(straight_route(200), street())
    for now in cruise(8.0, 24.3, others={5: (50.0, 1.75, 16.0)}):  # to 194 m: 97 %
        judge.update(now)
    assert kinds_of(judge.events) == [MIN_SPEED] * 3
    assert kinds_of(judge.finish()) == [MIN_SPEED]
    assert judge.finish() == () and kinds_of(judge.events) == [MIN_SPEED] * 4


def test_bench2drive_reports_every_part_also_fast_ones():
    judge = judged(cruise(8.0, 60, others={5: (50.0, 1.75, 4.0)}), rules=BENCH2DRIVE)
    assert [e.value for e in judge.events] == [200.0] * len(judge.events)
    assert (
        len(judge.events) == 18 + 2
    )  # parts end at the first point beyond 10 m: each 11 m, and the last one twice


# ---- what scenarios report


def test_scenarios_report_timeouts_and_failures_to_yield():
    judge = RouteJudge(straight_route(200), street())
    new = judge.update(
        truth(1, 0.0),
        [
            ScenarioEvent(0, "A_1", "started"),
            ScenarioEvent(0, "A_1", "timeout"),
            ScenarioEvent(0, "B_1", "not_yielded"),
        ],
    )
    assert [(e.kind, e.message) for e in new] == [
        (SCENARIO_TIMEOUT, "Agent timed out a scenario"),
        (YIELD, "Agent failed to yield to an emergency vehicle"),
    ]
    with pytest.raises(ValueError, match="unknown scenario event 'exploded'"):
        judge.update(truth(2, 0.0), [ScenarioEvent(50_000, "A_1", "exploded")])


def test_a_scenario_that_makes_the_ego_wait_suspends_blocking():
    judge = RouteJudge(straight_route(200), street())
    for k in range(4000):
        what = {100: "blocked_test_off", 3900: "blocked_test_on"}.get(k)
        judge.update(truth(k, 5.0), [ScenarioEvent(k * TICK_US, "A_1", what)] if what else [])
    assert judge.ended is None


# ---- routes on slopes and bends


def test_a_steep_route_is_followed_too():
    x = np.arange(101.0)
    points = np.column_stack([x, np.full(101, EGO_LANE_Y), 0.15 * x])
    route = Route(points, np.zeros(101), (Maneuver.LANE_FOLLOW,) * 101, np.zeros(101, int))
    judge = RouteJudge(route, street())
    for k in range(300):
        now = truth(k, 0.4 * k, speed_mps=8.0)
        now.actors[0, 2] = 0.15 * 0.4 * k
        judge.update(now)
        if judge.ended:
            break
    assert judge.ended == "completed" and judge.events == ()


def test_a_route_of_one_point_is_refused():
    with pytest.raises(ValueError, match="a route of 1 points"):
        RouteJudge(Route(np.zeros((1, 3)), np.zeros(1), (Maneuver.LANE_FOLLOW,), np.zeros(1, int)), street())
