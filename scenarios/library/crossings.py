"""Scenarios in which somebody on foot or on a bicycle comes into the way from the side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.types import Maneuver
from scenarios.parameters import Choice, Number, Text
from scenarios.performers import Performer
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.sites import Elements, junction_ahead, open_road, value, with_values
from scenarios.spots import Spot
from scenarios.types import scenario_type

SIDES = ("left", "right")
OUTSIDE = ("sidewalk", "driving", "parking", "shoulder", "biking")
GO_ON_M = 40.0  # the ego drives on so far before the scenario ends
STEP_OUT_MPS, RIDE_MPS = 2.0, 1.8
BESIDE_PAVEMENT_M = 1.5  # from the middle of the outermost lane where a road has no pavement
BEHIND_BLOCKER_M = 0.9
KERB_M = 5.0  # from the lane: who starts farther away arrives too late to be in the way
CARS = {"base_type": "car", "generation": "2"}
BICYCLE = "vehicle.diamondback.century"


@dataclass(frozen=True)
class Reaction:
    """When somebody starts: the ego arrives within `time_s`, or is nearer than `nearest_m`."""

    time_s: float
    nearest_m: float = 6.0


def moment(scene: Scene, where: Spot, reaction: Reaction) -> Script:
    """Until the ego has just the reaction's time left."""
    yield from scene.until(
        lambda: (
            scene.ego_arrival_s(where.point) < reaction.time_s
            or scene.ego_gap_m(where.point) < reaction.nearest_m
        )
    )


def go_on(scene: Scene) -> Script:
    """Until the ego has driven on."""
    done_m = scene.ego_m
    yield from scene.until(lambda: scene.ego_m > done_m + GO_ON_M)


def cross(scene: Scene, walker: Performer, heading_rad: float, speed_mps: float, way_m: float) -> Script:
    """Walk straight for so many metres, then vanish."""
    walker.walk(speed_mps * np.array([math.cos(heading_rad), math.sin(heading_rad)]))
    yield from scene.seconds(way_m / speed_mps)
    scene.dismiss(walker)


def _outward(side: str) -> float:
    return -1.0 if side == "right" else 1.0


def _kerb_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    if not open_road(setting, 90.0) or setting.here.beside("sidewalk") is None:
        return None
    return with_values(distance=value(float(rng.integers(35, 50))), direction=value("right"))


