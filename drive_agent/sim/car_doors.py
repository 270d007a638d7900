"""Open doors of vehicles: bodies that others hit, and panels to draw. Shut doors are part of the car's own box.

CARLA's axes. A door gives way like a thing of its own weight and stands where it was after the tick: it pushes the other,
not its car.
"""

import math
from collections.abc import Iterator

import numpy as np

from drive_agent import doors
from drive_agent.sim import collision

MASS_KG = 60.0
LOWEST_SHARE, HALF_HEIGHT_SHARE = 0.2, 0.35  # of the car's height: its lower edge, and half of what is above


def bits(door: int) -> int:
    """What `open_doors` has set while it is open."""
    return 1 << door


def open_places(rows: np.ndarray) -> Iterator[tuple[int, int, float, float, float]]:
    """Of VEHICLE (n,): row and door of each open one, then its middle ahead and to the right of the box's, and its turn."""
    for index in np.flatnonzero(rows["open_doors"]).tolist():
        half_length_m, half_width_m, _ = rows["half_extents"][index].tolist()
        for door in doors.DOORS:
            if rows["open_doors"][index] & bits(door):
                ahead_m, left_m, turned_rad = doors.open_door(door, half_length_m, half_width_m)
                yield index, door, ahead_m, -left_m, -turned_rad


def door_bodies(rows: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """VEHICLE (n,) -> BODY (k,) of the open doors, and whose row each belongs to."""
    places = list(open_places(rows))
    found = np.zeros(len(places), collision.BODY)
    for body, (index, _, ahead_m, right_m, turned_rad) in zip(found, places, strict=True):
        car = rows[index]
        cos, sin = math.cos(car["yaw"]), math.sin(car["yaw"])
        ahead_m += car["box_center"][0]
        right_m += car["box_center"][1]
        height_m = 2.0 * car["half_extents"][2]
        body["x"] = car["x"] + cos * ahead_m - sin * right_m
        body["y"] = car["y"] + sin * ahead_m + cos * right_m
        body["half_height"] = HALF_HEIGHT_SHARE * height_m
        body["z"] = car["z"] + LOWEST_SHARE * height_m + body["half_height"]
        body["yaw"] = car["yaw"] + turned_rad
        body["half_length"], body["half_width"] = doors.HALF_LENGTH_M, doors.HALF_WIDTH_M
        body["velocity_x"], body["velocity_y"] = car["world_velocity"][:2]
        body["inverse_mass"] = 1.0 / MASS_KG
        body["collisions"], body["part_of"] = car["collisions"], index + 1
    return found, [index for index, *_ in places]
