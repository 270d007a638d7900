"""Scenarios at junctions: streams to cross or to join, cars that take the right of way, plain turns under rules."""

from __future__ import annotations

import math

import numpy as np

from drive_agent.geometry import arc_length, project, wrap_angle
from drive_agent.types import LightState, Maneuver
from scenarios.flows import SLOW_MPS, Flow, meeting_m, way
from scenarios.junction_plan import Entry, entries
from scenarios.library.crossings import Reaction, moment
from scenarios.parameters import Choice, Interval, Number, Parameter
from scenarios.scene import Scene, Script
from scenarios.setting import Crossing, Setting
from scenarios.sites import Elements, Site, interval, junction_ahead, value, with_values
from scenarios.spots import Spot, lane_path, straightest
from scenarios.types import scenario_type

SIDES = ("left", "right", "opposite")
END_M = 10.0  # the ego drives on so far behind the junction
GREEN_DELAY_S = 5.0  # after the ego's arrival: the stream has its way first
RED_BEFORE_S = 5.0  # before its arrival a light that was green begins to turn red
SOURCE_S, SINK_S = 4.0, 2.5  # at the flow's speed, before and behind the junction
STRAIGHT_ON_RAD = 0.5
EMERGENCY = {"special_type": "emergency"}
SYNC = Reaction(2.2, 12.0)
CROSSER_BEYOND_M, CROSSER_KMH = 40.0, 70.0
STREAM: dict[str, Parameter] = {
    "flow_speed": Number(20.0, 0.1),  # m/s
    "source_dist_interval": Interval((25.0, 50.0)),
}


def junction_site(maneuver: Maneuver | None, *, light: bool | None, side: str | None = None) -> Site:
    """A junction passed in a way, with or without lights, where traffic can come from a side."""

    def find(setting: Setting, rng: np.random.Generator) -> Elements | None:
        crossing = junction_ahead(setting, maneuver)
        if crossing is None or (light is not None and light != (crossing.light is not None)):
            return None
        if side is not None and not _comers(setting, crossing, side, straight=True):
            return None
        return {}

    return find


def stream_site(maneuver: Maneuver, side: str, *, light: bool) -> Site:
    """The same, with a stream's speed and gaps as elements."""
    base = junction_site(maneuver, light=light, side=side)

    def find(setting: Setting, rng: np.random.Generator) -> Elements | None:
        if base(setting, rng) is None:
            return None
        speed_mps, gap_m = float(rng.integers(8, 11)), float(rng.integers(24, 30))
        return with_values(flow_speed=value(speed_mps), source_dist_interval=interval(gap_m, gap_m + 50.0))

    return find


def _comers(setting: Setting, crossing: Crossing, side: str, *, straight: bool) -> list[Entry]:
    every = entries(setting.road_map, crossing.junction_id, crossing.entry_lane)
    found = [entry for entry in every if entry.side == side]
    return [entry for entry in found if goes_straight_on(entry.spot)] if straight else found


def goes_straight_on(entry: Spot) -> bool:
    """Whether a lane that leads into a junction has a way through it that hardly turns."""
    inside = straightest(entry.road_map, entry.lane)
    if inside is None:
        return False
    return bool(abs(wrap_angle(inside.heading[-1] - inside.heading[0])) < STRAIGHT_ON_RAD)


def comer(scene: Scene, side: str) -> Entry:
    """A lane on which traffic comes to the junction from a side, drawn by seed. Raises ScenarioError without one.

    One that goes straight on, where there is one.
    """
    setting, crossing = scene.setting, scene.crossing()
    found = _comers(setting, crossing, side, straight=True) or _comers(
        setting, crossing, side, straight=False
    )
    if not found:
        raise scene.error(f"no lane leads into the junction from the {side}")
    return found[int(scene.rng.integers(len(found)))]


def hold_lights(scene: Scene, green: set[str | None]) -> None:
    """All lights of the junction red but these."""
    crossing = scene.crossing()
    lights = {entry.light for entry in entries(scene.road_map, crossing.junction_id, crossing.entry_lane)}
    states = dict.fromkeys((name for name in lights if name is not None), LightState.RED)
    scene.hold_lights(states | dict.fromkeys(states.keys() & green, LightState.GREEN))


def arrival_s(scene: Scene) -> float:
    """How long the ego needs to the junction at its present speed."""
    return (scene.crossing().begin_m - scene.ego_m) / max(scene.ego_speed_mps, SLOW_MPS)


