"""What a model planned, against what was then driven and where the others then were: for all plans of a run.

Sub-scores are those of `score.openloop.pdms`, for the next 3 s of each plan, on logged futures: the same code as in open loop and
in the reward of training.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from drive_agent.geometry import from_frame, resample, to_frame, wrap_angle
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.roadmap import RoadMap
from drive_agent.score.drive_record import VX, VY, DriveRecord
from drive_agent.score.openloop.cases import STEP_S, STEPS
from drive_agent.score.openloop.pdms import Setting, score_plan
from drive_agent.types import Plan

STEPS_S = STEP_S * np.arange(1, STEPS + 1)
TOLD_S = (1.0, 2.0, 3.0)
OFF_ROAD_M = 0.3
DRIVABLE = ("driving", "parking")
EVERY_US = 500_000  # plans judged by sub-scores; all are compared with the driven path
_FINE_S = 0.05


@dataclass
class Planned:
    """Sums over all plans of all drives of a run."""

    errors_m: dict[str, list[float]] = field(default_factory=lambda: {_at(t): [] for t in TOLD_S})
    scores: list[dict[str, float]] = field(default_factory=list)

    def add(self, drive: DriveRecord) -> None:
        """Take all plans of one drive whose 3 s were driven."""
        judged_us = -EVERY_US
        for record in drive.calls:
            plan = record.plan
            if plan is None or plan.time_us != record.time_us:
                continue  # no new one came
            moments = [drive.index_at(plan.time_us + t * 1e6) for t in (0.0, *STEPS_S)]
            at = [k for k in moments if k is not None]
            if len(at) < len(moments):
                continue
            poses, driven = plan_poses(plan), _driven(drive, at)
            gaps = np.linalg.norm(poses[:, :2] - driven[1:, :2], axis=1)
            for horizon_s in TOLD_S:
                self.errors_m[_at(horizon_s)].append(float(gaps[int(np.argmin(np.abs(STEPS_S - horizon_s)))]))
            if plan.time_us - judged_us >= EVERY_US:
                judged_us = plan.time_us
                judged = score_plan(poses, _setting(drive, at, driven))
                self.scores.append({**asdict(judged), "pdms_style": judged.pdms_style})

    def figures(self) -> dict:
        """Plain values for JSON; None without plans."""
        return {
            "plans": len(self.errors_m[_at(TOLD_S[0])]),
            "l2_m": {at: float(np.mean(e)) if e else None for at, e in self.errors_m.items()},
            "sub_scores": {
                name: float(np.mean([score[name] for score in self.scores]))
                for name in (self.scores[0] if self.scores else ())
            },
            "sub_scores_of": len(self.scores),
        }


def _at(horizon_s: float) -> str:
    return f"{horizon_s:g}s"


def plan_poses(plan: Plan) -> np.ndarray:
    """Poses (6, 3) x, y, yaw in the plan's ego frame, at `STEPS_S`, of the path driven at the told speeds.

    Speeds are linear between their times; a path that is too short goes on straight.
    """
    path = np.vstack([[0.0, 0.0], plan.path_ego])
    path = path[np.append(True, np.linalg.norm(np.diff(path, axis=0), axis=1) > 1e-6)]
    if len(path) < 2:
        return np.zeros((STEPS, 3))
    fine_s = np.arange(0.0, STEPS_S[-1] + _FINE_S / 2, _FINE_S)
    speeds = np.interp(fine_s, plan.speed_times_s, plan.speeds_mps)
    way_m = np.concatenate([[0.0], np.cumsum(_FINE_S * (speeds[1:] + speeds[:-1]) / 2)])
    stations = np.interp(STEPS_S, fine_s, way_m)
    points = resample(path, stations)
    ahead = resample(path, stations + 0.1) - points
    return np.column_stack([points, np.arctan2(ahead[:, 1], ahead[:, 0])])


def _driven(drive: DriveRecord, at: list[int]) -> np.ndarray:
    """Poses (7, 3) of the ego at these ticks, in its frame at the first."""
    world, now = np.array([drive.pose(k) for k in at]), drive.pose(at[0])
    return np.column_stack([to_frame(world[:, :2], *now), wrap_angle(world[:, 2] - now[2])])


def _setting(drive: DriveRecord, at: list[int], driven: np.ndarray) -> Setting:
    now, truth = drive.pose(at[0]), drive.truths[at[0]]
    seen = [drive.users(k) for k in at]
    ids = list(dict.fromkeys(name for users in seen for name in users.ids))
    agents, there = np.zeros((len(at), len(ids), 5)), np.zeros((len(at), len(ids)), bool)
    for step, users in enumerate(seen):
        columns = [ids.index(name) for name in users.ids]
        agents[step, columns] = users.boxes
        there[step, columns] = True
    agents[..., :2] = to_frame(agents[..., :2], *now)
    agents[..., 4] -= now[2]
    info = truth.ego_info
    return Setting(
        driven=driven,
        speed_mps=float(np.hypot(truth.ego[VX], truth.ego[VY])),
        agents=agents,
        there=there,
        is_static=np.zeros(len(ids), bool),
        ego_size=(2 * info.half_width_m, 2 * info.half_length_m),
        ego_ahead_m=REAR_AXLE_TO_ORIGIN_M + info.center_forward_m,
        is_drivable=lambda points: is_drivable(drive.road_map, from_frame(points, *now)),
    )


def is_drivable(road_map: RoadMap, points: np.ndarray) -> np.ndarray:
    """Bool (n,): which world points (n, 2) are on a lane; inside junctions lanes leave gaps, so any near one counts there."""
    return np.array([_is_on_lane(road_map, point) for point in points], bool)


def _is_on_lane(road_map: RoadMap, point: np.ndarray) -> bool:
    lane, station_m, lateral_m = road_map.nearest_lane(point, kinds=DRIVABLE)
    line = road_map.lanes[lane]
    width_m = float(np.interp(station_m, line.stations_m, line.width))
    return abs(lateral_m) <= width_m / 2 + OFF_ROAD_M + (width_m if line.is_junction else 0.0)
