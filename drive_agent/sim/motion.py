"""How sensors move, and what an inertial unit feels of it: read from the snapshot's records, so for every kind of carrier.

CARLA's axes. Angular velocities turn the axes x to y, y to z and z to x where they are positive, as in Unreal Engine.
"""

import math
from dataclasses import dataclass

import numpy as np

from drive_agent.sim.actors import Actor
from drive_agent.sim.poses import rotation_matrix
from drive_agent.sim.wire import Pose
from drive_agent.sim.world import World


def turn_of_carrier(world: World, sensor: Actor) -> np.ndarray:
    """Angular velocity of what the sensor is attached to, rad/s, world axes (3,); 0 for one that is free."""
    parent = world.actors.find(sensor.parent_id)
    if parent is None:
        return np.zeros(3)
    return np.radians(world.actors.records["angular_velocity"][parent.row].astype(np.float64))


def velocity_of_sensor(world: World, sensor: Actor) -> np.ndarray:
    """World velocity, m/s (3,): that of the carrier plus what turning adds at the sensor's arm; 0 for one that is free."""
    parent = world.actors.find(sensor.parent_id)
    if parent is None:
        return np.zeros(3)
    arm = np.subtract(sensor.pose[:3], world.pose_of(parent)[:3])
    velocity = world.actors.records["velocity"][parent.row].astype(np.float64)
    return velocity + np.cross(turn_of_carrier(world, sensor), arm)


@dataclass
class Accelerometer:
    """Acceleration of a sensor from its velocity in neighbouring ticks."""

    _frame: int = -1
    _velocity: np.ndarray | None = None
    acceleration: np.ndarray | None = None  # m/s^2, world axes (3,); None before the first `follow`

    def follow(self, world: World, sensor: Actor) -> None:
        """To be called after every tick; where the tick before is not known the carrier's acceleration has to do."""
        velocity, parent = velocity_of_sensor(world, sensor), world.actors.find(sensor.parent_id)
        if self._velocity is not None and self._frame == world.frame - 1:
            self.acceleration = (velocity - self._velocity) / world.delta_s
        elif parent is not None:
            self.acceleration = world.actors.records["acceleration"][parent.row].astype(np.float64)
        else:
            self.acceleration = np.zeros(3)
        self._frame, self._velocity = world.frame, velocity


def specific_force(acceleration: np.ndarray, pose: Pose, gravity_mps2: float) -> np.ndarray:
    """What an accelerometer at `pose` reads, m/s^2, its own axes (3,): gravity shows as an acceleration upward."""
    return (acceleration + (0.0, 0.0, gravity_mps2)) @ np.array(rotation_matrix(*pose[3:]))


def compass(pose: Pose) -> float:
    """Heading in [0, 2 pi): 0 is north (-y), pi / 2 east (+x)."""
    forward = np.array(rotation_matrix(*pose[3:]))[:, 0]
    return float(math.atan2(forward[1], forward[0]) + math.pi / 2) % (2 * math.pi)
