"""What a town's roads are once they have geometry: streets, turns, signals, crosswalks, junctions.

The values that an OpenDRIVE file writes down, without its syntax. World frame, metres; lane ids and stations (`s_m`)
are OpenDRIVE's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenarios.towns.curves import Curve, Pose, moved, wrap
from scenarios.towns.plan import TownPlan

LANE_M = 3.5
SHOULDER_M = 0.4
SIDEWALK_M = 2.5
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
class Road:
    """A street (`lanes` each way) or, inside a junction, a connection of one lane to the right of its line."""

    id: int
    line: Curve
    lanes: int
    speed_kmh: float
    z_start_m: float
    z_end_m: float
    junction_start: int  # junction ids at both ends of a street; of a connection, the junction it lies in
    junction_end: int
    sidewalk: bool = True
    signals: tuple[Signal, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()


@dataclass(frozen=True)
class Link:
    """A connection's place: from a lane of one street to a lane of another."""

    road: Road
    from_arm: Arm
    to_arm: Arm
    from_lane: int
    to_lane: int


@dataclass(frozen=True)
class Arm:
    """One street's end at a junction, seen from the junction."""

    street: int  # index of the street
    at_start: bool  # the junction lies at the street's s = 0
    mouth: Pose  # centre line at the junction's border, heading away from the junction
    lanes: int

    @property
    def road_id(self) -> int:
        return self.street + 1

    @property
    def lanes_in(self) -> list[int]:
        """Lane ids that arrive at the junction, inner to outer."""
        return [k if self.at_start else -k for k in range(1, self.lanes + 1)]

    @property
    def lanes_out(self) -> list[int]:
        return [-lane for lane in self.lanes_in]

    def entry(self, lane_number: int) -> Pose:
        """Left edge of the arriving lane `lane_number` (0: inner), in driving direction."""
        x_m, y_m, heading = self.mouth
        return moved((x_m, y_m, wrap(heading + math.pi)), 0.0, -lane_number * LANE_M)

    def exit(self, lane_number: int) -> Pose:
        return moved(self.mouth, 0.0, -lane_number * LANE_M)


@dataclass(frozen=True)
class Junction:
    id: int
    name: str
    links: tuple[Link, ...]
    phases: tuple[tuple[int, ...], ...]  # signal ids that are green together


@dataclass(frozen=True)
class Network:
    plan: TownPlan
    streets: tuple[Road, ...]
    junctions: tuple[Junction, ...]
