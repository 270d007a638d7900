"""What a model planned, against what was then driven and where the others then were.

Sub-scores are in the style of NAVSIM's PDM score (arXiv 2406.15349) for the next 3 s of each plan, on logged futures: no
collision, drivable area, time to collision, comfort, progress, and PDMS = NC * DAC * (5 TTC + 2 C + 5 EP) / 12. Unlike there,
the plan is taken as driven exactly, others follow the log, and progress is measured against what was driven.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from drive_agent.geometry import arc_length, box_corners, from_frame, resample, to_frame
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.roadmap import RoadMap
from drive_agent.score.drive_record import DriveRecord
from drive_agent.score.openloop.rectangles import overlap
from drive_agent.types import Plan

STEPS_S = np.arange(0.5, 3.01, 0.5)
TOLD_S = (1.0, 2.0, 3.0)
TTC_S = (0.5, 1.0)  # this far everybody goes straight on from each step
LON_ACCEL_MPS2, LAT_ACCEL_MPS2, YAW_RATE_RADPS = (-4.05, 2.40), 4.89, 0.95
SHORT_M = 5.0  # below it progress is no merit
OFF_ROAD_M = 0.3
DRIVABLE = ("driving", "parking")
EVERY_US = 500_000  # plans judged by sub-scores; all are compared with the driven path
WEIGHTS = {"ttc": 5, "comfort": 2, "progress": 5}


@dataclass
class Planned:
    """Sums over all plans of all drives of a run."""

    errors_m: dict[float, list[float]] = field(default_factory=lambda: {t: [] for t in TOLD_S})
    scores: list[dict[str, float]] = field(default_factory=list)

    def add(self, drive: DriveRecord) -> None:
        """Take all plans of one drive whose 3 s were driven."""
        judged_us = -EVERY_US
        for record in drive.calls:
            plan = record.plan
            if plan is None or plan.time_us != record.time_us:
                continue  # no new one came
            now = drive.index_at(plan.time_us)
            later = [drive.index_at(plan.time_us + t * 1e6) for t in STEPS_S]
            if now is None or any(k is None for k in later):
                continue
            steps = [k for k in later if k is not None]
            poses = plan_poses(plan)
            driven = to_frame(np.array([drive.pose(k)[:2] for k in steps]), *drive.pose(now))
            gaps = np.linalg.norm(poses[:, :2] - driven, axis=1)
            for horizon_s in TOLD_S:
                self.errors_m[horizon_s].append(float(gaps[int(np.argmin(np.abs(STEPS_S - horizon_s)))]))
            if plan.time_us - judged_us >= EVERY_US:
                judged_us = plan.time_us
                self.scores.append(_sub_scores(drive, now, steps, poses, plan, driven))

    def figures(self) -> dict:
        """Plain values for JSON; None without plans."""
        return {
            "plans": len(self.errors_m[TOLD_S[0]]),
            "l2_m": {f"{t:g}s": float(np.mean(e)) if e else None for t, e in self.errors_m.items()},
            "sub_scores": {
                name: float(np.mean([score[name] for score in self.scores]))
                for name in (*("no_collision", "drivable_area"), *WEIGHTS, "pdms")
                if self.scores
            },
            "sub_scores_of": len(self.scores),
        }


def plan_poses(plan: Plan) -> np.ndarray:
    """(k, 4) x, y, yaw in the plan's ego frame and speed, at `STEPS_S`, of the path driven at the told speeds."""
    path = np.vstack([[0.0, 0.0], plan.path_ego])
    path = path[np.append(True, np.linalg.norm(np.diff(path, axis=0), axis=1) > 1e-6)]
    fine_s = np.arange(0.0, STEPS_S[-1] + 0.01, 0.05)
    speeds = np.interp(fine_s, plan.speed_times_s, plan.speeds_mps)
    way_m = np.concatenate([[0.0], np.cumsum(0.05 * (speeds[1:] + speeds[:-1]) / 2)])
    stations = np.interp(STEPS_S, fine_s, way_m)
    if len(path) < 2:
        return np.column_stack([np.zeros((len(STEPS_S), 3)), np.interp(STEPS_S, fine_s, speeds)])
    points, ahead = resample(path, stations), resample(path, stations + 0.5)
    short = np.linalg.norm(ahead - points, axis=1) < 1e-6  # beyond the path's end
    yaw = np.where(short, np.arctan2(*(path[-1] - path[-2])[::-1]), np.arctan2(*(ahead - points).T[::-1]))
    return np.column_stack([points, yaw, np.interp(STEPS_S, fine_s, speeds)])


