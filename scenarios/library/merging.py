"""Scenarios on roads that join, leave and fork: streams to enter or to cross at places that the route file names."""

from __future__ import annotations

import math

import numpy as np

from drive_agent.geometry import project
from drive_agent.roadmap import Lane
from drive_agent.types import Maneuver
from scenarios.flows import Flow, meeting_m, way
from scenarios.junction_plan import entries
from scenarios.library.cut_ins import merging_path
from scenarios.library.junctions import RedFirst, goes_straight_on
from scenarios.parameters import Choice, Interval, Number, Parameter, Place
from scenarios.scene import Scene, Script
from scenarios.setting import Crossing, Setting
from scenarios.sites import Elements, Site, interval, junction_ahead, place, value, with_values
from scenarios.spots import Spot, lane_path, straightest
from scenarios.types import registered, scenario_type

SIDES = ("left", "right")
SINK_NEAR_M = 2.0
SINK_BEYOND_M = 30.0  # a stream ends so far behind the place where the ego has merged
APPROACH_M = (20.0, 120.0)  # triggers lie so far before a junction of ramps
CUT_IN_M = 10.0  # behind the junction, and the way of the lane change
CUT_IN_SHARE, CUT_IN_CHANGE_M = 0.8, 30.0
FAST_GAPS_M = (34.0, 90.0)  # the wide ones let a driver in who had to stop, at 50 km/h
ALONGSIDE_S = 12.0
LANE_CHANGES_M = 200.0
PASSING_CARS, PASSING_M = 3, 60.0  # on the lane beside the bay
RURAL_MPS = 15.0  # the limit of a country road is higher
BICYCLE_END_M = 40.0
BICYCLES = {"base_type": "bicycle"}
PARKED = {"base_type": "car", "generation": "2"}
FLOW: dict[str, Parameter] = {
    "start_actor_flow": Place(),
    "end_actor_flow": Place(),
    "flow_speed": Number(10.0, 0.1),  # m/s
    "source_dist_interval": Interval((20.0, 50.0)),
}


# ---- streams ---------------------------------------------------------------------------------------------------------


def ends(scene: Scene) -> tuple[Spot, Spot]:
    """Source and sink of the stream as the route file places them."""
    source, sink = (
        Spot.at(scene.road_map, scene.told[name]) for name in ("start_actor_flow", "end_actor_flow")
    )
    return source, sink


def stream(scene: Scene, source: Spot, sink: Spot, *, filled: bool = True) -> Flow:
    """Cars from a source to a sink, at the speed and the gaps that the route file tells."""
    path = way(source, sink)
    scene.keep_clear(path[::5], 6.0)
    speed_mps = scene.told["flow_speed"]
    first_m = meeting_m(scene, path, speed_mps)
    return Flow(scene, path, scene.told["source_dist_interval"], speed_mps, filled=filled, first_m=first_m)


def flow_until_past(scene: Scene, flows: list[Flow], station_m: float) -> Script:
    """The streams flow until the ego is past a station of its route."""

    def past() -> bool:
        for flow in flows:
            flow.step()
        return scene.ego_m > station_m

    yield from scene.until_or_timeout(past)


def join(scene: Scene, pairs: list[tuple[Spot, Spot]]) -> Script:
    """Streams from sources to sinks, until the ego comes to the first of the sinks."""
    yield from scene.triggered()
    flows = [stream(scene, source, sink) for source, sink in pairs]
    station_m = min(scene.setting.route_station_m(sink.point) for _, sink in pairs)
    yield from flow_until_past(scene, flows, station_m - SINK_NEAR_M)


# ---- motorways -------------------------------------------------------------------------------------------------------


def _lanes_between(setting: Setting, entry: Lane) -> tuple[Lane, Lane] | None:
    """The lane inside the junction and the one behind it, going straight on from an entry."""
    inside = straightest(setting.road_map, entry)
    leaving = None if inside is None else straightest(setting.road_map, inside)
    return None if inside is None or leaving is None else (inside, leaving)


def _beside_entry(setting: Setting, side: int) -> tuple[Crossing, Spot, Spot] | None:
    """Where another road joins the ego's, on its left (1) or right (-1), in a lane of its own that ends later.

    Returns the junction, where the other road ends, and the begin of its lane behind the junction.
    """
    crossing = junction_ahead(setting, within_m=APPROACH_M)
    if crossing is None or crossing.light is not None:
        return None
    leaving = setting.road_map.lanes[crossing.exit_lane]
    beside = leaving.left if side > 0 else leaving.right
    road = setting.road_map.lanes[crossing.entry_lane].road_id
    for entry in entries(setting.road_map, crossing.junction_id, crossing.entry_lane):
        following = _lanes_between(setting, entry.spot.lane)
        other_road = entry.side == "own" and entry.spot.lane.road_id != road
        if other_road and following is not None and following[1].index == beside:
            return crossing, entry.spot, Spot(setting.road_map, beside, 0.0)
    return None


