"""Rigid poses in CARLA's left-handed axes and degrees: compose them, turn vectors with them. Plain floats, for speed."""

import math

from drive_agent.sim.wire import Pose

IDENTITY = Pose(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

Vector = tuple[float, float, float]
Rotation = tuple[Vector, Vector, Vector]  # rows of the matrix


def rotation_matrix(pitch_deg: float, yaw_deg: float, roll_deg: float) -> Rotation:
    """Rows of the 3 x 3 matrix whose columns are the forward, right and up axes, as `carla.Transform.get_matrix` has it."""
    pitch, yaw, roll = math.radians(pitch_deg), math.radians(yaw_deg), math.radians(roll_deg)
    cp, sp, cy, sy, cr, sr = (
        math.cos(pitch), math.sin(pitch), math.cos(yaw), math.sin(yaw), math.cos(roll), math.sin(roll),
    )  # fmt: skip
    return (
        (cp * cy, cy * sp * sr - sy * cr, -cy * sp * cr - sy * sr),
        (cp * sy, sy * sp * sr + cy * cr, -sy * sp * cr + cy * sr),
        (sp, -cp * sr, cp * cr),
    )


def rotate(rotation: Rotation, vector: Vector) -> Vector:
    """From the rotated frame to the outer one."""
    x, y, z = vector
    a, b, c = rotation
    return (a[0] * x + a[1] * y + a[2] * z, b[0] * x + b[1] * y + b[2] * z, c[0] * x + c[1] * y + c[2] * z)


def unrotate(rotation: Rotation, vector: Vector) -> Vector:
    """From the outer frame to the rotated one."""
    x, y, z = vector
    a, b, c = rotation
    return (a[0] * x + b[0] * y + c[0] * z, a[1] * x + b[1] * y + c[1] * z, a[2] * x + b[2] * y + c[2] * z)


def compose(parent: Pose, child: Pose) -> Pose:
    """World pose of something fixed at `child` in the frame of `parent`."""
    outer = rotation_matrix(parent.pitch, parent.yaw, parent.roll)
    inner = rotation_matrix(child.pitch, child.yaw, child.roll)
    x, y, z = rotate(outer, (child.x, child.y, child.z))
    forward = rotate(outer, (inner[0][0], inner[1][0], inner[2][0]))
    right_z = outer[2][0] * inner[0][1] + outer[2][1] * inner[1][1] + outer[2][2] * inner[2][1]
    up_z = outer[2][0] * inner[0][2] + outer[2][1] * inner[1][2] + outer[2][2] * inner[2][2]
    pitch = math.degrees(math.asin(min(1.0, max(-1.0, forward[2]))))
    yaw = math.degrees(math.atan2(forward[1], forward[0]))
    roll = math.degrees(math.atan2(-right_z, up_z))
    return Pose(parent.x + x, parent.y + y, parent.z + z, pitch, yaw, roll)
