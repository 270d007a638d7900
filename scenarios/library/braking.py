"""Scenarios in which the ego's own lane holds a trap: a car that brakes, one that blocks, a slippery road."""

from __future__ import annotations

import numpy as np

from scenarios.performers import Performer
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, follows_lane, junction_ahead, open_road
from scenarios.spots import Spot, lane_path
from scenarios.types import scenario_type

LEAD_GAP_M = 22.0
LEAD_SPEED_MPS = 8.0
STOP_S = 10.0
GO_ON_M = 15.0
CIVIL_CARS = {"base_type": "car", "has_lights": "true", "special_type": ""}
BLOCKED_NEAR_M = 13.0


def _site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    return {} if open_road(setting, 100.0) and follows_lane(setting, 100.0) else None


@scenario_type("HardBreakRoute", site=_site)
def hard_break(scene: Scene) -> Script:
    """The car ahead brakes to a halt, stands for ten seconds and drives on."""
    yield from scene.triggered()
    lead = _lead(scene)
    yield from scene.seconds(1.5)
    lead.brake()
    yield from scene.seconds(STOP_S)
    lead.follow(lane_path(scene.here, 300.0), LEAD_SPEED_MPS)
    resumed_m = scene.ego_m
    yield from scene.until(lambda: scene.ego_m > resumed_m + GO_ON_M)


def _lead(scene: Scene) -> Performer:
    """A car that drives ahead of the ego."""
    scene.clear_ahead(LEAD_GAP_M + 10.0)
    lead = scene.car(scene.here.ahead(LEAD_GAP_M))
    lead.follow(lane_path(scene.here, 300.0), LEAD_SPEED_MPS, at_once=True)
    return lead


def _blocked_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    crossing = junction_ahead(setting)
    return {} if crossing is not None and crossing.turns else None


@scenario_type("BlockedIntersection", site=_blocked_site)
def blocked_intersection(scene: Scene) -> Script:
    """Behind the turn a car stands in the way for a while."""
    yield from scene.triggered()
    where = scene.exit_of_junction().ahead(5.0)
    scene.keep_clear(where.point[None, :2], 40.0)
    blocker = scene.car(where, wanted=CIVIL_CARS)
    blocker.park()
    blocker.show_lights(("brake",))
    yield from scene.until_or_timeout(lambda: scene.ego_gap_m(blocker.position) < BLOCKED_NEAR_M)
    yield from scene.seconds(STOP_S)


DEBRIS = (14.0, 48.0, 74.0)  # metres after the trigger
SLIP_REACH_M, SLIP_END_M = 2.0, 110.0
THROTTLE, THROTTLE_STD, STEER, STEER_STD = 0.03, 0.01, 0.055, 0.015


def _slip_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    return {} if open_road(setting, 130.0) and follows_lane(setting, 130.0) else None


@scenario_type("ControlLoss", site=_slip_site)
def control_loss(scene: Scene) -> Script:
    """The road is dirty in three places, where the car answers its controls with noise."""
    spots = [scene.here.ahead(way_m) for way_m in DEBRIS]
    for spot in spots:
        scene.prop("dirtdebris01", spot)
    yield from scene.triggered()
    begun_m = scene.ego_m
    for spot in spots:
        if not (yield from scene.until(lambda spot=spot: _on(scene, spot) or _beyond(scene, begun_m))):
            return
        throttle, steer = (float(scene.rng.choice((-1.0, 1.0))) * mean for mean in (THROTTLE, STEER))
        while _on(scene, spot):
            scene.world.disturb(scene.rng.normal(throttle, THROTTLE_STD), scene.rng.normal(steer, STEER_STD))
            yield
        scene.world.disturb(0.0, 0.0)
    yield from scene.until(lambda: _beyond(scene, begun_m))


def _on(scene: Scene, spot: Spot) -> bool:
    return scene.ego_gap_m(spot.point) < SLIP_REACH_M


def _beyond(scene: Scene, begun_m: float) -> bool:
    return scene.ego_m > begun_m + SLIP_END_M
