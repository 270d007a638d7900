"""The decorator of everything that is compiled in this package outside the renderer.

Numba's own check of its cache looks at the file of the outermost function only, and so keeps running old code after a change
in a function or a constant that comes from another file. Here machine code lies in a folder of exactly these sources.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit

_config: Any = config  # its stubs do not list the settings
_njit: Any = njit
_FILES = (
    "physics_control", "vehicle_parameters", "vehicle_dynamics", "ground", "walkers", "props", "bodies", "collision", "signals", "tick",
    "batch_controls",
)  # fmt: skip


def _cache_directory() -> str:
    here = Path(__file__).parent
    sources = b"".join((here / f"{name}.py").read_bytes() for name in _FILES)
    base = Path(_config.CACHE_DIR) if _config.CACHE_DIR else here / "__pycache__"
    return str(base / f"physics-{hashlib.sha256(sources).hexdigest()[:12]}")


_CACHE_DIRECTORY = _cache_directory()


def compiled(function: Callable) -> Callable:
    """Compile a function of records and numbers."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = _CACHE_DIRECTORY
    try:
        return _njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        _config.CACHE_DIR = before
