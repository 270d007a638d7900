"""Dataclasses to plain JSON values and back, without loss, driven by the dataclasses' own type hints.

Plain means: dict, list, str, int, float, bool, None, and numpy arrays that orjson writes itself. Knows nothing of
topics or files. Rules where JSON is poorer than Python:

* a float64 array is a nested list when it is not empty; any other array is {"dtype", "shape", "data"};
* non-finite numbers are the strings "nan", "inf", "-inf";
* enums are their integers, bytes are base64, keys of dicts are strings.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import types
import typing
from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
import orjson

Decoder = Callable[[Any], Any]


def dumps(plain: Any) -> bytes:
    """JSON bytes of plain values; floats are written shortest-exact."""
    return orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)


def loads(data: bytes | memoryview) -> Any:
    """Plain values of JSON bytes."""
    return orjson.loads(data)


def to_plain(value: Any) -> Any:
    """Plain form of a value; raises TypeError for what no log should hold (sets, functions, ...)."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, np.ndarray):
        return _array_to_plain(value)
    if dataclasses.is_dataclass(value):
        return {name: to_plain(getattr(value, name)) for name in _field_names(type(value))}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {_key_to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(
        f"a log cannot hold {type(value).__name__} {value!r:.80}: expected numbers, text, arrays, dataclasses"
    )


def from_plain(kind: Any, plain: Any) -> Any:
    """The value of type `kind` (a dataclass or a type hint) that `to_plain` turned into `plain`."""
    return _decoder(kind)(plain)


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _key_to_plain(key: Any) -> str:
    return str(int(key)) if isinstance(key, (int, np.integer)) else str(key)


def _array_to_plain(array: np.ndarray) -> Any:
    finite = array.dtype.kind in "biu" or bool(np.isfinite(array).all())
    if array.dtype == np.float64 and array.size and array.ndim:
        return np.ascontiguousarray(array) if finite else _with_words(array.tolist())
    flat = np.ascontiguousarray(array.ravel())
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": flat if finite else _with_words(flat.tolist()),
    }


def _with_words(numbers: list) -> list:
    return [_with_words(item) if isinstance(item, list) else to_plain(item) for item in numbers]


def _array_from_plain(plain: Any) -> np.ndarray:
    if isinstance(plain, dict):
        return np.array(plain["data"], dtype=plain["dtype"]).reshape(plain["shape"])
    return np.array(plain, dtype=np.float64)


@cache
def _decoder(kind: Any) -> Decoder:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional_decoder(arguments)
    if origin is tuple:
        item = _decoder(arguments[0]) if arguments else _same
        return tuple if item is _same else lambda plain: tuple([item(part) for part in plain])
    if origin is list:
        item = _decoder(arguments[0])
        return lambda plain: [item(part) for part in plain]
    if origin is Counter:
        return Counter
    if origin is dict:
        key, item = _key_decoder(arguments[0]), _decoder(arguments[1])
        return lambda plain: {key(name): item(part) for name, part in plain.items()}
    if kind is np.ndarray:
        return _array_from_plain
    if kind is bytes:
        return base64.b64decode
    if kind is float or (isinstance(kind, type) and issubclass(kind, IntEnum)):
        return kind
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    return _same


def _key_decoder(kind: Any) -> Decoder:
    return (lambda name: kind(int(name))) if isinstance(kind, type) and issubclass(kind, int) else _same


def _same(plain: Any) -> Any:
    return plain


def _optional_decoder(arguments: tuple) -> Decoder:
    [inner] = [argument for argument in arguments if argument is not types.NoneType]
    decode = _decoder(inner)
    return lambda plain: None if plain is None else decode(plain)


def _dataclass_decoder(kind: type) -> Decoder:
    hints = typing.get_type_hints(kind)
    decoders = [(name, _decoder(hints[name])) for name in _field_names(kind)]
    optional = {field.name for field in dataclasses.fields(kind) if _has_default(field)}

    def decode(plain: dict) -> Any:
        missing = [name for name, _ in decoders if name not in plain and name not in optional]
        if missing:
            raise ValueError(
                f"a {kind.__name__} lacks {', '.join(missing)}: the log was written by another version"
            )
        return kind(**{name: part(plain[name]) for name, part in decoders if name in plain})

    return decode


def _has_default(field: dataclasses.Field) -> bool:
    """A field that came later than the first logs has one."""
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
