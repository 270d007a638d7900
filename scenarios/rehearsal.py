"""What a route's scenarios put where, without a simulator: the director plays to an ego that glides along the route.

Nothing moves but the ego, so this shows what is set up, not what happens then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from drive_agent.geometry import arc_length, resample
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import ActorInfo, Command, LightState, ObjectKind, Truth
from scenarios.director import Director
from scenarios.routes import Pose, RouteSpec
from scenarios.scene import ScenarioError
from scenarios.world import ROLE

SPEED_MPS = 8.0
TICK_US = 100_000
EGO_ID = 1
_WALKER, _CAR = (0.3, 0.3), (2.3, 1.0)  # half length and width, m
_KINDS = {"vehicle": ObjectKind.VEHICLE, "walker": ObjectKind.WALKER, "static": ObjectKind.PROP}


@dataclass(frozen=True)
class Appearance:
    """Something that a scenario puts in."""

    model: str
    pose: Pose


@dataclass
class _Notes:
    """A world in which there is always room and nothing moves."""

    seen: list[Appearance] = field(default_factory=list)

    def spawn(
        self,
        model: str,
        pose: Pose,
        *,
        wanted: Mapping[str, str] | None = None,
        role: str = ROLE,
        physics: bool = True,
    ) -> int | None:
        self.seen.append(Appearance(model, pose))
        return EGO_ID + len(self.seen)

    def destroy(self, actors: Iterable[int]) -> None: ...
    def place(self, actor: int, pose: Pose) -> None: ...
    def drive(
        self, actor: int, command: Command, *, hand_brake: bool = False, reverse: bool = False
    ) -> None: ...
    def launch(self, actor: int, velocity_mps: np.ndarray) -> None: ...
    def walk(self, actor: int, velocity_mps: np.ndarray) -> None: ...
    def show_lights(self, actor: int, names: Iterable[str]) -> None: ...
    def open_door(self, actor: int, side: str) -> None: ...
    def hold_light(self, signal_id: str, state: LightState) -> None: ...
    def release_lights(self, signal_ids: Iterable[str]) -> None: ...
    def remove_background(self, actors: Iterable[int]) -> None: ...
    def disturb(self, throttle: float, steer: float) -> None: ...
    def set_weather(self, values: Mapping[str, float]) -> None: ...


def rehearse(spec: RouteSpec, road_map: RoadMap, route: Route, seed: int = 0) -> tuple[Appearance, ...]:
    """What is put in on the way. Raises ValueError for a scenario that cannot be played where the file puts it."""
    world = _Notes()
    director = Director(world, spec, road_map, route, seed)
    stations_m = arc_length(route.points[:, :2])
    lights = {stop.signal_id: LightState.RED for stop in road_map.stop_lines if stop.kind == "light"}
    try:
        for tick in range(int(stations_m[-1] / SPEED_MPS * 1e6 / TICK_US)):
            at_m = SPEED_MPS * tick * TICK_US * 1e-6
            director.step(_truth(tick, _ego(route, stations_m, at_m), world.seen, lights))
    except ScenarioError as error:
        raise ValueError(f"{spec.where}: {error}") from error
    return tuple(world.seen)


def _ego(route: Route, stations_m: np.ndarray, at_m: float) -> np.ndarray:
    """A row of `Truth.actors`."""
    x_m, y_m = resample(route.points[:, :2], np.array([at_m]))[0]
    row = int(np.abs(stations_m - at_m).argmin())
    yaw_rad = float(route.headings[row])
    speed = SPEED_MPS * np.array([np.cos(yaw_rad), np.sin(yaw_rad)])
    return np.array([x_m, y_m, route.points[row, 2], yaw_rad, 0.0, *speed, 0.0, 0.0, 0.0])


def _truth(tick: int, ego: np.ndarray, seen: list[Appearance], lights: dict[str, LightState]) -> Truth:
    infos = {EGO_ID: _info(EGO_ID, "vehicle.*", "hero")}
    rows = [ego]
    for actor, here in enumerate(seen, start=EGO_ID + 1):
        infos[actor] = _info(actor, here.model, ROLE)
        rows.append(np.array([*here.pose, *np.zeros(6)]))
    return Truth(tick * TICK_US, tick, tuple(infos), np.array(rows), lights, infos, ())


def _info(actor: int, model: str, role: str) -> ActorInfo:
    kind = _KINDS[model.split(".")[0]]
    length_m, width_m = _WALKER if kind == ObjectKind.WALKER else _CAR
    return ActorInfo(actor, model, role, kind, length_m, width_m, 0.8, 0.0, 2.8)
