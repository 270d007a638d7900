"""What every criterion is fed with: one tick of truth, with the ego's numbers taken out once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

from drive_agent.roadmap import RoadMap
from drive_agent.score.events import Event, place_text
from drive_agent.score.lanes import LanePlace, nearest_place
from drive_agent.types import Truth

# The Leaderboard adds up ticks of single precision (0.05 s is 0.0500000007): spans of whole ticks exceed what they equal.
HAIR_S = 1e-6


@dataclass(frozen=True)
class EgoTick:
    """The ego at one tick; world frame, reference point is the actor's origin."""

    truth: Truth
    time_s: float
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    speed_mps: float  # in the plane, as ScenarioRunner measures it
    forward_mps: float
    lane: LanePlace  # nearest driving lane
    half_length_m: float
    forward: tuple[float, float] = field(repr=False)

    def event(self, kind: str, message: str, value: float = 0.0, other_id: str = "") -> Event:
        """An event that happens here and now."""
        return Event(kind, self.truth.time_us, self.x_m, self.y_m, self.z_m, message, value, other_id)

    @property
    def place(self) -> str:
        return place_text(self.x_m, self.y_m, self.z_m)


class Criterion(Protocol):
    def update(self, tick: EgoTick) -> list[Event]:
        """Look at one tick; report what went wrong in it."""
        ...


def ego_tick(truth: Truth, road_map: RoadMap) -> EgoTick:
    """Take the ego out of a tick of truth."""
    x, y, z, yaw, _, vx, vy = truth.actors[0, :7].tolist()
    cos, sin = math.cos(yaw), math.sin(yaw)
    return EgoTick(
        truth=truth,
        time_s=truth.time_us / 1e6,
        x_m=x,
        y_m=y,
        z_m=z,
        yaw_rad=yaw,
        speed_mps=math.hypot(vx, vy),
        forward_mps=vx * cos + vy * sin,
        lane=nearest_place(road_map, x, y),
        half_length_m=truth.ego_info.half_length_m,
        forward=(cos, sin),
    )
