"""Areas of other grip: CARLA's `static.trigger.friction`, a box in which all tyres have its friction.

CARLA tells wheels when they enter and when they leave; here the boxes are asked in each tick. `extent_*` are half sizes in
centimetres, as Unreal's.
"""

from __future__ import annotations

import math

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.vehicle_parameters import GRIP_PER_TYRE_FRICTION

AREA_TYPE = "static.trigger.friction"
_FIELDS = ["friction", "front_friction", "rear_friction"]
_CM = 0.01


def lend_grip(areas: list[Actor], vehicles: np.ndarray) -> np.ndarray | None:
    """VEHICLE (n,) in an area get its friction, of two areas the later one's; their own, for `take_grip_back`."""
    if not areas:
        return None
    own = vehicles[_FIELDS].copy()
    for area in areas:
        inside = _inside(area, vehicles)
        for name in _FIELDS:
            vehicles[name][inside] = float(area.attributes["friction"]) * GRIP_PER_TYRE_FRICTION
    return own


def take_grip_back(own: np.ndarray | None, vehicles: np.ndarray) -> None:
    """After `lend_grip` and the motion."""
    if own is not None:
        for name in _FIELDS:
            vehicles[name] = own[name]


def _inside(area: Actor, vehicles: np.ndarray) -> np.ndarray:
    """(n,) bool; the box turns with its actor's yaw."""
    yaw = math.radians(area.pose.yaw)
    dx, dy = vehicles["x"] - area.pose.x, vehicles["y"] - area.pose.y
    along = dx * math.cos(yaw) + dy * math.sin(yaw)
    across = dy * math.cos(yaw) - dx * math.sin(yaw)
    distances = (along, across, vehicles["z"] - area.pose.z)
    extents = [float(area.attributes[f"extent_{axis}"]) * _CM for axis in "xyz"]
    return np.logical_and.reduce(
        [np.abs(distance) <= extent for distance, extent in zip(distances, extents, strict=True)]
    )
