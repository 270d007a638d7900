"""Child process of a test: much traffic for a long time; prints how the server's memory went as JSON."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import carla
import numpy as np

from drive_agent.drive.traffic import free_port
from drive_agent.sim.process import ServerProcess
from tests.client.conftest import TOWN, connect

_SAMPLES = 24
_TURN_TICKS = 200  # a walker takes a new direction as often


def resident_mb(process: int) -> float:
    """Memory that a process holds."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def walkers(world: carla.World, count: int, rng: np.random.Generator) -> list[carla.Actor]:
    """Walkers beside the spawn points of vehicles, each with an AI controller that is started."""
    library = world.get_blueprint_library()
    looks = list(library.filter("walker.pedestrian.*"))
    found = []
    for place in world.get_map().get_spawn_points():
        right = place.get_right_vector()
        place.location += carla.Location(4.5 * right.x, 4.5 * right.y, 1.0)
        walker = world.try_spawn_actor(looks[rng.integers(len(looks))], place)
        if walker is not None:
            found.append(walker)
            controller = world.spawn_actor(
                library.find("controller.ai.walker"), carla.Transform(), attach_to=walker
            )
            controller.start()
            controller.set_max_speed(1.4)
        if len(found) == count:
            break
    return found


def main(vehicle_count: int, walker_count: int, ticks: int) -> None:
    """Drive, walk and report."""
    rng = np.random.default_rng(3)
    port = free_port()
    with ServerProcess(TOWN) as server:
        session = connect(server)
        world = session.world
        manager = session.client.get_trafficmanager(port)
        manager.set_synchronous_mode(True)
        manager.set_random_device_seed(3)
        looks = [b for b in session.library.filter("vehicle.*") if b.get_attribute("base_type") == "car"]
        auto = carla.command.SetAutopilot(carla.command.FutureActor, True, port)
        places = world.get_map().get_spawn_points()
        batch = [
            carla.command.SpawnActor(looks[index % len(looks)], place).then(auto)
            for index, place in enumerate(places[:vehicle_count])
        ]
        answers = session.client.apply_batch_sync(batch, True)
        people = walkers(world, walker_count, rng)
        memory_mb = []
        for tick in range(ticks):
            world.tick()
            if tick % _TURN_TICKS == 0:
                for walker in people:
                    yaw = rng.uniform(-math.pi, math.pi)
                    direction = carla.Vector3D(math.cos(yaw), math.sin(yaw), 0.0)
                    walker.apply_control(carla.WalkerControl(direction, float(rng.uniform(0.5, 1.5))))
            if tick % (ticks // _SAMPLES) == 0:
                memory_mb.append(resident_mb(server.pid))
        cars = world.get_actors().filter("vehicle.*")
        report = {
            "errors": [answer.error for answer in answers if answer.has_error()],
            "vehicles": len(cars),
            "moving": sum(car.get_velocity().length() > 0.1 for car in cars),
            "walkers": len(world.get_actors().filter("walker.pedestrian.*")),
            "memory_mb": memory_mb,
            "elapsed_s": world.get_snapshot().timestamp.elapsed_seconds,
            "log": server.log_tail(10_000),
        }
        manager.set_synchronous_mode(False)
        manager.shut_down()
        print(json.dumps(report), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
