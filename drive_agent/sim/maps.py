"""Towns: from a name or a file to everything the world reads of it: map, ground, spawn points, places of the signals."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import carla

from drive_agent.sim import opendrive
from drive_agent.sim.ground import GroundGrid, build_ground
from drive_agent.sim.signal_sites import SignalSite, place_signals
from drive_agent.sim.speed_limits import lane_limits
from drive_agent.sim.wire import Pose
from scenarios import towns

SPAWN_SPACING_M = 12.0
_SPAWN_CLEARANCE_M = 7.0  # from other spawn points and from the ends of the lane
_SPAWN_HEIGHT_M = 0.3
_CHECK_TIMEOUT_S = 120.0


class TownError(Exception):
    """A town that cannot be loaded; the text is one line."""


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


def read_town(name_or_path: str) -> tuple[str, str]:
    """Name and OpenDRIVE text of a town that `scenarios.towns` knows (folders before the name are ignored) or of a file."""
    if name_or_path.endswith(".xodr"):
        path = Path(name_or_path)
        if not path.is_file():
            raise TownError(f"no such file: {name_or_path}: expected an OpenDRIVE file or a town's name")
        return path.stem, path.read_text(encoding="utf-8")
    name = name_or_path.split("/")[-1]
    try:
        return name.replace(":", "").capitalize() if ":" in name else name, towns.load(name)
    except ValueError as error:
        raise TownError(f"{error} (or give a path that ends in .xodr)") from error


def check_opendrive(name: str, text: str) -> None:
    """Let the client's parser try the map in a child process; TownError says why a map is refused."""
    found = opendrive.faults(text)
    if found:
        raise TownError(f"map {name!r} is refused: {found[0]}")
    command = [sys.executable, "-m", "drive_agent.sim.check_map"]
    try:
        child = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_CHECK_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TownError(f"map {name!r} is refused: not parsed within {_CHECK_TIMEOUT_S:.0f} s") from error
    if child.returncode != 0:
        lines = child.stderr.strip().splitlines()
        reason = (
            lines[-1]
            if lines and child.returncode > 0
            else f"the parser died with signal {-child.returncode}"
        )
        raise TownError(f"map {name!r} is refused: {reason}")


def build_town(name: str, text: str) -> Town:
    """Check and load a map."""
    check_opendrive(name, text)
    parsed = opendrive.parse(text)
    carla_map = carla.Map(name, text)
    return Town(
        name=name,
        opendrive_text=text,
        carla_map=carla_map,
        ground=build_ground(carla_map, lane_limits(carla_map, parsed)),
        spawn_points=_spawn_points(carla_map),
        sites=place_signals(carla_map, parsed),
        controllers=parsed.controllers,
    )


def load_town(name_or_path: str) -> Town:
    """Read, check and load a town."""
    return build_town(*read_town(name_or_path))


def _spawn_points(carla_map: carla.Map) -> tuple[Pose, ...]:
    """A spawn point about every 12 m of driving lane outside junctions, ordered by road, lane and station."""
    waypoints = [w for w in carla_map.generate_waypoints(SPAWN_SPACING_M) if _is_good_place(w)]
    waypoints.sort(key=lambda w: (w.road_id, w.section_id, w.lane_id, w.s))
    points: list[Pose] = []
    for waypoint in waypoints:
        place, turn = waypoint.transform.location, waypoint.transform.rotation
        near = (
            (p.x - place.x) ** 2 + (p.y - place.y) ** 2
            for p in points
            if abs(p.z - _SPAWN_HEIGHT_M - place.z) < 3.0
        )
        # lanes lie side by side: only points closer than a lane's width plus the clearance along it clash
        if all(distance > 3.0**2 for distance in near) and not _clashes_along(points, waypoint):
            yaw = (turn.yaw + 180.0) % 360.0 - 180.0
            points.append(Pose(place.x, place.y, place.z + _SPAWN_HEIGHT_M, turn.pitch, yaw, 0.0))
    return tuple(points)


def _is_good_place(waypoint: carla.Waypoint) -> bool:
    """On a driving lane, with room before and behind."""
    if waypoint.is_junction or waypoint.lane_type != carla.LaneType.Driving or waypoint.lane_width < 2.0:
        return False
    around = waypoint.next(_SPAWN_CLEARANCE_M) + waypoint.previous(_SPAWN_CLEARANCE_M / 2)
    return len(around) >= 2 and not any(w.is_junction for w in around)


def _clashes_along(points: list[Pose], waypoint: carla.Waypoint) -> bool:
    """Whether a point lies on the same track less than the clearance ahead or behind."""
    place, forward = waypoint.transform.location, waypoint.transform.get_forward_vector()
    for point in points:
        dx, dy = point.x - place.x, point.y - place.y
        along, across = dx * forward.x + dy * forward.y, dx * forward.y - dy * forward.x
        if abs(along) < _SPAWN_CLEARANCE_M and abs(across) < 1.5 and abs(point.z - place.z) < 3.0:
            return True
    return False
