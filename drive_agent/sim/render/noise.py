"""Integer hashing and value noise for procedural materials: the same on every machine, no tables, no state."""

import numpy as np

from drive_agent.sim.render.kernel import F32, Scalar, device, floor_int

TWO, THREE = F32(2.0), F32(3.0)
TO_UNIT = F32(1.0 / 65535.0)


PER_COLUMN, PER_ROW, PER_LAYER = np.uint32(374761393), np.uint32(668265263), np.uint32(2147483647)


@device
def _scrambled(h: Scalar) -> Scalar:
    """A number in [0, 1] from 32 bits of which near ones must not give near ones."""
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    h = h ^ (h >> np.uint32(16))
    return F32(h & np.uint32(65535)) * TO_UNIT


@device
def cell_hash(x: Scalar, y: Scalar, z: Scalar) -> Scalar:
    """A number in [0, 1] that belongs to the integer cell (x, y, z); the arguments are already whole numbers."""
    h = np.uint32(np.int32(x)) * PER_COLUMN + np.uint32(np.int32(y)) * PER_ROW
    return _scrambled(h + np.uint32(np.int32(z)) * PER_LAYER)


@device
def value_noise(x: Scalar, y: Scalar) -> Scalar:
    """Smooth noise in [0, 1] with features about one unit wide."""
    column, row = floor_int(x), floor_int(y)
    fx, fy = x - F32(column), y - F32(row)
    fx = fx * fx * (THREE - TWO * fx)
    fy = fy * fy * (THREE - TWO * fy)
    # `cell_hash` of the four cells around, every product computed once
    here, beside = np.uint32(column) * PER_COLUMN, np.uint32(column + np.int32(1)) * PER_COLUMN
    this, beyond = np.uint32(row) * PER_ROW, np.uint32(row + np.int32(1)) * PER_ROW
    near = _scrambled(here + this)
    near += (_scrambled(beside + this) - near) * fx
    far = _scrambled(here + beyond)
    far += (_scrambled(beside + beyond) - far) * fx
    return near + (far - near) * fy
