"""Child process of a test: people walk on their own with the genuine client, which a wrong mesh would kill. Prints JSON."""

from __future__ import annotations

import json
import sys
from itertools import pairwise

import carla

from drive_agent.sim.process import ServerProcess
from tests.client.conftest import DELTA_S, TOWN, Session, connect

_ALONG_M = (20.0, 50.0)  # from start to goal of those who stay on their pavement
_BEYOND_M = 1.5  # the kerb, where the one who crosses starts and goes to
_PACES_MPS = (1.4, 1.8, 2.4)
_MOST_TICKS = 2400


def _along(town: carla.Map, places: list[carla.Location], start: carla.Location) -> carla.Location:
    """A place on the same pavement."""
    lane = town.get_waypoint(start, lane_type=carla.LaneType.Sidewalk)
    for place in places:
        other = town.get_waypoint(place, lane_type=carla.LaneType.Sidewalk)
        same = (other.road_id, other.lane_id) == (lane.road_id, lane.lane_id)
        if same and _ALONG_M[0] < place.distance(start) < _ALONG_M[1]:
            return place
    raise AssertionError(f"no other place on the pavement of {start}")


def _across(town: carla.Map) -> tuple[carla.Location, carla.Location]:
    """Places at both ends of the first crosswalk."""
    ring = town.get_crosswalks()[:4]
    middles = [(one + other) * 0.5 for one, other in pairwise([*ring, ring[0]])]
    a, b = max((middles[0], middles[2]), (middles[1], middles[3]), key=lambda pair: pair[0].distance(pair[1]))
    out = (b - a).make_unit_vector() * _BEYOND_M
    return carla.Location(a - out), carla.Location(b + out)


def _start(session: Session, at: carla.Location, goal: carla.Location, pace_mps: float) -> carla.Actor:
    walker = session.spawn("walker.pedestrian.0001", carla.Transform(at + carla.Location(z=1.0)))
    session.tick()
    controller = session.spawn("controller.ai.walker", carla.Transform(), walker)
    session.tick()
    controller.start()
    controller.go_to_location(goal)
    controller.set_max_speed(pace_mps)
    return walker


def main() -> None:
    """Two people go along their pavements, one over a crosswalk; how they got there."""
    with ServerProcess(TOWN, rendering=False) as server:
        session = connect(server)
        world, town = session.world, session.world.get_map()
        world.set_pedestrians_seed(5)
        places = [world.get_random_location_from_navigation() for _ in range(400)]
        pavements = [town.get_waypoint(p, lane_type=carla.LaneType.Sidewalk) for p in places]
        off_m = [w.transform.location.distance(p) for w, p in zip(pavements, places, strict=True)]
        ways = [(start, _along(town, places, start)) for start in places[:2]] + [_across(town)]
        people = [_start(session, *way, pace) for way, pace in zip(ways, _PACES_MPS, strict=True)]
        goals = [goal for _, goal in ways]
        nearest, fastest, feet = [1e9] * 3, [0.0] * 3, [0.0] * 3
        for _ in range(_MOST_TICKS):
            before = [walker.get_location() for walker in people]
            session.tick()
            for index, walker in enumerate(people):
                here = walker.get_location()
                nearest[index] = min(nearest[index], here.distance_2d(goals[index]))
                fastest[index] = max(fastest[index], here.distance_2d(before[index]) / DELTA_S)
                feet[index] = max(feet[index], abs(here.z - walker.bounding_box.extent.z))
            if max(nearest) < 1.0:
                break
        for controller in world.get_actors().filter("controller.ai.walker"):
            controller.stop()
        session.tick(2)
        stopped = [walker.get_location() for walker in people]
        session.tick(40)
        after = [w.get_location().distance_2d(p) for w, p in zip(people, stopped, strict=True)]
        report = {"off_pavement_m": max(off_m), "pace_mps": _PACES_MPS, "nearest_m": nearest}
        report |= {"fastest_mps": fastest, "feet_above_ground_m": feet, "after_stop_m": after}
        sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
