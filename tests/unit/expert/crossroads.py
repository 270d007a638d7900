"""A small world for the expert's tests: one crossing of two roads, and a kinematic ego that tracks plans."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from drive_agent.expert.expert import Expert
from drive_agent.expert.situation import Situation
from drive_agent.geometry import arc_length, from_frame, resample, to_frame
from drive_agent.roadmap import Lane, RoadMap, StopLine
from drive_agent.routing import Route
from drive_agent.types import ActorInfo, LightState, Maneuver, ObjectKind, Plan, Truth

ARMS = "ESWN"  # named by where they lie; right-hand traffic
OUTWARD = {"E": 0.0, "N": np.pi / 2, "W": np.pi, "S": -np.pi / 2}
BOX_M, ARM_M, HALF_LANE_M, LINE_BEFORE_M = 10.0, 80.0, 1.75, 2.0
AXLE_M, TICK_US = 1.43, 50_000


def _bend(first: np.ndarray, second: np.ndarray, turn: float) -> np.ndarray:
    """A cubic Hermite curve between two poses (x, y, heading)."""
    length = np.hypot(*(second[:2] - first[:2])) * (1.0 if abs(turn) < 0.1 else 1.11)
    t = np.linspace(0.0, 1.0, 40)[:, None]
    out = length * np.array([np.cos(first[2]), np.sin(first[2])])
    into = length * np.array([np.cos(second[2]), np.sin(second[2])])
    return (
        (2 * t**3 - 3 * t**2 + 1) * first[:2] + (t**3 - 2 * t**2 + t) * out
        + (3 * t**2 - 2 * t**3) * second[:2] + (t**3 - t**2) * into
    )  # fmt: skip


def _lane(index: int, points: np.ndarray, junction_id: int) -> Lane:
    path = resample(points, np.linspace(0.0, arc_length(points)[-1], max(int(arc_length(points)[-1]), 2) + 1))
    step = np.gradient(path, axis=0)
    center = np.column_stack([path, np.zeros(len(path))])
    return Lane(
        index, index, 0, -1, "driving", junction_id, center, np.unwrap(np.arctan2(step[:, 1], step[:, 0])),
        np.full(len(path), 3.5), (), (), -1, -1, False, False, ("none", "white"), ("none", "white"), 50 / 3.6,
    )  # fmt: skip


def crossroads(control: dict[str, str]) -> RoadMap:
    """Four arms; `control` says per arm "light", "stop", "yield" or nothing. Signal ids are the arms' names."""
    lanes: dict[str, Lane] = {}
    poses = {}
    for arm in ARMS:
        heading = OUTWARD[arm]
        near, far = from_frame(np.array([[BOX_M, 0.0], [BOX_M + ARM_M, 0.0]]), 0.0, 0.0, heading)
        right = HALF_LANE_M * np.array([np.sin(heading), -np.cos(heading)])
        lanes[f"{arm}-in"] = _lane(len(lanes), np.array([far - right, near - right]), -1)
        lanes[f"{arm}-out"] = _lane(len(lanes), np.array([near + right, far + right]), -1)
        poses[arm] = (np.array([*(near - right), heading + np.pi]), np.array([*(near + right), heading]))
    links: list[tuple[str, str, str]] = []
    for a in ARMS:
        for b in ARMS:
            if a != b:
                turn = (poses[b][1][2] - poses[a][0][2] + np.pi) % (2 * np.pi) - np.pi
                lanes[f"{a}{b}"] = _lane(len(lanes), _bend(poses[a][0], poses[b][1], turn), 7)
                links.append((f"{a}-in", f"{a}{b}", f"{b}-out"))
    return RoadMap("crossroads", _linked(lanes, links), _stop_lines(lanes, control), (), (0.0, 0.0))


def _linked(lanes: dict[str, Lane], links: list[tuple[str, str, str]]) -> tuple[Lane, ...]:
    after: dict[str, list[int]] = {name: [] for name in lanes}
    before: dict[str, list[int]] = {name: [] for name in lanes}
    for first, middle, last in links:
        after[first].append(lanes[middle].index)
        before[middle].append(lanes[first].index)
        after[middle].append(lanes[last].index)
        before[last].append(lanes[middle].index)
    out = []
    for name, lane in lanes.items():
        out.append(
            Lane(**{**lane.__dict__, "successors": tuple(after[name]), "predecessors": tuple(before[name])})
        )
    return tuple(out)


def _stop_lines(lanes: dict[str, Lane], control: dict[str, str]) -> tuple[StopLine, ...]:
    out = []
    for arm, kind in control.items():
        lane = lanes[f"{arm}-in"]
        place = lane.center[int(ARM_M - LINE_BEFORE_M)]
        out.append(
            StopLine(kind, arm, (lane.index,), (ARM_M - LINE_BEFORE_M,), np.stack([place[:2]] * 2), place)
        )
    return tuple(out)


