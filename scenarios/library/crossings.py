"""Scenarios in which somebody on foot comes into the way."""

from __future__ import annotations

import math

import numpy as np

from scenarios.parameters import Choice, Number, Text
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, open_road, value, with_values
from scenarios.spots import Spot
from scenarios.types import scenario_type

WALK_MPS = 2.0
REACTION_S = 2.1
NEAREST_M = 6.0  # the ego is never so near before the person starts
GO_ON_M = 40.0
OUTSIDE = ("sidewalk", "driving", "parking", "shoulder", "biking")
BESIDE_PAVEMENT_M = 1.5
CAR_LENGTH_M = 0.9  # what hides the person stands so far before him


def _site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    if not open_road(setting, 80.0) or setting.here.beside("sidewalk") is None:
        return None
    return with_values(distance=value(float(rng.integers(35, 50))), direction=value("right"))


@scenario_type(
    "DynamicObjectCrossing",
    site=_site,
    distance=Number(12.0, 0.0),
    direction=Choice(("left", "right"), "right"),
    crossing_angle=Number(0.0, -90.0),
    blocker_model=Text("static.prop.vendingmachine"),
)
def dynamic_object_crossing(scene: Scene) -> Script:
    """Somebody steps out from behind a thing at the kerb, just as the ego arrives."""
    told = scene.told
    ahead = scene.here.ahead(told["distance"], into_junction=False)
    kerb = ahead.edge(told["direction"], OUTSIDE)
    outward = -1.0 if told["direction"] == "right" else 1.0
    aside_m = outward * BESIDE_PAVEMENT_M * (kerb.lane.kind != "sidewalk")
    scene.put(told["blocker_model"], kerb.pose(aside_m, math.pi / 2), physics=False)
    start = _past(kerb, CAR_LENGTH_M)
    walker = scene.person(start.pose(aside_m))
    yield from scene.triggered()
    reaction_s = REACTION_S + 0.1 * (told["crossing_angle"] // 5)
    yield from scene.until(
        lambda: scene.ego_arrival_s(ahead.point) < reaction_s or scene.ego_gap_m(ahead.point) < NEAREST_M
    )
    heading_rad = start.heading_rad - outward * (math.pi / 2 + math.radians(told["crossing_angle"]))
    walker.walk(WALK_MPS * np.array([math.cos(heading_rad), math.sin(heading_rad)]))
    way_m = 2.0 * ahead.distance_m(walker.position)
    yield from scene.seconds(way_m / WALK_MPS)
    scene.dismiss(walker)
    done_m = scene.ego_m
    yield from scene.until(lambda: scene.ego_m > done_m + GO_ON_M)


def _past(spot: Spot, way_m: float) -> Spot:
    """A little further on the same lane."""
    return Spot(spot.road_map, spot.lane_index, min(spot.station_m + way_m, spot.lane.length_m))