class RedFirst:
    """The ego finds its light red while another one is green, and gets green itself a little later."""

    def __init__(self, scene: Scene, other: str | None) -> None:
        """Does nothing at a junction without lights. `other` is another approach's light."""
        self._scene, self._other = scene, other
        self._own = scene.crossing().light
        self._due_s = scene.time_s + arrival_s(scene) + GREEN_DELAY_S
        if self._own is not None:
            hold_lights(scene, {other} - {self._own})

    def step(self) -> None:
        """Call every tick."""
        if self._own is not None and self._scene.time_s >= self._due_s:
            hold_lights(self._scene, {self._other, self._own})
            self._due_s = math.inf


def is_through(scene: Scene) -> bool:
    """Whether the ego has left the junction well behind."""
    return scene.ego_m > scene.crossing().end_m + END_M


def face_stream(scene: Scene, entry: Entry, path: np.ndarray) -> Script:
    """A stream on a path while the ego waits for its gap; its light turns green a little later than the stream's."""
    yield from scene.triggered()
    scene.keep_clear(path[::5], 8.0)
    speed_mps = scene.told["flow_speed"]
    first_m = meeting_m(scene, path, speed_mps)
    flow = Flow(scene, path, scene.told["source_dist_interval"], speed_mps, first_m=first_m)
    lights = RedFirst(scene, entry.light)

    def passed() -> bool:
        flow.step()
        lights.step()
        return is_through(scene)

    yield from scene.until_or_timeout(passed)


def _source(scene: Scene, entry: Entry) -> Spot:
    """Where the stream begins: the faster, the farther before the junction."""
    return entry.spot.behind(SOURCE_S * scene.told["flow_speed"], into_junction=False)


def straight_stream(scene: Scene, side: str) -> Script:
    """A stream that comes from a side and goes straight on."""
    entry = comer(scene, side)
    source = _source(scene, entry)
    length_m = SOURCE_S * scene.told["flow_speed"] + 30.0 + SINK_S * scene.told["flow_speed"]
    yield from face_stream(scene, entry, lane_path(source, length_m))


def joining_stream(scene: Scene, side: str) -> Script:
    """A stream that comes from a side and leaves the junction where the ego does."""
    entry = comer(scene, side)
    sink = scene.exit_of_junction().ahead(SINK_S * scene.told["flow_speed"], into_junction=False)
    yield from face_stream(scene, entry, way(_source(scene, entry), sink))


def _register_streams() -> None:
    turns = (
        (
            "LeftTurn",
            Maneuver.LEFT,
            "opposite",
            straight_stream,
            "Turning left across a stream of oncoming cars",
        ),
        (
            "RightTurn",
            Maneuver.RIGHT,
            "left",
            straight_stream,
            "Turning right into a stream that comes from the left",
        ),
        (
            "LeftTurnEnterFlow",
            Maneuver.LEFT,
            "opposite",
            joining_stream,
            "Turning left into a road that a stream joins",
        ),
    )
    for name, maneuver, side, play, summary in turns:
        for signalised in (True, False):

            def script(scene: Scene, play=play, side=side) -> Script:
                yield from play(scene, side)

            script.__doc__ = f"{summary}, {'with' if signalised else 'without'} traffic lights."
            kind = f"{'Signalized' if signalised else 'NonSignalized'}Junction{name}"
            scenario_type(kind, site=stream_site(maneuver, side, light=signalised), **STREAM)(script)


_register_streams()


def _crosser_site(*, light: bool) -> Site:
    def find(setting: Setting, rng: np.random.Generator) -> Elements | None:
        crossing = junction_ahead(setting, Maneuver.STRAIGHT)
        if crossing is None or light != (crossing.light is not None):
            return None
        sides = [side for side in ("left", "right") if _comers(setting, crossing, side, straight=True)]
        return with_values(direction=value(str(rng.choice(sides)))) if sides else None

    return find


def crosser(scene: Scene) -> Script:
    """A car with beacons that drives across in front of the ego without regard for anybody."""
    entry = comer(scene, scene.told["direction"])
    speed_mps = CROSSER_KMH / 3.6
    whole = lane_path(
        entry.spot.behind(SYNC.time_s * speed_mps, into_junction=False),
        SYNC.time_s * speed_mps + CROSSER_BEYOND_M,
    )
    meet = Spot.at(scene.road_map, _meeting(scene, whole))
    meet_m, _ = project(whole, meet.point[:2])
    begin_m = max(meet_m - SYNC.time_s * speed_mps, 0.0)
    path = whole[arc_length(whole) >= begin_m]
    yield from scene.triggered()
    scene.keep_clear(path[::5], 8.0)
    scene.clear_ahead(60.0)
    own = scene.crossing().light
    if own is not None:
        hold_lights(scene, {own})
    source = Spot.at(scene.road_map, path[0], math.atan2(*(path[1] - path[0])[::-1]))
    car = scene.car(source, wanted=EMERGENCY)
    car.show_lights(("special1", "special2"))
    yield from moment(scene, meet, Reaction((meet_m - begin_m) / speed_mps, SYNC.nearest_m))
    car.follow(path, speed_mps, at_once=True)
    yield from scene.until(lambda: car.arrived, len(path) / speed_mps + 5.0)
    scene.dismiss(car)
    yield from scene.until(lambda: is_through(scene))


