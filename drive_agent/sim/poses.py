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


def multiply(outer: Rotation, inner: Rotation) -> Rotation:
    """The rotation `inner` seen from outside `outer`."""
    columns = [rotate(outer, (inner[0][i], inner[1][i], inner[2][i])) for i in range(3)]
    first, second, third = columns
    return ((first[0], second[0], third[0]), (first[1], second[1], third[1]), (first[2], second[2], third[2]))


def rotation_angles(rotation: Rotation) -> Vector:
    """Pitch, yaw, roll in degrees; the inverse of `rotation_matrix`."""
    pitch = math.asin(min(1.0, max(-1.0, rotation[2][0])))
    yaw = math.atan2(rotation[1][0], rotation[0][0])
    roll = math.atan2(-rotation[2][1], rotation[2][2])
    return math.degrees(pitch), math.degrees(yaw), math.degrees(roll)


def compose(parent: Pose, child: Pose) -> Pose:
    """World pose of something fixed at `child` in the frame of `parent`."""
    outer = rotation_matrix(parent.pitch, parent.yaw, parent.roll)
    inner = rotation_matrix(child.pitch, child.yaw, child.roll)
    x, y, z = rotate(outer, (child.x, child.y, child.z))
    return Pose(parent.x + x, parent.y + y, parent.z + z, *rotation_angles(multiply(outer, inner)))


def ahead_and_right(pose: Pose, ahead_m: float, right_m: float) -> Pose:
    """The pose moved along its own axes."""
    x, y, z = rotate(rotation_matrix(*pose[3:]), (ahead_m, right_m, 0.0))
    return Pose(pose.x + x, pose.y + y, pose.z + z, *pose[3:])


def relative(parent: Pose, world: Pose) -> Pose:
    """Pose in the frame of `parent` of something at `world`; `compose` undoes it."""
    outer = rotation_matrix(parent.pitch, parent.yaw, parent.roll)
    a, b, c = outer
    inverse = ((a[0], b[0], c[0]), (a[1], b[1], c[1]), (a[2], b[2], c[2]))
    turned = multiply(inverse, rotation_matrix(world.pitch, world.yaw, world.roll))
    offset = unrotate(outer, (world.x - parent.x, world.y - parent.y, world.z - parent.z))
    return Pose(*offset, *rotation_angles(turned))
