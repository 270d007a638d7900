import math

import carla
import numpy as np
import pytest

from drive_agent.sim import opendrive
from drive_agent.sim.render import junctions, labels, streets
from drive_agent.sim.render.camera import Camera
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.scenery import build_scenery
from drive_agent.sim.render.signals import LIGHT, STOP, approaches
from scenarios import towns

EMPTY_MAP = """<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="4" name="x" north="0" south="0" east="0" west="0">
<geoReference><![CDATA[+proj=tmerc +lat_0=0 +lon_0=0]]></geoReference></header>
<road name="r" length="50" id="1" junction="-1"><link/><planView><geometry s="0" x="0" y="0" hdg="0" length="50"><line/></geometry>
</planView><elevationProfile/><lateralProfile/><lanes><laneSection s="0"><center><lane id="0" type="none" level="false"/></center>
<right><lane id="-1" type="{kind}" level="false"><link/><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></right></laneSection></lanes>
</road></OpenDRIVE>"""


def _road_map(kind: str) -> tuple[carla.Map, str]:
    text = EMPTY_MAP.format(kind=kind)
    return carla.Map("one road", text), text


def test_a_single_road_is_drawn(world) -> None:
    scenery = build_scenery(*_road_map("driving"))
    above = Camera(64, 64, 60.0, 25.0, 1.75, 20.0, -90.0, 0.0, 0.0)
    picture = Renderer(scenery).render([above], [])[0]
    assert picture.tag[32, 32] == labels.ROADS
    assert picture.tag[32, 2] == labels.TERRAIN
    assert picture.depth_m[32, 32] == pytest.approx(20.0, abs=0.01)


def test_a_map_without_driving_lanes_is_refused() -> None:
    with pytest.raises(ValueError, match="no driving lane"):
        build_scenery(*_road_map("none"))


def test_the_same_seed_builds_the_same_town(town, town_map) -> None:
    again = build_scenery(town_map, towns.load("Brookfield"))
    other = build_scenery(town_map, towns.load("Brookfield"), seed=5)
    assert (again.mesh.corners == town.mesh.corners).all()
    assert (again.static_boxes == town.static_boxes).all()
    assert (
        other.static_boxes.shape != town.static_boxes.shape or (other.static_boxes != town.static_boxes).any()
    )


def test_nothing_to_bump_into_stands_on_a_driving_lane(town, town_map) -> None:
    waypoints = town_map.generate_waypoints(1.5)
    lanes = np.array([(w.transform.location.x, w.transform.location.y, w.lane_width / 2) for w in waypoints])
    for x, y, _, length, width, _, yaw in town.static_boxes:
        dx, dy = lanes[:, 0] - x, lanes[:, 1] - y
        ahead = np.abs(dx * math.cos(yaw) + dy * math.sin(yaw)) - length
        aside = np.abs(-dx * math.sin(yaw) + dy * math.cos(yaw)) - width
        gap = np.hypot(np.maximum(ahead, 0), np.maximum(aside, 0)) - lanes[:, 2]
        assert gap.min() > 0.1


def test_boxes_cover_what_is_drawn(town) -> None:
    """Every kind of obstacle has boxes, one label each, and buildings are solid from the ground up."""
    assert len(town.static_boxes) == len(town.static_tags)
    for tag in (
        labels.BUILDINGS,
        labels.POLES,
        labels.TRAFFIC_LIGHT,
        labels.TRAFFIC_SIGNS,
        labels.VEGETATION,
    ):
        assert (town.static_tags == tag).sum() > 5
    houses = town.static_boxes[town.static_tags == labels.BUILDINGS]
    assert (houses[:, 3:6] > 1.0).all()


def test_a_stop_sign_and_its_line_are_seen_from_25_m(town, town_map) -> None:
    renderer = Renderer(town)
    seen = 0
    stops = [approach for approach in approaches(town_map) if approach.kind == STOP]
    for approach in stops:
        line = town_map.get_waypoint(carla.Location(*approach.lanes[0].center))
        here = line.previous(25.0)[0].transform
        place, yaw_deg = here.location, here.rotation.yaw
        camera = Camera(320, 180, 90.0, place.x, place.y, place.z + 1.6, 0.0, yaw_deg, 0.0)
        picture = renderer.render([camera], [])[0]
        sign = picture.tag == labels.TRAFFIC_SIGNS
        bgra = picture.bgra.astype(int)
        red = sign & (bgra[..., 2] > bgra[..., 1] + 50)
        seen += red.sum() >= 8
    assert stops
    assert seen == len(stops)


