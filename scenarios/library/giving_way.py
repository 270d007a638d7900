"""Scenarios in which the ego has to make room: for an emergency vehicle, for cars that cut a bend, for an open door."""

from __future__ import annotations

import math

import numpy as np

from scenarios.flows import Flow, oncoming
from scenarios.library.crossings import Reaction, moment
from scenarios.library.obstacles import gap_interval
from scenarios.parameters import Choice, Interval, Number
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, follows_lane, open_road, single_lane, value, with_values
from scenarios.spots import lane_path, shifted
from scenarios.types import scenario_type

SIDES = ("left", "right")
EMERGENCY = {"special_type": "emergency"}
FASTER_MPS = 25.0 / 3.6
CLOSE_M, PATIENCE_S, AHEAD_M = 50.0, 10.0, 50.0


def _rear_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    straight_on = open_road(setting, 90.0) and follows_lane(
        setting, 90.0
    )  # so that they share a lane until it is past
    fits = straight_on and setting.trigger_m >= 40.0 and len(setting.here.same_direction()) > 1
    return with_values(distance=value(35.0)) if fits else None


@scenario_type("YieldToEmergencyVehicle", site=_rear_site, distance=Number(140.0, 0.0))
def yield_to_emergency_vehicle(scene: Scene) -> Script:
    """An emergency vehicle comes from behind and must be let pass."""
    yield from scene.triggered()
    start = scene.here.behind(scene.told["distance"])
    path = lane_path(start, 600.0)
    scene.keep_clear(path[::5], 3.0)
    vehicle = scene.car(start, wanted=EMERGENCY)
    vehicle.show_lights(("special1", "special2"))
    vehicle.follow(path, scene.ego_speed_mps + FASTER_MPS, at_once=True, careful=True)
    close_since_s: float | None = None
    ahead_since_m: float | None = None

    def settled() -> bool:
        nonlocal close_since_s, ahead_since_m
        vehicle.change_speed(scene.ego_speed_mps + FASTER_MPS)
        if close_since_s is None and scene.ego_gap_m(vehicle.position) < CLOSE_M:
            close_since_s = scene.time_s
        driven_m = math.dist(vehicle.position, start.point[:2])
        if ahead_since_m is None and _is_ahead(scene, vehicle.position, vehicle.yaw_rad):
            ahead_since_m = driven_m
        waited = close_since_s is not None and scene.time_s - close_since_s > PATIENCE_S
        return waited or (ahead_since_m is not None and driven_m > ahead_since_m + AHEAD_M)

    yield from scene.until(settled)
    if not _is_ahead(scene, vehicle.position, vehicle.yaw_rad):
        scene.report("not_yielded")


def _is_ahead(scene: Scene, position: np.ndarray, yaw_rad: float) -> bool:
    """Whether the ego is behind somebody, in their own direction."""
    along = np.array([math.cos(yaw_rad), math.sin(yaw_rad)])
    return float((scene.ego_position - position) @ along) < 0.0


INVADER_GAP_M, SOURCE_M, PAST_M = 40.0, 30.0, 50.0
CONE_SHIFT, CONE_GAP_M, CONES_BEGIN_M = 0.8, 5.0, 10.0
HALF_CAR_M = 0.7  # of a car's width, that stays in its own lane
WIDE_M = 3.4


def _bend_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    crossing = setting.junction
    clear = crossing is None or crossing.begin_m > setting.trigger_m + 110.0
    here = setting.here
    fits = clear and setting.left_m > 120.0 and not here.lane.is_junction and single_lane(here)
    wide = here.width_m > WIDE_M or here.beside("parking") is not None  # room for both beside each other
    return with_values(distance=value(60.0), offset=value(0.6)) if fits and wide else None


@scenario_type("InvadingTurn", site=_bend_site, distance=Number(100.0, 0.0), offset=Number(0.25))
def invading_turn(scene: Scene) -> Script:
    """Oncoming cars come over into the ego's lane, because cones narrow theirs."""
    far = scene.here.ahead(scene.told["distance"] + SOURCE_M)
    source, sink = far.opposite(), scene.here.opposite()
    if source is None or sink is None:
        raise scene.error("the road has no lane of the other direction")
    yield from scene.triggered()
    cone_spot = source.ahead(CONES_BEGIN_M)
    for _ in range(int(0.5 * scene.told["distance"] / CONE_GAP_M)):
        cone_spot = cone_spot.ahead(CONE_GAP_M)
        scene.prop("constructioncone", cone_spot, -CONE_SHIFT * cone_spot.width_m / 2)
    left_m = scene.told["offset"] + sink.width_m / 2 - HALF_CAR_M
    length_m = scene.told["distance"] + SOURCE_M
    path = shifted(lane_path(source, length_m), left_m)
    scene.keep_clear(path[::5], 6.0)
    gap_m = (INVADER_GAP_M, INVADER_GAP_M)
    flow = Flow(scene, path, gap_m, sink.lane.speed_limit_mps, careful=True)

    def passed() -> bool:
        flow.step()
        return scene.ego_passed(far)

    yield from scene.until_or_timeout(passed)


DOOR = Reaction(3.0, 10.0)
DOOR_CARS = {"has_dynamic_doors": "true", "base_type": "car"}
DOOR_WAIT_S, DOOR_END_M = 5.0, 50.0


def _door_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    fits = open_road(setting, 90.0) and follows_lane(setting, 90.0) and single_lane(setting.here)
    if not fits or setting.here.beside("parking") is None:
        return None
    return with_values(distance=value(45.0), frequency=gap_interval(setting.here))


@scenario_type(
    "VehicleOpensDoorTwoWays",
    site=_door_site,
    distance=Number(50.0, 0.0),
    direction=Choice(SIDES, "right"),
    speed=Number(60.0, 0.0),
    frequency=Interval((20.0, 100.0)),
)
def vehicle_opens_door(scene: Scene) -> Script:
    """The door of a parked car opens into the lane; only the lane of the oncoming traffic leads past."""
    side = scene.told["direction"]
    front = scene.here.ahead(scene.told["distance"], into_junction=False)
    bay, opposite = front.beside("parking", side), front.opposite()
    if bay is None or opposite is None:
        raise scene.error(f"the road has no parking lane on the {side} or no lane of the other direction")
    towards_lane_m = (1.0 if side == "right" else -1.0) * bay.width_m / 8
    car = scene.car(bay, towards_lane_m, wanted=DOOR_CARS)
    car.park()
    yield from scene.triggered()
    yield from moment(scene, front, DOOR)
    car.open_door("left" if side == "right" else "right")
    end = front.ahead(DOOR_END_M, into_junction=False)
    yield from scene.until(lambda: scene.ego_passed(end), DOOR_WAIT_S)
    scene.report("wrong_lane_test_off")
    flow = oncoming(scene, opposite, scene.told["frequency"])

    def passed() -> bool:
        flow.step()
        return scene.ego_passed(end)

    yield from scene.until_or_timeout(passed)
    scene.report("wrong_lane_test_on")
