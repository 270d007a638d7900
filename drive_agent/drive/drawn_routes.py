"""Routes for a map that has none yet: `routes=random:COUNT` on any town."""

from __future__ import annotations

import numpy as np

from drive_agent.drive.random_routes import RandomRoutes
from drive_agent.roadmap import RoadMap
from drive_agent.routing import sparse
from scenarios.routes import DEFAULT_WEATHER, RouteSpec, Weather

PREFIX = "random:"
_STREAM = 17  # of random numbers, beside those of traffic and sensors


def count_of(routes: str) -> int | None:
    """How many routes `random:COUNT` asks for; None where `routes` is something else. ValueError for no number."""
    if not routes.startswith(PREFIX):
        return None
    count = routes.removeprefix(PREFIX)
    if not count.isdecimal() or int(count) < 1:
        raise ValueError(f"routes={routes}: expected a number of routes, 1 or more, e.g. routes={PREFIX}3")
    return int(count)


def draw_routes(road_map: RoadMap, town: str, count: int, seed: int) -> tuple[RouteSpec, ...]:
    """Routes of 250 to 900 m through a map, in the Leaderboard's default weather, without scenarios."""
    drawn = RandomRoutes(road_map, np.random.default_rng([seed, _STREAM]))
    specs = []
    for number in range(count):
        route = drawn.draw(np.zeros((0, 2)))
        weathers = (Weather(0.0, dict(DEFAULT_WEATHER)),)
        specs.append(RouteSpec(str(number), town, route.points[sparse(route)], weathers, ()))
    return tuple(specs)
