"""How people behave: they stroll on pavements, turn round where one ends, and now and then cross the road.

They cross where a crosswalk is near or else right where they are, after looking: not in front of a car that could
hardly stop. Knows nothing of carla. World frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from drive_agent.geometry import arc_length, resample
from drive_agent.roadmap import RoadMap
from drive_agent.types import ObjectKind, Truth

STEP_M = 2.0
ARRIVED_M = 0.5
SIDE_M = 0.6  # people keep up to this beside the middle of the pavement
JOIN_M = 5.0  # a pavement that begins this near to where one ends goes on there
CROSS_PER_STEP = 0.05
ROAD_WIDTH_M = (6.0, 28.0)  # between the middles of the pavements of a road that one may cross
CROSSWALK_REACH_M = 15.0
ON_ROAD_M = 3.0  # between the middles of a crosswalk and of the road it leads over
PACE_MPS = (1.0, 1.7)
RUN_MPS, RUN_SHARE = 2.6, 0.15
LOOK_S, LOOK_M = 2.2, 7.0  # a car nearer than LOOK_M + LOOK_S * speed is let pass first
ELBOW_M = 1.0  # room that people keep before a car
GIVE_UP_US = 15_000_000
# who gets on so much less than it walks, for so long, steps aside ...
BLOCKED_US, BLOCKED_SHARE = 1_000_000, 0.3
ASIDE_US, ASIDE_RAD = 1_200_000, np.radians(80.0)  # ... for so long, turned so far from its way
NEAR_ENOUGH_M = 1.5  # and who is so near to a place that cannot be reached goes on to the next


@dataclass(frozen=True)
class Pavement:
    """One pavement's middle line, a point each `STEP_M`."""

    points: np.ndarray  # (n, 2)
    heights_m: np.ndarray  # (n,)


@dataclass
class Stroller:
    """One person's intentions."""

    pavement: int
    place: int
    direction: int  # +1 or -1 along the pavement
    pace_mps: float
    side_m: float
    targets: list[np.ndarray] = field(default_factory=list)
    look_at: int = (
        0  # when so many targets are left the next leg is the road: look first; 0 when not crossing
    )
    waited_us: int = 0
    came_from: tuple[int, int] = (0, 0)  # pavement and place before the crossing
    before: np.ndarray | None = None  # where it was when it last decided, (2,)
    speed_mps: float = 0.0  # what it decided then
    blocked_us: int = 0  # walking against a tree or a lamp post
    aside_us: int = 0  # still to go round it


