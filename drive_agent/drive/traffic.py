"""Background cars of a seed, driven by the client's own TrafficManager.

Each world takes a manager on a port of its own: one that was just left stalls whoever takes its port next.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import carla
import numpy as np

from drive_agent.drive.company import shares
from drive_agent.drive.tick import WatchedTicks
from drive_agent.types import Truth

FOLLOW_M = 2.5
CARS = ("car", "van")  # longer vehicles cut the corners of small junctions
EVERYONE = ("car", "van", "truck", "bus", "motorcycle", "bicycle")
SHARE_STEP = 0.05  # smaller changes of speed are not told
NO_CACHE = b"No InMemoryMap cache found"  # the client warns so of every map that was not baked for Unreal
ROLE = "background"  # the role that the Leaderboard's minimum-speed rule compares with


class Traffic:
    """Spawned at once; `close` takes it away in the order that the client survives."""

    def __init__(
        self,
        client: carla.Client,
        world: carla.World,
        places: list[carla.Transform],
        slower_percent: tuple[float, float],
        seed: int,
        port: int = 0,
        base_types: tuple[str, ...] = CARS,
    ) -> None:
        """Cars at `places`, each slower than the limit by a share drawn from a range. Ticks the world once.

        `port` 0 takes any free one; `base_types` are CARLA's.
        """
        self._client = client
        with _stderr_without(NO_CACHE):
            self._manager = manager = client.get_trafficmanager(port or free_port())
        manager.set_synchronous_mode(True)
        self.port = manager.get_port()
        self._ticks = WatchedTicks(world, manager)
        manager.set_random_device_seed(seed)
        manager.set_global_distance_to_leading_vehicle(FOLLOW_M)
        rng = np.random.default_rng(seed)
        looks = _looks(world, base_types)
        batch = []
        for place in places:
            car = looks[rng.integers(len(looks))]
            car.set_attribute("role_name", ROLE)
            if car.has_attribute("color"):
                colors = car.get_attribute("color").recommended_values
                car.set_attribute("color", colors[rng.integers(len(colors))])
            autopilot = carla.command.SetAutopilot(carla.command.FutureActor, True, self.port)
            batch.append(carla.command.SpawnActor(car, place).then(autopilot))
        answers = client.apply_batch_sync(batch, False)
        self.tick()
        self.ids = [answer.actor_id for answer in answers if not answer.error]
        self._cars = {car.id: car for car in world.get_actors(self.ids)}
        self._slower_percent = {actor: rng.uniform(*slower_percent) for actor in self._cars}
        self._shares = dict.fromkeys(self._cars, 1.0)
        for actor, car in self._cars.items():
            manager.vehicle_percentage_speed_difference(car, self._slower_percent[actor])
            manager.auto_lane_change(car, False)  # it changes lanes into whoever drives beside it

    def tick(self) -> int:
        """Advance the world by one tick, waking the manager if it sleeps through it; returns the frame."""
        return self._ticks.tick()

    def keep_company(self, truth: Truth, *, playing: bool) -> None:
        """Adapt the cars' speeds to where the ego is: while a scenario is `playing`, far cars stand."""
        rows = [row for row, actor in enumerate(truth.ids) if actor in self._cars]
        gaps_m = np.linalg.norm(truth.actors[rows, :2] - truth.ego[:2], axis=1)
        ego_mps = float(np.hypot(*truth.ego[5:7]))
        wanted = shares(gaps_m, ego_mps, truth.time_us * 1e-6) if playing else np.ones(len(rows))
        for actor, share in zip((truth.ids[row] for row in rows), wanted, strict=True):
            if abs(share - self._shares[actor]) > SHARE_STEP or (
                share in (0.0, 1.0) and share != self._shares[actor]
            ):
                self._shares[actor] = float(share)
                slower = 100.0 - share * (100.0 - self._slower_percent[actor])
                self._manager.vehicle_percentage_speed_difference(self._cars[actor], slower)

    def close(self) -> None:
        """The manager first, then its cars: another order can abort the client."""
        self._ticks.close()
        self._manager.set_synchronous_mode(False)
        self._manager.shut_down()
        self._client.apply_batch([carla.command.DestroyActor(k) for k in self.ids])


@contextmanager
def _stderr_without(known: bytes) -> Iterator[None]:
    """What the client writes to its standard error meanwhile comes a little later, without lines that hold `known`."""
    with tempfile.TemporaryFile() as held:
        screen = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(screen, 2)
            os.close(screen)
            held.seek(0)
            for line in held:
                if known not in line:
                    os.write(2, line)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _looks(world: carla.World, base_types: tuple[str, ...]) -> list[carla.ActorBlueprint]:
    """Blueprints of these types, in order of their ids."""
    library = world.get_blueprint_library().filter("vehicle.*")
    return sorted(
        (b for b in library if b.get_attribute("base_type").as_str() in base_types), key=lambda b: b.id
    )
