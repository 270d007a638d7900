"""`Env` over the genuine carla client: the same for the embedded server and a real CARLA.

Owns the connection, the world's settings, the ego, its sensors, background traffic and the reading of ground truth.
Knows nothing of models, logs or scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import carla
import numpy as np

from drive_agent.drive.carla_axes import Geography, transform, vehicle_control
from drive_agent.drive.carla_map import build_road_map
from drive_agent.drive.carla_sensors import EgoSensors, SensorSettings
from drive_agent.drive.carla_stage import CarlaStage
from drive_agent.drive.carla_truth import TruthReader
from drive_agent.drive.env import Ground
from drive_agent.drive.open_doors import with_open_doors
from drive_agent.drive.traffic import Traffic
from drive_agent.drive.walkers import Walkers
from drive_agent.log.schema import ScenarioEvent
from drive_agent.roadmap import RoadMap
from drive_agent.routing import sparse
from drive_agent.types import Briefing, Command, SensorPacket, Truth
from scenarios.checks import plan
from scenarios.director import Director
from scenarios.routes import RouteSpec

EGO_BLUEPRINT = "vehicle.lincoln.mkz_2020"
# Share of the limit that traffic stays below: on free roads elsewhere it is else much faster than an ego at lights.
SLOWER_PERCENT = (50.0, 65.0)
STREETS_ONLY = carla.OpendriveGenerationParameters(
    wall_height=0.0, additional_width=0.0
)  # no walls at the kerb
CLEAR_M, AROUND_M = 15.0, 120.0  # traffic starts so far from the ego and so near the route
WARM_UP_TICKS = 10  # the Leaderboard's: the car settles on its wheels, traffic starts to move


@dataclass(frozen=True)
class CarlaSettings:
    host: str
    port: int
    tick_s: float
    timeout_s: float
    vehicles: int
    walkers: int
    traffic_manager_port: int  # of the first route, each later one takes the next; 0: any free port


class CarlaEnv:
    """One world on one server. `reset` may be called again and again; `close` gives the server back as it was."""

    def __init__(self, settings: CarlaSettings, sensors: SensorSettings) -> None:
        self._settings = settings
        self._sensor_settings = sensors
        self._client = carla.Client(settings.host, settings.port)
        self._client.set_timeout(settings.timeout_s)
        self._world = self._connect()
        self._before = self._world.get_settings()
        self._routes_driven = 0
        self._traffic: Traffic | None = None
        self._director: Director | None = None
        self._maps: dict[str, RoadMap] = {}
        self._sensors: EgoSensors | None = None
        self._events: tuple[ScenarioEvent, ...] = ()

    def reset(self, spec: RouteSpec, seed: int) -> tuple[Briefing, Ground]:
        """Load the town afresh, put ego and traffic in, and let the world settle for half a second."""
        road_map = self.survey(spec.town)
        route = plan(spec, road_map)
        self._world.set_weather(weather_at(spec, 0.0))
        self._ego = self._spawn_ego(route.points[0], float(route.headings[0]))
        self._reader = TruthReader(self._world, self._ego)
        self._traffic = Traffic(
            self._client,
            self._world,
            self._places(route.points, seed),
            SLOWER_PERCENT,
            seed,
            self._manager_port(),
        )
        self._walkers = Walkers(self._client, self._world, road_map, self._settings.walkers, seed)
        self._stage = CarlaStage(self._client, self._world, self._reader.signals, seed)
        self._stage.adopt_background(self._traffic.ids, self._traffic.port)
        self._director = Director(self._stage, spec, road_map, route, seed)
        self._traffic.tick()
        geography = Geography(self._map)
        self._sensors = EgoSensors(self._world, self._ego, self._sensor_settings, geography, seed)
        for _ in range(WARM_UP_TICKS):
            self._advance()
        self._events = ()
        picks = sparse(route)
        briefing = Briefing(
            route_deg=np.array([geography.place(*point) for point in route.points[picks]]),
            maneuvers=tuple(route.maneuvers[k] for k in picks),
        )
        return briefing, Ground(road_map, route)

    def survey(self, town: str) -> RoadMap:
        """Load a town afresh, by its name or from an .xodr file of this machine, and read its roads."""
        self._clear()
        self._world = self._load(town)
        self._synchronise()
        self._map = self._world.get_map()
        if town not in self._maps:
            self._maps[town] = build_road_map(self._map, self._map.to_opendrive())
        return self._maps[town]

    def _load(self, town: str) -> carla.World:
        if not town.endswith(".xodr"):
            return self._client.load_world(town, reset_settings=False)
        text = Path(town).read_text(encoding="utf-8-sig")
        return self._client.generate_opendrive_world(text, STREETS_ONLY, reset_settings=False)

    @property
    def world(self) -> carla.World:
        """The client's world, for sensors of one's own."""
        return self._world

    @property
    def ego(self) -> carla.Vehicle:
        """The ego of the route under way, for sensors of one's own."""
        return self._ego

    def observe(self) -> SensorPacket:
        """Read the sensors of the current tick."""
        assert self._sensors is not None, "reset() comes first"
        return self._sensors.read(self._truth.frame_id, self._truth.time_us)

    def doze(self) -> None:
        """Let the cameras rest: packets come without pictures until `wake`."""
        assert self._sensors is not None, "reset() comes first"
        self._sensors.doze()

    def wake(self) -> None:
        """Let the cameras deliver again."""
        assert self._sensors is not None, "reset() comes first"
        self._sensors.wake()

    def change(self, weather: dict[str, float], without: tuple[int, ...]) -> None:
        """Change the world under way: weather parameters by CARLA's names, and actors (their ids) that shall be gone."""
        if weather:
            self._stage.set_weather(weather)
        self._stage.remove(without)
        self._stage.flush()

    def truth(self) -> Truth:
        """The ground truth of the current tick; the ego is the first row."""
        return self._truth

    def scenario_events(self) -> tuple[ScenarioEvent, ...]:
        """What the scenarios reported in the current tick."""
        return self._events

    def apply(self, command: Command) -> None:
        """Send the pedals, as a scenario lets them through, and advance one tick."""
        assert self._director is not None and self._traffic is not None, "reset() comes first"
        slip = self._stage.disturbance
        throttle = min(max(command.throttle + slip.throttle, 0.0), 1.0)
        steer = min(max(command.steer + slip.steer, -1.0), 1.0)
        self._ego.apply_control(vehicle_control(Command(throttle, steer, command.brake)))
        self._walkers.step(self._truth, focus=self._truth.actors[:1, :2])
        self._advance()
        self._events = self._director.step(self._truth)
        self._traffic.keep_company(self._truth, playing=self._director.is_playing)
        self._stage.flush()

    def _advance(self) -> None:
        assert self._sensors is not None and self._traffic is not None
        self._traffic.tick()
        self._truth = with_open_doors(self._reader.read(self._sensors.collisions()), self._stage.open_doors)

    def close(self) -> None:
        """Remove everything that was spawned and restore the world's settings."""
        self._clear()
        self._world.apply_settings(self._before)

    def _connect(self) -> carla.World:
        try:
            return self._client.get_world()
        except RuntimeError as error:
            raise ConnectionError(
                f"no CARLA server answers at {self._settings.host}:{self._settings.port} within "
                f"{self._settings.timeout_s:.0f} s; start one (`drive-agent sim port={self._settings.port}`) or use carla=embedded"
            ) from error

    def _synchronise(self) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode = True
        settings.fixed_delta_seconds = self._settings.tick_s
        settings.deterministic_ragdolls = True
        self._world.apply_settings(settings)

    def _spawn_ego(self, point: np.ndarray, heading_rad: float) -> carla.Vehicle:
        blueprint = self._world.get_blueprint_library().find(EGO_BLUEPRINT)
        blueprint.set_attribute("role_name", "hero")
        where = transform(point[0], point[1], point[2] + 0.5, heading_rad)
        ego = self._world.spawn_actor(blueprint, where)
        assert isinstance(ego, carla.Vehicle)
        return ego

    def _places(self, route: np.ndarray, seed: int) -> list[carla.Transform]:
        """Where background cars start: near the route, but not on top of the ego."""
        near = [
            place
            for place in self._map.get_spawn_points()
            if _distance(place.location, route[:1]) > CLEAR_M and _distance(place.location, route) < AROUND_M
        ]
        order = np.random.default_rng([seed, 1]).permutation(len(near))
        return [near[k] for k in order[: self._settings.vehicles]]

    def _manager_port(self) -> int:
        """The port of this route's TrafficManager; 0 for any free one."""
        if not self._settings.traffic_manager_port:
            return 0
        self._routes_driven += 1
        return self._settings.traffic_manager_port + self._routes_driven - 1

    def _clear(self) -> None:
        """Orderly: sensors, then the TrafficManager, then the vehicles (another order can abort the client)."""
        if self._sensors is not None:
            self._sensors.destroy()
            self._sensors = None
        if self._director is not None:
            self._director.close()
            self._director = None
            self._stage.flush()
        if self._traffic is not None:
            self._traffic.close()
            self._traffic = None
            self._walkers.destroy()
            self._client.apply_batch([carla.command.DestroyActor(self._ego.id)])


def weather_at(spec: RouteSpec, percent: float) -> carla.WeatherParameters:
    """The route's weather at a share of its length."""
    weather = carla.WeatherParameters()
    for name, value in spec.weather_at(percent).items():
        setattr(weather, name, value)
    return weather


def _distance(location: carla.Location, points: np.ndarray) -> float:
    """From a place to the nearest of some world points (n, 2 or 3)."""
    return float(np.hypot(points[:, 0] - location.x, points[:, 1] + location.y).min())