def _merge_sink(setting: Setting, behind: Spot) -> Spot | None:
    """A spot ahead where the route and a lane beside it have become one, None when they do not before the route ends."""
    for way_m in np.arange(20.0, 500.0, 10.0):
        spot = behind.ahead(float(way_m))
        station_m = setting.route_station_m(spot.point)
        if math.dist(setting.route_point(station_m), spot.point[:2]) < 0.5 and not spot.lane.is_junction:
            sink = spot.ahead(SINK_BEYOND_M)
            return sink if setting.route_station_m(sink.point) + 20.0 < setting.stations_m[-1] else None
    return None


def _joining_site(side: int, speed_mps: tuple[int, int], gap_m: tuple[float, float]) -> Site:
    def find(setting: Setting, rng: np.random.Generator) -> Elements | None:
        found = _beside_entry(setting, side)
        sink = None if found is None else _merge_sink(setting, found[2])
        if found is None or sink is None:
            return None
        return with_values(
            start_actor_flow=place(found[1].behind(40.0, into_junction=False)),
            end_actor_flow=place(sink),
            flow_speed=value(float(rng.integers(*speed_mps))),
            source_dist_interval=interval(*gap_m),
        )

    return find


@scenario_type("EnterActorFlow", site=_joining_site(1, (13, 15), FAST_GAPS_M), **FLOW)
def enter_actor_flow(scene: Scene) -> Script:
    """Fast traffic on all lanes of the road that the ego comes to."""
    source, sink = ends(scene)
    yield from join(scene, list(zip(source.same_direction(), sink.same_direction(), strict=False)))


@scenario_type("MergerIntoSlowTraffic", site=_joining_site(1, (7, 10), (18.0, 34.0)), **FLOW)
def merger_into_slow_traffic(scene: Scene) -> Script:
    """Slow traffic on the lane of the motorway that the ego's ramp leads into."""
    yield from join(scene, [ends(scene)])


@scenario_type("MergerIntoSlowTrafficV2", site=_joining_site(-1, (7, 10), (18.0, 34.0)), **FLOW)
def merger_into_slow_traffic_v2(scene: Scene) -> Script:
    """Slow traffic comes from another road and into the ego's lane."""
    yield from join(scene, [ends(scene)])


def _exit_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    """On a motorway whose route changes one lane to the right and then leaves by it."""
    crossing = junction_ahead(setting, within_m=(50.0, 200.0))
    if crossing is None or crossing.light is not None or setting.here.lane.speed_limit_mps < 20.0:
        return None
    exit_lane, beside = setting.road_map.lanes[crossing.entry_lane], setting.here.right()
    if beside is None or exit_lane.index != beside.lane_index:
        return None
    following = _lanes_between(setting, exit_lane)
    if following is None or following[1].index != crossing.exit_lane or following[1].left >= 0:
        return None
    return with_values(
        start_actor_flow=place(beside.behind(25.0)),
        end_actor_flow=place(Spot(setting.road_map, crossing.exit_lane, SINK_BEYOND_M)),
        flow_speed=value(float(rng.integers(9, 12))),
        source_dist_interval=interval(28.0, 40.0),
    )


@scenario_type("HighwayExit", site=_exit_site, **FLOW)
def highway_exit(scene: Scene) -> Script:
    """Traffic on the lane that the ego must change to before it can leave the motorway."""
    source, sink = ends(scene)
    yield from scene.triggered()
    yield from flow_until_past(scene, [stream(scene, source, sink)], scene.crossing().end_m)


def _ramp_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    found = _beside_entry(setting, -1)
    if found is None:
        return None
    crossing, ramp, behind = found
    gap_m = crossing.begin_m - setting.trigger_m
    start = ramp.behind(0.8 * gap_m, into_junction=False)
    target = setting.road_map.lanes[crossing.exit_lane]
    return with_values(
        other_actor_location=place(start), end_location=place(Spot(setting.road_map, target.index, 60.0))
    )


