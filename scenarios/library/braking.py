"""Scenarios that ask for hard braking behind or for another vehicle."""

from __future__ import annotations

import numpy as np

from drive_agent.types import ObjectKind
from scenarios.performers import Performer
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, follows_lane, open_road
from scenarios.spots import lane_path
from scenarios.types import scenario_type

LEAD_GAP_M = 22.0
LEAD_SPEED_MPS = 8.0
STOP_S = 10.0
GO_ON_M = 15.0


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
    """A car that drives ahead of the ego; background cars between them are taken away."""
    begin_m, end_m = scene.ego_m, scene.ego_m + LEAD_GAP_M + 10.0
    between = [
        actor
        for actor, row in zip(scene.truth.ids, scene.truth.actors, strict=True)
        if scene.truth.infos[actor].kind != ObjectKind.WALKER
        and begin_m < scene.setting.route_station_m(row[:2]) < end_m
        and scene.ego_gap_m(row[:2]) < LEAD_GAP_M + 10.0
        and actor != scene.truth.ids[0]
    ]
    scene.world.remove_background(between)
    lead = scene.car(scene.here.ahead(LEAD_GAP_M))
    lead.follow(lane_path(scene.here, 300.0), LEAD_SPEED_MPS, at_once=True)
    return lead
