"""Fields, what stands along them and along country roads, and the hills behind."""

from __future__ import annotations

from functools import lru_cache

import carla
import numpy as np
import pytest

from drive_agent.sim.render import labels, materials
from drive_agent.sim.render.camera import Camera
from drive_agent.sim.render.fields import LONGEST_CELLS, Fields
from drive_agent.sim.render.plots import Plots
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.scenery import Scenery, build_scenery
from drive_agent.sim.render.stage import TOWN_REACH_M
from drive_agent.sim.render.streets import Ribbon
from drive_agent.sim.render.terrain import Terrain
from scenarios import towns

COUNTRY = "Highmoor"


@lru_cache
def _country() -> tuple[carla.Map, Scenery]:
    text = towns.load(COUNTRY)
    town = carla.Map(COUNTRY, text)
    return town, build_scenery(town, text)


def _views(count: int) -> list[Camera]:
    places = [w.transform for w in _country()[0].generate_waypoints(40.0) if not w.is_junction]
    return [
        Camera(160, 90, 90.0, p.location.x, p.location.y, p.location.z + 1.6, 0.0, p.rotation.yaw, 0.0)
        for p in places[:: len(places) // count][:count]
    ]


def _ribbon(length_m: float = 400.0) -> Ribbon:
    s = np.arange(0.0, length_m, 2.0)
    center = np.column_stack([s, np.zeros_like(s), np.zeros_like(s)])
    right = np.tile([0.0, 1.0, 0.0], (len(s), 1))
    return Ribbon(
        1, -1, "driving", -1, True, True, True, False, False, s, center, right, np.full(len(s), 3.5)
    )


def _fields(seed: int = 0) -> tuple[Fields, Terrain]:
    low, high = np.array([-140.0, -300.0]), np.array([540.0, 300.0])
    ribbon = _ribbon()
    plots, terrain = Plots(low, high), Terrain([ribbon], low, high)
    plots.take_ribbons([ribbon], 0.5)
    return Fields(terrain, plots.distances(), np.random.default_rng(seed)), terrain


def test_fields_cover_the_land_without_overlap() -> None:
    fields, terrain = _fields()
    covered = np.zeros(np.array(terrain.height.shape) - 1, int)
    for field in fields.fields:
        covered[field.left : field.right, field.low : field.high] += 1
        assert max(field.right - field.left, field.high - field.low) <= LONGEST_CELLS
    assert (covered == 1).all()


def test_a_crop_ends_where_its_margin_begins_even_within_a_cell() -> None:
    """Along a straight road the edge of a field is a straight line, 8 m and a bit from the asphalt."""
    fields, _ = _fields()
    mesh = fields.mesh()
    assert (mesh.materials == materials.FIELD).all()
    middle = mesh.corners.mean(1)
    for corner in range(3):
        x, y = mesh.corners[:, corner, 0], mesh.corners[:, corner, 1]
        depth = mesh.params[:, 0] * x + mesh.params[:, 1] * y + mesh.params[:, 2]
        beside = (x > 50) & (x < 350) & (np.abs(middle[:, 1]) < 40)
        expected = np.abs(y) - 1.75 - 0.5 - 8.0
        near = beside & (np.abs(y) > 3.0)
        assert near.sum() > 50
        assert np.abs(depth - expected)[near].max() < 2.0


def test_distances_are_those_of_the_plane_within_8_percent() -> None:
    plots = Plots(np.zeros(2), np.full(2, 60.0))
    plots.take_points(np.array([[30.5, 30.5]]))
    points = np.random.default_rng(0).uniform(0.0, 60.0, (400, 2))
    true_m = np.linalg.norm(np.floor(points) - 30.0, axis=1)
    found_m = plots.distances().of(points)
    assert (found_m >= true_m - 1e-3).all()
    assert (found_m <= 1.09 * true_m + 1e-3).all()


def test_country_roads_are_lined_with_plants_fences_and_posts() -> None:
    """In most views of a country town things other than grass and sky fill a good part of the horizon."""
    _, scenery = _country()
    rich = 0
    views = _views(24)
    for picture in Renderer(scenery).render(views, []):
        band = picture.tag[35:52]  # about the horizon
        rich += np.isin(band, (labels.VEGETATION, labels.FENCES, labels.POLES)).mean() > 0.03
    assert rich >= 0.6 * len(views)
    for tag in (labels.VEGETATION, labels.FENCES):
        assert (scenery.static_tags == tag).sum() > 50


def test_land_never_ends_before_the_sky() -> None:
    """Under the horizon there is no sky, and hills rise above it here and there."""
    pictures = Renderer(_country()[1]).render(_views(12), [])
    assert not any((picture.tag[50:] == labels.SKY).any() for picture in pictures)
    far = [(picture.depth_m > TOWN_REACH_M) & (picture.tag != labels.SKY) for picture in pictures]
    assert sum(mask.any() for mask in far) >= 8
    for picture, mask in zip(pictures, far, strict=True):
        assert np.isin(picture.tag[mask], (labels.TERRAIN, labels.VEGETATION)).all()
        assert picture.depth_m.max() <= 1000.0


def test_no_hedge_or_fence_hides_the_traffic_of_a_junction() -> None:
    town, scenery = _country()
    inside = [w.transform.location for w in town.generate_waypoints(4.0) if w.is_junction]
    points = np.array([(p.x, p.y) for p in inside])
    long = (scenery.static_tags == labels.VEGETATION) & (scenery.static_boxes[:, 3] > 2.0)
    for x, y in scenery.static_boxes[long, :2]:
        assert np.hypot(*(points - (x, y)).T).min() > 9.0


@pytest.mark.parametrize("seed", [0, 3])
def test_the_same_seed_grows_the_same_land(seed: int) -> None:
    first, second = (_fields(seed)[0].mesh() for _ in range(2))
    assert np.array_equal(first.params, second.params)
    assert not np.array_equal(first.params, _fields(seed + 1)[0].mesh().params)