@scenario_type(
    "HighwayCutIn", site=_ramp_site, other_actor_location=Place(), end_location=Place((0.0, 0.0, 0.0))
)
def highway_cut_in(scene: Scene) -> Script:
    """A car comes from a ramp, arrives together with the ego and cuts in before it."""
    start = Spot.at(scene.road_map, scene.told["other_actor_location"])
    crossing = scene.crossing()
    meet = scene.exit_of_junction().ahead(CUT_IN_M, into_junction=False)
    ramp_m = _way_through_junction_m(start) + CUT_IN_M
    ramp = lane_path(start, ramp_m + 50.0)  # the car is looked for along it, also when it is past the end
    yield from scene.triggered()
    scene.keep_clear(ramp[::5], 6.0)
    scene.clear_ahead(crossing.end_m - scene.ego_m + 60.0)
    car = scene.car(start, wanted={"base_type": "car", "has_lights": "true"})
    car.follow(ramp, scene.ego_speed_mps, at_once=True)
    meet_m = scene.setting.route_station_m(meet.point)

    def together() -> bool:
        left_m = ramp_m - project(ramp, car.position)[0]
        ego_mps = max(scene.ego_speed_mps, 3.0)
        in_time_mps = left_m / max((meet_m - scene.ego_m - 12.0) / ego_mps, 0.5)
        # near the end both are short, and their ratio means nothing
        car.change_speed(min(max(in_time_mps, 0.8 * ego_mps), 1.3 * ego_mps))
        return left_m < 0.0

    yield from scene.until(together, 60.0)
    car.show_lights(("left_blinker",))
    lane = lane_path(Spot.at(scene.road_map, car.position).left() or meet, 300.0)
    car.follow(
        merging_path(car.position, lane, CUT_IN_CHANGE_M), CUT_IN_SHARE * max(scene.ego_speed_mps, 6.0)
    )
    yield from scene.seconds(ALONGSIDE_S)


def _way_through_junction_m(spot: Spot) -> float:
    """From a spot before a junction to the end of the junction, straight on."""
    way_m, lane = spot.lane.length_m - spot.station_m, straightest(spot.road_map, spot.lane)
    return way_m if lane is None else way_m + lane.length_m


# ---- lane changes ----------------------------------------------------------------------------------------------------


def _changes_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    reach_m = setting.trigger_m + LANE_CHANGES_M
    if setting.here.lane.is_junction or setting.stations_m[-1] < reach_m + 20.0:
        return None
    lanes = setting.route_lanes(setting.trigger_m, reach_m)
    pairs = zip(lanes, lanes[1:], strict=False)
    beside = [b in (setting.road_map.lanes[a].left, setting.road_map.lanes[a].right) for a, b in pairs]
    return {} if sum(beside) >= 2 else None


@registered("SequentialLaneChange", _changes_site, {}, reach_m=LANE_CHANGES_M)
def sequential_lane_change(scene: Scene) -> Script:
    """Several lane changes in a row, with slower and faster traffic on the other lanes."""
    yield from scene.triggered()
    begun_m = scene.ego_m
    yield from scene.until_or_timeout(lambda: scene.ego_m > begun_m + LANE_CHANGES_M)


def _bay_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    bay = setting.here.beside("parking")
    if bay is None or setting.left_m < 100.0 or min(bay.station_m, bay.lane.length_m - bay.station_m) < 28.0:
        return None
    crossing = setting.junction
    if crossing is not None and crossing.begin_m < setting.trigger_m + 70.0:
        return None
    return with_values(
        direction=value("right"), front_vehicle_distance=value(15.0), behind_vehicle_distance=value(10.0)
    )


PARKING: dict[str, Parameter] = {
    "direction": Choice(SIDES, "right"),
    "front_vehicle_distance": Number(20.0, 6.0),
    "behind_vehicle_distance": Number(10.0, 6.0),
    "flow_distance": Number(25.0, 8.0),
    "speed": Number(60.0, 1.0),  # km/h
}


@registered("ParkingExit", _bay_site, PARKING, lead_m=0.0)
def parking_exit(scene: Scene) -> Script:
    """The ego starts in a parking bay between two cars and has to get into the traffic beside it."""
    told, side = scene.told, scene.told["direction"]
    bay = scene.here.beside("parking", side)
    if bay is None:
        raise scene.error(f"the road has no parking lane on the {side}")
    scene.world.place(scene.truth.ids[0], bay.pose())
    for way_m in (told["front_vehicle_distance"], -told["behind_vehicle_distance"]):
        scene.car(bay.along(way_m), wanted=PARKED).park()
    yield from scene.seconds(0.1)  # the ego has left the lane
    speed_mps = min(told["speed"] / 3.6, scene.here.lane.speed_limit_mps)
    for number in range(PASSING_CARS):
        start = scene.here.behind(number * told["flow_distance"])
        path = lane_path(start, start.distance_m(scene.here.point) + PASSING_M)
        scene.car(start, wanted=PARKED).follow(path, speed_mps, at_once=number > 0, careful=True)
    yield from scene.triggered()
    begun_m = scene.ego_m
    yield from scene.until_or_timeout(lambda: scene.ego_m > begun_m + told["front_vehicle_distance"] + 15.0)


# ---- country roads ---------------------------------------------------------------------------------------------------


def _plain_crossing(setting: Setting, maneuver: Maneuver) -> Crossing | None:
    """A junction without lights where a road of one lane each way is left or entered."""
    crossing = junction_ahead(setting, maneuver)
    if crossing is None or crossing.light is not None or setting.here.lane.speed_limit_mps < RURAL_MPS:
        return None
    return crossing


