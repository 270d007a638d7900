"""What this machine can do: one line a part, each with the remedy where something is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CARLA_PORT = 2000


@dataclass(frozen=True)
class Finding:
    """`state` is "ok", "missing" (the main job will not run) or "absent" (an option that is not there)."""

    state: str
    part: str
    detail: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """All findings, most important first."""
    yield _python()
    yield _platform()
    for package, why in (
        ("carla", "the CARLA client"),
        ("torch", "runs the model"),
        ("transformers", "the model's classes"),
        ("numba", "the embedded server"),
        ("mcap", "logs"),
        ("av", "videos"),
    ):
        yield _package(package, why, needed=True)
    yield _weights()
    yield _kernels()
    yield _cores()
    yield _gpu()
    yield _package("bitsandbytes", "quantized models (pip install 'drive-agent[quant]')", needed=False)
    yield _package(
        "nuscenes",
        "nuScenes data (pip install 'drive-agent[nuscenes]')",
        needed=False,
        name="nuscenes-devkit",
    )
    yield _carla_server()
    yield _folder("CARLA's own maps", "CARLA_XODR_DIR", "*.xodr", "docs/maps.md")
    yield _folder("Leaderboard", "LEADERBOARD_ROOT", "leaderboard", "docs/leaderboard.md")


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] == (3, 11):
        return Finding("ok", "python", version)
    if (3, 10) <= sys.version_info[:2] <= (3, 12):
        return Finding("ok", "python", f"{version}: should work, tests run on 3.11 only")
    return Finding("missing", "python", version, "use Python 3.11")


def _platform() -> Finding:
    name = f"{platform.system()} {platform.machine()}"
    if name == "Linux x86_64":
        return Finding("ok", "platform", name)
    return Finding(
        "absent", "platform", name, "untested; the carla wheel exists for Linux and Windows on x86-64"
    )


def _package(module: str, why: str, *, needed: bool, name: str = "") -> Finding:
    if importlib.util.find_spec(module) is not None:
        return Finding("ok", name or module, importlib.metadata.version(name or module))
    return Finding("missing" if needed else "absent", name or module, why, f"pip install {name or module}")


def _weights() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("missing", "embedded weights", "cannot be read without torch", "pip install torch")
    from drive_agent.models.embedded import weights

    try:
        weights.check(weights.FOLDER)
    except weights.WeightsError as error:
        return Finding("missing", "embedded weights", str(error), "git checkout drive_agent/models/embedded")
    size = sum((weights.FOLDER / name).stat().st_size for name in weights.FILES)
    return Finding("ok", "embedded weights", f"{size / 1e6:.1f} MB")


def _kernels() -> Finding:
    cache = os.environ.get("NUMBA_CACHE_DIR") or os.path.dirname(__file__)
    if os.access(cache, os.W_OK):
        return Finding("ok", "compiled kernels", "cache is writable")
    return Finding(
        "absent", "compiled kernels", f"{cache} is not writable: the server compiles for 30 s at each start",
        "set NUMBA_CACHE_DIR to a writable folder",
    )  # fmt: skip


def _cores() -> Finding:
    free_gb = shutil.disk_usage(".").free / 1e9
    return Finding("ok", "machine", f"{os.cpu_count()} cores, {free_gb:.0f} GB free here")


def _gpu() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("absent", "GPU", "cannot be asked without torch", "pip install torch")
    import torch

    if torch.cuda.is_available():
        return Finding("ok", "GPU", torch.cuda.get_device_name(0))
    return Finding(
        "absent", "GPU", "none; the embedded model needs none", "MiMo-Embodied-7B needs one with 8 GB or more"
    )


def _carla_server() -> Finding:
    """Whether anybody listens where CARLA does by default; who it is, only a client could tell."""
    where = f"127.0.0.1:{CARLA_PORT}"
    try:
        socket.create_connection(("127.0.0.1", CARLA_PORT), timeout=1.0).close()
    except OSError:
        detail = f"none at {where}; drives start one"
        return Finding(
            "absent", "CARLA server", detail, f"carla=remote needs one: drive-agent sim port={CARLA_PORT}"
        )
    return Finding("ok", "CARLA server", f"somebody listens at {where}")


def _folder(part: str, variable: str, pattern: str, guide: str) -> Finding:
    """A folder that an environment variable names, and what has to be in it."""
    named = os.environ.get(variable)
    if not named:
        return Finding("absent", part, f"{variable} is not set", f"see {guide}")
    count = sum(1 for _ in Path(named).glob(pattern))
    if count == 0:
        return Finding("absent", part, f"{variable}={named} holds no {pattern}", f"see {guide}")
    return Finding("ok", part, f"{variable}={named}")