def _sub_scores(
    drive: DriveRecord, now: int, steps: list[int], poses: np.ndarray, plan: Plan, driven: np.ndarray
) -> dict[str, float]:
    x_m, y_m, yaw_rad = drive.pose(now)
    info = drive.truths[now].ego_info
    world_yaw = poses[:, 2] + yaw_rad
    rear = from_frame(poses[:, :2], x_m, y_m, yaw_rad)
    forward = np.column_stack([np.cos(world_yaw), np.sin(world_yaw)])
    centers = rear + forward * (REAR_AXLE_TO_ORIGIN_M + info.center_forward_m)
    size = np.tile([2 * info.half_width_m, 2 * info.half_length_m], (len(poses), 1))
    boxes = np.column_stack([centers, size, world_yaw])
    hit = close = False
    for k, step in enumerate(steps):
        users = drive.users(step)
        hit |= bool(overlap(boxes[k], users.boxes).any())
        for ahead_s in TTC_S:
            own, others = boxes[k].copy(), users.boxes.copy()
            own[:2] += forward[k] * poses[k, 3] * ahead_s
            others[:, :2] += users.velocities_mps * ahead_s
            close |= bool(overlap(own, others).any())
    scores = {
        "no_collision": float(not hit),
        "drivable_area": float(all(_on_road(drive.road_map, box) for box in boxes)),
        "ttc": float(not (hit or close)),
        "comfort": float(_is_comfortable(poses, plan)),
        "progress": _progress(poses[:, :2], driven),
    }
    weighted = sum(WEIGHTS[name] * scores[name] for name in WEIGHTS) / sum(WEIGHTS.values())
    return scores | {"pdms": scores["no_collision"] * scores["drivable_area"] * weighted}


def is_drivable(road_map: RoadMap, points: np.ndarray) -> np.ndarray:
    """Bool (n,): which world points (n, 2) are on a lane; inside junctions lanes leave gaps, so any near one counts there."""
    return np.array([_is_on_lane(road_map, point) for point in points], bool)


def _on_road(road_map: RoadMap, box: np.ndarray) -> bool:
    corners = np.asarray(box_corners(box[0], box[1], box[4], box[3] / 2, box[2] / 2))
    return bool(is_drivable(road_map, corners).all())


def _is_on_lane(road_map: RoadMap, point: np.ndarray) -> bool:
    lane, station_m, lateral_m = road_map.nearest_lane(point, kinds=DRIVABLE)
    line = road_map.lanes[lane]
    width_m = float(np.interp(station_m, line.stations_m, line.width))
    return abs(lateral_m) <= width_m / 2 + OFF_ROAD_M + (width_m if line.is_junction else 0.0)


def _is_comfortable(poses: np.ndarray, plan: Plan) -> bool:
    times = np.concatenate([[0.0], plan.speed_times_s])
    speeds = np.concatenate([[plan.speeds_mps[0]], plan.speeds_mps])
    accel = np.diff(speeds) / np.diff(times)
    turn = np.diff(np.unwrap(np.concatenate([[0.0], poses[:, 2]]))) / STEPS_S[0]
    lateral = poses[:, 3] * np.abs(turn)
    return bool(
        (accel > LON_ACCEL_MPS2[0] - 1e-6).all()
        and (accel < LON_ACCEL_MPS2[1] + 1e-6).all()
        and (lateral < LAT_ACCEL_MPS2).all()
        and (np.abs(turn) < YAW_RATE_RADPS).all()
    )


def _progress(planned: np.ndarray, driven: np.ndarray) -> float:
    """Planned length over the longer of the two; 1 where neither gets anywhere."""
    own, real = (float(arc_length(np.vstack([[0.0, 0.0], way]))[-1]) for way in (planned, driven))
    return 1.0 if max(own, real) < SHORT_M else min(own / real, 1.0) if real > 0 else 1.0
