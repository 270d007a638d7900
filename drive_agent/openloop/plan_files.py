"""Plans of any planner from a file: sample token -> six points 0.5 s apart. Knows nothing of how they are scored.

Read are JSON ({token: 6 x 2}), npz (arrays `tokens` and `paths`, or one array a token) and the pickles that planners
publish. A pickle can run code when it is loaded; this reader builds nothing but numpy arrays and plain values.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from drive_agent.config import ConfigError
from drive_agent.score.openloop.cases import STEPS

FARTHEST_M = 10_000.0
_BUILDERS = {  # all that a pickle of arrays names, under the module paths of numpy 1 and 2
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, encoding: _latin_bytes(text, encoding),
    **{
        (f"numpy.{core}.multiarray", name): getattr(import_module("numpy.core.multiarray"), name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    },
    **{
        (f"numpy.{core}.numeric", "_frombuffer"): import_module("numpy.core.numeric")._frombuffer
        for core in ("core", "_core")
    },
}


def read_plans(path: Path) -> dict[str, np.ndarray]:
    """Token -> path (6, 2), metres. Raises ValueError, one line, for what is no file of plans."""
    if not path.exists():
        raise ConfigError(f"plans={path} is not there; expected a .json, .npz or .pkl file of planned paths")
    readers = {".json": _json, ".npz": _npz, ".pkl": read_pickle, ".pickle": read_pickle}
    if path.suffix not in readers:
        raise ConfigError(f"plans={path} ends in {path.suffix!r}, expected one of {', '.join(readers)}")
    try:
        found = readers[path.suffix](path)
    except (json.JSONDecodeError, zipfile.BadZipFile, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"plans={path} is damaged: {error}; copy it again") from error
    if not isinstance(found, Mapping):
        raise ValueError(f"plans={path} holds a {type(found).__name__}, expected token -> 6 x 2 path")
    return {str(token): _path(path, str(token), value) for token, value in found.items()}


def read_pickle(path: Path) -> Any:
    """What a pickle holds, if that is arrays and plain values. Raises ValueError for anything else, before it is built."""
    try:
        return _PlainUnpickler(io.BytesIO(path.read_bytes())).load()
    except (pickle.UnpicklingError, AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a pickle of arrays and plain values: {error}; save it as .npz"
        ) from error


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _BUILDERS:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which is refused")
        return _BUILDERS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to something outside the file: {pid!r}")


def _latin_bytes(text: str, encoding: str) -> bytes:
    """How pickles of Python 2's protocol write bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes bytes as {encoding!r}, expected latin1")
    return text.encode("latin1")


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _npz(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise zipfile.BadZipFile("it is no npz archive")
    with np.load(path, allow_pickle=False) as arrays:
        if {"tokens", "paths"} <= set(arrays.files):
            return dict(zip(arrays["tokens"].tolist(), arrays["paths"], strict=True))
        return {name: arrays[name] for name in arrays.files}


def _path(file: Path, token: str, value: Any) -> np.ndarray:
    """Six points; a leading batch axis of 1 and columns beyond x and y are dropped."""
    try:
        points = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"plans={file}: {token!r} holds no numbers, expected a 6 x 2 path") from None
    if points.ndim == 3 and len(points) == 1:
        points = points[0]
    if points.ndim != 2 or len(points) != STEPS or points.shape[1] < 2:
        raise ValueError(
            f"plans={file}: {token!r} has shape {points.shape}, expected ({STEPS}, 2): 0.5 to 3 s; "
            "leave a sample without a plan out"
        )
    if not (np.abs(points[:, :2]) <= FARTHEST_M).all():
        raise ValueError(
            f"plans={file}: {token!r} holds numbers that are no metres within 3 s, expected finite ones up to "
            f"{FARTHEST_M:g}; leave a sample without a plan out"
        )
    return points[:, :2]
