"""How long the embedded server takes until it listens, by the size of the map."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from rich.table import Table

from drive_agent.sim.process import ServerProcess
from scenarios.towns.opendrive import to_opendrive
from scenarios.towns.random_town import random_plan
from tests.bench.loads import cpu_s

GRIDS = ((4, 3), (8, 7), (9, 8), (13, 11))  # columns and rows of streets
SEED, TRIES = 7, 3


def bench_maps(table: Table) -> None:
    """Generated towns of 1.6 to 20 km of road, from the start of the process until it listens: best of three."""
    with tempfile.TemporaryDirectory() as folder:
        for columns, rows in GRIDS:
            plan = random_plan(SEED, columns, rows)
            path = Path(folder) / f"{plan.name}.xodr"
            path.write_text(to_opendrive(plan))
            wall_s, used_s = min(_ready(path) for _ in range(TRIES))
            table.add_row(
                f"town of {street_km(path):.1f} km ready",
                f"{wall_s:.2f} s",
                f"CPU of the server {used_s:.2f} s",
            )


def _ready(path: Path) -> tuple[float, float]:
    """Seconds until it listens, and CPU seconds of its process."""
    start_s = time.perf_counter()
    with ServerProcess(str(path)) as server:
        return time.perf_counter() - start_s, cpu_s(server.pid)


def street_km(path: Path) -> float:
    """Length of the roads outside junctions."""
    roads = ElementTree.parse(path).getroot().iter("road")
    return sum(float(road.get("length", 0)) for road in roads if road.get("junction") == "-1") / 1e3
