"""What is true of a route inside the Leaderboard's evaluator, for the log and the judge only. Reads, never writes.

The evaluator's world tells poses and lights; its own collision sensor is listened to by a client of our own. Nothing here
is on the way from `input_data` to a `Frame`.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import carla
import numpy as np

from drive_agent.drive.carla_axes import pose
from drive_agent.drive.carla_sensors import collision_of
from drive_agent.drive.carla_truth import TruthReader
from drive_agent.drive.leaderboard_inputs import Plan
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import Collision, Maneuver, Truth

PATIENCE_TICKS = 20  # the evaluator's collision sensor appears in its first tick


class EvaluatorTruth:
    """Truth of one route, tick by tick. Raises RuntimeError where the evaluator has no collision sensor on the ego."""

    def __init__(
        self, world: carla.World, ego: carla.Vehicle, host: str, port: int, timeout_s: float
    ) -> None:
        self._world, self._ego = world, ego
        self._reader = TruthReader(world, ego)
        self._client = carla.Client(host, port)
        self._client.set_timeout(timeout_s)
        self._own_world = self._client.get_world()
        self._sensor: carla.Sensor | None = None
        self._waited = 0
        self._closed = False
        self._lock = threading.Lock()
        self._collisions: list[Collision] = []

    def read(self, time_us: int) -> Truth:
        """The current tick, told at the route's own time."""
        if self._sensor is None and not self._closed:
            self._sensor = self._listen()
        with self._lock:
            collisions, self._collisions = tuple(self._collisions), []
        return replace(self._reader.read(collisions), time_us=time_us)

    def close(self) -> None:
        """Stop listening; the sensor stays the evaluator's. Harmless when it is done already."""
        self._closed = True
        if self._sensor is None:
            return
        # Where the evaluator has destroyed its sensor first, LibCarla 0.9.16 may find the stream's socket closed already.
        with contextlib.suppress(RuntimeError):
            self._sensor.stop()
        self._sensor = None

    def _listen(self) -> carla.Sensor | None:
        """Listen to the collision sensor that the evaluator's criterion has put on the ego, None while there is none."""
        for actor in self._world.get_actors().filter("sensor.other.collision"):
            if actor.parent is not None and actor.parent.id == self._ego.id:
                sensor = self._own_world.get_actor(actor.id)
                sensor.listen(self._on_collision)
                return sensor
        self._waited += 1
        if self._waited > PATIENCE_TICKS:
            raise RuntimeError(
                f"the evaluator put no collision sensor on the ego within {PATIENCE_TICKS} ticks: a log without "
                "collisions would be judged too kindly; use the Leaderboard's own criteria"
            )
        return None

    def _on_collision(self, event: carla.CollisionEvent) -> None:
        with self._lock:
            self._collisions.append(collision_of(event))


def route_of(plan: Plan, road_map: RoadMap) -> Route:
    """The evaluator's dense route, point by point, so that both judge by the same one."""
    poses = np.array([pose(where)[:4] for where, _ in plan])
    return Route(
        points=poses[:, :3],
        headings=poses[:, 3],
        maneuvers=tuple(Maneuver(option.value) for _, option in plan),
        lanes=np.array([road_map.nearest_lane(p[:2], float(p[3]))[0] for p in poses]),
    )
