"""The numba options of the renderer (`kernel` is called from Python, `device` from kernels), and tuples they share.

No `fastmath` and no `parallel`: pictures are equal bit for bit whatever the number of threads. `nogil` lets plain
threads run kernels side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core import config

F32 = np.float32
Scalar = Any  # in a kernel float32 or int32: numba infers which

_config: Any = config  # its stubs do not list the settings
_njit: Any = njit

# Kernels allocate nothing, so numba's reference counting is off: its atomic counters made shading ten times slower.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "fastmath": False,
    "error_model": "numpy",
    "_nrt": False,
}
_RAYS = ("kernel", "bvh", "trace")
_PICTURES = (
    "kernel",
    "vectors",
    "noise",
    "sky",
    "vehicle_lights",
    "materials",
    "ground",
    "raster",
    "lighting",
    "shade",
    "mirror",
    "scenery_kernels",
)


def _cache_directory(sources: tuple[str, ...]) -> str:
    """A folder for the machine code of exactly these sources.

    Numba's own check looks at the file of the outermost kernel only, so it would keep running old code after a change
    in a function that the kernel calls from another file.
    """
    here = Path(__file__).parent
    text = b"".join((here / f"{name}.py").read_bytes() for name in sources)
    base = Path(_config.CACHE_DIR) if _config.CACHE_DIR else here / "__pycache__"
    return str(base / f"render-{hashlib.sha256(text).hexdigest()[:12]}")


_CACHE_OF_RAYS, _CACHE_OF_PICTURES = _cache_directory(_RAYS), _cache_directory(_PICTURES)


def _compiled(function: Callable, **more: bool) -> Callable:
    before = _config.CACHE_DIR
    # apart, so that a change of the looks leaves the rays compiled
    is_of_rays = function.__module__.rsplit(".", 1)[-1] in ("bvh", "trace")
    _config.CACHE_DIR = _CACHE_OF_RAYS if is_of_rays else _CACHE_OF_PICTURES
    try:
        return _njit(**_OPTIONS, **more)(function)
    finally:
        _config.CACHE_DIR = before


def kernel(function: Callable) -> Callable:
    """Compile a function that Python calls."""
    return _compiled(function)


def device(function: Callable) -> Callable:
    """Compile a function that only kernels call; it is inlined."""
    return _compiled(function, forceinline=True)


@device
def floor_int(value: Scalar) -> Scalar:
    """Largest whole number not above `value`, for |value| < 2**31; much faster than the library call of math.floor."""
    whole = np.int32(value)
    if F32(whole) > value:
        whole -= np.int32(1)
    return whole


@device
def ceil_int(value: Scalar) -> Scalar:
    """Smallest whole number not below `value`, for |value| < 2**31."""
    whole = np.int32(value)
    if F32(whole) < value:
        whole += np.int32(1)
    return whole


class Triangles(NamedTuple):
    """Every triangle that can be drawn: the static world first, then one run of triangles a cached body part."""

    corners: (
        np.ndarray
    )  # float32 (n, 3 corners, xyz), metres; the part's own frame, for the static world the world
    normals: np.ndarray  # float32 (n, 3), unit, outward: triangles are seen from this side only
    colors: np.ndarray  # float32 (n, 3), linear albedo or emission
    materials: np.ndarray  # uint8 (n,), see materials.py
    tags: np.ndarray  # uint8 (n,), see labels.py
    objects: np.ndarray  # int32 (n,), 0 for surfaces, negative for static objects, see scenery.py
    params: np.ndarray  # float32 (n, 4), meaning depends on the material


class Draws(NamedTuple):
    """Runs of triangles with a bounding sphere in the world: the unit of culling."""

    first: np.ndarray  # int32 (k,)
    last: np.ndarray  # int32 (k,), exclusive
    centers: np.ndarray  # float32 (k, 3), world
    radii: np.ndarray  # float32 (k,)
    reaches: np.ndarray  # float32 (k,), metres beyond which the run is not worth drawing
    instances: np.ndarray  # int32 (k,), row of Instances


class Instances(NamedTuple):
    """Where a run of triangles stands and what its actor lends to it. Row 0 is the static world."""

    rotations: np.ndarray  # float32 (m, 3, 3), own frame to world
    translations: np.ndarray  # float32 (m, 3)
    ids: np.ndarray  # int32 (m,), actor id
    paints: np.ndarray  # float32 (m, 3), linear colour of painted triangles
    flags: np.ndarray  # int32 (m,), carla.VehicleLightState


class View(NamedTuple):
    """A camera, or a light that looks at the world, in units of samples."""

    position: np.ndarray  # float32 (3,), world
    axes: np.ndarray  # float32 (3, 3), rows forward, right, up in the world
    focal: np.float32  # samples per unit of tangent; orthographic: samples per metre
    center_x: np.float32
    center_y: np.float32
    width: int
    height: int
    near: np.float32
    far: np.float32
    orthographic: bool


class Projected(NamedTuple):
    """Triangles on the screen, ready to be filled."""

    triangle: np.ndarray  # int32 (cap,), row of Triangles
    instance: np.ndarray  # int32 (cap,), row of Instances
    xy: np.ndarray  # float32 (cap, 6), samples: x0 y0 x1 y1 x2 y2
    closeness: np.ndarray  # float32 (cap, 3), larger is nearer: 1/depth, orthographic: -depth
    eye: np.ndarray  # float32 (3,), scratch of `project`, as are the next three
    axes: np.ndarray  # float32 (3, 3)
    corners: np.ndarray  # float32 (3, 3)
    polygon: np.ndarray  # float32 (4, 3)
