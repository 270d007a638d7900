"""What a scenario's script works with: the place it was put, the ego, its performers, and waiting.

A script is a generator that is resumed once a tick: it puts actors in, waits, lets them act, and when it returns all of
its actors are taken away.

    @scenario_type("HardBreakRoute", site=long_road)
    def hard_brake(scene: Scene) -> Script:
        '''The car ahead brakes hard.'''
        ahead = scene.car(scene.here.ahead(15.0))
        yield from scene.triggered()
        ...

World frame, metres, seconds, radians. Knows nothing of carla.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np

from drive_agent.log.schema import ScenarioEvent
from drive_agent.types import LightState, Truth
from scenarios.performers import Performer
from scenarios.routes import Pose, ScenarioSpec
from scenarios.setting import Crossing, Setting
from scenarios.spots import Spot
from scenarios.world import ROLE, World

Script = Generator[None, None, None]  # resumed once a tick

BACKGROUND_ROLE = "background"
ANY_CAR = {"base_type": "car"}
CAR_M = 8.0  # from middle to middle, two vehicles may touch
ON_ROUTE_M = 2.0  # so near to the route's line is on it
YELLOW_S = 3.0
PATIENCE_S = 240.0  # the Leaderboard's limit for obstacles and flows


class ScenarioError(Exception):
    """A scenario cannot be played where the route file puts it. The text names it and the remedy."""


class Scene:
    """One scenario of one route while it is played. `told` holds its parameters by name."""

    def __init__(
        self,
        world: World,
        spec: ScenarioSpec,
        told: Mapping[str, Any],
        setting: Setting,
        rng: np.random.Generator,
    ) -> None:
        self.world = world
        self.spec = spec
        self.told = told
        self.setting = setting
        self.road_map = setting.road_map
        self.here = setting.here
        self.rng = rng
        self.performers: list[Performer] = []
        self.is_triggered = False
        self.ego_m = 0.0  # how far the ego is along the route
        self.truth: Truth
        self._rows: dict[int, int] = {}
        self._events: list[ScenarioEvent] = []
        self._clear: tuple[np.ndarray, float] | None = None
        self._held: dict[str, LightState] = {}  # traffic lights, and what they are to show
        self._yellow_until_s = -math.inf

    # ---- the ego -----------------------------------------------------------------------------------------------------

    @property
    def time_s(self) -> float:
        """Simulated."""
        return self.truth.time_us * 1e-6

    @property
    def ego_position(self) -> np.ndarray:
        """(2,)."""
        return self.truth.ego[:2]

    @property
    def ego_speed_mps(self) -> float:
        return math.hypot(self.truth.ego[5], self.truth.ego[6])

    def ego_gap_m(self, point: np.ndarray | Sequence[float]) -> float:
        """From the ego's middle to a point, in the plane."""
        return math.dist(self.ego_position, tuple(point)[:2])

    def ego_arrival_s(self, point: np.ndarray | Sequence[float]) -> float:
        """How long the ego needs to a point at its present speed, as the crow flies."""
        return self.ego_gap_m(point) / max(self.ego_speed_mps, 1e-3)

    def ego_passed(self, spot: Spot, beyond_m: float = 0.0) -> bool:
        """Whether the ego is past the line across the road at a spot, by so much."""
        along = np.array([math.cos(spot.heading_rad), math.sin(spot.heading_rad)])
        return float((self.ego_position - spot.point[:2]) @ along) > beyond_m

    # ---- actors ------------------------------------------------------------------------------------------------------

    def put(
        self,
        model: str,
        pose: Pose,
        *,
        wanted: Mapping[str, str] | None = None,
        role: str = ROLE,
        physics: bool = True,
    ) -> Performer:
        """Put an actor in; background cars make room. Raises ScenarioError where something else is in the way."""
        performer = self.try_put(model, pose, wanted=wanted, role=role, physics=physics)
        if performer is None and self._clear_place(pose):
            performer = self.try_put(model, pose, wanted=wanted, role=role, physics=physics)
        if performer is None:
            raise self.error(f"no room for {model} at ({pose[0]:.1f}, {-pose[1]:.1f}) in CARLA's axes")
        return performer

    def try_put(
        self,
        model: str,
        pose: Pose,
        *,
        wanted: Mapping[str, str] | None = None,
        role: str = ROLE,
        physics: bool = True,
    ) -> Performer | None:
        """Put an actor in, None where something is in the way."""
        actor_id = self.world.spawn(model, pose, wanted=wanted, role=role, physics=physics)
        if actor_id is None:
            return None
        performer = Performer(self.world, actor_id, pose)
        self.performers.append(performer)
        return performer

    def car(
        self,
        spot: Spot,
        left_m: float = 0.0,
        turned_rad: float = 0.0,
        *,
        model: str = "vehicle.*",
        wanted: Mapping[str, str] | None = None,
    ) -> Performer:
        """A car beside the middle of a lane: a model, or any that has the wanted attributes."""
        if wanted is None and model == "vehicle.*":
            wanted = ANY_CAR
        return self.put(model, spot.pose(left_m, turned_rad), wanted=wanted)

    def person(self, pose: Pose) -> Performer:
        """Someone on foot."""
        return self.put("walker.pedestrian.*", pose)

    def prop(self, model: str, spot: Spot, left_m: float = 0.0, turned_rad: float = 0.0) -> Performer:
        """A thing that stands where it is put."""
        return self.put(f"static.prop.{model}", spot.pose(left_m, turned_rad), physics=False)

    def dismiss(self, performer: Performer) -> None:
        """Take an actor away before the scenario ends."""
        self.performers.remove(performer)
        self.world.destroy([performer.id])

    def keep_clear(self, points: np.ndarray, radius_m: float) -> None:
        """From now to the end, background cars that come so near to one of the points (n, 2) are taken away."""
        self._clear = (points, radius_m)
        self._sweep()

    def clear_ahead(self, way_m: float) -> None:
        """Take the background cars away that drive on the route within so many metres before the ego."""
        found = []
        for actor, row in self._rows.items():
            position = self.truth.actors[row, :2]
            if self.truth.infos[actor].role == BACKGROUND_ROLE and self.ego_gap_m(position) < way_m:
                station_m = self.setting.route_station_m(position)
                beside_m = math.dist(self.setting.route_point(station_m), position)
                if 0.0 < station_m - self.ego_m < way_m and beside_m < ON_ROUTE_M:
                    found.append(actor)
        self.world.remove_background(found)

    # ---- the junction ahead ------------------------------------------------------------------------------------------

    def crossing(self) -> Crossing:
        """The first junction after the trigger. Raises ScenarioError when there is none."""
        if self.setting.junction is None:
            raise self.error("the route comes to no junction after it")
        return self.setting.junction

    def exit_of_junction(self) -> Spot:
        """Where the route leaves that junction."""
        return Spot(self.road_map, self.crossing().exit_lane, 0.0)

    def hold_lights(self, states: Mapping[str, LightState]) -> None:
        """Keep the lights of a junction in these states until `release_lights` or the end of the scenario.

        Where one has to change from green to red, it is yellow first, and the others wait for it.
        """
        shown = {name: self.truth.lights[name] for name in states}
        ending = [name for name, state in states.items() if state != shown[name] == LightState.GREEN]
        self._held |= states
        if ending:
            self._yellow_until_s = self.time_s + YELLOW_S
        self._show(shown | dict.fromkeys(ending, LightState.YELLOW) if ending else states)

    def release_lights(self) -> None:
        """Let the lights that are held go on by themselves."""
        self.world.release_lights(sorted(self._held))
        self._held.clear()
        self._yellow_until_s = -math.inf

    def _show(self, states: Mapping[str, LightState]) -> None:
        for signal_id in sorted(states):
            self.world.hold_light(signal_id, states[signal_id])

    # ---- waiting -----------------------------------------------------------------------------------------------------

    def triggered(self) -> Script:
        """Until the ego reaches the trigger."""
        yield from self.until(lambda: self.is_triggered)

    def until(self, condition: Callable[[], bool], within_s: float = math.inf) -> Generator[None, None, bool]:
        """Until a condition holds; returns whether it came true in time."""
        begun_s = self.time_s
        while not condition():
            if self.time_s - begun_s >= within_s:
                return False
            yield
        return True

    def seconds(self, duration_s: float) -> Script:
        """For a while."""
        yield from self.until(lambda: False, duration_s)

    def until_or_timeout(self, condition: Callable[[], bool], within_s: float = PATIENCE_S) -> Script:
        """Until a condition holds; when it does not in time, the ego has failed the scenario."""
        if not (yield from self.until(condition, within_s)):
            self.report("timeout")

    # ---- reporting ---------------------------------------------------------------------------------------------------

    def report(self, what: str) -> None:
        """Tell the judge; see `log.schema.ScenarioEvent`."""
        self._events.append(ScenarioEvent(self.truth.time_us, self.spec.name, what))

    def error(self, problem: str) -> ScenarioError:
        """For a place that does not fit."""
        return ScenarioError(
            f"scenario {self.spec.name!r} ({self.spec.type}) cannot be played here: {problem}; move its trigger"
        )

    # ---- for the director --------------------------------------------------------------------------------------------

    def advance(self, truth: Truth, ego_m: float) -> None:
        """Take a tick in, before the script goes on."""
        self.truth, self.ego_m = truth, ego_m
        self._rows = {actor: row for row, actor in enumerate(truth.ids)}
        for performer in self.performers:
            performer.step(truth, self._rows)
        self._sweep()
        if -math.inf < self._yellow_until_s <= self.time_s:
            self._yellow_until_s = -math.inf
            self._show(self._held)

    def close(self) -> None:
        """Take all actors away and let the lights go on."""
        self.world.destroy([performer.id for performer in self.performers])
        self.release_lights()

    def take_events(self) -> tuple[ScenarioEvent, ...]:
        """What was reported since the last call."""
        events, self._events = tuple(self._events), []
        return events

    def _sweep(self) -> None:
        if self._clear is not None:
            self.world.remove_background(self._background_near(*self._clear))

    def _clear_place(self, pose: Pose) -> bool:
        """Take away the background cars that stand at a pose; returns whether there were any."""
        found = self._background_near(np.array([pose[:2]]), CAR_M)
        self.world.remove_background(found)
        return bool(found)

    def _background_near(self, points: np.ndarray, radius_m: float) -> list[int]:
        """Background cars whose middle is so near to one of the points (n, 2)."""
        return [
            actor
            for actor, row in self._rows.items()
            if self.truth.infos[actor].role == BACKGROUND_ROLE
            and np.linalg.norm(points - self.truth.actors[row, :2], axis=1).min() < radius_m
        ]
