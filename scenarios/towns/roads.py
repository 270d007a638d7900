"""What a town's roads are once they have geometry: streets, turns, signals, crosswalks, junctions.

The values that an OpenDRIVE file writes down, without its syntax. World frame, metres; lane ids and stations (`s_m`)
are OpenDRIVE's.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.towns.curves import Curve
from scenarios.towns.plan import TownPlan

CROSSWALK_DEPTH_M = 3.0
LIGHT, STOP, YIELD, SPEED_LIMIT = "1000001", "206", "205", "274"  # OpenDRIVE types as CARLA knows them


@dataclass(frozen=True)
class Signal:
    """A light or sign that governs lanes of one driving direction; `s_m` is where they have to stop."""

    id: int
    type: str
    s_m: float
    t_m: float
    lanes: tuple[int, ...]  # OpenDRIVE lane ids governed
    value: float = -1.0


@dataclass(frozen=True)
class Crosswalk:
    id: int
    s_m: float  # of its middle
    span_m: float  # kerb to kerb and the pavements


@dataclass(frozen=True)
class Mark:
    """Paint on the outer edge of a lane, or on the reference line."""

    kind: str = "none"
    color: str = "white"
    may_cross: bool = False


NO_MARK, SOLID, SOLID_YELLOW = Mark(), Mark("solid"), Mark("solid", "yellow")
DIVIDER = Mark("broken", may_cross=True)  # between lanes of one direction


@dataclass(frozen=True)
class RoadLane:
    """A lane within a section. Its width is a + b s + c s^2 + d s^3 at s metres from the section's start."""

    id: int
    kind: str
    width: tuple[float, float, float, float]
    mark: Mark = NO_MARK
    before: int | None = None  # id of the lane of the same kind that it continues, None where there is none
    after: int | None = None


@dataclass(frozen=True)
class Section:
    """A stretch of road with the same lanes throughout."""

    s_m: float
    middle: Mark
    lanes: tuple[RoadLane, ...]  # from left to right, without the middle


@dataclass(frozen=True)
class RoadEnd:
    """What a road is joined to: a junction, or the start or the end of another road."""

    id: int
    contact: str = ""  # "start" or "end" of a road, "" for a junction


@dataclass(frozen=True)
class Road:
    """A street or, inside a junction, a connection of one driving lane to the right of its line."""

    id: int
    line: Curve
    sections: tuple[Section, ...]
    speed_kmh: float
    z_start_m: float
    z_end_m: float
    start: RoadEnd
    end: RoadEnd
    junction: int = -1  # that it lies in
    road_type: str = "town"
    signals: tuple[Signal, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()


@dataclass(frozen=True)
class Link:
    """A connection's way in: lane of the connection by lane of the road that leads to it."""

    road: Road
    from_lanes: tuple[tuple[int, int], ...]  # (lane before, lane of the connection)


@dataclass(frozen=True)
class Junction:
    id: int
    name: str
    links: tuple[Link, ...]
    phases: tuple[tuple[int, ...], ...] = ()  # signal ids that are green together


@dataclass(frozen=True)
class Network:
    plan: TownPlan
    streets: tuple[Road, ...]
    junctions: tuple[Junction, ...]


def constant(width_m: float) -> tuple[float, float, float, float]:
    """A lane that is equally wide throughout."""
    return (width_m, 0.0, 0.0, 0.0)


def blended(start_m: float, end_m: float, length_m: float) -> tuple[float, float, float, float]:
    """A lane whose edges run parallel at both ends, and smoothly from one width to the other between."""
    step_m = end_m - start_m
    return (start_m, 0.0, 3 * step_m / length_m**2, 2 * (start_m - end_m) / length_m**3)