def _entry_from(setting: Setting, crossing: Crossing, side: str) -> Spot | None:
    """Where the lane ends that comes into a junction from a side and leads straight on."""
    for entry in entries(setting.road_map, crossing.junction_id, crossing.entry_lane):
        if entry.side == side and goes_straight_on(entry.spot):
            return entry.spot
    return None


def _stream_across(setting: Setting, entry: Spot, rng: np.random.Generator) -> Elements:
    through_m = _way_through_junction_m(entry)
    return with_values(
        start_actor_flow=place(entry.behind(70.0, into_junction=False)),
        end_actor_flow=place(entry.ahead(through_m + 40.0)),
        flow_speed=value(float(rng.integers(10, 14))),
        source_dist_interval=interval(45.0, 120.0),
    )


def _leave_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    crossing = _plain_crossing(setting, Maneuver.LEFT)
    entry = None if crossing is None else _entry_from(setting, crossing, "opposite")
    return None if entry is None else _stream_across(setting, entry, rng)


def _enter_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    crossing = _plain_crossing(setting, Maneuver.LEFT)
    entry = None if crossing is None else _entry_from(setting, crossing, "left")
    if crossing is None or entry is None or _entry_from(setting, crossing, "right") is None:
        return None
    elements = _stream_across(setting, entry, rng)
    source = Spot.at(setting.road_map, entry.behind(70.0, into_junction=False).point)
    return elements if source.opposite() is not None else None


@scenario_type("InterurbanActorFlow", site=_leave_site, **FLOW)
def interurban_actor_flow(scene: Scene) -> Script:
    """Leaving a country road to the left, across its oncoming traffic."""
    source, sink = ends(scene)
    yield from scene.triggered()
    flows = [stream(scene, source, sink, filled=False)]
    yield from flow_until_past(scene, flows, scene.crossing().end_m)


@scenario_type("InterurbanAdvancedActorFlow", site=_enter_site, **FLOW, direction=Choice(SIDES, "right"))
def interurban_advanced_actor_flow(scene: Scene) -> Script:
    """Turning left into a country road: across one stream and into the other."""
    source, sink = ends(scene)
    back, forth = sink.opposite(), source.opposite()
    if back is None or forth is None:
        raise scene.error("the road of its stream is one-way")
    yield from scene.triggered()
    flows = [stream(scene, source, sink, filled=False), stream(scene, back, forth, filled=False)]
    yield from flow_until_past(scene, flows, scene.setting.route_station_m(forth.point))


# ---- bicycles --------------------------------------------------------------------------------------------------------


def _bicycle_entry(setting: Setting) -> Spot | None:
    """Where a bicycle lane begins to cross the way of the route through the next junction."""
    crossing = junction_ahead(setting)
    if crossing is None or not crossing.turns:
        return None
    rows = (setting.stations_m >= crossing.begin_m) & (setting.stations_m <= crossing.end_m)
    for lane in setting.road_map.lanes:
        if lane.kind == "biking" and lane.junction_id == crossing.junction_id and lane.predecessors:
            gaps_m = np.linalg.norm(lane.center[:, None, :2] - setting.path[rows][None], axis=2)
            if gaps_m.min() < 1.0:
                before = setting.road_map.lanes[lane.predecessors[0]]
                return Spot(setting.road_map, before.index, before.length_m)
    return None


def _bicycle_site(setting: Setting, rng: np.random.Generator) -> Elements | None:
    entry = _bicycle_entry(setting)
    if entry is None:
        return None
    start = entry.behind(45.0, into_junction=False)
    if start.distance_m(entry.point) < 30.0:
        return None
    return with_values(
        start_actor_flow=place(start),
        end_actor_flow=place(entry),
        flow_speed=value(float(rng.integers(5, 8))),
        source_dist_interval=interval(22.0, 60.0),
    )


@scenario_type("CrossingBicycleFlow", site=_bicycle_site, **FLOW)
def crossing_bicycle_flow(scene: Scene) -> Script:
    """A turn across a bicycle lane that many use."""
    source = Spot.at(scene.road_map, scene.told["start_actor_flow"], kinds=("biking",))
    path = lane_path(source, _way_through_junction_m(source) + BICYCLE_END_M)
    yield from scene.triggered()
    told = scene.told
    gap_m, speed_mps = told["source_dist_interval"], told["flow_speed"]
    first_m = meeting_m(scene, path, speed_mps)
    flow = Flow(scene, path, gap_m, speed_mps, filled=True, first_m=first_m, wanted=BICYCLES)
    lights = RedFirst(scene, None)

    def past() -> bool:
        flow.step()
        lights.step()
        return scene.ego_m > scene.crossing().end_m

    yield from scene.until_or_timeout(past)
