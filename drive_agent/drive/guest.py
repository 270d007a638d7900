"""`Env` in a world that already runs and belongs to others: takes the hero, or brings one, and touches nobody else.

No town is loaded, no traffic, weather or light is changed; what we put in is taken out by `close`, and the world's
settings are as they were. Knows nothing of models, logs or scores.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import carla
import numpy as np

from drive_agent.config import DriveConfig
from drive_agent.drive.carla import EGO_BLUEPRINT, WARM_UP_TICKS
from drive_agent.drive.carla_axes import Geography, pose, vehicle_control
from drive_agent.drive.carla_map import build_road_map
from drive_agent.drive.carla_sensors import EgoSensors, OutOfStepError, SensorSettings
from drive_agent.drive.carla_truth import TruthReader
from drive_agent.drive.env import Ground
from drive_agent.drive.guest_ticks import OthersTicks, OwnTicks, Ticks
from drive_agent.log.schema import ScenarioEvent
from drive_agent.routing import plan_route, sparse
from drive_agent.types import Briefing, Command, SensorPacket, Truth
from scenarios.routes import RouteSpec

OTHER_MODELS = "vehicle.lincoln.mkz*"  # where a CARLA names our car differently
STEP_TRIES = 20  # cameras that come in between two ticks of others are taken out and put in again
_FULL_BRAKE = carla.VehicleControl(brake=1.0)


class GuestEnv:
    """One vehicle in somebody's world. `reset` begins where it is; `close` leaves."""

    def __init__(
        self,
        client: carla.Client,
        config: DriveConfig,
        sensors: Callable[[float], SensorSettings],
        leave: Callable[[int], None],
    ) -> None:
        """`sensors` for a world's step; `leave` is told the simulated time and raises when it is time to go.

        Raises ValueError where there is nobody to take or to watch, RuntimeError where the world does not move.
        """
        self._world = client.get_world()
        self._map = self._world.get_map()
        self._guest, self._leave, self._seed = config.guest, leave, config.seed
        self.road_map = build_road_map(self._map, self._map.to_opendrive())
        self._ticks = self._open_ticks(config)
        self._settings = sensors(self._ticks.tick_s)
        self._truth: Truth | None = None
        self.brought_hero = False
        with ExitStack() as undo:
            undo.callback(self._ticks.close)
            self._ticks.start()
            self.ego = self._take_hero(undo)
            self._reader = TruthReader(self._world, self.ego)
            self._sensors = self._mount_sensors(undo)
            for _ in range(WARM_UP_TICKS):
                self._advance()
            self._undo = undo.pop_all()

    @property
    def tick_s(self) -> float:
        """The world's step."""
        return self._ticks.tick_s

    @property
    def owns_time(self) -> bool:
        """Do we tick?"""
        return isinstance(self._ticks, OwnTicks)

    @property
    def town(self) -> str:
        """The map's name."""
        return self._map.name.rpartition("/")[2]

    def stance(self) -> tuple[float, float, float]:
        """Where the vehicle is: x, y, yaw in the world frame."""
        x_m, y_m, _, yaw_rad, _ = pose(self.ego.get_transform())
        return x_m, y_m, yaw_rad

    def reset(self, spec: RouteSpec, seed: int) -> tuple[Briefing, Ground]:
        """A new way from where the vehicle is. Raises ValueError where there is none."""
        del seed  # nothing is drawn here
        try:
            route = plan_route(self.road_map, spec.keypoints)
        except ValueError as error:
            raise ValueError(f"{spec.where}: {error}") from error
        geography = Geography(self._map)
        picks = sparse(route)
        briefing = Briefing(
            route_deg=np.array([geography.place(*point) for point in route.points[picks]]),
            maneuvers=tuple(route.maneuvers[k] for k in picks),
        )
        return briefing, Ground(self.road_map, route)

    def observe(self) -> SensorPacket:
        """What the sensors delivered at the current tick."""
        return self._packet

    def truth(self) -> Truth:
        """The ground truth of the current tick; the ego is the first row."""
        assert self._truth is not None
        return self._truth

    def scenario_events(self) -> tuple[ScenarioEvent, ...]:
        """Nothing: whatever is staged here, others stage it."""
        return ()

    def apply(self, command: Command) -> None:
        """Send the pedals, unless we only watch, and go on to the next tick."""
        self._leave(self.truth().time_us)
        if not self._guest.observe:
            self.ego.apply_control(vehicle_control(command))
        self._advance()

    def close(self) -> None:
        """Take out what we brought; a vehicle that was there before is left standing."""
        self._undo.close()

    def _advance(self) -> None:
        snapshot = self._ticks.advance(self._sensors.due)
        if not snapshot.has_actor(self.ego.id):
            raise RuntimeError(f"vehicle {self.ego.id} is gone: somebody took it out of this world")
        self._truth = self._reader.read(self._sensors.collisions(), snapshot)
        self._packet = self._sensors.read(self._truth.frame_id, self._truth.time_us)

    def _open_ticks(self, config: DriveConfig) -> Ticks:
        ticks = config.guest.ticks
        if ticks == "auto":
            ticks = "others" if self._world.get_settings().synchronous_mode else "own"
        if ticks == "own":
            return OwnTicks(self._world, config.tick_s)
        return OthersTicks(self._world, lambda: self._leave(0), config.carla.timeout_s)

    def _take_hero(self, undo: ExitStack) -> carla.Vehicle:
        """The vehicle that was asked for, or one of ours."""
        wanted = self._guest.hero
        vehicles = list(self._world.get_actors().filter("vehicle.*"))
        found = [v for v in vehicles if wanted in (str(v.id), v.attributes.get("role_name"))]
        if len(found) > 1:
            raise ValueError(
                f"guest.hero={wanted}: {len(found)} vehicles have that role, expected one; give an id: "
                f"{', '.join(str(v.id) for v in found)}"
            )
        if found:
            if not self._guest.observe:
                undo.callback(found[0].apply_control, _FULL_BRAKE)
            return found[0]
        if wanted.isdecimal() or self._guest.observe:
            roles = sorted({v.attributes.get("role_name") or "no role" for v in vehicles}) or [
                "nobody at all"
            ]
            raise ValueError(
                f"guest.hero={wanted}: no vehicle here has that role or id, there are {len(vehicles)} "
                f"({', '.join(roles)}); give the id of one of them"
            )
        hero = self._spawn_hero(wanted)
        undo.callback(hero.destroy)
        self.brought_hero = True
        return hero

    def _spawn_hero(self, role: str) -> carla.Vehicle:
        """At a free place of the map, drawn by the seed."""
        library = self._world.get_blueprint_library()
        models = sorted(library.filter(EGO_BLUEPRINT) or library.filter(OTHER_MODELS), key=lambda b: b.id)
        if not models:
            raise ValueError(
                f"this CARLA has no {EGO_BLUEPRINT}; put a vehicle in yourself and give guest.hero=ID"
            )
        models[-1].set_attribute("role_name", role)
        places = self._map.get_spawn_points()
        for k in np.random.default_rng(self._seed).permutation(len(places)):
            hero = self._world.try_spawn_actor(models[-1], places[k])
            if isinstance(hero, carla.Vehicle):
                return hero
        raise ValueError(
            f"none of the {len(places)} spawn points of {self.town} is free: put a vehicle in yourself"
        )

    def _mount_sensors(self, undo: ExitStack) -> EgoSensors:
        """Sensors that are in step with each other, whoever ticks."""
        reason: OutOfStepError | None = None
        for _ in range(STEP_TRIES):
            self._ticks.advance()
            sensors = EgoSensors(self._world, self.ego, self._settings, Geography(self._map), self._seed)
            undo.callback(sensors.destroy)
            if self.owns_time:
                return sensors
            try:
                first = sensors.settle()
            except OutOfStepError as error:
                reason = error
                sensors.destroy()
                continue
            while self._ticks.advance().frame < first:
                pass
            return sensors
        raise RuntimeError(f"the cameras do not get into step: {reason}; have the world tick more slowly")
