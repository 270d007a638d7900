"""Plays the scenarios of one route: each is set up when the ego comes near, begins at its trigger, and cleans up.

All by simulated time and in a fixed order, so that a seed gives the same drive again. Knows nothing of carla.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drive_agent.geometry import arc_length
from drive_agent.log.schema import ScenarioEvent
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import Truth
from scenarios.checks import read_scenario, trigger_m
from scenarios.routes import RouteSpec, ScenarioSpec
from scenarios.scene import Scene, Script
from scenarios.setting import Setting
from scenarios.world import World

TRIGGER_M = 2.0  # the Leaderboard's: how far the ego may be from the trigger
SET_UP_M = 200.0  # actors are put in when the ego is so near to the trigger
WINDOW = 12  # route points searched ahead of the ego's last one
WEATHER_EVERY_US = 1_000_000


@dataclass
class _Playing:
    """A scenario that has not ended."""

    scene: Scene
    script: Script
    set_up: bool = False


class Director:
    """Call `step` once a tick before the world moves on, `close` at the end."""

    def __init__(self, world: World, spec: RouteSpec, road_map: RoadMap, route: Route, seed: int) -> None:
        """Raises ValueError for a scenario type or parameter that is not known, and for a trigger off the route."""
        self._world = world
        self._spec = spec
        self._points = route.points[:, :2]
        self._stations_m = arc_length(self._points)
        self._at = 0
        self._weather_us = 0
        self._weather = spec.weather_at(0.0)
        self._coming = [
            self._prepared(number, scenario, road_map, route, seed)
            for number, scenario in enumerate(spec.scenarios)
        ]

    def step(self, truth: Truth) -> tuple[ScenarioEvent, ...]:
        """Play one tick; returns what the judge must know."""
        self._follow(truth.ego[:2])
        self._change_weather(truth.time_us)
        ego_m = float(self._stations_m[self._at])
        events: list[ScenarioEvent] = []
        for playing in list(self._coming):
            if ego_m >= playing.scene.setting.trigger_m - SET_UP_M:
                events += self._play(playing, truth, ego_m)
        return tuple(events)

    @property
    def is_playing(self) -> bool:
        """Whether a scenario has been triggered and goes on."""
        return any(playing.scene.is_triggered for playing in self._coming)

    def close(self) -> None:
        """End all scenarios and take their actors away."""
        for playing in self._coming:
            self._end(playing)
        self._coming = []

    def _play(self, playing: _Playing, truth: Truth, ego_m: float) -> list[ScenarioEvent]:
        scene = playing.scene
        scene.advance(truth, ego_m)
        events: list[ScenarioEvent] = []
        if not scene.is_triggered and ego_m >= scene.setting.trigger_m - TRIGGER_M:
            scene.is_triggered = True
            events.append(ScenarioEvent(truth.time_us, scene.spec.name, "started"))
        ended = False
        try:
            next(playing.script)
        except StopIteration:
            ended = True
        events += scene.take_events()
        if ended:
            events.append(ScenarioEvent(truth.time_us, scene.spec.name, "ended"))
            self._end(playing)
            self._coming.remove(playing)
        return events

    def _end(self, playing: _Playing) -> None:
        playing.script.close()
        playing.scene.close()

    def _prepared(
        self, number: int, scenario: ScenarioSpec, road_map: RoadMap, route: Route, seed: int
    ) -> _Playing:
        kind, told = read_scenario(self._spec, scenario)
        setting = Setting(road_map, route, trigger_m(self._spec, scenario, route))
        rng = np.random.default_rng([seed, 3, number])
        scene = Scene(self._world, scenario, told, setting, rng)
        return _Playing(scene, kind.script(scene))

    def _follow(self, ego: np.ndarray) -> None:
        """Move on along the route: to the nearest of the next points."""
        window = self._points[self._at : self._at + WINDOW]
        self._at += int(np.linalg.norm(window - ego, axis=1).argmin())

    def _change_weather(self, time_us: int) -> None:
        """Every second, as far as it differs: the environment has set the first weather."""
        if time_us - self._weather_us < WEATHER_EVERY_US:
            return
        self._weather_us = time_us
        share = self._stations_m[self._at] / self._stations_m[-1]
        weather = self._spec.weather_at(100.0 * float(share))
        if weather != self._weather:
            self._weather = weather
            self._world.set_weather(weather)
