"""Parse an OpenDRIVE text from standard input with the client's own parser: run as a child, because a bad map kills it."""

import sys

import carla


def main() -> None:
    """Exit status 0: parsed, and a walk over the whole map survived."""
    carla_map = carla.Map("check", sys.stdin.read())
    for waypoint in carla_map.generate_waypoints(5.0):
        waypoint.next(5.0)
    for landmark in carla_map.get_all_landmarks():
        carla_map.get_landmark_group(landmark)
    carla_map.get_crosswalks()


if __name__ == "__main__":
    main()
