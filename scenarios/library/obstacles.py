"""Scenarios in which something stands in the ego's lane and must be driven round."""

from __future__ import annotations

import math

import numpy as np

from scenarios.parameters import Choice, Number
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, follows_lane, open_road, value, with_values
from scenarios.spots import Spot
from scenarios.types import scenario_type

SIDES = ("left", "right")
END_M = 50.0  # beyond the last thing
WARNING_LIGHTS = ("left_blinker", "right_blinker", "position")
FIRST_CAR_M, SECOND_CAR_M = 10.0, 6.0  # behind the police car, behind the first car
ACCIDENT_SHIFT, PARKED_SHIFT = 0.6, 0.7  # of half a lane's width


def warning_sign(scene: Scene, side: str) -> None:
    """The triangle at the road's edge where the scenario begins."""
    edge = scene.here.edge(side)
    outward = -1.0 if side == "right" else 1.0
    scene.prop("warningaccident", edge, outward * (0.5 + 0.3) * edge.width_m, math.pi / 2)


def aside_m(spot: Spot, side: str, share: float) -> float:
    """An offset to a side by a share of half the lane's width, left positive."""
    return (-1.0 if side == "right" else 1.0) * share * spot.width_m / 2


def _site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    has_room = open_road(setting, 170.0) and follows_lane(setting, 170.0) and setting.here.left() is not None
    return with_values(distance=value(60.0), direction=value("right")) if has_room else None


@scenario_type(
    "Accident",
    site=_site,
    distance=Number(120.0, 0.0),
    direction=Choice(SIDES, "right"),
    speed=Number(60.0, 0.0),
)
def accident(scene: Scene) -> Script:
    """A police car and two crashed cars block the lane; there is another lane to pass them."""
    side = scene.told["direction"]
    warning_sign(scene, side)
    spot = scene.here.ahead(scene.told["distance"], into_junction=False)
    police = scene.car(spot, aside_m(spot, side, ACCIDENT_SHIFT), model="vehicle.dodge.charger_police_2020")
    police.park()
    police.show_lights(("special1", "special2", "position"))
    for gap_m in (FIRST_CAR_M, SECOND_CAR_M):
        spot = spot.ahead(gap_m, into_junction=False)
        scene.car(spot, aside_m(spot, side, ACCIDENT_SHIFT), base_type="car").park()
    yield from scene.triggered()
    end = spot.ahead(END_M, into_junction=False)
    yield from scene.until_or_timeout(lambda: scene.ego_passed(end))
