"""Integer hashing and value noise for procedural materials: the same on every machine, no tables, no state."""

import numpy as np

from drive_agent.sim.render.kernel import F32, Scalar, device, floor_int

ONE, TWO, THREE = F32(1.0), F32(2.0), F32(3.0)
TO_UNIT = F32(1.0 / 65535.0)


@device
def cell_hash(x: Scalar, y: Scalar, z: Scalar) -> Scalar:
    """A number in [0, 1] that belongs to the integer cell (x, y, z); the arguments are already whole numbers."""
    h = np.uint32(np.int32(x)) * np.uint32(374761393) + np.uint32(np.int32(y)) * np.uint32(668265263)
    h = h + np.uint32(np.int32(z)) * np.uint32(2147483647)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    h = h ^ (h >> np.uint32(16))
    return F32(h & np.uint32(65535)) * TO_UNIT


@device
def value_noise(x: Scalar, y: Scalar) -> Scalar:
    """Smooth noise in [0, 1] with features about one unit wide."""
    column, row = F32(floor_int(x)), F32(floor_int(y))
    fx, fy = x - column, y - row
    fx = fx * fx * (THREE - TWO * fx)
    fy = fy * fy * (THREE - TWO * fy)
    near = cell_hash(column, row, 0)
    near += (cell_hash(column + ONE, row, 0) - near) * fx
    far = cell_hash(column, row + ONE, 0)
    far += (cell_hash(column + ONE, row + ONE, 0) - far) * fx
    return near + (far - near) * fy
