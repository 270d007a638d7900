"""Tiny worlds that tests know by heart: a straight street, a crossing, and drives through them tick by tick.

World frame. The street lies along x: lanes of 3.5 m, the ego's driving lane is centred on y = -1.75, the opposite one on
y = +1.75. Nothing here needs a simulator.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from drive_agent.log.schema import RunHeader
from drive_agent.rig import CameraMount
from drive_agent.roadmap import Lane, RoadMap, StopLine
from drive_agent.routing import Route
from drive_agent.types import (
    ActorInfo,
    CameraImage,
    Collision,
    EgoState,
    Frame,
    LightState,
    Maneuver,
    ObjectKind,
    Truth,
)

LANE_M = 3.5
EGO_LANE_Y = -LANE_M / 2
TICK_US = 50_000
EGO_ID = 1
EGO_HALF_LENGTH_M = 2.45
LIMIT_MPS = 50 / 3.6


def lane(
    index: int,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    road_id: int = 1,
    lane_id: int = -1,
    kind: str = "driving",
    junction_id: int = -1,
    successors: tuple[int, ...] = (),
    predecessors: tuple[int, ...] = (),
    width_m: float = LANE_M,
    limit_mps: float = LIMIT_MPS,
) -> Lane:
    """A straight lane with a point each metre."""
    count = max(round(np.hypot(end[0] - start[0], end[1] - start[1])), 1) + 1
    center = np.column_stack(
        [np.linspace(start[0], end[0], count), np.linspace(start[1], end[1], count), np.zeros(count)]
    )
    heading = np.full(count, np.arctan2(end[1] - start[1], end[0] - start[0]))
    return Lane(
        index, road_id, 0, lane_id, kind, junction_id, center, heading, np.full(count, width_m), successors, predecessors,
        -1, -1, False, False, ("none", "white"), ("none", "white"), limit_mps,
    )  # fmt: skip


def street(
    length_m: float = 400.0, stop_m: float | None = None, stop_kind: str = "light", *, parking: bool = False
) -> RoadMap:
    """Two lanes, one each way, and where asked a stop line over the ego's lane and a parking lane right of it."""
    lanes = [
        lane(0, (0.0, EGO_LANE_Y), (length_m, EGO_LANE_Y)),
        lane(1, (length_m, -EGO_LANE_Y), (0.0, -EGO_LANE_Y), lane_id=1),
    ]
    if parking:
        y = EGO_LANE_Y - LANE_M
        lanes.append(lane(2, (0.0, y), (length_m, y), lane_id=-2, kind="parking"))
    return RoadMap(
        "Street", tuple(lanes), () if stop_m is None else (_stop_line(stop_m, stop_kind),), (), (0.0, 0.0)
    )


def street_with_junction(before_m: float = 100.0, inside_m: float = 20.0, after_m: float = 100.0) -> RoadMap:
    """The street with its middle part inside a junction; the ego's lanes are 0, 1, 2, the opposite ones 3, 4, 5."""
    marks = [0.0, before_m, before_m + inside_m, before_m + inside_m + after_m]
    lanes = []
    for k in range(3):
        junction = 7 if k == 1 else -1
        lanes.append(
            lane(k, (marks[k], EGO_LANE_Y), (marks[k + 1], EGO_LANE_Y), road_id=k, junction_id=junction,
                 successors=(k + 1,) if k < 2 else (), predecessors=(k - 1,) if k else ())
        )  # fmt: skip
    for k in range(3):
        junction = 7 if k == 1 else -1
        lanes.append(
            lane(3 + k, (marks[k + 1], -EGO_LANE_Y), (marks[k], -EGO_LANE_Y), road_id=k, lane_id=1, junction_id=junction,
                 successors=(2 + k,) if k else (), predecessors=(4 + k,) if k < 2 else ())
        )  # fmt: skip
    return RoadMap("Junction", tuple(lanes), (), (), (0.0, 0.0))


def straight_route(length_m: int = 200, start_m: float = 0.0) -> Route:
    """Along the ego's lane, a point each metre."""
    x = start_m + np.arange(length_m + 1.0)
    points = np.column_stack([x, np.full(len(x), EGO_LANE_Y), np.zeros(len(x))])
    return Route(points, np.zeros(len(x)), (Maneuver.LANE_FOLLOW,) * len(x), np.zeros(len(x), int))


