"""Towns: from a name or a file to everything the world reads of it: map, ground, spawn points, places of the signals.

A map from outside is tried in a child process first: the client's parser, which this server uses too, dies on some.
"""

import difflib
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import carla

from drive_agent.sim import navigation_file, opendrive, opendrive_faults
from drive_agent.sim.ground import GroundGrid, build_ground
from drive_agent.sim.navigation import build_walk_mesh
from drive_agent.sim.render.streets import DEFAULT_STREETS, StreetSettings
from drive_agent.sim.signal_sites import SignalSite, place_signals
from drive_agent.sim.spawn_points import spawn_points
from drive_agent.sim.speed_limits import lane_limits
from drive_agent.sim.wire import Pose
from scenarios import towns

SUFFIX = ".xodr"
MAPS_VARIABLE = "CARLA_XODR_DIR"  # names the folder of maps where nobody says which
LAYERED_SUFFIX = "_Opt"  # CARLA's name for the same roads with buildings that can be hidden
_CHECK_TIMEOUT_S = 120.0


class TownError(Exception):
    """A town that cannot be loaded; the text is one line."""


@dataclass(frozen=True)
class NavigationFile:
    """A town's walkable mesh. Clients keep files by name for ever, so the name says what is in it."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Town:
    """A loaded town; the arrays in it are never written to."""

    name: str
    opendrive_text: str
    carla_map: carla.Map
    ground: GroundGrid
    spawn_points: tuple[Pose, ...]
    sites: tuple[SignalSite, ...]
    controllers: tuple[opendrive.Controller, ...]
    streets: StreetSettings = DEFAULT_STREETS

    @cached_property
    def navigation(self) -> NavigationFile | None:
        """Where pedestrians walk on their own, None where the map has no pavement. Made when first asked for."""
        mesh = build_walk_mesh(self.carla_map, self.opendrive_text)
        if mesh is None:
            return None
        content = navigation_file.encode(mesh.corners, mesh.quads, mesh.areas)
        return NavigationFile(f"Nav/{hashlib.sha256(content).hexdigest()[:32]}.bin", content)


@dataclass(frozen=True)
class GeneratedMap:
    """A map that a client gave as text, and how it wants it to become streets."""

    opendrive_text: str
    streets: StreetSettings


@dataclass(frozen=True)
class MapLibrary:
    """The maps that have names: the shipped towns, the .xodr files of a folder, for instance CARLA's own, and single files."""

    folder: Path | None = None
    files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.folder is not None and not self.folder.is_dir():
            raise TownError(f"maps={self.folder}: no such folder: expected one that holds {SUFFIX} files")

    def names(self) -> list[str]:
        """Shipped towns first."""
        return towns.names() + [name for name in sorted(self._own()) if name not in towns.names()]

    def _own(self) -> dict[str, Path]:
        in_folder = self.folder.glob(f"*{SUFFIX}") if self.folder else ()
        return {path.stem: path for path in (*in_folder, *self.files)}

    def read(self, name_or_path: str) -> tuple[str, str]:
        """Name and OpenDRIVE text of a file, or of a town by its name, with or without CARLA's folders and `_Opt`."""
        if name_or_path.endswith(SUFFIX):
            return Path(name_or_path).stem, _read_file(Path(name_or_path))
        name = name_or_path.rpartition("/")[2]
        if name.startswith(towns.RANDOM_PREFIX):
            return name.replace(":", "").capitalize(), _load_shipped(name)
        known = name if name in self.names() else name.removesuffix(LAYERED_SUFFIX)
        if known in towns.names():
            return name, _load_shipped(known)
        if known in self._own():
            return name, _read_file(self._own()[known])
        raise TownError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names(), n=2, cutoff=0.4) or self.names()
        where = f"in maps={self.folder}" if self.folder else "no folder of maps was given: maps=DIR"
        return (
            f"unknown town {name!r}: did you mean {' or '.join(near)}? "
            f"({towns.RANDOM_PREFIX}SEED makes one, PATH{SUFFIX} reads one; {where})"
        )


def _load_shipped(name: str) -> str:
    try:
        return towns.load(name)
    except ValueError as error:
        raise TownError(str(error)) from error


def _read_file(path: Path) -> str:
    """The text in the encoding that its first line declares, UTF-8 where it declares none."""
    try:
        data = path.read_bytes()
        declared = re.match(rb"""[^<]*<\?xml[^>]*encoding=["']([\w.-]+)["']""", data)
        return data.decode(declared[1].decode() if declared else "utf-8").removeprefix("\ufeff")
    except FileNotFoundError as error:
        raise TownError(f"no such file: {path}: expected an OpenDRIVE file or a town's name") from error
    except OSError as error:
        raise TownError(f"{path} cannot be read: {error.strerror}; give a file you may read") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise TownError(f"{path} is not in the encoding it declares ({error}); save it as UTF-8") from error


def check_opendrive(name: str, text: str) -> opendrive.OpenDrive:
    """The parsed text, where the client survives it in a child process; TownError says why a map is refused."""
    if len(text) > opendrive_faults.MOST_CHARACTERS:
        most = opendrive_faults.MOST_CHARACTERS / 1e6
        raise _refused(name, f"it has {len(text) / 1e6:.0f} MB: expected at most {most:.0f} MB; cut the map")
    try:
        root = opendrive.read_tree(text)
        _raise_first(name, opendrive_faults.faults(root))
        parsed = opendrive.read(root)
    except ValueError as error:
        raise _refused(name, str(error)) from error
    _raise_first(name, opendrive_faults.faults_of_lanes(parsed))
    failure = _try_in_child(text)
    if failure:
        raise _refused(name, next(opendrive_faults.suspects(root), failure))
    return parsed


def _refused(name: str, reason: str) -> TownError:
    return TownError(f"map {name!r} is refused: {reason}")


def _raise_first(name: str, faults: Iterator[str]) -> None:
    for fault in faults:
        raise _refused(name, fault)


def _try_in_child(text: str) -> str:
    """Why the client cannot use a map, "" if it can."""
    try:
        child = subprocess.run(
            [sys.executable, "-m", "drive_agent.sim.check_map"],
            input=text.encode("utf-8", "replace"), capture_output=True, timeout=_CHECK_TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"the client does not get through it within {_CHECK_TIMEOUT_S:.0f} s; cut the map"
    if child.returncode == 0:
        return ""
    part = child.stdout.decode().split("\n")[-2:][0] or "starting"
    if child.returncode < 0:
        return f"the client dies of signal {-child.returncode} while {part}; check the file with an OpenDRIVE validator"
    said = child.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    return f"the client fails while {part} ({said[-1]}); check the file with an OpenDRIVE validator"


def build_town(name: str, text: str, streets: StreetSettings = DEFAULT_STREETS) -> Town:
    """Check and load a map."""
    parsed = check_opendrive(name, text)
    carla_map = carla.Map(name, text)
    return Town(
        name=name,
        opendrive_text=text,
        carla_map=carla_map,
        ground=build_ground(carla_map, lane_limits(carla_map, parsed)),
        spawn_points=spawn_points(carla_map, parsed.lanes),
        sites=place_signals(carla_map, parsed),
        controllers=parsed.controllers,
        streets=streets,
    )


def load_town(name_or_path: str, library: MapLibrary | None = None) -> Town:
    """Read, check and load a town."""
    return build_town(*(library or MapLibrary()).read(name_or_path))