def _meeting(scene: Scene, path: np.ndarray) -> np.ndarray:
    """Where the ego's route comes nearest to a path (n, 2)."""
    crossing = scene.crossing()
    stations_m = np.arange(crossing.begin_m, crossing.end_m, 1.0)
    route = np.array([scene.setting.route_point(station_m) for station_m in stations_m])
    gaps = np.linalg.norm(route[:, None] - path[None], axis=2).min(1)
    return route[int(gaps.argmin())]


@scenario_type(
    "OppositeVehicleRunningRedLight", site=_crosser_site(light=True), direction=Choice(SIDES, "right")
)
def opposite_vehicle_running_red_light(scene: Scene) -> Script:
    """An emergency vehicle runs a red light in front of the ego."""
    yield from crosser(scene)


@scenario_type(
    "OppositeVehicleTakingPriority", site=_crosser_site(light=False), direction=Choice(SIDES, "right")
)
def opposite_vehicle_taking_priority(scene: Scene) -> Script:
    """An emergency vehicle takes the right of way at a junction without lights."""
    yield from crosser(scene)


def _plain_turn(scene: Scene) -> Script:
    yield from scene.triggered()
    yield from scene.until(lambda: is_through(scene))


@scenario_type("VanillaNonSignalizedTurn", site=lambda setting, rng: _plain_site(setting, stop=False))
def vanilla_non_signalized_turn(scene: Scene) -> Script:
    """A turn at a junction without lights."""
    yield from _plain_turn(scene)


@scenario_type(
    "VanillaNonSignalizedTurnEncounterStopsign", site=lambda setting, rng: _plain_site(setting, stop=True)
)
def vanilla_non_signalized_turn_encounter_stopsign(scene: Scene) -> Script:
    """A turn behind a stop sign."""
    yield from _plain_turn(scene)


@scenario_type("T_Junction", site=lambda setting, rng: _tee_site(setting))
def t_junction(scene: Scene) -> Script:
    """A turn where three roads meet."""
    yield from _plain_turn(scene)


@scenario_type("VanillaSignalizedTurnEncounterGreenLight", site=junction_site(None, light=True))
def vanilla_signalized_turn_encounter_green_light(scene: Scene) -> Script:
    """A junction whose light is green at first and turns red."""
    yield from _lights_change(scene, green_first=True)


@scenario_type("VanillaSignalizedTurnEncounterRedLight", site=junction_site(None, light=True))
def vanilla_signalized_turn_encounter_red_light(scene: Scene) -> Script:
    """A junction whose light is red at first and turns green."""
    yield from _lights_change(scene, green_first=False)


def _lights_change(scene: Scene, *, green_first: bool) -> Script:
    own = scene.crossing().light
    yield from scene.triggered()
    if green_first:
        hold_lights(scene, {own})
        yield from scene.seconds(arrival_s(scene) - RED_BEFORE_S)
        hold_lights(scene, set())
        yield from scene.seconds(RED_BEFORE_S + GREEN_DELAY_S)
    else:
        hold_lights(scene, set())
        yield from scene.seconds(arrival_s(scene) + GREEN_DELAY_S)
        hold_lights(scene, {own})
        yield from scene.until(lambda: is_through(scene), GREEN_DELAY_S)
    scene.release_lights()
    yield from scene.until(lambda: is_through(scene))


def _plain_site(setting: Setting, *, stop: bool) -> Elements | None:
    crossing = junction_ahead(setting)
    if crossing is None or not crossing.turns or crossing.light is not None:
        return None
    inside = setting.route_lanes(crossing.begin_m, crossing.end_m)
    return {} if stop == (setting.stop_sign_of([crossing.entry_lane, *inside]) is not None) else None


def _tee_site(setting: Setting) -> Elements | None:
    crossing = junction_ahead(setting)
    if crossing is None or not crossing.turns:
        return None
    roads = {
        entry.spot.lane.road_id
        for entry in entries(setting.road_map, crossing.junction_id, crossing.entry_lane)
    }
    return {} if len(roads) == 3 else None
