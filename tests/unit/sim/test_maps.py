"""Towns: found by name or path, refused with a reason, spawn points and ground where they should be."""

from __future__ import annotations

from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.sim import maps
from drive_agent.sim.ground import ground_height
from drive_agent.sim.maps import Town, TownError
from scenarios import towns


@pytest.fixture(scope="module")
def hilly() -> Town:
    return maps.load_town("Ridgeport")


def test_an_unknown_town_names_the_nearest() -> None:
    with pytest.raises(TownError, match="Brookfield"):
        maps.read_town("Brokfield")


def test_folders_before_a_name_are_ignored() -> None:
    assert maps.read_town("/Game/Carla/Maps/Ridgeport") == ("Ridgeport", towns.load("Ridgeport"))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(TownError, match="no such file: nowhere.xodr"):
        maps.read_town("nowhere.xodr")


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Mine.xodr"
    path.write_text(towns.load("Ridgeport"))
    assert maps.read_town(str(path))[0] == "Mine"


def test_a_map_that_kills_the_parser_is_refused_with_the_reason() -> None:
    text = towns.load("Ridgeport")
    broken = text.replace('<control signalId="1000"', '<control signalId="nothing"')
    assert broken != text
    with pytest.raises(TownError, match="names signal nothing"):
        maps.check_opendrive("Broken", broken)


def test_spawn_points_stand_on_driving_lanes_outside_junctions_and_apart(hilly: Town) -> None:
    places = np.array([point[:2] for point in hilly.spawn_points])
    assert len(places) > 100
    for point in hilly.spawn_points[::7]:
        waypoint = hilly.carla_map.get_waypoint(carla.Location(*point[:3]))
        assert not waypoint.is_junction
        assert waypoint.transform.location.distance(carla.Location(*point[:3])) < 0.5
        assert abs((waypoint.transform.rotation.yaw - point.yaw + 180) % 360 - 180) < 1.0
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 100 * np.eye(len(places))
    assert gaps.min() > 2.5


def test_the_ground_is_as_high_as_the_lanes(hilly: Town) -> None:
    heights = []
    for waypoint in hilly.carla_map.generate_waypoints(7.3):
        place = waypoint.transform.location
        heights.append(place.z)
        assert ground_height(hilly.ground, place.x, place.y, place.z) == pytest.approx(place.z, abs=0.06)
    assert max(heights) - min(heights) > 0.5


def test_far_from_any_lane_nothing_is_known_of_the_ground(hilly: Town) -> None:
    assert np.isnan(ground_height(hilly.ground, 1e5, 1e5, 0.0))
