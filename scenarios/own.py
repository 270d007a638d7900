"""Scenario types from a user's file: Python that registers them with `@scenario_type`, as the library's modules do."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path

from scenarios.types import type_names


def load_own_types(path: str) -> tuple[str, ...]:
    """Run a file once in this process; names of the types that it adds. Raises ValueError with the remedy."""
    file = Path(path).resolve()
    name = f"own_scenarios_{zlib.crc32(str(file).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name].ADDED
    if file.suffix != ".py" or not file.is_file():
        raise ValueError(
            f"scenarios={path}: no such Python file; give the path of one that defines scenario types"
        )
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(type_names())
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file may raise
        raise ValueError(
            f"scenarios={path}{_line_of(error, file)}: {type(error).__name__}: {error}"
        ) from error
    added = tuple(sorted(set(type_names()) - before))
    if not added:
        raise ValueError(
            f"scenarios={path}: registers no type; decorate a function with @scenario_type('Name', ...)"
        )
    module.__dict__["ADDED"] = added
    sys.modules[name] = module
    return added


def _line_of(error: Exception, file: Path) -> str:
    """Where in the file it went wrong."""
    trace, line = error.__traceback__, getattr(error, "lineno", None)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return "" if line is None else f":{line}"
