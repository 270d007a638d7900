"""The director's `World` on the carla client: the same for the embedded server and a real CARLA.

Orders of one tick are collected and sent in one batch by `flush`. Knows nothing of scenarios.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import carla
import numpy as np

from drive_agent.drive.carla_axes import transform
from drive_agent.types import Command, LightState
from scenarios.routes import Pose
from scenarios.world import ROLE

SPAWN_HEIGHT_M = {"vehicle": 0.3, "walker": 1.1, "static": 0.05}  # of the actor's origin above the ground
AWAY_M = 100.0  # above the road a car is in nobody's way
LIGHT_STATES = {
    LightState.RED: carla.TrafficLightState.Red,
    LightState.YELLOW: carla.TrafficLightState.Yellow,
    LightState.GREEN: carla.TrafficLightState.Green,
}
DOORS = {"left": carla.VehicleDoor.FL, "right": carla.VehicleDoor.FR}


class CarlaStage:
    """Spawns at once, does everything else at `flush`; `close` ends what lasts."""

    def __init__(
        self, client: carla.Client, world: carla.World, signals: Mapping[str, carla.TrafficLight], seed: int
    ) -> None:
        """`signals`: OpenDRIVE id -> actor."""
        self._client = client
        self._world = world
        self._signals = signals
        self._library = world.get_blueprint_library()
        self._rng = np.random.default_rng([seed, 5])
        self._batch: list[object] = []
        self._leaving: list[int] = []  # background cars that the TrafficManager has let go
        self._vehicles: dict[int, carla.Vehicle] = {}
        self.open_doors: dict[int, frozenset[int]] = {}  # actor id -> numbers as in carla.VehicleDoor
        self._background: set[int] = set()
        self._manager_port = 0
        self.disturbance = Command(0.0, 0.0, 0.0)

    def spawn(
        self,
        model: str,
        pose: Pose,
        *,
        wanted: Mapping[str, str] | None = None,
        role: str = ROLE,
        physics: bool = True,
    ) -> int | None:
        """See `scenarios.world.World`."""
        looks = self._looks(model, wanted or {})
        if looks.has_attribute("role_name"):
            looks.set_attribute("role_name", role)
        if looks.has_attribute("is_invincible"):
            looks.set_attribute("is_invincible", "false")
        x_m, y_m, z_m, yaw_rad = pose
        height_m = SPAWN_HEIGHT_M.get(looks.id.split(".")[0], 0.0)
        actor = self._world.try_spawn_actor(looks, transform(x_m, y_m, z_m + height_m, yaw_rad))
        if actor is None:
            return None
        if not physics:
            actor.set_simulate_physics(False)
        if isinstance(actor, carla.Vehicle):
            self._vehicles[actor.id] = actor
        return actor.id

    def destroy(self, actors: Iterable[int]) -> None:
        """See `scenarios.world.World`."""
        for actor in actors:
            self._vehicles.pop(actor, None)
            self.open_doors.pop(actor, None)
            self._batch.append(carla.command.DestroyActor(actor))

    def place(self, actor: int, pose: Pose) -> None:
        """See `scenarios.world.World`."""
        x_m, y_m, z_m, yaw_rad = pose
        self._batch.append(carla.command.ApplyTransform(actor, transform(x_m, y_m, z_m, yaw_rad)))

    def drive(self, actor: int, command: Command, *, hand_brake: bool = False, reverse: bool = False) -> None:
        """See `scenarios.world.World`."""
        control = carla.VehicleControl(
            throttle=command.throttle,
            steer=-command.steer,
            brake=command.brake,
            hand_brake=hand_brake,
            reverse=reverse,
        )
        self._batch.append(carla.command.ApplyVehicleControl(actor, control))

    def launch(self, actor: int, velocity_mps: np.ndarray) -> None:
        """See `scenarios.world.World`."""
        self._batch.append(carla.command.ApplyTargetVelocity(actor, _vector(velocity_mps)))

    def walk(self, actor: int, velocity_mps: np.ndarray) -> None:
        """See `scenarios.world.World`."""
        speed_mps = float(np.linalg.norm(velocity_mps))
        direction = velocity_mps / speed_mps if speed_mps > 0.0 else np.array([1.0, 0.0])
        control = carla.WalkerControl(_vector(direction), speed_mps, False)
        self._batch.append(carla.command.ApplyWalkerControl(actor, control))

    def show_lights(self, actor: int, names: Iterable[str]) -> None:
        """See `scenarios.world.World`."""
        flags = carla.VehicleLightState.NONE
        for name in names:
            flags |= getattr(carla.VehicleLightState, "".join(part.title() for part in name.split("_")))
        self._batch.append(carla.command.SetVehicleLightState(actor, carla.VehicleLightState(flags)))

    def open_door(self, actor: int, side: str) -> None:
        """See `scenarios.world.World`."""
        self._vehicles[actor].open_door(DOORS[side])
        self.open_doors[actor] = self.open_doors.get(actor, frozenset()) | {int(DOORS[side])}

    def hold_light(self, signal_id: str, state: LightState) -> None:
        """See `scenarios.world.World`. Freezing a light stops the clock of its whole junction."""
        light = self._signals[signal_id]
        light.set_state(LIGHT_STATES[state])
        light.freeze(True)

    def release_lights(self, signal_ids: Iterable[str]) -> None:
        """See `scenarios.world.World`."""
        for signal_id in signal_ids:
            self._signals[signal_id].freeze(False)

    def remove_background(self, actors: Iterable[int]) -> None:
        """See `scenarios.world.World`.

        The TrafficManager lets go of a car one tick before it is destroyed; until then it is high above the town.
        """
        for actor in sorted(set(actors) & self._background):
            self._background.discard(actor)
            car = self._world.get_actor(actor)
            car.set_location(car.get_location() + carla.Location(z=AWAY_M))
            self._batch.append(carla.command.SetAutopilot(actor, False, self._manager_port))
            self._leaving.append(actor)

    def remove(self, actors: Iterable[int]) -> None:
        """Take anyone away, whoever drives them."""
        gone = set(actors)
        self.remove_background(gone & self._background)
        self.destroy(sorted(gone - self._background - set(self._leaving)))

    def disturb(self, throttle: float, steer: float) -> None:
        """See `scenarios.world.World`."""
        self.disturbance = Command(throttle, steer, 0.0)

    def set_weather(self, values: Mapping[str, float]) -> None:
        """See `scenarios.world.World`."""
        weather = self._world.get_weather()
        for name, value in values.items():
            setattr(weather, name, value)
        self._world.set_weather(weather)

    def adopt_background(self, actors: Iterable[int], manager_port: int) -> None:
        """Tell which actors `remove_background` may take, and the port of the TrafficManager that drives them."""
        self._background |= set(actors)
        self._manager_port = manager_port

    def flush(self) -> None:
        """Send the orders of this tick; cars that were let go in an earlier one are destroyed."""
        leaving, self._leaving = self._leaving, []
        if self._batch:
            self._client.apply_batch_sync(self._batch, False)
        self._batch = [carla.command.DestroyActor(actor) for actor in leaving]

    def _looks(self, model: str, wanted: Mapping[str, str]) -> carla.ActorBlueprint:
        found = sorted(
            (
                look
                for look in self._library.filter(model)
                if all(look.has_attribute(k) and _text(look.get_attribute(k)) == v for k, v in wanted.items())
            ),
            key=lambda look: look.id,
        )
        if not found:
            asked = "".join(f" with {name}={value}" for name, value in wanted.items())
            raise ValueError(f"blueprint {model!r}{asked} is not in this server's library: use another model")
        return found[int(self._rng.integers(len(found)))]


def _text(attribute: carla.ActorAttribute) -> str:
    """Its value as route files write it; the client reads only texts as texts."""
    if attribute.type == carla.ActorAttributeType.Bool:
        return "true" if attribute.as_bool() else "false"
    if attribute.type == carla.ActorAttributeType.Int:
        return str(attribute.as_int())
    return attribute.as_str()


def _vector(plane: np.ndarray) -> carla.Vector3D:
    """A velocity or direction (2,) in CARLA's axes."""
    return carla.Vector3D(float(plane[0]), -float(plane[1]), 0.0)
