"""Hitting things and standing still.

Source: CollisionTest and ActorBlockedTest in scenario_runner's atomic_criteria.py.
"""

from __future__ import annotations

import math

from drive_agent.score.criteria.tick import HAIR_S, EgoTick
from drive_agent.score.events import BLOCKED, COLLISION_LAYOUT, COLLISION_PEDESTRIAN, COLLISION_VEHICLE, Event
from drive_agent.types import Collision as CollisionReport


class Collision:
    """Each collision once: not again within 5 m of the last one, not again with the same actor within 5 s, and not when
    the ego stands (then it was hit).

    Place and speed are those of the tick before: ScenarioRunner hears of a collision before it has read the new tick.
    """

    RADIUS_M = 5.0
    SAME_ACTOR_S = 5.0
    STANDING_MPS = 0.1

    def __init__(self) -> None:
        self._last_place: tuple[float, float, float] | None = None
        self._last_actor: int | None = None
        self._last_s = 0.0
        self._before: EgoTick | None = None

    def update(self, tick: EgoTick) -> list[Event]:
        before = self._before or tick
        events = [event for report in tick.truth.collisions for event in self._count(before, report)]
        self._before = tick
        here = (tick.x_m, tick.y_m, tick.z_m)
        if self._last_place and math.dist(here, self._last_place) > self.RADIUS_M:
            self._last_place = None
        if self._last_actor and tick.time_s - self._last_s > self.SAME_ACTOR_S - HAIR_S:
            self._last_actor = None
        return events

    def _count(self, tick: EgoTick, report: CollisionReport) -> list[Event]:
        here = (tick.x_m, tick.y_m, tick.z_m)
        if report.other_id == self._last_actor or tick.speed_mps < self.STANDING_MPS:
            return []
        if self._last_place and math.dist(here, self._last_place) <= self.RADIUS_M:
            return []
        self._last_s, self._last_place = tick.time_s, here
        if report.other_id != 0:  # 0 is the town itself
            self._last_actor = report.other_id
        kind = collision_kind(report.other_type)
        if kind is None:
            return []
        message = f"Agent collided against object with type={report.other_type} and id={report.other_id} at {tick.place}"
        return [tick.event(kind, message, other_id=str(report.other_id))]


def collision_kind(type_id: str) -> str | None:
    """Which collision an actor's type makes, None when it does not count."""
    if ("static" in type_id or "traffic" in type_id) and "sidewalk" not in type_id:
        return COLLISION_LAYOUT
    if "vehicle" in type_id:
        return COLLISION_VEHICLE
    return COLLISION_PEDESTRIAN if "walker" in type_id else None


class Blocked:
    """Standing still for too long ends the route; a scenario that makes the ego wait can suspend this."""

    STANDING_MPS = 0.1

    def __init__(self, blocked_s: float) -> None:
        self._blocked_s = blocked_s
        self._moving_s: float | None = None
        self._active = True
        self.blocked = False

    def switch(self, time_s: float, *, active: bool) -> None:
        """Suspend or resume; either way the time starts anew."""
        self._active, self._moving_s = active, time_s

    def update(self, tick: EgoTick) -> list[Event]:
        if self.blocked or not self._active:
            return []
        if self._moving_s is None or tick.speed_mps >= self.STANDING_MPS:
            self._moving_s = tick.time_s
        if tick.time_s - self._moving_s <= self._blocked_s - HAIR_S:
            return []
        self.blocked = True
        return [tick.event(BLOCKED, f"Agent got blocked at {tick.place}")]
