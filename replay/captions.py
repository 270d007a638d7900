"""Words for the kinds of infractions, as people read them. The kinds are the Leaderboard's."""

from __future__ import annotations

from drive_agent.score import events

TITLES: dict[str, str] = {
    events.COLLISION_LAYOUT: "Hit an obstacle",
    events.COLLISION_PEDESTRIAN: "Hit a pedestrian",
    events.COLLISION_VEHICLE: "Hit a vehicle",
    events.RED_LIGHT: "Red light run",
    events.STOP: "Stop sign run",
    events.OUTSIDE_LANES: "Outside lanes",
    events.MIN_SPEED: "Too slow",
    events.YIELD: "Did not yield",
    events.SCENARIO_TIMEOUT: "Scenario timeout",
    events.ROUTE_DEVIATION: "Left the route",
    events.BLOCKED: "Blocked",
    events.ROUTE_TIMEOUT: "Route timeout",
}
MILD = frozenset({events.OUTSIDE_LANES, events.MIN_SPEED})  # shown in amber; all others in red


def title(kind: str) -> str:
    """A few words for a kind of infraction; a kind that is not known is its own title."""
    return TITLES.get(kind, kind.replace("_", " "))
