"""Where the open doors of a car stand beside it: for the server that plays them and for those who read its worlds.

Doors are numbered as in `carla.VehicleDoor`. Knows nothing of actors.
"""

from __future__ import annotations

import math

FRONT_LEFT, FRONT_RIGHT, REAR_LEFT, REAR_RIGHT = DOORS = range(4)
HALF_LENGTH_M, HALF_WIDTH_M = 0.55, 0.05
OPEN_RAD = math.radians(65.0)
_HINGE_AT = (0.40, 0.40, -0.10, -0.10)  # ahead of the box's middle, of half its length


def open_door(door: int, half_length_m: float, half_width_m: float) -> tuple[float, float, float]:
    """An open door as a box of its own: middle ahead and left of the middle of the car's box, and its turn, left positive.

    It hinges at its front edge and stands clear of the car's box.
    """
    side = 1.0 if door in (FRONT_LEFT, REAR_LEFT) else -1.0
    backward, outward = -math.cos(OPEN_RAD), math.sin(OPEN_RAD)
    ahead_m = _HINGE_AT[door] * half_length_m + backward * HALF_LENGTH_M
    beside_m = half_width_m + HALF_WIDTH_M + outward * HALF_LENGTH_M
    return ahead_m, side * beside_m, math.atan2(side * outward, backward)
