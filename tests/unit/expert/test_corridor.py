"""The place on a route, also where the route comes along the same road again."""

from dataclasses import replace

import numpy as np

from drive_agent.expert.corridor import RouteTrack
from tests.unit.expert.crossroads import crossroads, route


def test_who_begins_on_a_road_that_the_route_takes_twice_is_there_for_the_first_time():
    road_map = crossroads({})
    once = route(road_map, "SN")
    again = once.points.copy()
    again[:, 0] += 0.4  # the second time is nearer to where the car begins
    twice = replace(
        once,
        points=np.concatenate([once.points, again]),
        headings=np.tile(once.headings, 2),
        lanes=np.tile(once.lanes, 2),
    )
    track = RouteTrack(road_map, twice)
    length_m = track.stations_m[len(once.points) - 1]
    stations = [track.follow(x, y)[0] for x, y in again[5:60:5, :2]]
    assert max(stations) < length_m
    assert all(after > before for before, after in zip(stations, stations[1:], strict=False))