class Pavements:
    """The pavements of a town, and the ways over its roads."""

    def __init__(self, road_map: RoadMap) -> None:
        lanes = [lane for lane in road_map.lanes if lane.kind == "sidewalk" and len(lane.center) > 6]
        if not lanes:
            raise ValueError(f"town {road_map.name!r} has no pavement to walk on; set walkers to 0")
        self.lines = []
        for lane in lanes:
            length = arc_length(lane.center[:, :2])[-1]
            points = resample(lane.center, np.linspace(0.0, length, max(int(length / STEP_M), 2) + 1))
            self.lines.append(Pavement(points[:, :2], points[:, 2]))
        self.points = np.concatenate([line.points for line in self.lines])  # (n, 2) of all of them, in order
        self._ends = np.cumsum([len(line.points) for line in self.lines])
        self._opposite = [
            [
                k
                for k, other in enumerate(lanes)
                if other.road_id == lane.road_id and other.lane_id * lane.lane_id < 0
            ]
            for lane in lanes
        ]
        self._crosswalks = [ring[:-1, :2] for ring in road_map.crosswalks]

    def place_of(self, point: int) -> tuple[int, int]:
        """Pavement and place of a row of `points`."""
        pavement = int(np.searchsorted(self._ends, point, side="right"))
        line = self.lines[pavement]
        return pavement, point - int(self._ends[pavement]) + len(line.points)

    def over(
        self, pavement: int, place: int, rng: np.random.Generator
    ) -> tuple[list[np.ndarray], int, int] | None:
        """The way across from a place: its points, and the pavement and place where it ends. None when there is none."""
        here = self.lines[pavement].points[place]
        for other in self._opposite[pavement]:
            gaps = np.linalg.norm(self.lines[other].points - here, axis=1)
            there = int(gaps.argmin())
            if ROAD_WIDTH_M[0] < gaps[there] < ROAD_WIDTH_M[1]:
                target = self.lines[other].points[there]
                return [*self._crosswalk(here, target, rng), target], other, there
        return None

    def _crosswalk(self, here: np.ndarray, there: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Two points of a crosswalk near the straight way, in walking order, or nothing."""
        middle = 0.5 * (here + there)
        across = (there - here) / np.linalg.norm(there - here)
        beside = np.array([-across[1], across[0]])
        rings = [r for r in self._crosswalks if _leads_over(r - middle, across, beside)]
        if not rings or rng.random() < 0.3:
            return []
        ring = min(rings, key=lambda r: float(np.linalg.norm(r.mean(0) - middle)))
        center = ring.mean(0)
        depth = (ring - center) @ across
        shift = beside * rng.uniform(-0.3, 0.3) * float(np.ptp((ring - center) @ beside))
        return [center + across * depth.min() + shift, center + across * depth.max() + shift]

    def next_line(self, pavement: int, place: int) -> tuple[int, int, int] | None:
        """Pavement, place and direction that go on where one ends, None when nothing joins."""
        end = self.lines[pavement].points[place]
        best, nearest = None, JOIN_M
        for k, line in enumerate(self.lines):
            if k == pavement:
                continue
            for at, direction in ((0, 1), (len(line.points) - 1, -1)):
                gap = float(np.linalg.norm(line.points[at] - end))
                if gap < nearest:
                    best, nearest = (k, at, direction), gap
        return best


def _leads_over(ring: np.ndarray, across: np.ndarray, beside: np.ndarray) -> bool:
    """Whether a crosswalk, relative to the middle of the road here, is near and leads over this road, not another."""
    near = float(np.linalg.norm(ring.mean(0))) < CROSSWALK_REACH_M
    on_this_road = abs(float(ring.mean(0) @ across)) < ON_ROAD_M
    return near and on_this_road and float(np.ptp(ring @ across)) > float(np.ptp(ring @ beside))


def new_stroller(pavements: Pavements, pavement: int, place: int, rng: np.random.Generator) -> Stroller:
    """A person at a place, going either way."""
    direction = 1 if rng.random() < 0.5 else -1
    pace, side = rng.uniform(*PACE_MPS), rng.uniform(-SIDE_M, SIDE_M)
    return Stroller(pavement, place, direction, pace, side, came_from=(pavement, place))


def walk(
    person: Stroller,
    position: np.ndarray,
    pavements: Pavements,
    cars: np.ndarray,
    step_us: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Velocity (2,) of a person at `position` (2,), given `cars_of` a tick. Changes the intentions."""
    _feel(person, position, step_us)
    while person.targets and np.linalg.norm(person.targets[0] - position) < ARRIVED_M:
        person.targets.pop(0)
    if not person.targets:
        _next_target(person, pavements, rng)
    if person.look_at == len(person.targets):
        if _car_comes(position, person.targets[-1], cars):
            return _wait(person, step_us)
        person.look_at = 0
    side = 1.0 if person.side_m > 0.0 else -1.0
    gap = person.targets[0] - position
    direction = gap / max(float(np.linalg.norm(gap)), 1e-6)
    if person.aside_us > 0:
        direction = _turned(direction, side * ASIDE_RAD)
    free = _way_round(direction, side, position, cars)
    person.speed_mps = person.pace_mps * float(free.any())
    return free * person.pace_mps


def _feel(person: Stroller, position: np.ndarray, step_us: int) -> None:
    """Notices what is walked against and does not give way, and turns to the other side each time."""
    person.aside_us = max(person.aside_us - step_us, 0)
    wanted_m = person.speed_mps * step_us * 1e-6
    got_m = np.inf if person.before is None else float(np.linalg.norm(position - person.before))
    person.before = position.copy()
    person.blocked_us = person.blocked_us + step_us if got_m < BLOCKED_SHARE * wanted_m else 0
    if person.blocked_us >= BLOCKED_US:
        person.side_m, person.aside_us, person.blocked_us = -person.side_m, ASIDE_US, 0
        if person.targets and np.linalg.norm(person.targets[0] - position) < NEAR_ENOUGH_M:
            person.targets.pop(0)


def _turned(direction: np.ndarray, turn_rad: float) -> np.ndarray:
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    return np.array([direction[0] * cos - direction[1] * sin, direction[0] * sin + direction[1] * cos])


def _way_round(direction: np.ndarray, side: float, position: np.ndarray, cars: np.ndarray) -> np.ndarray:
    """The direction (2,) nearest to the wanted one, first to one's own side, that leads into no car; zeros for none."""
    for turn_rad in (0.0, *(side * np.radians((50.0, 100.0, -50.0, -100.0)))):
        turned = _turned(direction, turn_rad)
        if not _car_in_the_way(position, turned, cars):
            return turned
    return np.zeros(2)


def _wait(person: Stroller, step_us: int) -> np.ndarray:
    """Stand; after a while give the crossing up."""
    person.waited_us += step_us
    person.speed_mps = 0.0
    if person.waited_us > GIVE_UP_US:
        person.look_at = 0
        person.pavement, person.place = person.came_from
        person.targets.clear()
    return np.zeros(2)


def _next_target(person: Stroller, pavements: Pavements, rng: np.random.Generator) -> None:
    if rng.random() < CROSS_PER_STEP:
        way = pavements.over(person.pavement, person.place, rng)
        if way is not None:
            person.came_from = person.pavement, person.place
            person.targets, person.pavement, person.place = way
            person.look_at = 1 if len(person.targets) == 1 else 2
            person.waited_us = 0
            person.pace_mps = RUN_MPS if rng.random() < RUN_SHARE else rng.uniform(*PACE_MPS)
            return
    line = pavements.lines[person.pavement]
    if not 0 <= person.place + person.direction < len(line.points):
        joined = pavements.next_line(person.pavement, person.place)
        if joined is None:
            person.direction = -person.direction
        else:
            person.pavement, person.place, person.direction = joined
            line = pavements.lines[person.pavement]
    person.place = int(np.clip(person.place + person.direction, 0, len(line.points) - 1))
    along = np.gradient(line.points, axis=0)[person.place]
    normal = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    person.targets = [line.points[person.place] + person.side_m * normal]


def _car_in_the_way(position: np.ndarray, direction: np.ndarray, cars: np.ndarray) -> bool:
    """Whether the next step would lead into a car."""
    if not len(cars):
        return False
    gap = position + ELBOW_M * direction - cars[:, :2]
    cos, sin = np.cos(cars[:, 4]), np.sin(cars[:, 4])
    along, left = gap[:, 0] * cos + gap[:, 1] * sin, gap[:, 1] * cos - gap[:, 0] * sin
    beside = (np.abs(along) < cars[:, 5] + ELBOW_M / 2) & (np.abs(left) < cars[:, 6] + ELBOW_M / 2)
    return bool((beside & ((gap - ELBOW_M * direction) @ direction < 0.0)).any())


def _car_comes(position: np.ndarray, target: np.ndarray, cars: np.ndarray) -> bool:
    """Whether a car will soon be where the way from here to there leads over."""
    if not len(cars):
        return False
    way = target - position
    share = np.clip((cars[:, :2] - position) @ way / max(float(way @ way), 1e-6), 0.0, 1.0)
    gap = position + share[:, None] * way - cars[:, :2]
    speed = np.linalg.norm(cars[:, 2:4], axis=1)
    distance = np.linalg.norm(gap, axis=1)
    nearing = (gap * cars[:, 2:4]).sum(1) > 0.0
    return bool((nearing & (speed > 0.5) & (distance < LOOK_M + LOOK_S * speed)).any())


def cars_of(truth: Truth) -> np.ndarray:
    """Cars of a tick, (n, 7): x, y, vx, vy, yaw, half length, half width."""
    rows, sizes = [], []
    for k, actor_id in enumerate(truth.ids):
        info = truth.infos[actor_id]
        if info.kind != ObjectKind.WALKER:
            rows.append(k)
            sizes.append((info.half_length_m, info.half_width_m))
    if not rows:
        return np.zeros((0, 7))
    return np.column_stack([truth.actors[rows][:, [0, 1, 5, 6, 3]], np.array(sizes)])
