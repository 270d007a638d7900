"""Route files for scenario types, at places found by seed.

python -m drive_agent.drive.make_routes --types Accident HardBreakRoute --towns Brookfield --each 2 --out routes.xml
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import carla
import numpy as np

import scenarios.library  # noqa: F401 - registers the types
from drive_agent.drive.carla_map import build_road_map
from drive_agent.roadmap import RoadMap
from scenarios import towns
from scenarios.site_search import Site, find_sites, route_element, write_routes
from scenarios.types import find_type, type_names

WEATHER = {"sun_altitude_angle": 50.0, "cloudiness": 20.0}


def offline_road_map(town: str) -> RoadMap:
    """The road map of a shipped or random town, without a server."""
    text = towns.load(town)
    return build_road_map(carla.Map(town, text), text)


def main() -> None:
    """Parse the command line, search, write."""
    parser = argparse.ArgumentParser(prog="python -m drive_agent.drive.make_routes", description=__doc__)
    parser.add_argument("--types", nargs="*", default=type_names())
    parser.add_argument("--towns", nargs="+", required=True)
    parser.add_argument("--each", type=int, default=1, help="routes for every type")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    maps = {town: offline_road_map(town) for town in arguments.towns}
    elements: list[ET.Element] = []
    for kind in map(find_type, arguments.types):
        sites: list[Site] = []
        for town in rng.permutation(arguments.towns):
            sites += find_sites(kind, str(town), maps[str(town)], arguments.each - len(sites), rng)
        if len(sites) < arguments.each:
            sys.stderr.write(f"{kind.name}: {len(sites)} of {arguments.each} places found\n")
        elements += [route_element(len(elements) + k, site, WEATHER) for k, site in enumerate(sites)]
    write_routes(arguments.out, elements)
    sys.stdout.write(f"{arguments.out}: {len(elements)} routes\n")


if __name__ == "__main__":
    main()
