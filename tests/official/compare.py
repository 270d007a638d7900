"""The same route file in the Leaderboard's evaluator with ScenarioRunner's class, and here with our script: what differs.

Both run on the embedded server. Of every scenario: where its actors are put; and of the first that
moves, how far off the ego is when they begin (in metres, and in seconds at the ego's speed), and how fast they become.
The drivers differ (NpcAgent there, the expert here), so that only the seconds of what waits for the ego's arrival can be
alike, not its metres.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drive_agent.log.store import Episode
from drive_agent.sim.process import ServerProcess
from scenarios.routes import route_set
from tests.official import run

TYPES = (
    "Accident", "ParkedObstacle", "ConstructionObstacle", "HazardAtSideLane", "ParkingCutIn",
    "ParkingCrossingPedestrian", "VehicleOpensDoorTwoWays", "DynamicObjectCrossing", "VehicleTurningRoute",
    "VehicleTurningRoutePedestrian",
)  # fmt: skip
MOVED_M, MOVING_MPS, SOON_S = 1.5, 0.3, 1.5
AT_TRIGGER_M, SET_UP_S = (
    3.0,
    2.0,
)  # what appears later after the trigger is a stream's, which begins where the ego is then
HEAD = (
    "| type | actors: there, here | placed apart by | begin to move at: there, here | speed then: there, here |\n"
    "|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Track:
    """One actor from its first to its last sight. World frame."""

    kind: str  # "vehicle", "walker" or "static"
    times_s: np.ndarray  # (n,)
    places: np.ndarray  # (n, 2)
    speeds_mps: np.ndarray  # (n,)
    ego: np.ndarray  # (n, 3) x, y, speed at the same times


@dataclass(frozen=True)
class Start:
    """Of an actor that moves: the ego's gap when it begins, that gap at the ego's speed, and the actor's speed just after."""

    gap_m: float
    arrival_s: float
    speed_mps: float


def sightings_there(path: Path) -> Iterator[tuple[float, Sequence[float], Mapping[str, list]]]:
    """Time, ego and others, from the tracker's lines."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row["time_s"], row["ego"], row["others"]


def sightings_here(log: Path) -> Iterator[tuple[float, Sequence[float], Mapping[str, list]]]:
    """The same from a log of ours."""
    for truth in Episode(log).truths():
        speeds = np.hypot(truth.actors[:, 5], truth.actors[:, 6])
        others = {
            str(actor): [truth.infos[actor].type_id, *truth.actors[row, :2], speeds[row]]
            for row, actor in enumerate(truth.ids)
            if row and actor > 0
        }
        yield truth.time_us * 1e-6, (*truth.ego[:2], speeds[0]), others


def tracks(sightings: Iterator[tuple[float, Sequence[float], Mapping[str, list]]]) -> list[Track]:
    """Actors in order of appearance."""
    rows: dict[str, list] = {}
    kinds: dict[str, str] = {}
    for time_s, ego, others in sightings:
        for actor, (type_id, x, y, speed) in others.items():
            kinds[actor] = type_id.split(".")[0]
            rows.setdefault(actor, []).append((time_s, x, y, speed, *ego))
    return [_track(kinds[actor], np.array(seen)) for actor, seen in rows.items()]


def _track(kind: str, seen: np.ndarray) -> Track:
    return Track(kind, seen[:, 0], seen[:, 1:3], seen[:, 3], seen[:, 4:7])


def start(track: Track) -> Start | None:
    """When and how an actor begins to move, None for a thing and for one that stays where it is."""
    gone_m = np.linalg.norm(track.places - track.places[0], axis=1)
    if track.kind == "static" or gone_m.max() < MOVED_M:
        return None
    first = int(np.argmax((track.speeds_mps > MOVING_MPS) & (gone_m < MOVED_M)))
    gap_m = float(np.linalg.norm(track.places[first] - track.ego[first, :2]))
    soon = (track.times_s >= track.times_s[first]) & (track.times_s < track.times_s[first] + SOON_S)
    speed_mps = float(np.median(track.speeds_mps[soon]))
    return Start(gap_m, gap_m / max(float(track.ego[first, 2]), 0.1), speed_mps)


def apart_m(there: Sequence[np.ndarray], here: Sequence[np.ndarray]) -> float:
    """The largest distance between places of the same kind, each paired with the nearest that is left."""
    left, worst = list(here), 0.0
    for place in there:
        gaps = [float(np.linalg.norm(place - other)) for other in left]
        if gaps:
            worst = max(worst, min(gaps))
            left.pop(int(np.argmin(gaps)))
    return worst


def line(scenario: str, there: list[Track], here: list[Track]) -> str:
    """A row of the table."""
    worst = max(
        apart_m(*([t.places[0] for t in side if t.kind == kind] for side in (there, here)))
        for kind in ("vehicle", "walker", "static")
    )
    begins = [next((s for s in map(start, side) if s is not None), None) for side in (there, here)]
    when = ", ".join("-" if s is None else f"{s.gap_m:.1f} m = {s.arrival_s:.1f} s" for s in begins)
    speed = ", ".join("-" if s is None else f"{s.speed_mps:.1f} m/s" for s in begins)
    return f"| {scenario} | {len(there)}, {len(here)} | {worst:.1f} m | {when} | {speed} |"


def compare(case: run.Case, server: ServerProcess, port: int, folder: Path) -> str:
    """Runs a case on both sides; the row of the table."""
    outcome = run.run_case(case, server, port, folder, agent="tracker.py")
    if not outcome.good:
        raise RuntimeError(
            f"{case.scenario}: {outcome.faults} {outcome.server_faults}; see {folder}/{case.scenario}.log"
        )
    log = _driven(case, folder)
    (spec,) = route_set(str(folder / f"{case.scenario}.xml"), (case.town,))
    sides = (sightings_there(folder / f"{case.scenario}.jsonl.tracks"), sightings_here(log))
    return line(case.scenario, *(set_up(tracks(side), spec.scenarios[0].trigger[:2]) for side in sides))


def set_up(found: Sequence[Track], trigger: Sequence[float]) -> list[Track]:
    """Those that appear before the ego is at the trigger (x, y), or soon after."""
    whole = max(found, key=lambda track: len(track.times_s))
    at = np.linalg.norm(whole.ego[:, :2] - trigger, axis=1) < AT_TRIGGER_M
    until_s = float(whole.times_s[np.argmax(at)]) + SET_UP_S if at.any() else np.inf
    return [track for track in found if track.times_s[0] < until_s]


def _driven(case: run.Case, folder: Path) -> Path:
    """The log of our drive over the route."""
    out = folder / f"{case.scenario}.ours"
    one = folder / f"{case.scenario}.xml"
    parts = case.routes.read_text(encoding="utf-8").split("<route ")[1:]
    (part,) = (part for part in parts if part.startswith(f'id="{case.route_id}"'))
    one.write_text(f"<routes><route {part.split('</route>')[0]}</route></routes>", encoding="utf-8")
    with run.maps_folder(case.town) as maps:
        words = [
            f"routes={one}",
            "model=expert",
            f"out={out}",
            "video=false",
            "traffic.vehicles=0",
            "traffic.walkers=0",
        ]
        words.append(f"carla.maps={maps}")
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "drive_agent", "drive", *words], check=True)
    return next(out.glob("routes/*/log.mcap"))
