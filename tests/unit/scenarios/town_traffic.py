"""Child process of a test: the client's traffic drives through a town in a fresh server; prints what happened as JSON.

A process of its own, because a traffic manager that is shut down roughly can end the process it lives in.
"""

from __future__ import annotations

import json
import sys

import carla
import numpy as np

from drive_agent.drive.traffic import CARS, Traffic
from drive_agent.sim.process import ServerProcess

TICK_S = 0.05
EVERY = 10  # ticks between two looks


def main(town: str, cars: int, seconds: float) -> None:
    """Report: per look, metres of every car from its driving lane's edge (positive outside), and speeds in m/s."""
    with ServerProcess(town, seed=0, rendering=False) as server:
        client = carla.Client(server.host, server.port)
        client.set_timeout(60.0)
        world = client.get_world()
        settings = world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, TICK_S
        world.apply_settings(settings)
        streets = world.get_map()
        places = streets.get_spawn_points()
        rng = np.random.default_rng(0)
        chosen = [places[k] for k in rng.permutation(len(places))[:cars]]
        traffic = Traffic(client, world, chosen, (10.0, 40.0), seed=0, base_types=CARS)
        speeds, outside, places_m = [], [], []
        for tick in range(round(seconds / TICK_S)):
            traffic.tick()
            if tick % EVERY:
                continue
            found = [(k, world.get_snapshot().find(k)) for k in traffic.ids]
            alive = [actor for _, actor in found if actor is not None]
            speeds.append([actor.get_velocity().length() for actor in alive])
            locations = [actor.get_transform().location for actor in alive]
            places_m.append([(p.x, -p.y) for p in locations])
            outside.append([_outside(streets, place) for place in locations])
        traffic.close()
        world.tick()
        server.stop()
    report = {"cars": len(traffic.ids), "speeds": speeds, "outside": outside, "places": places_m}
    print(json.dumps(report), flush=True)  # noqa: T201


def _outside(streets: carla.Map, place: carla.Location) -> float:
    lane = streets.get_waypoint(place, lane_type=carla.LaneType.Driving)
    return lane.transform.location.distance(place) - lane.lane_width / 2


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
