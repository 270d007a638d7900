"""Towns: found by name or path, refused with a reason, spawn points and ground where they should be."""

from __future__ import annotations

from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.sim import maps
from drive_agent.sim.ground import ground_height
from drive_agent.sim.maps import MapLibrary, Town, TownError
from scenarios import towns


@pytest.fixture(scope="module")
def hilly() -> Town:
    return maps.load_town("Ridgeport")


def test_an_unknown_town_names_the_nearest() -> None:
    with pytest.raises(TownError, match="Brookfield"):
        MapLibrary().read("Brokfield")


def test_folders_before_a_name_and_the_layered_suffix_are_ignored() -> None:
    text = towns.load("Ridgeport")
    assert MapLibrary().read("/Game/Carla/Maps/Ridgeport") == ("Ridgeport", text)
    assert MapLibrary().read("Ridgeport_Opt") == ("Ridgeport_Opt", text)


def test_files_of_the_folder_have_names(tmp_path: Path) -> None:
    (tmp_path / "Town01.xodr").write_text("one")
    (tmp_path / "notes.txt").write_text("two")
    library = MapLibrary(tmp_path)
    assert library.names() == [*towns.names(), "Town01"]
    assert library.read("/Game/Carla/Maps/Town01") == ("Town01", "one")
    assert library.read("Town01_Opt") == ("Town01_Opt", "one")
    with pytest.raises(TownError, match=r"did you mean Town01.*maps="):
        library.read("Town02")


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(TownError, match="maps=nowhere: no such folder"):
        MapLibrary(Path("nowhere"))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(TownError, match="no such file: nowhere.xodr"):
        MapLibrary().read("nowhere.xodr")


def test_a_file_is_read_in_the_encoding_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "Mine.xodr"
    path.write_bytes(
        '<?xml version="1.0" encoding="ISO-8859-1"?><OpenDRIVE><!-- Stra\xdfe --></OpenDRIVE>'.encode(
            "latin-1"
        )
    )
    name, text = MapLibrary().read(str(path))
    assert name == "Mine" and "Stra\xdfe" in text
    path.write_bytes(b'<?xml version="1.0" encoding="UTF-8"?><OpenDRIVE><!-- \xdf --></OpenDRIVE>')
    with pytest.raises(TownError, match="encoding it declares"):
        MapLibrary().read(str(path))


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
