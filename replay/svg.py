"""Small inline SVG pictures for pages: curves over time, and a map with the way driven. Text only, no scripts.

Colours come from the page's style sheet by class, so that light and dark themes need one picture. Lines keep their
width however a picture is stretched; dots are lines of no length with round ends for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from drive_agent.roadmap import RoadMap
from replay.draw import simplified

WIDTH, HEIGHT = 1000, 100  # of a plot, before the page stretches it
NEAR_ROUTE_M = 45.0  # roads farther from the route are left out of its map
MARGIN_M = 18.0
PER_METRE = 10  # map units: decimetres, so that coordinates are short whole numbers


@dataclass(frozen=True)
class Curve:
    """One line of a plot; `style` is its class in the style sheet. NaN makes a gap."""

    style: str
    times_s: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Marker:
    """A place on a map or a moment on a plot that a click jumps to."""

    time_s: float
    x_m: float
    y_m: float
    label: str
    style: str


def plot(
    curves: Sequence[Curve], duration_s: float, low: float, high: float, markers: Sequence[Marker]
) -> str:
    """Curves over 0..duration_s and low..high as an <svg> of WIDTH x HEIGHT, to be stretched by the page."""

    def place(curve: Curve) -> np.ndarray:
        columns = curve.times_s / max(duration_s, 1e-6) * WIDTH
        rows = (high - np.clip(curve.values, low, high)) / (high - low) * HEIGHT
        return np.stack([columns, rows], -1)

    lines = "".join(f'<path class="{c.style}" d="{_pieces(place(c))}"/>' for c in curves)
    stops = "".join(
        f'<path class="event {m.style}" d="M{m.time_s / max(duration_s, 1e-6) * WIDTH:.0f} 0V{HEIGHT}"/>'
        for m in markers
    )
    zero = f'<path class="axis" d="M0 {high / (high - low) * HEIGHT:.0f}H{WIDTH}"/>' if low < 0 < high else ""
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'{zero}{stops}{lines}<path class="playhead" d="M0 0V{HEIGHT}"/></svg>'
    )


def road_picture(
    road_map: RoadMap, route: np.ndarray, track: np.ndarray, markers: Sequence[Marker], tolerance_m: float
) -> str:
    """The roads around a route (n, 2), the way driven (k, 2) and what happened on it as an <svg>, north up."""
    every = np.concatenate([route, track])
    west, south = every.min(0) - MARGIN_M
    east, north = every.max(0) + MARGIN_M

    def place(points: np.ndarray) -> np.ndarray:
        return (points[:, :2] - (west, north)) * (PER_METRE, -PER_METRE)

    eps = tolerance_m * PER_METRE
    roads = "".join(
        f'<path class="road" stroke-width="{width_m * PER_METRE:.0f}" d="{paths}"/>'
        for width_m, paths in _roads(road_map, every, place, eps)
    )
    way, driven = (_line(place(line), eps / 3) for line in (route, track))  # a short route is drawn large
    start, goal = (_dot(place(points)[0]) for points in (route[:1], route[-1:]))
    events = "".join(
        f'<path class="dot {m.style}" data-seek="{m.time_s:.1f}" tabindex="0" role="button" aria-label="{escape(m.label)}"'
        f' d="{_dot(place(np.array([[m.x_m, m.y_m]]))[0])}"><title>{escape(m.label)}</title></path>'
        for m in markers
    )
    return (
        f'<svg class="map" viewBox="0 0 {(east - west) * PER_METRE:.0f} {(north - south) * PER_METRE:.0f}" role="img"'
        f' aria-label="map of the route">{roads}<path class="route" d="{way}"/><path class="track" d="{driven}"/>'
        f'<path class="dot start" d="{start}"/><path class="dot goal" d="{goal}"/>{events}'
        f'<path class="dot here" d=""/></svg>'
    )


def map_places(route: np.ndarray, track: np.ndarray) -> list[list[int]]:
    """The way driven in the units of `road_picture` made of the same route and track."""
    every = np.concatenate([route, track])
    west, north = every[:, 0].min() - MARGIN_M, every[:, 1].max() + MARGIN_M
    return np.round((track - (west, north)) * (PER_METRE, -PER_METRE)).astype(int).tolist()


def thinned(
    times_s: np.ndarray, values: np.ndarray, count: int, *, peaks: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """About `count` points of a curve: every k-th, or the highest of each k where peaks must not be lost."""
    stride = max(-(-len(times_s) // count), 1)
    if not peaks or stride == 1:
        return times_s[::stride], values[::stride]
    groups = [slice(k, k + stride) for k in range(0, len(times_s), stride)]
    return np.array([times_s[g][0] for g in groups]), np.array([values[g].max() for g in groups])


def _roads(road_map: RoadMap, near: np.ndarray, place, eps: float) -> Iterable[tuple[float, str]]:
    """(width, path) of the lanes around: those of a width together."""
    by_width: dict[float, list[str]] = {}
    xs, ys = near[:: max(len(near) // 400, 1)].T
    for lane in road_map.lanes:
        if lane.kind not in ("driving", "parking", "shoulder", "biking"):
            continue
        x, y = lane.center[:: max(len(lane.center) // 12, 1), :2].T
        if not _reaches(x, xs) or not _reaches(y, ys):
            continue
        if ((x[:, None] - xs) ** 2 + (y[:, None] - ys) ** 2).min() < NEAR_ROUTE_M**2:
            width_m = round(float(lane.width.mean()) * 2) / 2 + 0.5  # a little wider: no gaps between lanes
            by_width.setdefault(width_m, []).append(_line(place(lane.center), eps))
    return sorted((width_m, "".join(paths)) for width_m, paths in by_width.items())


def _reaches(lane: np.ndarray, near: np.ndarray) -> bool:
    """Along one axis: may any of the lane be within reach? Most lanes of a town are told apart by this alone."""
    return bool(lane.max() > near.min() - NEAR_ROUTE_M and lane.min() < near.max() + NEAR_ROUTE_M)


def _pieces(points: np.ndarray) -> str:
    """Path text of a curve, broken where it is NaN."""
    known = np.isfinite(points).all(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    return "".join(_text(points[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _line(points: np.ndarray, eps: float) -> str:
    return _text(simplified(points, eps))


def _text(points: np.ndarray) -> str:
    """Path text in whole numbers, relative: the shortest way to write it."""
    whole = np.round(points).astype(int)
    steps = np.diff(whole, axis=0)
    words = [f"{dx}{dy:+d}" if dy < 0 else f"{dx} {dy}" for dx, dy in steps if dx or dy]
    return f"M{whole[0, 0]} {whole[0, 1]}" + (f"l{' '.join(words)}" if words else "h0")


def _dot(point: np.ndarray) -> str:
    return f"M{point[0]:.0f} {point[1]:.0f}h0"