def test_stop_lines_are_painted_where_drivers_have_to_stop(town, town_map) -> None:
    renderer = Renderer(town)
    stops = [approach for approach in approaches(town_map) if approach.kind in (STOP, LIGHT)]
    assert len(stops) > 10
    for approach in stops:
        for lane in approach.lanes:
            x, y, z = lane.center - 0.2 * lane.forward
            above = Camera(9, 9, 5.0, x, y, z + 2.0, -90.0, math.degrees(approach.yaw_rad), 0.0)
            assert (renderer.render([above], [])[0].tag == labels.ROAD_LINES).all()


def test_pavements_are_raised_above_the_road(town, town_map) -> None:
    """Looking down on pavements between trees and lamps: most places show paving, 15 cm above the road."""
    renderer, depths = Renderer(town), []
    for waypoint in town_map.generate_waypoints(20.0):
        spot = waypoint
        while spot is not None and spot.lane_type != carla.LaneType.Sidewalk:
            spot = spot.get_right_lane()
        if spot is None or waypoint.is_junction:
            continue
        place = spot.transform.location
        picture = renderer.render([Camera(3, 3, 10.0, place.x, place.y, place.z + 1.5, -90.0, 0.0, 0.0)], [])[
            0
        ]
        if picture.tag[1, 1] == labels.SIDEWALKS:
            depths.append(picture.depth_m[1, 1])
    assert len(depths) > 30
    assert np.allclose(depths, 1.35, atol=0.01)


@pytest.mark.parametrize("name", towns.names())
def test_every_point_of_every_lane_shows_road(name: str) -> None:
    """Looking straight down on lane centres, in and out of junctions: asphalt or paint, at the lane's height."""
    text = towns.load(name)
    town_map = carla.Map(name, text)
    renderer = Renderer(build_scenery(town_map, text))
    for waypoint in town_map.generate_waypoints(25.0):
        place = waypoint.transform.location
        above = Camera(
            5, 5, 10.0, place.x, place.y, place.z + 3.0, -90.0, waypoint.transform.rotation.yaw, 0.0
        )
        picture = renderer.render([above], [])[0]
        assert set(np.unique(picture.tag)) <= {labels.ROADS, labels.ROAD_LINES}
        assert picture.depth_m[2, 2] == pytest.approx(3.0, abs=0.06)


def test_no_grass_grows_between_the_lanes_of_a_junction() -> None:
    text = towns.load("Ridgeport")
    town_map = carla.Map("Ridgeport", text)
    renderer = Renderer(build_scenery(town_map, text))
    ribbons = streets.lane_ribbons(town_map, opendrive.parse(text).lanes)
    _, holes = junctions.junction_floors(ribbons)
    road = np.concatenate([ribbon.center for ribbon in ribbons])
    assert len(holes) > 20
    for x, y in holes[::5]:
        z = road[np.linalg.norm(road[:, :2] - (x, y), axis=1).argmin(), 2]
        picture = renderer.render([Camera(3, 3, 5.0, x, y, z + 3.0, -90.0, 0.0, 0.0)], [])[0]
        assert labels.TERRAIN not in picture.tag


def test_lanes_inside_junctions_can_be_widened() -> None:
    text = towns.load("Ridgeport")
    town_map, lanes = carla.Map("Ridgeport", text), opendrive.parse(text).lanes
    plain = streets.lane_ribbons(town_map, lanes)
    wider = streets.lane_ribbons(town_map, lanes, streets.StreetSettings(junction_extra_m=0.6))
    for before, after in zip(plain, wider, strict=True):
        extra_m = 0.6 if before.in_junction and before.kind == "driving" else 0.0
        assert after.width_m == pytest.approx(before.width_m + extra_m)


def test_vertices_lie_as_far_apart_as_asked_where_the_street_bends() -> None:
    text = towns.load("Ridgeport")
    town_map, lanes = carla.Map("Ridgeport", text), opendrive.parse(text).lanes
    for step_m in (0.5, 8.0):
        for ribbon in streets.lane_ribbons(town_map, lanes, streets.StreetSettings(step_m=step_m)):
            assert np.diff(np.sort(ribbon.s_m)).max() <= step_m + 1e-6
