"""How cost grows with cars, cameras, pixels and map size: one picture of four curves, and their numbers."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from drive_agent.rig import nuscenes_rig
from drive_agent.sim.process import ServerProcess
from scenarios import towns
from tests.bench.loads import TOWN, cpu_s, pace_of_cameras, pace_of_parked, pace_of_traffic

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "performance.png"
_CARS = (1, 5, 10, 20, 50, 100)
_CAMERAS = (1, 2, 4, 6)
_WIDTHS = (160, 320, 640, 1280)
_TICKS, _CAMERA_TICKS = 400, 20


@dataclass(frozen=True)
class Curve:
    """Points of (what grows, cost) by the name of the line."""

    title: str
    x_label: str
    y_label: str
    lines: dict[str, list[tuple[float, float]]]


def by_cars() -> Curve:
    """Median tick with cars of a traffic manager, and with cars that stand."""
    lines: dict[str, list[tuple[float, float]]] = {
        "TrafficManager": [],
        "no TrafficManager": [],
        "server CPU": [],
    }
    for cars in _CARS:
        with ServerProcess(TOWN) as server:
            driven = pace_of_traffic(server, cars, _TICKS)
        with ServerProcess(TOWN) as server:
            parked = pace_of_parked(server, cars, _TICKS)
        lines["TrafficManager"].append((driven.cars, driven.median_ms))
        lines["server CPU"].append((driven.cars, driven.server_cpu_ms))
        lines["no TrafficManager"].append((parked.cars, parked.median_ms))
    return Curve("tick", "cars", "ms", lines)


def by_cameras() -> Curve:
    """Server's CPU for a set of 320x180 pictures."""
    mounts = nuscenes_rig().cameras
    points = []
    for count in _CAMERAS:
        with ServerProcess(TOWN) as server:
            points.append((count, pace_of_cameras(server, mounts[:count], _CAMERA_TICKS).server_cpu_ms))
    return Curve("cameras, 320x180", "cameras", "ms CPU a set", {"RGB": points})


def by_pixels() -> Curve:
    """Server's CPU for one 16:9 picture."""
    mount = nuscenes_rig().cameras[0]
    points = []
    for width in _WIDTHS:
        wide = replace(mount, width=width, height=width * 9 // 16)
        with ServerProcess(TOWN) as server:
            cost = pace_of_cameras(server, (wide,), _CAMERA_TICKS).server_cpu_ms
        points.append((wide.width * wide.height / 1e6, cost))
    return Curve("one camera", "megapixels", "ms CPU a picture", {"RGB": points})


def by_map() -> Curve:
    """From the start of the process until the server listens, for every shipped town."""
    wall, cpu = [], []
    for town in towns.names():
        start_s = time.perf_counter()
        with ServerProcess(town) as server:
            wall.append((road_km(town), time.perf_counter() - start_s))
            cpu.append((road_km(town), cpu_s(server.pid)))
    return Curve("town ready", "km of road", "s", {"wall": sorted(wall), "CPU": sorted(cpu)})


def road_km(town: str) -> float:
    """Length of all roads of a shipped town."""
    roads = ElementTree.fromstring(towns.load(town)).iter("road")
    return sum(float(road.attrib["length"]) for road in roads) / 1e3


CURVES: tuple[Callable[[], Curve], ...] = (by_cars, by_cameras, by_pixels, by_map)


def draw(curves: list[Curve], picture: Path = PICTURE) -> None:
    """One panel a curve."""
    figure = Figure(figsize=(3.4 * len(curves), 3.0), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False)[0]
    for axis, curve in zip(axes, curves, strict=True):
        for name, points in curve.lines.items():
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axis.set(
            title=curve.title, xlabel=curve.x_label, ylabel=curve.y_label, xlim=(0, None), ylim=(0, None)
        )
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=8)
    figure.savefig(picture, dpi=110)


def add_rows(table: Table, curve: Curve) -> None:
    """The numbers of a curve."""
    for name, points in curve.lines.items():
        text = ", ".join(f"{x:.3g}: {y:.3g}" for x, y in points)
        table.add_row(f"{curve.title}, {name}", text, f"{curve.x_label}: {curve.y_label}")
