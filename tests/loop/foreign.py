"""Another client of a world, with cars of its own, which looks whether a guest touches what is not the guest's.

    python -m tests.loop.foreign PORT {free|ticking} {traffic|hero} < (closed when it shall go)

Prints one line when it is ready and, at the end, what it saw as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import carla

from drive_agent.drive.traffic import free_port

CARS, STEP_S = 5, 0.05
PACE_S = 0.03  # between ticks: faster than real time, as on a server farm


class Foreigner:
    """Five cars under a traffic manager; the last one is a hero that stands, where asked."""

    def __init__(self, port: int, *, ticks: bool, hero: bool) -> None:
        self._client = carla.Client("127.0.0.1", port)
        self._client.set_timeout(60.0)
        self._world = self._client.get_world()
        self._ticks = ticks
        self._manager = self._client.get_trafficmanager(free_port())
        self._set(synchronous=ticks, step_s=STEP_S if ticks else None)
        self._manager.set_synchronous_mode(ticks)
        library = self._world.get_blueprint_library()
        self.cars = []
        for number, place in enumerate(self._world.get_map().get_spawn_points()[:CARS]):
            looks = library.find("vehicle.tesla.model3")
            looks.set_attribute("role_name", "hero" if hero and number == CARS - 1 else f"theirs{number}")
            self.cars.append(self._world.spawn_actor(looks, place))
        self._driven = self.cars[: CARS - hero]
        for car in self._driven:
            car.set_autopilot(True, self._manager.get_port())
        self._step()
        self._known = {actor.id for actor in self._world.get_actors()} | {car.id for car in self.cars}
        self.seen: dict[str, set] = {"settings": set(), "guests": set(), "gone": set(), "pedals": set()}

    def look(self) -> None:
        """One tick, and what there is now."""
        self._step()
        settings, actors = self._world.get_settings(), self._world.get_actors()
        self.seen["settings"].add((settings.synchronous_mode, round(settings.fixed_delta_seconds or 0.0, 3)))
        self.seen["guests"] |= {actor.type_id for actor in actors if actor.id not in self._known}
        self.seen["gone"] |= self._known - {actor.id for actor in actors}
        pedals = self.cars[-1].get_control()
        self.seen["pedals"].add((pedals.throttle > 0.0, pedals.brake > 0.0))

    def report(self) -> dict:
        """What was seen, and what is left when the guest should be gone."""
        self._step()
        settings = self._world.get_settings()
        left = [actor.type_id for actor in self._world.get_actors() if actor.id not in self._known]
        found: dict = {name: sorted(values) for name, values in self.seen.items()}
        return found | {
            "left": left,
            "ends_with": [settings.synchronous_mode, round(settings.fixed_delta_seconds or 0.0, 3)],
            "hero_mps": self.cars[-1].get_velocity().length(),
        }

    def close(self) -> None:
        for car in self._driven:
            car.set_autopilot(False, self._manager.get_port())
        self._step()
        self._manager.set_synchronous_mode(False)
        self._manager.shut_down()
        self._client.apply_batch([carla.command.DestroyActor(car.id) for car in self.cars])
        self._set(synchronous=False, step_s=None)

    def _step(self) -> None:
        if self._ticks:
            self._world.tick()
        time.sleep(PACE_S)

    def _set(self, *, synchronous: bool, step_s: float | None) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = synchronous, step_s
        self._world.apply_settings(settings)


def main(port: str, time_of: str, cars: str) -> None:
    """Until stdin closes."""
    foreigner = Foreigner(int(port), ticks=time_of == "ticking", hero=cars == "hero")
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    sys.stdout.write(json.dumps({"cars": [car.id for car in foreigner.cars]}) + "\n")
    sys.stdout.flush()
    while not closed.is_set():
        foreigner.look()
    report = foreigner.report()
    foreigner.close()
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
