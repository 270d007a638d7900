"""Let the client's own code try an OpenDRIVE text from standard input: run as a child, because a bad map kills it.

It does what clients do with a map: parse it, walk every lane, list signals and crosswalks, and prepare a traffic manager.
Standard output names the part that was begun last. Exit status 0: all survived, and every position is a number.
"""

import math
import os
import sys
from collections.abc import Callable

import carla

from drive_agent.sim import opendrive

STEP_M = 5.0


def main() -> None:
    """Run every part; the first that fails ends the process with its reason on standard error."""
    text = sys.stdin.read()
    _begin("parsing")
    carla_map = carla.Map("check", text)
    for name, part in PARTS.items():
        _begin(name)
        part(carla_map, text)


def _begin(part: str) -> None:
    sys.stdout.write(f"{part}\n")
    sys.stdout.flush()


def walk_lanes(carla_map: carla.Map, text: str) -> None:
    """Every lane at its ends and in its middle."""
    for lane in opendrive.parse(text).lanes:
        for share in (0.0, 0.5, 1.0):
            s = lane.start_s + 1e-3 + share * (lane.end_s - lane.start_s - 2e-3)
            waypoint = carla_map.get_waypoint_xodr(lane.road_id, lane.lane_id, s)
            if waypoint is not None and not _is_finite(waypoint.transform):
                sys.exit(f"road {lane.road_id}, lane {lane.lane_id} has no position at s={s:.3f}")


def follow_lanes(carla_map: carla.Map, text: str) -> None:
    """Ways ahead, behind and beside, as planners look at them."""
    carla_map.get_topology()
    for waypoint in carla_map.generate_waypoints(STEP_M):
        waypoint.next(STEP_M)
        waypoint.previous(STEP_M)
        waypoint.get_left_lane()
        waypoint.get_right_lane()
        if waypoint.is_junction:
            waypoint.get_junction().get_waypoints(carla.LaneType.Driving)


def list_signals(carla_map: carla.Map, text: str) -> None:
    """Signals with their groups, and crosswalks."""
    for landmark in carla_map.get_all_landmarks():
        carla_map.get_landmark_group(landmark)
    carla_map.get_crosswalks()


def prepare_traffic_manager(carla_map: carla.Map, text: str) -> None:
    """The traffic manager's own map, which it makes inside of the client."""
    carla_map.cook_in_memory_map(os.devnull)


PARTS: dict[str, Callable[[carla.Map, str], None]] = {
    "walking every lane": walk_lanes,
    "following the lanes": follow_lanes,
    "listing the signals": list_signals,
    "preparing a traffic manager": prepare_traffic_manager,
}


def _is_finite(pose: carla.Transform) -> bool:
    place, turn = pose.location, pose.rotation
    return all(math.isfinite(v) for v in (place.x, place.y, place.z, turn.pitch, turn.yaw))


if __name__ == "__main__":
    main()