@scenario_type(
    "DynamicObjectCrossing",
    site=_kerb_site,
    distance=Number(12.0, 0.0),
    direction=Choice(SIDES, "right"),
    crossing_angle=Number(0.0, -90.0),
    blocker_model=Text("static.prop.vendingmachine"),
)
def dynamic_object_crossing(scene: Scene) -> Script:
    """Somebody steps out from behind a thing at the kerb, just as the ego arrives."""
    side, angle_deg = scene.told["direction"], scene.told["crossing_angle"]
    ahead = scene.here.ahead(scene.told["distance"], into_junction=False)
    kerb = ahead.edge(side, OUTSIDE)
    aside_m = _outward(side) * BESIDE_PAVEMENT_M * (kerb.lane.kind != "sidewalk")
    model = scene.told["blocker_model"]
    scene.put(model, kerb.pose(aside_m, 0.0 if "vehicle" in model else math.pi / 2), physics=False)
    walker = scene.person(kerb.along(BEHIND_BLOCKER_M).pose(aside_m))
    yield from scene.triggered()
    yield from moment(scene, ahead, Reaction(2.1 + 0.1 * (angle_deg // 5)))
    heading_rad = kerb.heading_rad - _outward(side) * (math.pi / 2 + math.radians(angle_deg))
    yield from cross(scene, walker, heading_rad, STEP_OUT_MPS, 2.0 * ahead.distance_m(walker.position))
    yield from go_on(scene)


def _parking_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    if not open_road(setting, 90.0) or setting.here.beside("parking") is None:
        return None
    return with_values(distance=value(float(rng.integers(35, 50))))


@scenario_type(
    "ParkingCrossingPedestrian",
    site=_parking_site,
    distance=Number(12.0, 0.0),
    direction=Choice(SIDES, "right"),
    crossing_angle=Number(0.0, -90.0),
)
def parking_crossing_pedestrian(scene: Scene) -> Script:
    """Somebody steps out from behind a parked car, just as the ego arrives."""
    side, angle_deg = scene.told["direction"], scene.told["crossing_angle"]
    ahead = scene.here.ahead(scene.told["distance"], into_junction=False)
    aside_m = _outward(side) * ahead.width_m
    blocker = scene.car(ahead, aside_m, wanted=CARS)
    blocker.park()
    where = ahead.along(3.0)
    walker = scene.person(where.pose(aside_m))
    yield from scene.triggered()
    yield from moment(scene, where, Reaction(2.15 + 0.1 * (angle_deg // 5)))
    heading_rad = where.heading_rad - _outward(side) * (math.pi / 2 + math.radians(angle_deg))
    yield from cross(scene, walker, heading_rad, STEP_OUT_MPS, 8.0)
    yield from go_on(scene)


def _crosswalk_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    crossing = junction_ahead(setting, within_m=(25.0, 60.0))
    has_pavement = crossing is not None and setting.here.beside("sidewalk") is not None
    return {} if has_pavement else None


PEOPLE = ((0.4, 1.5), (1.0, 2.5), (1.6, 0.5))  # metres forward and outward of the pavement's middle


@scenario_type("PedestrianCrossing", site=_crosswalk_site)
def pedestrian_crossing(scene: Scene) -> Script:
    """Three people cross in front of the junction that the ego comes to."""
    end = scene.here.ahead(500.0, into_junction=False)
    kerb = end.edge("right", OUTSIDE)
    people = [
        (
            scene.person(kerb.along(forward_m).pose(-outward_m)),
            scene.rng.uniform(0.0, 1.5),
            scene.rng.uniform(1.3, 2.0),
        )
        for forward_m, outward_m in PEOPLE
    ]
    yield from scene.triggered()
    yield from moment(scene, end, Reaction(3.5, 12.0))
    begun_s, heading_rad = scene.time_s, kerb.heading_rad + math.pi / 2
    along = np.array([math.cos(heading_rad), math.sin(heading_rad)])
    ways_m = [2.3 * end.distance_m(person.position) for person, _, _ in people]
    left = list(zip(people, ways_m, strict=True))
    while left:
        for entry in list(left):
            (person, idle_s, speed_mps), way_m = entry
            walked_s = scene.time_s - begun_s - idle_s
            if walked_s >= 0.0:
                person.walk(speed_mps * along)
            if walked_s >= way_m / speed_mps:
                scene.dismiss(person)
                left.remove(entry)
        yield
    yield from go_on(scene)


def _turn_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    crossing = junction_ahead(setting)
    if crossing is None or not crossing.turns:
        return None
    after = Spot(setting.road_map, crossing.exit_lane, 2.0)
    fits = after.beside("sidewalk") is not None and after.lane.length_m > 45.0
    return {} if fits and after.distance_m(after.edge("right", OUTSIDE).point) < KERB_M else None


@scenario_type("VehicleTurningRoute", site=_turn_site)
def vehicle_turning_route(scene: Scene) -> Script:
    """Behind the turn a cyclist crosses the road."""
    where = scene.exit_of_junction().ahead(11.0)
    kerb = where.edge("right", OUTSIDE)
    start = kerb.pose(-BESIDE_PAVEMENT_M * (kerb.lane.kind != "sidewalk"), math.pi / 2)
    rider = scene.put(BICYCLE, start)
    rider.park()
    yield from scene.triggered()
    yield from moment(scene, where, Reaction(1.8))
    way_m = 2.0 * where.distance_m(rider.position)
    along = np.array([math.cos(start[3]), math.sin(start[3])])
    rider.follow(np.array([start[:2], start[:2] + (way_m + 5.0) * along]), RIDE_MPS, at_once=True)
    yield from scene.seconds(way_m / RIDE_MPS)
    scene.dismiss(rider)
    yield from go_on(scene)


def _near_kerb_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    """After a right turn the walker comes from the far side, too late for who does not stop."""
    crossing = setting.junction
    left = crossing is not None and crossing.maneuver == Maneuver.LEFT
    return _turn_site(setting, rng) if left else None


@scenario_type("VehicleTurningRoutePedestrian", site=_near_kerb_site)
def vehicle_turning_route_pedestrian(scene: Scene) -> Script:
    """Behind the turn somebody crosses the road."""
    where = scene.exit_of_junction().ahead(1.0)
    right = where.edge("right", OUTSIDE)
    opposite = where.opposite()
    left = opposite.edge("right", OUTSIDE) if opposite is not None else where.edge("left", OUTSIDE)
    kerb, other = (right, left) if scene.crossing().maneuver == Maneuver.LEFT else (left, right)
    walker = scene.person(kerb.pose())
    yield from scene.triggered()
    yield from moment(scene, where, Reaction(2.2))
    heading_rad = math.atan2(*(other.point - kerb.point)[1::-1])
    yield from cross(scene, walker, heading_rad, RIDE_MPS, kerb.distance_m(other.point))
    yield from go_on(scene)
