"""One embedded server per module, and the genuine client to talk to it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import carla
import pytest

from drive_agent.sim.process import ServerProcess
from tests.unit.sim.conftest import TOWN, server

__all__ = ["TOWN", "server"]

DELTA_S = 0.05


@dataclass
class Session:
    """A client in a synchronous world that forgets, after each test, what the test spawned."""

    server: ServerProcess
    client: carla.Client
    world: carla.World
    spawned: list[carla.Actor] = field(default_factory=list)

    @property
    def library(self) -> carla.BlueprintLibrary:
        return self.world.get_blueprint_library()

    def tick(self, count: int = 1) -> int:
        for _ in range(count):
            frame = self.world.tick()
        return frame

    def spawn(
        self,
        type_id: str,
        transform: carla.Transform | None = None,
        parent: carla.Actor | None = None,
        **attributes: object,
    ) -> carla.Actor:
        blueprint = self.library.find(type_id)
        for name, value in attributes.items():
            blueprint.set_attribute(name, str(value))
        actor = self.world.spawn_actor(blueprint, transform or carla.Transform(), attach_to=parent)
        self.spawned.append(actor)
        return actor

    def listen(self, sensor: carla.Sensor) -> Callable[[], object]:
        """Start a sensor; the result fetches its next measurement."""
        received: queue.Queue = queue.Queue()
        sensor.listen(received.put)
        return lambda timeout=10.0: received.get(timeout=timeout)

    def forget(self) -> None:
        self.tick()  # until a snapshot has an actor, what the client says of its state is memory that nobody has set
        for actor in reversed(self.spawned):
            if actor.is_alive:
                if isinstance(actor, carla.Sensor):
                    actor.stop()
                actor.destroy()
        self.spawned.clear()
        self.world.reset_all_traffic_lights()
        self.world.freeze_all_traffic_lights(False)
        self.tick()


def connect(server: ServerProcess) -> Session:
    client = carla.Client(server.host, server.port)
    client.set_timeout(20.0)
    world = client.get_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, DELTA_S
    world.apply_settings(settings)
    world.tick()
    return Session(server, client, world)


@pytest.fixture(scope="module")
def _session(server: ServerProcess) -> Session:
    return connect(server)


@pytest.fixture
def session(_session: Session) -> Iterator[Session]:
    yield _session
    _session.forget()


@pytest.fixture
def spawn_point(session: Session) -> carla.Transform:
    """A place with at least 80 m of straight lane ahead."""
    town = session.world.get_map()
    for point in town.get_spawn_points():
        ahead = town.get_waypoint(point.location).next(80.0)
        if len(ahead) == 1 and not ahead[0].is_junction:
            turned = (ahead[0].transform.rotation.yaw - point.rotation.yaw + 180.0) % 360.0 - 180.0
            if abs(turned) < 2.0:
                return point
    raise AssertionError("the town has no straight street of 80 m")
