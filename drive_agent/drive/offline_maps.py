"""Road maps of towns without a server: shipped and random ones, files, and those of a folder of maps."""

from __future__ import annotations

from pathlib import Path

import carla

from drive_agent.drive.carla_map import build_road_map
from drive_agent.roadmap import RoadMap
from drive_agent.sim.maps import MapLibrary, TownError


def town_text(town: str, folder: str | None = None) -> tuple[str, str]:
    """Name and OpenDRIVE text of a town. Raises ValueError, with the remedy, for one that is not there."""
    try:
        return MapLibrary(None if folder is None else Path(folder)).read(town)
    except TownError as error:
        raise ValueError(str(error)) from error


def offline_road_map(town: str, folder: str | None = None) -> RoadMap:
    """The road map of a town; `folder` holds .xodr files that are known by name. Raises ValueError like `town_text`."""
    name, text = town_text(town, folder)
    return build_road_map(carla.Map(name, text), text)
