"""The plan view shows what is there: asphalt, crossings, stop lines and routes at their places."""

import carla
import numpy as np

from drive_agent.drive.carla_map import build_road_map
from drive_agent.routing import plan_route
from scenarios import towns
from scenarios.picture import MARGIN_M, draw_town
from scenarios.routes import route_set

SCALE = 4.0


def test_town_and_route_are_drawn_in_place():
    text = towns.load("Brookfield")
    road_map = build_road_map(carla.Map("Brookfield", text), text)
    route = plan_route(road_map, route_set("default")[0].keypoints)
    bare, image = draw_town(road_map, (), SCALE), draw_town(road_map, (route,), SCALE)
    points = np.concatenate([lane.center[:, :2] for lane in road_map.lanes])
    west, north = points[:, 0].min() - MARGIN_M, points[:, 1].max() + MARGIN_M

    def color(picture, place):
        return picture[int((north - place[1]) * SCALE), int((place[0] - west) * SCALE)].astype(int)

    street = next(lane for lane in road_map.lanes if lane.kind == "driving" and not lane.is_junction)
    asphalt = color(bare, street.center[len(street.center) // 2])
    assert asphalt.max() < 110 and color(bare, (west + 2, north - 2)).min() > 150
    line = road_map.stop_lines[0]
    assert np.ptp(color(bare, line.segment.mean(0))) > 100, "a stop line is coloured"
    on_route = route.points[len(route.points) // 3]
    assert np.abs(color(image, on_route) - color(bare, on_route)).max() > 60
    assert (image != bare).any(axis=2).mean() < 0.1
