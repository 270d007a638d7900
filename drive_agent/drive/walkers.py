"""People on the streets through the carla client: spawned on pavements, driven by `WalkerControl` tick by tick.

Real CARLA's own pedestrians need its navigation mesh; these need only the road map, so they are the same on every
server. How they behave is in `strollers`.
"""

from __future__ import annotations

import carla
import numpy as np

from drive_agent.drive.carla_axes import transform
from drive_agent.drive.strollers import Pavements, Stroller, cars_of, new_stroller, walk
from drive_agent.roadmap import RoadMap
from drive_agent.types import Truth

SPAWN_HEIGHT_M = 1.2  # of the body's middle, so that it lands on its feet
FAR_M = 110.0  # who is further from every focus car is put down again ...
AHEAD_M = (30.0, 80.0)  # ... so far from one of them
PERIOD_US = 200_000  # how often they think
SMALLEST_CHANGE_MPS = 0.05  # smaller changes of a velocity are not sent


class Walkers:
    """`count` people. Call `step` with the truth of every tick, then tick the world."""

    def __init__(
        self, client: carla.Client, world: carla.World, road_map: RoadMap, count: int, seed: int
    ) -> None:
        self._client = client
        self._rng = np.random.default_rng([seed, 77])
        self._pavements = Pavements(road_map)
        self._last_us: int | None = None
        people = [self._anywhere() for _ in range(count)]
        library = sorted(world.get_blueprint_library().filter("walker.pedestrian.*"), key=lambda b: b.id)
        batch = []
        for person in people:
            looks = library[self._rng.integers(len(library))]
            if looks.has_attribute("is_invincible"):
                looks.set_attribute("is_invincible", "false")
            batch.append(carla.command.SpawnActor(looks, self._standing(person)))
        answers = client.apply_batch_sync(batch, False)
        self._people = {a.actor_id: p for a, p in zip(answers, people, strict=True) if not a.error}
        self._sent: dict[int, np.ndarray] = {}

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._people)

    def step(self, truth: Truth, focus: np.ndarray | None = None) -> None:
        """Decide where everyone walks. People far from all `focus` points (k, 2) are moved near one of them."""
        step_us = PERIOD_US if self._last_us is None else truth.time_us - self._last_us
        if step_us < PERIOD_US:
            return
        self._last_us = truth.time_us
        cars = cars_of(truth)
        batch = []
        for row, actor_id in enumerate(truth.ids):
            person = self._people.get(actor_id)
            if person is None:
                continue
            position = truth.actors[row, :2]
            if focus is not None and len(focus) and np.linalg.norm(focus - position, axis=1).min() > FAR_M:
                moved = self._near(focus[self._rng.integers(len(focus))])
                if moved is not None:
                    self._people[actor_id] = moved
                    batch.append(carla.command.ApplyTransform(actor_id, self._standing(moved)))
                    continue
            velocity = walk(person, position, self._pavements, cars, step_us, self._rng)
            if np.abs(velocity - self._sent.get(actor_id, np.full(2, np.inf))).max() > SMALLEST_CHANGE_MPS:
                self._sent[actor_id] = velocity
                batch.append(carla.command.ApplyWalkerControl(actor_id, _control(velocity)))
        if batch:
            self._client.apply_batch(batch)

    def destroy(self) -> None:
        """Remove everyone."""
        self._client.apply_batch([carla.command.DestroyActor(k) for k in self._people])
        self._people = {}

    def _anywhere(self) -> Stroller:
        lengths = np.array([len(line.points) for line in self._pavements.lines], dtype=float)
        pavement = int(self._rng.choice(len(lengths), p=lengths / lengths.sum()))
        place = int(self._rng.integers(len(self._pavements.lines[pavement].points)))
        return new_stroller(self._pavements, pavement, place, self._rng)

    def _near(self, center: np.ndarray) -> Stroller | None:
        """Someone on a pavement at `AHEAD_M` from a point, None when there is no such pavement."""
        distance = np.linalg.norm(self._pavements.points - center, axis=1)
        fits = np.flatnonzero((distance > AHEAD_M[0]) & (distance < AHEAD_M[1]))
        if not len(fits):
            return None
        pavement, place = self._pavements.place_of(int(fits[self._rng.integers(len(fits))]))
        return new_stroller(self._pavements, pavement, place, self._rng)

    def _standing(self, person: Stroller) -> carla.Transform:
        line = self._pavements.lines[person.pavement]
        x, y = line.points[person.place]
        return transform(
            x, y, line.heights_m[person.place] + SPAWN_HEIGHT_M, self._rng.uniform(-np.pi, np.pi)
        )


def _control(velocity: np.ndarray) -> carla.WalkerControl:
    speed = float(np.linalg.norm(velocity))
    direction = velocity / speed if speed > 0.0 else np.array([1.0, 0.0])
    return carla.WalkerControl(carla.Vector3D(float(direction[0]), -float(direction[1]), 0.0), speed, False)
