"""Two runs side by side, route by route: is one better, by how much, and how sure is that.

Routes are paired with themselves, repetitions averaged first; the interval is Student's over the routes' differences, which
takes the routes for a sample of all routes. Where the two drives of a route part is found in their logs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from drive_agent.log.store import Episode
from drive_agent.score.judged import LOG_NAME, folder_name
from drive_agent.score.run import score_run
from drive_agent.score.spread import Spread, spread

MOVED = 5  # so many routes are named
APART_M = 0.5
MEASURES = {
    "driving_score": 1.0,
    "success_rate": 100.0,
    "route_completion": 1.0,
}  # -> factor to points of 100
_ROW_KEY = {"success_rate": "success"}


@dataclass(frozen=True)
class Moved:
    """A route whose driving score changed, and the simulated second at which its two drives part (None: unknown)."""

    route_id: str
    first: float
    second: float
    parted_s: float | None


@dataclass(frozen=True)
class Comparison:
    """`differences`: measure -> second run minus first, in points of 100."""

    version: str
    differences: Mapping[str, Spread]
    means: Mapping[str, tuple[float, float]]
    moved: tuple[Moved, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    settings: Mapping[str, tuple[object, object]]  # those that differ

    def verdict(self, measure: str = "driving_score") -> str:
        """In plain words."""
        found = self.differences[measure]
        if found.ci95 is None:
            return f"no difference can be claimed from a single route: B - A = {found.mean:+.1f}"
        if found.std == 0.0 and found.mean == 0.0:
            return f"no difference: all {found.count} routes score the same"
        if abs(found.mean) <= found.ci95:
            return f"no difference can be claimed: B - A = {found.mean:+.1f} ± {found.ci95:.1f}"
        better = "B" if found.mean > 0 else "A"
        return f"{better} is better by {abs(found.mean):.1f} ± {found.ci95:.1f}"

    def values(self) -> dict:
        """Plain values for JSON."""
        return {
            "version": self.version,
            "verdict": self.verdict(),
            "differences": {name: asdict(part) for name, part in self.differences.items()},
            "means": {name: {"a": a, "b": b} for name, (a, b) in self.means.items()},
            "moved": [asdict(route) for route in self.moved],
            "only_a": list(self.only_first),
            "only_b": list(self.only_second),
            "settings": {key: {"a": a, "b": b} for key, (a, b) in self.settings.items()},
        }


def compare_runs(first: Path, second: Path, version: str = "2.1") -> Comparison:
    """Compare two runs, or sets of official result files. Raises ValueError when they share no route."""
    rows_a, rows_b = (_rows(score_run(run, version)) for run in (first, second))
    shared = [name for name in rows_a if name in rows_b]
    if not shared:
        raise ValueError(f"{first} and {second} have no route in common: compare runs of the same routes")
    differences, means = {}, {}
    for measure, factor in MEASURES.items():
        key = _ROW_KEY.get(measure, measure)
        pairs = [(factor * rows_a[name][key], factor * rows_b[name][key]) for name in shared]
        by_route = defaultdict(list)
        for name, (a, b) in zip(shared, pairs, strict=True):
            by_route[name.rpartition("_rep")[0]].append(b - a)
        differences[measure] = spread([float(np.mean(gaps)) for gaps in by_route.values()])
        means[measure] = tuple(float(np.mean(column)) for column in zip(*pairs, strict=True))
    changes = {name: rows_b[name]["driving_score"] - rows_a[name]["driving_score"] for name in shared}
    most = sorted((name for name in shared if changes[name]), key=lambda name: -abs(changes[name]))[:MOVED]
    return Comparison(
        version,
        differences,
        means,
        tuple(
            Moved(
                name,
                rows_a[name]["driving_score"],
                rows_b[name]["driving_score"],
                _parted_s(name, first, second),
            )
            for name in most
        ),
        tuple(name for name in rows_a if name not in rows_b),
        tuple(name for name in rows_b if name not in rows_a),
        _differing(_settings(first), _settings(second)),
    )


def _rows(values: dict) -> dict[str, dict]:
    """Route -> its row; a route that is missing from a run scores 0 in it."""
    nothing = {"driving_score": 0.0, "success": False, "route_completion": 0.0}
    gone = {part["route_id"]: nothing for part in values["missing"] if part["route_id"]}
    return {row["route_id"]: row for row in values["routes"]} | gone


def _parted_s(name: str, first: Path, second: Path) -> float | None:
    """Seconds from the start until the two egos are apart; None without both logs, or when they never are."""
    logs = [run / "routes" / folder_name(name) / LOG_NAME for run in (first, second)]
    if not all(log.is_file() for log in logs):
        return None
    tracks = [_track(log) for log in logs]
    shorter = min(len(track) for track in tracks)
    a, b = (track[:shorter] for track in tracks)
    apart = np.flatnonzero(np.linalg.norm(a[:, 1:] - b[:, 1:], axis=1) > APART_M)
    return float(a[apart[0], 0] - a[0, 0]) if len(apart) else None


def _track(log: Path) -> np.ndarray:
    """(ticks, 3) seconds, x, y of the ego."""
    with Episode.open(log) as episode:
        return np.array([(t.time_us / 1e6, t.ego[0], t.ego[1]) for t in episode.truths()]).reshape(-1, 3)


def _settings(run: Path) -> dict[str, object]:
    """The run's configuration, flat; empty for official result files."""
    path = run / "config.yaml"
    return dict(_flat(yaml.safe_load(path.read_text())["config"])) if path.is_file() else {}


def _flat(values: dict, prefix: str = "") -> list[tuple[str, object]]:
    rows = []
    for key, value in values.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return rows


def _differing(first: dict, second: dict) -> dict[str, tuple[object, object]]:
    """Settings of both that differ, but for the folder, which always does."""
    return {
        key: (first[key], second[key])
        for key in first
        if key in second and first[key] != second[key] and key != "out"
    }