def route(road_map: RoadMap, way: str) -> Route:
    """The route from one arm to another, e.g. "SN" from the south to the north."""
    order = [f"{a}{k}" for a in ARMS for k in ("-in", "-out")]
    order += [f"{a}{b}" for a in ARMS for b in ARMS if a != b]
    indices = [order.index(f"{way[0]}-in"), order.index(way), order.index(f"{way[1]}-out")]
    chosen = [road_map.lanes[k] for k in indices]
    path = np.concatenate([lane.center[: -1 if lane is not chosen[-1] else None] for lane in chosen])
    owner = np.concatenate(
        [np.full(len(lane.center) - (lane is not chosen[-1]), lane.index) for lane in chosen]
    )
    stations = np.arange(0.0, arc_length(path)[-1])
    points = resample(path, stations)
    step = np.gradient(points[:, :2], axis=0)
    nearest = np.searchsorted(arc_length(path), stations, side="right") - 1
    return Route(
        points=points,
        headings=np.unwrap(np.arctan2(step[:, 1], step[:, 0])),
        maneuvers=tuple([Maneuver.LANE_FOLLOW] * len(points)),
        lanes=owner[nearest],
    )


@dataclass
class Other:
    """A road user on rails: its way, its speed over time."""

    path: np.ndarray
    station_m: float
    speed_mps: float
    kind: ObjectKind = ObjectKind.VEHICLE

    def row(self) -> list[float]:
        a, b = resample(self.path, np.array([self.station_m, self.station_m + 0.5]))
        yaw = np.arctan2(b[1] - a[1], b[0] - a[0])
        return [a[0], a[1], 0, yaw, 0, self.speed_mps * np.cos(yaw), self.speed_mps * np.sin(yaw), 0, 0, 0]

    def info(self, actor_id: int) -> ActorInfo:
        if self.kind == ObjectKind.WALKER:
            return ActorInfo(actor_id, "walker.pedestrian.0001", "", self.kind, 0.2, 0.2, 0.9, 0.0, 0.0)
        return ActorInfo(actor_id, "vehicle.tesla.model3", "", self.kind, 2.4, 1.0, 0.75, 0.0, 2.9)


@dataclass
class World:
    """The ego on its route among others, with lights that the test sets."""

    road_map: RoadMap
    route: Route
    others: list[Other] = field(default_factory=list)
    lights: dict[str, LightState] = field(default_factory=dict)
    speed_mps: float = 6.0
    start_m: float = 20.0

    def __post_init__(self) -> None:
        self.expert = Expert(self.road_map, self.route)
        x, y = resample(self.route.points[:, :2], np.array([self.start_m]))[0]
        self.pose = np.array([x, y, self.route.headings[int(self.start_m)]])  # rear axle
        self.time_us = 0

    def truth(self) -> Truth:
        x, y, yaw = self.pose
        ego = [
            x + AXLE_M * np.cos(yaw),
            y + AXLE_M * np.sin(yaw),
            0,
            yaw,
            0,
            self.speed_mps * np.cos(yaw),
            self.speed_mps * np.sin(yaw),
            0,
            0,
            0,
        ]
        infos = {
            1: ActorInfo(
                1, "vehicle.lincoln.mkz_2020", "hero", ObjectKind.VEHICLE, 2.45, 0.92, 0.75, 0.0, 2 * AXLE_M
            )
        }
        infos |= {k + 2: other.info(k + 2) for k, other in enumerate(self.others)}
        rows = np.array([ego] + [other.row() for other in self.others], dtype=float)
        return Truth(self.time_us, self.time_us // TICK_US, tuple(infos), rows, dict(self.lights), infos, ())

    def step(self) -> tuple[Plan, Situation]:
        """Plan, then move everything on by one tick."""
        plan, situation = self.expert.step(self.truth())
        dt = TICK_US / 1e6
        accel = float(np.clip((plan.speeds_mps[0] - self.speed_mps) / 0.5, -6.0, 2.5))
        if plan.speeds_mps[0] < 0.2:
            accel = -3.0
        self.speed_mps = max(self.speed_mps + accel * dt, 0.0)
        aim = plan.path_ego[1]
        curvature = 2.0 * aim[1] / float(aim @ aim)
        x, y, yaw = self.pose
        way = self.speed_mps * dt
        self.pose = np.array([x + way * np.cos(yaw), y + way * np.sin(yaw), yaw + way * curvature])
        for other in self.others:
            other.station_m += other.speed_mps * dt
        self.time_us += TICK_US
        return plan, situation

    def run(self, seconds: float) -> list[Situation]:
        return [self.step()[1] for _ in range(round(seconds / (TICK_US / 1e6)))]

    @property
    def front_m(self) -> float:
        """Route station of the front bumper (routes start at 0 and are sampled each metre)."""
        points = self.route.points[:, :2]
        k = int(((points - self.pose[:2]) ** 2).sum(1).argmin())
        x, y = points[k]
        ahead = to_frame(self.pose[None, :2], x, y, self.route.headings[k])[0, 0]
        return float(arc_length(points)[k] + ahead + AXLE_M + 2.45)

    def distance_to(self, other: Other) -> float:
        """Between the centres."""
        row = other.row()
        centre = self.pose[:2] + AXLE_M * np.array([np.cos(self.pose[2]), np.sin(self.pose[2])])
        return float(np.hypot(row[0] - centre[0], row[1] - centre[1]))
