"""Scenarios in which a car from beside comes into the ego's lane."""

from __future__ import annotations

import math

import numpy as np

from drive_agent.geometry import resample
from scenarios.library.crossings import Reaction, moment
from scenarios.parameters import Choice, Number
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, follows_lane, open_road, value, with_values
from scenarios.spots import lane_path
from scenarios.types import scenario_type

SIDES = ("left", "right")
CARS = {"base_type": "car", "generation": "2", "special_type": ""}
LIT_CARS = {"base_type": "car", "has_lights": "true"}
LEAVES_MPS = 20.0 / 3.6
CHANGE_M = 14.0  # a lane change takes so much way
SLOWLY_M, GONE_M = 35.0, 70.0  # the car out of the queue speeds up so far from it, and is gone
QUEUE_GAP_M = 11.0
BEHIND, BEFORE = 2, 3  # cars that stand in the queue
QUEUE_M = 150.0  # from the trigger to where the car that leaves it drives in the ego's lane


def merging_path(start: np.ndarray, lane: np.ndarray, change_m: float) -> np.ndarray:
    """From a point (2,) beside a lane's line (n, 2) into it, gliding over in `change_m` metres."""
    stations_m = np.arange(0.0, 200.0, 1.0)
    on_lane = resample(lane, stations_m)
    share = np.clip(stations_m / change_m, 0.0, 1.0)
    blend = (share**2 * (3.0 - 2.0 * share))[:, None]
    return on_lane + (1.0 - blend) * (start - on_lane[0])


def _parking_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    fits = open_road(setting, 110.0) and follows_lane(setting, 110.0)
    return {} if fits and setting.here.beside("parking") is not None else None


@scenario_type("ParkingCutIn", site=_parking_site, direction=Choice(SIDES, "right"))
def parking_cut_in(scene: Scene) -> Script:
    """A parked car sets out right in front of the ego, hidden by another one."""
    side = scene.told["direction"]
    blocker_at, leaver_at = scene.here.ahead(28.0), scene.here.ahead(35.0)
    blocker_bay, bay = blocker_at.beside("parking", side), leaver_at.beside("parking", side)
    if blocker_bay is None or bay is None:
        raise scene.error(f"the road has no parking lane on the {side}")
    scene.car(blocker_bay, wanted=CARS).park()
    leaver = scene.car(bay, wanted=CARS)
    leaver.park()
    yield from scene.triggered()
    scene.clear_ahead(45.0)
    yield from moment(scene, leaver_at, Reaction(2.35, 10.0))
    leaver.follow(merging_path(bay.point[:2], lane_path(leaver_at, 200.0), 10.0), LEAVES_MPS)
    yield from scene.until(lambda: math.dist(leaver.position, bay.point[:2]) > 30.0, 20.0)


def _two_lanes_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    if not open_road(setting, QUEUE_M) or not follows_lane(setting, QUEUE_M):
        return None
    side = (
        "right" if setting.here.right() is not None else "left" if setting.here.left() is not None else None
    )
    return None if side is None else with_values(distance=value(50.0), direction=value(side))


@scenario_type(
    "StaticCutIn", site=_two_lanes_site, distance=Number(100.0, 0.0), direction=Choice(SIDES, "right")
)
def static_cut_in(scene: Scene) -> Script:
    """Out of a queue that stands on the lane beside, a car comes over into the ego's."""
    side = scene.told["direction"]
    first = scene.here.ahead(scene.told["distance"], into_junction=False)
    spots = [first.ahead(k * QUEUE_GAP_M, into_junction=False) for k in range(BEHIND + 1 + BEFORE)]
    queue = []
    for spot in spots:
        beside = spot.right() if side == "right" else spot.left()
        if beside is None:
            raise scene.error(f"the road has no lane on the {side} there")
        car = scene.car(beside, wanted=LIT_CARS)
        car.park()
        queue.append(car)
    leaver = queue[BEHIND]
    yield from scene.triggered()
    scene.clear_ahead(scene.told["distance"] + QUEUE_GAP_M * len(spots))
    yield from moment(scene, spots[BEHIND], Reaction(2.7, 15.0))
    leaver.follow(merging_path(leaver.position, lane_path(spots[BEHIND], 200.0), CHANGE_M), LEAVES_MPS)

    def gone_m() -> float:
        return math.dist(leaver.position, spots[BEHIND].point[:2])

    yield from scene.until(lambda: gone_m() > SLOWLY_M, 15.0)
    leaver.change_speed(60.0 / 3.6)
    yield from scene.until(lambda: gone_m() > GONE_M, 15.0)
