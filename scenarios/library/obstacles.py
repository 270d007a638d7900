"""Scenarios in which something stands or creeps in the ego's lane and must be driven round.

The types with "TwoWays" leave only the lane of the oncoming traffic for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scenarios.flows import Flow, oncoming
from scenarios.parameters import Choice, Interval, Number, Parameter
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, Site, follows_lane, interval, open_road, single_lane, value, with_values
from scenarios.spots import Spot, lane_path, shifted
from scenarios.types import scenario_type

SIDES = ("left", "right")
END_M = 50.0  # beyond the last thing
SPACE_M = 20.0  # kept free of background cars before the first
GAP_S, GAP_M, GAP_SPREAD = (
    9.5,
    55.0,
    1.25,
)  # between oncoming cars, at sites of our own: time enough to get past
NEAR_M, WAIT_S = 50.0, 5.0  # the oncoming flow begins when the ego has been so near for so long
FIRST_CAR_M, SECOND_CAR_M = 10.0, 6.0  # behind the police car, behind the first car
ACCIDENT_SHIFT, PARKED_SHIFT, BICYCLE_SHIFT = 0.6, 0.7, 0.55  # of half a lane's width
BICYCLES = ("vehicle.bh.crossbike", "vehicle.diamondback.century", "vehicle.gazelle.omafiets")
BICYCLE_GAP_M = 9.0
CONE_SHIFT = 0.85  # of half a lane's width
PLACED: dict[str, Parameter] = {
    "distance": Number(120.0, 0.0),
    "direction": Choice(SIDES, "right"),
    "speed": Number(60.0, 0.0),  # km/h of the traffic beside, which here keeps its own speed
}
FREQUENCY = Interval((20.0, 100.0))


def site(
    *, two_ways: bool, length_m: float, oncoming_gaps: Callable[[Spot], dict[str, str]] | None = None
) -> Site:
    """A straight road with room for the things and their end; a lane to the left of the wanted kind."""

    def find(setting: Setting, rng: np.random.Generator) -> Elements | None:
        here = setting.here
        fits = single_lane(here) if two_ways else here.left() is not None
        if not fits or not open_road(setting, length_m) or not follows_lane(setting, length_m):
            return None
        elements = with_values(distance=value(40.0))
        if two_ways:
            elements["frequency"] = (oncoming_gaps or gap_interval)(here)
        return elements

    return find


def gap_interval(here: Spot) -> dict[str, str]:
    """Distances between oncoming cars at the road's speed limit that leave time to get past.

    From standstill that takes about 8.5 s; meanwhile the next car, which appears `flows.oncoming`'s reach away, must not
    have come as far as the way back into the lane.
    """
    least_m = _gap_m(here)
    return interval(round(least_m), round(GAP_SPREAD * least_m))


def gap_value(here: Spot) -> dict[str, str]:
    """The same, where the type is told one distance."""
    return value(round(_gap_m(here)))


def _gap_m(here: Spot) -> float:
    return GAP_S * here.lane.speed_limit_mps + GAP_M


def aside_m(spot: Spot, side: str, share: float) -> float:
    """An offset to a side by a share of half the lane's width, left positive."""
    return (-1.0 if side == "right" else 1.0) * share * spot.width_m / 2


def warning_sign(scene: Scene, side: str, model: str) -> None:
    """At the road's edge where the scenario begins."""
    edge = scene.here.edge(side)
    outward = -1.0 if side == "right" else 1.0
    scene.prop(model, edge, outward * (0.5 + 0.3) * edge.width_m, math.pi / 2)


def pass_by(scene: Scene, last: Spot) -> Script:
    """Until the ego is well past the last thing."""
    yield from scene.triggered()
    scene.clear_ahead(scene.told["distance"] + SPACE_M)
    end = last.ahead(END_M, into_junction=False)
    yield from scene.until_or_timeout(lambda: scene.ego_passed(end))


def pass_by_through_oncoming(scene: Scene, first: Spot, last: Spot) -> Script:
    """The same, while cars come towards the ego on the lane that it has to use."""
    opposite = first.opposite()
    if opposite is None:
        raise scene.error("the road has no lane of the other direction")
    yield from scene.triggered()
    scene.clear_ahead(scene.told["distance"] + SPACE_M)
    end = last.ahead(END_M, into_junction=False)
    flow: Flow | None = None
    near_since_s: float | None = None

    def passed() -> bool:
        nonlocal flow, near_since_s
        if near_since_s is None and scene.ego_gap_m(first.point) < NEAR_M:
            near_since_s = scene.time_s
        if flow is None and near_since_s is not None and scene.time_s - near_since_s >= WAIT_S:
            scene.report("wrong_lane_test_off")
            flow = oncoming(scene, opposite, scene.told["frequency"])
        if flow is not None:
            flow.step()
        return scene.ego_passed(end)

    yield from scene.until_or_timeout(passed)
    if flow is not None:
        scene.report("wrong_lane_test_on")


Things = Callable[[Scene], tuple[Spot, Spot]]  # puts them in; spots of the first and the last


def crashed_cars(scene: Scene) -> tuple[Spot, Spot]:
    """A police car with its beacons on before two cars that have crashed."""
    side = scene.told["direction"]
    warning_sign(scene, side, "warningaccident")
    first = spot = scene.here.ahead(scene.told["distance"], into_junction=False)
    police = scene.car(spot, aside_m(spot, side, ACCIDENT_SHIFT), model="vehicle.dodge.charger_police_2020")
    police.park()
    police.show_lights(("special1", "special2", "position"))
    for gap_m in (FIRST_CAR_M, SECOND_CAR_M):
        spot = spot.ahead(gap_m, into_junction=False)
        scene.car(spot, aside_m(spot, side, ACCIDENT_SHIFT)).park()
    return first, spot


