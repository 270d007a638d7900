"""Rays and spheres in a town of solids with actors in it."""

# ruff: noqa: F811 - the fixtures are those of the renderer's tests

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from drive_agent.sim.raycast import Geometry, Moment
from drive_agent.sim.render import labels
from drive_agent.sim.render.camera import Camera, DrawnActor, rotation_matrix
from drive_agent.sim.render.mesh import Mesh, box, join
from drive_agent.sim.render.renderer import Renderer
from tests.unit.sim.render.conftest import actor, front, ground, world  # noqa: F401 - fixtures

GREY = (0.5, 0.5, 0.5)
AHEAD, DOWN = np.array([1.0, 0, 0]), np.array([0, 0, -1.0])
EYE = np.array([0.0, 0, 1.5])


def house(number: int = -1, x: float = 21.0) -> Mesh:
    return box((2, 2, 6), (x, 0, 3.0), GREY, labels.BUILDINGS).numbered(number)


def moment(
    *meshes: Mesh, actors: tuple[DrawnActor, ...] = (), hidden: frozenset[int] = frozenset()
) -> Moment:
    return Geometry(join([ground(), *meshes])).at(actors, hidden)


def test_walls_and_the_ground_are_where_they_are() -> None:
    scan = moment(house()).cast(EYE, np.array([AHEAD, -AHEAD, DOWN, (AHEAD + DOWN) / math.sqrt(2)]), 50.0)
    assert scan.distance_m == pytest.approx([20.0, 50.0, 1.5, 1.5 * math.sqrt(2)], rel=1e-5)
    assert scan.tag.tolist() == [labels.BUILDINGS, 0, labels.ROADS, labels.ROADS]
    assert scan.target.tolist() == [-1, 0, 0, 0]
    assert scan.met.tolist() == [True, False, True, True]
    assert scan.cos_incidence == pytest.approx([1.0, 0.0, 1.0, math.sqrt(0.5)], abs=1e-5)


def test_an_actor_hides_the_wall_behind_it(actor: Callable[..., DrawnActor]) -> None:
    scan = moment(house(), actors=(actor(id=42, x=10.0, yaw_deg=90.0),)).cast((0, 0, 0.6), AHEAD[None], 50.0)
    assert (int(scan.target[0]), int(scan.tag[0])) == (42, labels.CAR)
    assert scan.distance_m[0] == pytest.approx(10.0 - 1.08, abs=0.12)


def test_a_geometry_follows_its_actors(actor: Callable[..., DrawnActor]) -> None:
    geometry = Geometry(join([ground()]))
    ahead = [
        float(geometry.at([actor(x=x)]).cast((0, 0, 0.6), AHEAD[None], 90.0).distance_m[0]) for x in (10, 30)
    ]
    assert ahead[1] - ahead[0] == pytest.approx(20.0, abs=1e-4)
    assert not geometry.at([]).cast((0, 0, 0.6), AHEAD[None], 90.0).met[0]


def test_what_is_hidden_is_not_met_and_comes_back() -> None:
    geometry = Geometry(join([ground(), house(-1), house(-2, x=41.0)]))
    for hidden, expected in ((frozenset({-1}), 40.0), (frozenset({-1, -2}), 90.0), (frozenset(), 20.0)):
        now = geometry.at([], hidden)
        assert now.cast(EYE, AHEAD[None], 90.0).distance_m[0] == pytest.approx(expected)
        touch = now.sweep(EYE, AHEAD, 0.5, 90.0, (), town=True)
        assert (touch.distance_m if touch else 90.0) == pytest.approx(
            min(90.0, expected - (0.5 if touch else 0.0))
        )


def test_a_ray_names_everything_on_its_way_once(actor: Callable[..., DrawnActor]) -> None:
    now = moment(house(-1), house(-2, x=41.0), actors=(actor(id=9, x=10.0),))
    touches = list(now.along(np.array([0, 0, 0.6]), AHEAD, 90.0))
    assert [touch.target for touch in touches] == [9, -1, -2]
    assert [touch.distance_m for touch in touches[1:]] == pytest.approx([20.0, 40.0], abs=0.01)


def test_a_sphere_is_stopped_by_actors_that_are_not_ignored(actor: Callable[..., DrawnActor]) -> None:
    now = moment(house(), actors=(actor(id=9, x=10.0), actor(id=10, x=30.0)))
    low = np.array([0, 0, 0.8])
    nearest = now.sweep(low, AHEAD, 0.4, 60.0, (), town=True)
    assert nearest is not None
    assert (nearest.target, nearest.tag) == (9, labels.CAR)
    assert 7.0 < nearest.distance_m < 7.6
    behind = now.sweep(low, AHEAD, 0.4, 60.0, (9,), town=True)
    assert behind is not None
    assert (behind.target, behind.distance_m) == (-1, pytest.approx(19.6))
    only_actors = now.sweep(low, AHEAD, 0.4, 60.0, (9,), town=False)
    assert only_actors is not None
    assert only_actors.target == 10
    assert now.sweep(low, AHEAD, 0.4, 60.0, (9, 10), town=False) is None


def test_rays_and_pixels_see_the_same(
    world: Callable[..., Renderer],
    front: Callable[..., Camera],
    actor: Callable[..., DrawnActor],
) -> None:
    """Depth, tag and instance through the middle of every pixel, beside edges, where a pixel mixes two things."""
    solids = (house(-1, x=18.0), box((3, 1, 2), (12.0, -4.0, 1.0), GREY, labels.WALLS).numbered(-2))
    actors = [actor(id=7, x=9.0, y=2.0, yaw_deg=40.0), actor(id=8, type_id="walker.pedestrian.0001", x=6.0, y=-1.0, z=0.93, half_extents=(0.19, 0.19, 0.93), speed_mps=1.0)]  # fmt: skip
    camera = front(80, 45, pitch_deg=-5.0, roll_deg=10.0)
    picture = world(*solids).render([camera], actors)[0]
    columns, rows = np.meshgrid(np.arange(80) + 0.5 - 40.0, 22.5 - np.arange(45) - 0.5)
    pixels = np.stack([np.full(columns.shape, 40.0), columns, rows], -1).reshape(-1, 3)
    lengths = np.linalg.norm(pixels, axis=1)
    axes = rotation_matrix(-5.0, 0.0, 10.0)
    scan = moment(*solids, actors=tuple(actors)).cast(EYE, pixels / lengths[:, None] @ axes.T, 350.0)
    depth = scan.distance_m * 40.0 / lengths
    seen = picture.tag.ravel() != labels.SKY
    agree = (scan.met == seen) & (~seen | (scan.target == picture.instance.ravel()))
    assert agree.mean() > 0.97
    compared = agree & seen & (depth < 60.0)  # beyond, a pixel spans metres of ground
    assert (np.abs(depth - picture.depth_m.ravel()) < 0.02 + 0.01 * depth)[compared].mean() > 0.97
    assert {7, 8, -1, -2} <= set(scan.target.tolist())
