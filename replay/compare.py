"""Where two drives of one route part first, and which part of the agent, or of the world, did it.

The drives are laid side by side by place: a tick of the one against the tick at which the other first came as far along the
route. They part where, at the same place, the other way or another speed has begun to show; the cause is the first thing
that differed in the seconds before, looked for in the order in which things follow from each other. Differences below the
thresholds are shades: two models never say exactly the same. Knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from drive_agent.log.schema import TickRecord
from drive_agent.log.store import Episode
from drive_agent.routing import Route
from drive_agent.types import Plan, Truth
from replay.episode import rear_axle_pose

PARTED_M, PARTED_MPS = 0.5, 1.5  # at the same place: another way, another speed
LOOK_BACK_S = 4.0
SAME_PLACE_M = 0.25
NEAR_M = 40.0  # road users farther away do not matter yet
MOVED_M, SEEN_M, GAP_M, FORECAST_M = 1.5, 2.0, 4.0, 2.0
PLAN_M, PLAN_MPS = 1.0, 1.5
PEDAL, WHEEL = 0.15, 0.08


@dataclass(frozen=True)
class Parting:
    """`time_s` counts in the first drive, None when the two never part; `cause` is one of `CAUSES`, or a word for none."""

    time_s: float | None
    other_time_s: float | None
    cause: str
    what: str

    def plain(self) -> dict:
        """For JSON."""
        return asdict(self)


class Side:
    """One of the two drives, laid along the route."""

    def __init__(self, path: Path, route: Route) -> None:
        with Episode.open(path) as episode:
            self.truths: list[Truth] = list(episode.truths())
            records = dict(episode.ticks())
        if not self.truths:
            raise ValueError(f"{path} has no tick, there is nothing to compare; drive it again")
        self.records: list[TickRecord | None] = [records.get(truth.time_us) for truth in self.truths]
        self._route = np.asarray(route.points)[:, :2]
        self.times_s = np.array([(t.time_us - self.truths[0].time_us) / 1e6 for t in self.truths])
        self.speeds_mps = np.array([np.hypot(*t.ego[5:7]) for t in self.truths])

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """How far along the route (never backwards) and how far left of it, each (ticks,)."""
        steps = np.diff(self._route, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        stations, ahead = (
            np.concatenate([[0.0], np.cumsum(lengths)]),
            steps / np.maximum(lengths, 1e-6)[:, None],
        )
        along, left, near = [], [], 0
        for truth in self.truths:
            pose = rear_axle_pose(truth)
            window = slice(max(near - 20, 0), near + 60)
            near = window.start + int(((self._route[window] - (pose.x_m, pose.y_m)) ** 2).sum(1).argmin())
            piece = min(near, len(steps) - 1)
            away = np.array([pose.x_m, pose.y_m]) - self._route[piece]
            along.append(stations[piece] + away @ ahead[piece])
            left.append(ahead[piece, 0] * away[1] - ahead[piece, 1] * away[0])
        return np.maximum.accumulate(along), np.array(left)

    @property
    def stations_m(self) -> np.ndarray:
        return self._places[0]

    @property
    def offsets_m(self) -> np.ndarray:
        return self._places[1]

    def tick_at(self, station_m: float) -> int:
        """The tick at which the drive had first come so far (the last one when it never did)."""
        return min(int(np.searchsorted(self.stations_m, station_m - 1e-9)), len(self.truths) - 1)


def compare_logs(a: Path, b: Path) -> Parting:
    """Where the drives of two logs of one route part. Raises ValueError for logs of different routes, or without ticks."""
    with Episode.open(a) as first, Episode.open(b) as second:
        routes = first.route, second.route
    if not np.array_equal(routes[0].points, routes[1].points):
        raise ValueError(f"{a} and {b} are drives of different routes; give two drives of the same one")
    return compare(Side(a, routes[0]), Side(b, routes[0]))


def compare(a: Side, b: Side) -> Parting:
    """See `Parting`."""
    matches = _matches(a, b)
    parted = next((k for k, j in enumerate(matches) if _apart(a, b, k, j)), None)
    if parted is None:
        same = len(a.truths) == len(b.truths) and all(
            np.array_equal(x.actors, y.actors) for x, y in zip(a.truths, b.truths, strict=True)
        )
        if same:
            return Parting(None, None, "none", "identical from the first tick to the last")
        return Parting(None, None, "none", "the same way and speed within the thresholds")
    first = int(np.searchsorted(a.times_s, a.times_s[parted] - LOOK_BACK_S))
    for k in range(first, parted + 1):
        for cause, differs in CAUSES.items():
            if what := differs(a, b, k, matches[k]):
                return Parting(float(a.times_s[k]), float(b.times_s[matches[k]]), cause, what)
    what = f"{_effect(a, b, parted, matches[parted])}; nothing single before it, small differences added up"
    return Parting(float(a.times_s[parted]), float(b.times_s[matches[parted]]), "shades", what)


def _matches(a: Side, b: Side) -> list[int]:
    """For each tick of `a` that of `b` at the same place: the lag is kept as long as it fits, else found anew."""
    matches, lag, last = [], 0, len(b.truths) - 1
    for k, station in enumerate(a.stations_m):
        j = min(max(k + lag, 0), last)
        if abs(b.stations_m[j] - station) > SAME_PLACE_M:
            j = b.tick_at(station)
            lag = j - k
        matches.append(j)
    return matches


def _apart(a: Side, b: Side, k: int, j: int) -> bool:
    return (
        abs(a.offsets_m[k] - b.offsets_m[j]) > PARTED_M or abs(a.speeds_mps[k] - b.speeds_mps[j]) > PARTED_MPS
    )


def _effect(a: Side, b: Side, k: int, j: int) -> str:
    return (
        f"{a.speeds_mps[k]:.1f} against {b.speeds_mps[j]:.1f} m/s,"
        f" {a.offsets_m[k]:+.2f} against {b.offsets_m[j]:+.2f} m left of the route"
    )


def _world(a: Side, b: Side, k: int, j: int) -> str:
    """Somebody near is elsewhere, though the ego is where it was."""
    x, y = a.truths[k], b.truths[j]
    here = x.actors[0, :2]
    for row in range(1, len(x.ids)):
        if np.linalg.norm(x.actors[row, :2] - here) > NEAR_M:
            continue
        kind = x.infos[x.ids[row]].type_id
        alike = [r for r in range(1, len(y.ids)) if y.infos[y.ids[r]].type_id == kind]
        gaps = [float(np.linalg.norm(y.actors[r, :2] - x.actors[row, :2])) for r in alike]
        if not gaps:
            return f"{kind} is not there in the other drive"
        if min(gaps) > MOVED_M:
            return f"{kind} is {min(gaps):.1f} m away from where it is in the other drive"
    lights = [name for name in x.lights if name in y.lights and x.lights[name] != y.lights[name]]
    return (
        f"light {lights[0]} is {x.lights[lights[0]].name.lower()} against {y.lights[lights[0]].name.lower()}"
        if lights
        else ""
    )


def _both(a: Side, b: Side, k: int, j: int) -> tuple[TickRecord, TickRecord] | None:
    x, y = a.records[k], b.records[j]
    return None if x is None or y is None else (x, y)


def _perception(a: Side, b: Side, k: int, j: int) -> str:
    if not (both := _both(a, b, k, j)) or both[0].scene is None or both[1].scene is None:
        return ""
    x, y = both[0].scene, both[1].scene
    if x.light != y.light:
        return f"sees light {x.light.name.lower()} against {y.light.name.lower()}"
    if (x.lead_gap_m is None) != (y.lead_gap_m is None):
        gaps = [
            "nothing ahead" if gap is None else f"{gap:.0f} m free" for gap in (x.lead_gap_m, y.lead_gap_m)
        ]
        return f"sees {gaps[0]} against {gaps[1]}"
    if x.lead_gap_m is not None and y.lead_gap_m is not None and abs(x.lead_gap_m - y.lead_gap_m) > GAP_M:
        return f"sees {x.lead_gap_m:.0f} m free ahead against {y.lead_gap_m:.0f} m"
    for here, there, who in ((x, y, "sees"), (y, x, "does not see")):
        for seen in here.objects:
            if seen.score < 0.5 or np.hypot(seen.x_m, seen.y_m) > NEAR_M / 2:
                continue
            if not any(np.hypot(seen.x_m - o.x_m, seen.y_m - o.y_m) < SEEN_M for o in there.objects):
                return f"{who} a {seen.kind.name.lower()} {seen.x_m:.0f} m ahead, unlike the other"
    return ""


def _forecast(a: Side, b: Side, k: int, j: int) -> str:
    both = _both(a, b, k, j)
    if not both or not all(record.scene and record.forecast for record in both):
        return ""
    x, y = both
    assert x.scene and y.scene and x.forecast and y.forecast
    for m, seen in enumerate(x.scene.objects):
        for n, other in enumerate(y.scene.objects):
            if seen.score < 0.5 or np.hypot(seen.x_m - other.x_m, seen.y_m - other.y_m) > SEEN_M:
                continue
            apart = float(np.linalg.norm(x.forecast.positions_ego[m][-1] - y.forecast.positions_ego[n][-1]))
            if apart > FORECAST_M and np.hypot(seen.x_m, seen.y_m) < NEAR_M / 2:
                return f"expects the {seen.kind.name.lower()} {seen.x_m:.0f} m ahead {apart:.1f} m elsewhere in 3 s"
    return ""


def _plan(a: Side, b: Side, k: int, j: int) -> str:
    if not (both := _both(a, b, k, j)):
        return ""
    x, y = both[0].plan, both[1].plan
    if (x is None) != (y is None):
        return "has a plan, the other has none" if x else "has no plan, the other has one"
    if x is None or y is None:
        return ""
    faster, aside = float(x.speeds_mps[-1] - y.speeds_mps[-1]), _aside(x, y)
    if abs(faster) > PLAN_MPS:
        return f"plans {x.speeds_mps[-1]:.1f} m/s against {y.speeds_mps[-1]:.1f} m/s"
    return f"plans a way {aside:.1f} m aside" if aside > PLAN_M else ""


def _aside(x: Plan, y: Plan) -> float:
    """Largest sideways distance of two paths over the first 20 m."""
    reach = min(20.0, float(x.path_ego[-1, 0]), float(y.path_ego[-1, 0]))
    stations = np.linspace(0.0, max(reach, 0.0), 9)
    return float(np.abs(np.interp(stations, *x.path_ego.T) - np.interp(stations, *y.path_ego.T)).max())


def _control(a: Side, b: Side, k: int, j: int) -> str:
    if not (both := _both(a, b, k, j)):
        return ""
    x, y = both[0].command, both[1].command
    if both[0].guard != both[1].guard:
        return f"guard says {both[0].guard or 'nothing'!r} against {both[1].guard or 'nothing'!r}"
    if abs(x.steer - y.steer) > WHEEL:
        return f"steers {x.steer:+.2f} against {y.steer:+.2f}"
    if max(abs(x.throttle - y.throttle), abs(x.brake - y.brake)) > PEDAL:
        return f"throttle {x.throttle:.2f} brake {x.brake:.2f} against {y.throttle:.2f} and {y.brake:.2f}"
    return ""


CAUSES: dict[
    str, Callable[[Side, Side, int, int], str]
] = {  # in the order in which things follow from each other
    "world": _world,
    "perception": _perception,
    "forecast": _forecast,
    "plan": _plan,
    "control": _control,
}