def header(route: Route, route_id: str = "7", repetition: int = 0) -> RunHeader:
    """A run's header around a route."""
    picks = [0, len(route.points) - 1]
    return RunHeader(
        route_id=route_id,
        repetition=repetition,
        town="Street",
        seed=3,
        route=route,
        sparse_points=route.points[picks],
        sparse_maneuvers=tuple(route.maneuvers[k] for k in picks),
        config={"model": {"kind": "scripted", "period_s": 0.2}, "routes": ["7"]},
        package_versions={"drive-agent": "0.1.0"},
        git_hash="0" * 40,
    )


EGO = ActorInfo(
    EGO_ID, "vehicle.lincoln.mkz_2020", "hero", ObjectKind.VEHICLE, EGO_HALF_LENGTH_M, 0.92, 0.72, 0.0, 2.86
)


def car(actor: int, role: str = "background") -> ActorInfo:
    """Another vehicle."""
    return ActorInfo(actor, "vehicle.tesla.model3", role, ObjectKind.VEHICLE, 2.4, 1.08, 0.74, 0.0, 2.87)


def truth(
    tick: int,
    x_m: float,
    y_m: float = EGO_LANE_Y,
    *,
    yaw_rad: float = 0.0,
    speed_mps: float = 0.0,
    others: dict[int, tuple[float, float, float]] | None = None,
    role: str = "background",
    lights: dict[str, LightState] | None = None,
    collisions: tuple[Collision, ...] = (),
) -> Truth:
    """One tick: the ego, and other cars as id -> (x, y, speed along x)."""
    rows = [_row(x_m, y_m, yaw_rad, speed_mps)] + [_row(x, y, 0.0, v) for x, y, v in (others or {}).values()]
    infos = {EGO_ID: EGO} | {actor: car(actor, role) for actor in others or {}}
    return Truth(
        tick * TICK_US, tick, tuple(infos), np.array(rows), lights or {}, infos, collisions,
    )  # fmt: skip


def cruise(
    speed_mps: float,
    seconds: float,
    start_m: float = 0.0,
    first_tick: int = 1,
    y_m: float = EGO_LANE_Y,
    **extra: object,
) -> Iterable[Truth]:
    """Ticks of driving along x at a constant speed."""
    for k in range(round(seconds * 1e6 / TICK_US)):
        x = start_m + speed_mps * k * TICK_US / 1e6
        yield truth(first_tick + k, x, y_m, speed_mps=speed_mps, **extra)


def _row(x: float, y: float, yaw: float, speed: float) -> list[float]:
    return [x, y, 0.0, yaw, 0.0, speed * np.cos(yaw), speed * np.sin(yaw), 0.0, 0.0, 0.0]


def _stop_line(stop_m: float, kind: str) -> StopLine:
    ends = np.array([[stop_m, EGO_LANE_Y - LANE_M / 2], [stop_m, EGO_LANE_Y + LANE_M / 2]])
    return StopLine(kind, "s1", (0,), (stop_m,), ends, np.array([stop_m + 8.0, EGO_LANE_Y - 4.0, 5.0]))


def plain_frame(cameras: tuple[CameraMount, ...], seed: int = 0) -> Frame:
    """A frame whose cameras all show noise, on a straight route."""
    rng = np.random.default_rng(seed)

    def picture(mount: CameraMount, time_us: int) -> CameraImage:
        rgb = rng.integers(0, 256, (mount.height, mount.width, 3), dtype=np.uint8)
        return CameraImage(mount.name, time_us, rgb, b"")

    return Frame(
        time_us=500_000,
        cameras={mount.name: picture(mount, 500_000) for mount in cameras},
        previous={mount.name: picture(mount, 0) for mount in cameras},
        ego=EgoState(500_000, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 50.0),
        history_ego=np.zeros((1, 4)),
        route_ego=np.array([[40.0, 0.0], [80.0, 0.0]]),
        route_maneuvers=(Maneuver.LANE_FOLLOW, Maneuver.LANE_FOLLOW),
        maneuver=Maneuver.LANE_FOLLOW,
    )
