"""What a drive happens in: the roles of the closed loop, as protocols. Knows nothing of carla."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from drive_agent.log.schema import ScenarioEvent
from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from drive_agent.types import Briefing, Command, Decision, SensorPacket, Truth
from scenarios.routes import RouteSpec


@dataclass(frozen=True)
class Ground:
    """What only the log, the judge and privileged drivers may know of a route."""

    road_map: RoadMap
    route: Route


class Env(Protocol):
    """A world with one ego in it. `observe` and `truth` are two methods on purpose: an agent sees only the first."""

    def reset(self, spec: RouteSpec, seed: int) -> tuple[Briefing, Ground]:
        """Put the ego at the start of a route, with traffic of that seed."""
        ...

    def observe(self) -> SensorPacket:
        """What the sensors delivered at the current tick."""
        ...

    def truth(self) -> Truth:
        """Ground truth of the current tick."""
        ...

    def scenario_events(self) -> tuple[ScenarioEvent, ...]:
        """What the scenarios of the route reported in the current tick."""
        ...

    def apply(self, command: Command) -> None:
        """Send the command and advance the world by one tick."""
        ...


class Driver(Protocol):
    """Whoever drives. An unprivileged driver must not look at `ground` and `truth`."""

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        """Take a new route."""
        ...

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        """Decide one tick."""
        ...


class Listener(Protocol):
    """Told of every tick after the decision; must not change anything."""

    def tick(self, truth: Truth, decision: Decision, completion_percent: float) -> None: ...
