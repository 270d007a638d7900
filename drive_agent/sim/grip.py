"""Areas of other grip: CARLA's `static.trigger.friction`, a box in which all tyres have its friction.

CARLA tells wheels when they enter and when they leave; here the boxes are asked in each tick. `extent_*` are half sizes in
centimetres, as Unreal's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.vehicle_parameters import GRIP_PER_TYRE_FRICTION

AREA_TYPE = "static.trigger.friction"
_FIELDS = ["friction", "front_friction", "rear_friction"]
_CM = 0.01


@contextmanager
def grip_of(areas: list[Actor], vehicles: np.ndarray) -> Iterator[None]:
    """Inside, VEHICLE (n,) in an area have its friction; of two areas the later one counts."""
    if not areas or not len(vehicles):
        yield
        return
    own = vehicles[_FIELDS].copy()
    for area in areas:
        inside = _inside(area, vehicles)
        for name in _FIELDS:
            vehicles[name][inside] = float(area.attributes["friction"]) * GRIP_PER_TYRE_FRICTION
    yield
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
