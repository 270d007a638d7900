"""What a model said it sees, and what it said the others will do, against ground truth.

Detections are matched one to one within 2 m, the best scored first, as in nuScenes; a road user counts as to be seen when it
is within 40 m and in the view of a camera of the rig, hidden or not. Futures are single ones: minADE and minFDE over one
mode, a miss is a final error above 2 m, and EPA = (hits - 0.5 false alarms) / road users (UniAD, VAD). Cars and people
apart. The light that counts is that of the route's next stop line within 50 m.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from drive_agent.geometry import to_frame
from drive_agent.log.schema import TickRecord
from drive_agent.rig import RIGS, CameraMount
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.score.drive_record import DriveRecord
from drive_agent.types import LightState, ObjectKind, Truth

MATCH_M = 2.0
REACH_M = 40.0
LIGHT_REACH_M = 50.0
MISS_M = 2.0
FALSE_ALARM_COST = 0.5
HORIZONS_S = (1.0, 2.0, 3.0)  # of `types.Forecast`
GROUPS = {ObjectKind.VEHICLE: "vehicles", ObjectKind.CYCLIST: "people", ObjectKind.WALKER: "people"}
_ON_ROUTE_M = 2.0


@dataclass
class Seen:
    """Sums over all model calls of all drives of a run."""

    calls: int = 0
    to_see: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    false_alarms: Counter[str] = field(default_factory=Counter)
    center_errors_m: list[float] = field(default_factory=list)
    speed_errors_mps: list[float] = field(default_factory=list)
    lights: Counter[str] = field(default_factory=Counter)  # "TRUE TOLD"
    futures: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, drive: DriveRecord) -> None:
        """Take all calls of one drive."""
        cameras = (
            RIGS[drive.config["model"]["rig"]]().cameras if "rig" in drive.config.get("model", {}) else ()
        )
        lights = RouteLights(drive.route, drive.road_map)
        for record in drive.calls:
            index = drive.index_at(record.time_us)
            if record.scene is None or index is None:
                continue
            self.calls += 1
            self.lights[_pair(lights.governing(drive.truths[index]), record.scene.light)] += 1
            self._add_objects(drive, index, record, cameras)

    def _add_objects(
        self, drive: DriveRecord, index: int, record: TickRecord, cameras: Sequence[CameraMount]
    ) -> None:
        assert record.scene is not None
        users, pose = drive.users(index), drive.pose(index)
        centers = to_frame(users.boxes[:, :2], *pose)
        visible = in_view(centers, cameras)
        for k in np.flatnonzero(visible):
            self.to_see[GROUPS[users.kinds[k]]] += 1
        told = np.array([(thing.x_m, thing.y_m) for thing in record.scene.objects]).reshape(-1, 2)
        pairs = match(told, [thing.score for thing in record.scene.objects], centers)
        for k, thing in enumerate(record.scene.objects):
            if k not in pairs:
                self.false_alarms[GROUPS[thing.kind]] += 1
                continue
            true = pairs[k]
            if not visible[true]:
                continue  # seen beyond what is asked for: neither found nor false
            group = GROUPS[users.kinds[true]]
            self.found[group] += 1
            self.center_errors_m.append(math.dist(told[k], centers[true]))
            speed = float(np.hypot(*users.velocities_mps[true]))
            self.speed_errors_mps.append(abs(abs(thing.speed_mps) - speed))
            self._add_future(drive, record, k, users.ids[true], pose, group)

    def _add_future(
        self, drive: DriveRecord, record: TickRecord, k: int, actor: int, pose: np.ndarray, group: str
    ) -> None:
        """The displacement errors of one forecast; none where the drive, or the actor, ends before it does."""
        if record.forecast is None:
            return
        errors = []
        for told, horizon_s in zip(record.forecast.positions_ego[k], HORIZONS_S, strict=True):
            later = drive.index_at(record.time_us + horizon_s * 1e6)
            users = drive.users(later) if later is not None else None
            if users is None or actor not in users.ids:
                return
            true = to_frame(users.boxes[users.ids.index(actor), None, :2], *pose)[0]
            errors.append(math.dist(told, true))
        self.futures[group].append((float(np.mean(errors)), errors[-1]))

    def figures(self) -> dict:
        """Plain values for JSON; None where there is nothing to divide by."""
        found, told = sum(self.found.values()), sum(self.found.values()) + sum(self.false_alarms.values())
        return {
            "calls_with_a_scene": self.calls,
            "detection": {
                "recall": _share(found, sum(self.to_see.values())),
                "precision": _share(found, told),
                "center_error_m": _mean(self.center_errors_m),
                "speed_error_mps": _mean(self.speed_errors_mps),
                **{
                    group: {
                        "to_see": self.to_see[group],
                        "found": self.found[group],
                        "false_alarms": self.false_alarms[group],
                    }
                    for group in ("vehicles", "people")
                },
            },
            "light": self._light_figures(),
            "prediction": {group: self._future_figures(group) for group in ("vehicles", "people")},
        }

    def _light_figures(self) -> dict:
        right = sum(self.lights[_pair(state, state)] for state in LightState)
        recalls = {}
        for state in LightState:
            times = sum(self.lights[_pair(state, told)] for told in LightState)
            recalls[state.name.lower()] = _share(self.lights[_pair(state, state)], times)
        known = [recall for recall in recalls.values() if recall is not None]
        red = sum(self.lights[_pair(LightState.RED, told)] for told in LightState)
        return {
            "accuracy": _share(right, self.lights.total()),
            "balanced_accuracy": _mean(known),
            "recall": recalls,
            "red_read_as_green": _share(self.lights[_pair(LightState.RED, LightState.GREEN)], red),
        }

    def _future_figures(self, group: str) -> dict:
        futures = self.futures[group]
        hits = sum(last <= MISS_M for _, last in futures)
        wrong = FALSE_ALARM_COST * self.false_alarms[group]
        return {
            "count": len(futures),
            "min_ade_m": _mean([mean for mean, _ in futures]),
            "min_fde_m": _mean([last for _, last in futures]),
            "miss_rate": _share(len(futures) - hits, len(futures)),
            "epa": _share(hits - wrong, self.to_see[group]),
        }


class RouteLights:
    """The lights whose stop lines a route crosses, by the route point at the line."""

    def __init__(self, route: Route, road_map: RoadMap) -> None:
        self._points = np.asarray(route.points)[:, :2]
        self._at = 0
        lanes, found = np.asarray(route.lanes), []
        for line in (line for line in road_map.stop_lines if line.kind == "light"):
            for lane, station_m in zip(line.lanes, line.stations_m, strict=True):
                rows = np.flatnonzero(lanes == lane)
                place = np.array(road_map.pose_on(lane, station_m)[:2])
                gaps = np.linalg.norm(self._points[rows] - place, axis=1)
                if len(rows) and gaps.min() <= _ON_ROUTE_M:
                    found.append((int(rows[gaps.argmin()]), line.signal_id))
        self._lights = sorted(found)

    def governing(self, truth: Truth) -> LightState:
        """State of the next light on the route, NONE beyond reach. Call it in order of time."""
        ahead = self._points[self._at : self._at + int(LIGHT_REACH_M)]
        self._at += int(np.linalg.norm(ahead - truth.ego[:2], axis=1).argmin())
        front = self._at + truth.ego_info.half_length_m
        for at, signal in self._lights:
            if 0.0 <= at - front <= LIGHT_REACH_M:
                return truth.lights.get(signal, LightState.NONE)
        return LightState.NONE


def match(told: np.ndarray, scores: Sequence[float], true: np.ndarray) -> dict[int, int]:
    """Which told position (n, 2) is which true one (m, 2): greedily, the best scored first, each true one once."""
    pairs: dict[int, int] = {}
    if not len(true):
        return pairs
    free = np.ones(len(true), bool)
    for k in sorted(range(len(told)), key=lambda k: -scores[k]):
        gaps = np.where(free, np.linalg.norm(true - told[k], axis=1), np.inf)
        nearest = int(gaps.argmin())
        if gaps[nearest] <= MATCH_M:
            pairs[k], free[nearest] = nearest, False
    return pairs


def in_view(centers_ego: np.ndarray, cameras: Sequence[CameraMount]) -> np.ndarray:
    """Bool (n,): within reach and in the horizontal view of some camera."""
    near = np.linalg.norm(centers_ego, axis=1) <= REACH_M
    seen = np.zeros(len(centers_ego), bool)
    for camera in cameras:
        angle = np.arctan2(centers_ego[:, 1] - camera.y_m, centers_ego[:, 0] - camera.x_m) - camera.yaw_rad
        seen |= np.abs((angle + math.pi) % (2 * math.pi) - math.pi) <= camera.fov_rad / 2
    return near & seen


def _pair(true: LightState, told: LightState) -> str:
    return f"{true.name} {told.name}"


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