def parked_car(scene: Scene) -> tuple[Spot, Spot]:
    """A car parked on the lane, its hazard lights on."""
    side = scene.told["direction"]
    warning_sign(scene, side, "warningaccident")
    spot = scene.here.ahead(scene.told["distance"], into_junction=False)
    car = scene.car(spot, aside_m(spot, side, PARKED_SHIFT))
    car.park()
    car.show_lights(("left_blinker", "right_blinker", "position"))
    return spot, spot


def construction_site(scene: Scene) -> tuple[Spot, Spot]:
    """A warning board, debris, and cones along and across the lane."""
    side = scene.told["direction"]
    warning_sign(scene, side, "warningconstruction")
    spot = scene.here.ahead(scene.told["distance"], into_junction=False)
    scene.prop("trafficwarning", spot.behind(5.0), 0.0, -math.pi / 2)
    scene.prop("dirtdebris02", spot.ahead(2.0), 0.0, math.pi / 2)
    edge_m = -aside_m(spot, side, CONE_SHIFT)
    for way_m in (2.0, 4.0, 6.0, 8.0):
        scene.prop("constructioncone", spot.ahead(way_m), edge_m)
    for step in (1.0, 2.0, 3.0):
        scene.prop("constructioncone", spot.ahead(8.0), edge_m - math.copysign(step, edge_m))
    return spot, spot.ahead(8.0, into_junction=False)


def _register(name: str, things: Things, distance_m: float, length_m: float, summary: str) -> None:
    """Both types of one kind of obstacle."""

    def beside(scene: Scene) -> Script:
        _, last = things(scene)
        yield from pass_by(scene, last)

    def through_oncoming(scene: Scene) -> Script:
        first, last = things(scene)
        yield from pass_by_through_oncoming(scene, first, last)

    beside.__doc__ = f"{summary} another lane leads past."
    through_oncoming.__doc__ = f"{summary} only the lane of the oncoming traffic leads past."
    placed = PLACED | {"distance": Number(distance_m, 0.0)}
    scenario_type(name, site=site(two_ways=False, length_m=length_m), **placed)(beside)
    scenario_type(
        f"{name}TwoWays", site=site(two_ways=True, length_m=length_m), frequency=FREQUENCY, **placed
    )(through_oncoming)


_register("Accident", crashed_cars, 120.0, 100.0, "Two crashed cars and the police block the lane;")
_register("ParkedObstacle", parked_car, 120.0, 85.0, "A car is parked on the lane;")
_register("ConstructionObstacle", construction_site, 100.0, 95.0, "A construction site blocks the lane;")


def bicycles(scene: Scene) -> tuple[Spot, Spot]:
    """Two bicycles that creep along the lane's edge."""
    spot = scene.here.ahead(scene.told["distance"], into_junction=False)
    last = spot
    for k in range(2):
        last = spot.ahead(k * BICYCLE_GAP_M, into_junction=False)
        model = BICYCLES[int(scene.rng.integers(len(BICYCLES)))]
        rider = scene.car(last, aside_m(last, "right", BICYCLE_SHIFT), model=model)
        path = lane_path(last, scene.told["bicycle_drive_distance"])
        rider.follow(shifted(path, aside_m(last, "right", BICYCLE_SHIFT)), scene.told["bicycle_speed"] / 3.6)
    return spot, last


HAZARD: dict[str, Parameter] = {
    "distance": Number(100.0, 0.0),
    "speed": Number(60.0, 0.0),
    "bicycle_speed": Number(10.0, 0.0),  # km/h
    "bicycle_drive_distance": Number(50.0, 0.0),
}


@scenario_type("HazardAtSideLane", site=site(two_ways=False, length_m=140.0), **HAZARD)
def hazard_at_side_lane(scene: Scene) -> Script:
    """Bicycles creep along the edge of the lane; another lane leads past."""
    yield from scene.triggered()
    _, last = bicycles(scene)
    end = last.ahead(scene.told["bicycle_drive_distance"] + END_M, into_junction=False)
    yield from scene.until_or_timeout(lambda: scene.ego_passed(end))


@scenario_type(
    "HazardAtSideLaneTwoWays",
    site=site(two_ways=True, length_m=140.0, oncoming_gaps=gap_value),
    frequency=Number(100.0, 1.0),
    **HAZARD,
)
def hazard_at_side_lane_two_ways(scene: Scene) -> Script:
    """Bicycles creep along the edge of the lane; only the lane of the oncoming traffic leads past."""
    yield from scene.triggered()
    first, last = bicycles(scene)
    opposite = first.opposite()
    if opposite is None:
        raise scene.error("the road has no lane of the other direction")
    gap_m = scene.told["frequency"]
    flow = oncoming(scene, opposite, (gap_m, gap_m))
    scene.report("wrong_lane_test_off")
    end = last.ahead(scene.told["bicycle_drive_distance"] + END_M, into_junction=False)

    def passed() -> bool:
        flow.step()
        return scene.ego_passed(end)

    yield from scene.until_or_timeout(passed)
    scene.report("wrong_lane_test_on")
